"""`rag add`, `remove`, `list`, `rebuild` and `status`: what is in the library."""

from __future__ import annotations

import argparse
import dataclasses
import signal
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag import config
from rag.cli.filtering import chosen
from rag.cli.opening import opened
from rag.cli.output import DONE, EMPTY, FAILED, NOT_FOUND, counted, printable, progress_bar, say
from rag.config import Settings
from rag.errors import ConfigError, ModelError
from rag.types import AddReport

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rag.assistant import Assistant
    from rag.assistant.watching import Watch
    from rag.generate.states import Stored


def add(options: argparse.Namespace) -> int:
    """Adds files and folders; FAILED if one of them could not be added, what was added is kept.

    With `watch`, it then follows them until Ctrl-C or SIGTERM.
    """
    settings = _without_answers(config.load())
    with opened(settings, seeds=False) as assistant:
        watch = assistant.watch(options.paths) if options.watch else None  # what changes while the others are added is seen
        try:
            with progress_bar("B") as progress:
                report = assistant.add(options.paths, progress=progress)
        except KeyboardInterrupt:
            say("\nWhat was added is kept; the same command goes on from there.")
            raise
        _print_report(report, assistant)
        if watch:
            _follow(watch, counted(len(options.paths), "path"))
            return DONE
    return FAILED if report.failed else DONE


def _follow(watch: Watch, what: str) -> None:
    """Prints a line for each thing that happens, until Ctrl-C or SIGTERM."""
    print(f"following  {what} (Ctrl-C ends it)", flush=True)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for event in watch.follow(threading.Event()):
            path = printable(event.path)
            if event.kind == "gone":
                print(f"gone       {path}: its text is kept. To remove it: rag remove {event.document}", flush=True)
            elif event.kind == "skipped":
                print(f"skipped    {_other_formats(event.skipped)}", flush=True)
            else:
                print(f"{event.kind:9}  {' '.join(part for part in (path, printable(event.reason)) if part)}", flush=True)
    except KeyboardInterrupt:
        say("\nStopped. What was added is kept.")
    finally:
        signal.signal(signal.SIGTERM, before)


def remove(options: argparse.Namespace) -> int:
    """Removes documents, all or none. Only the library is opened, so no model is needed."""
    from rag.generate.states import stored_states
    from rag.library import Library

    settings = config.load()
    library = Library(settings.index)  # the derived indexes follow when they are used next
    try:
        titles = [library.document(identity).title for identity in options.ids]
        with library.writing():
            library.remove(options.ids)
            stored_states(settings.index, settings.states_mb).forget(options.ids)
    finally:
        library.close()
    for title in titles:
        print(f"removed    {printable(title)}")
    return DONE


def list_documents(options: argparse.Namespace) -> int:
    """Prints the documents that a filter selects; NOT_FOUND for none. Only the library is opened, so no model is needed."""
    from rag.library import Library

    filter = chosen(options)
    library = Library(config.load().index)
    try:
        filter = library.check(filter)
        documents, missed = library.documents(filter), library.missed(filter)
    finally:
        library.close()
    for document in documents:
        print(f"{document.id}  {document.date or '          '}  {printable(document.title)}")
        print(f"{'':26}{printable(document.source)}")
    if missed:
        say(printable(missed))
        return NOT_FOUND
    if not documents:
        say(EMPTY)
    return DONE


def rebuild(options: argparse.Namespace) -> int:
    """Reads all files again; FAILED if one of them could not be read."""
    settings = _without_answers(config.load())
    with opened(settings, seeds=False) as assistant, progress_bar("B") as progress:
        report = assistant.rebuild(progress=progress)
        _print_report(report, assistant)
    return FAILED if report.failed else DONE


