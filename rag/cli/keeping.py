"""`rag backup`, `restore` and `repair`: the library is kept safe. Only the library is opened, so no model is needed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rag import config
from rag.cli.output import DONE, FAILED, counted, printable, say
from rag.errors import LibraryDamaged


def backup(options: argparse.Namespace) -> int:
    """Writes the library into one file; another process may use it meanwhile."""
    from rag.library import Library

    library = Library(config.load().index)
    try:
        n_documents = library.backup(Path(options.file), force=options.force)
    finally:
        library.close()
    print(f"saved      {counted(n_documents, 'document')} in {printable(options.file)}")
    return DONE


def restore(options: argparse.Namespace) -> int:
    """Puts a backup in the library's place; FAILED if it has documents and that was not confirmed."""
    from rag.library import saving

    folder, file = config.load().index, Path(options.file)
    n_new, n_old = saving.inspect(file), _n_documents(folder)
    if n_old and not options.yes and not _confirmed(n_old, n_new, folder):
        say("Nothing was changed.")
        return FAILED
    n_documents, aside = saving.restore(file, folder)
    _forget_others(folder)
    print(f"restored   {counted(n_documents, 'document')} of {printable(file)}")
    if aside:
        print(f"kept       the damaged library is now {printable(aside)}")
    return DONE


def repair(options: argparse.Namespace) -> int:
    """Saves what can be read of a damaged library; FAILED if a document could not be saved."""
    from rag.library.repair import repair

    folder = config.load().index
    done = repair(folder)
    if not done.aside:
        print(f"Nothing is wrong with the library in {printable(folder)}.")
        return DONE
    _forget_others(folder)
    n_documents, n_versions = done.saved
    print(f"damaged    {done.problem}")
    print(f"saved      {counted(n_documents, 'document')}, {counted(n_versions, 'version')}")
    for identity in done.older:
        print(f"older      {identity} has an older text again: the newest one could not be read")
    titles = dict(done.titles)
    for identity, source in done.lost:
        unknown = f"{titles.get(identity, '')} (its path could not be read)".strip()
        print(f"lost       {identity}  {printable(source or unknown)}")
    print(f"kept       the damaged library is now {printable(done.aside)}")
    if done.unindexed:
        print(f"Of {counted(len(done.unindexed), 'document')} only the text was saved. To find it again, run: rag rebuild")
    if done.lost or done.older:
        print("Add the articles again that were lost or have an older text: rag add PATH")
    return FAILED if done.lost else DONE


def _forget_others(folder: Path) -> None:
    """Deletes what the answer model keeps of documents that are no longer in the library."""
    from rag.generate.states import stored_states
    from rag.library import Library

    library = Library(folder)
    try:
        stored_states(folder, config.load().states_mb).keep(library.versions())
    finally:
        library.close()


def _n_documents(folder: Path) -> int:
    """Returns how many documents would be replaced; 0 for a damaged library, which is kept."""
    from rag.library import Library

    try:
        library = Library(folder)
        try:
            return library.count()[0]
        finally:
            library.close()
    except LibraryDamaged:
        return 0


def _confirmed(n_old: int, n_new: int, folder: Path) -> bool:
    here = f"The library in {printable(folder)} has {counted(n_old, 'document')}"
    question = f"{here}; the backup, with {n_new}, would replace it."
    if not sys.stdin.isatty():
        say(f"rag: {question}\n     To do so, run it again with --yes; to keep what is there, first: rag backup OTHER_FILE")
        return False
    return input(f"{question} Replace it? [y/N] ").strip().lower() in ("y", "yes")