def show_status(options: argparse.Namespace) -> int:
    """Prints what is in the index and where the models are; a missing model is no failure."""
    from rag import models
    from rag.generate.states import stored_states
    from rag.library import Library

    settings = config.load()
    library = Library(settings.index)
    n_documents, n_paragraphs = library.count()
    print(f"index      {printable(library.folder)}")
    print(f"           {counted(n_documents, 'document')}, {counted(n_paragraphs, 'paragraph')}")
    if library.embedding_model:
        print(f"           built with {printable(library.embedding_model)}")
    _print_states(stored_states(settings.index, settings.states_mb).stored(), settings, library.versions())
    library.close()
    wanted: tuple[tuple[models.Role, str], ...] = (
        ("answers", settings.answer_model),
        ("embedding", settings.embedding_model),
        ("reranking", settings.reranking_model),
    )
    for role, name in wanted:
        try:
            state = f"at {models.locate(name, role, settings.models)}" if name != "none" else "quotes only"
        except (ModelError, ConfigError) as exc:
            state = f"{exc.message} {exc.hint}"
        print(f"{role:9}  {printable(name)}: {printable(state)}")
    return DONE


def _print_states(stored: Stored, settings: Settings, documents: Iterable[str]) -> None:
    """Prints what the answer model keeps of passages, and for how many of the newest articles it does."""
    from rag.assistant.preparing import N_NEWEST

    newest = list(documents)[-N_NEWEST:]
    n_read = sum(document in stored.documents for document in newest)
    print(f"states     {counted(stored.n_states, 'passage')}, {stored.n_bytes >> 20} MB of {settings.states_mb} MB")
    print(f"           of {n_read} of the {counted(len(newest), 'newest document')}")
    if stored.n_asked:
        asked = counted(stored.n_asked, "look")
        print(f"           {stored.n_served / stored.n_asked:.0%} of the last {asked} at a passage needed no reading")


def _other_formats(skipped: Sequence[tuple[str, int]]) -> str:
    """`3 files of other formats (2 .html, 1 without a suffix)`, `1 file of another format (.pdf)`."""
    named = [(printable(suffix) or "without a suffix", n) for suffix, n in skipped]
    what = "another format" if len(named) == 1 else "other formats"
    told = ", ".join(name if len(named) == 1 else f"{n} {name}" for name, n in named)
    return f"{counted(sum(n for _, n in named), 'file')} of {what} ({told})"


def _print_report(report: AddReport, assistant: Assistant) -> None:
    for name in ("added", "changed", "unchanged"):
        if ids := getattr(report, name):
            print(f"{name:9}  {counted(len(ids), 'document')}")
        if name != "unchanged":
            _print_read(ids, assistant)
    for identity, source in report.renamed:
        print(f"renamed    {identity} is now {printable(source)}")
    for copy, original in report.duplicates:
        print(f"duplicate  {copy} has the same text as {original}")
        _print_sources((copy, original), assistant)
    for copy, original, share in report.similar:
        print(f"similar    {copy} tells the same story as {original} ({share:.0%} of the shorter one is in both)")
        _print_sources((copy, original), assistant)
    for path, reason in report.failed:
        print(f"failed     {printable(path)}\n           {printable(reason)}")
    if report.skipped:
        print(f"skipped    {_other_formats(report.skipped)}")
    if report == AddReport():
        print("nothing to do")


def _print_read(ids: Sequence[str], assistant: Assistant) -> None:
    """Prints what was taken for title, date and paragraphs of some documents, so that a wrong reading is seen at once."""
    for identity in ids:
        document, n = assistant.document(identity), len(assistant.paragraphs(identity))
        print(f"{'':11}{document.date or 'no date':10}  {counted(n, 'paragraph'):>14}  {printable(document.title)}")
        print(f"{'':39}{printable(document.source)}")


def _print_sources(ids: Iterable[str], assistant: Assistant) -> None:
    for identity in ids:
        print(f"{'':11}{printable(assistant.document(identity).source)}")


def _without_answers(settings: Settings) -> Settings:
    return dataclasses.replace(settings, answer_model="none")
