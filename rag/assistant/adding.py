"""Files into the library: read, split, embed, store."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from rag.config import Settings
from rag.errors import ReadError
from rag.library import Library
from rag.read import SUFFIXES, absolute, find_files, read, shown
from rag.retrieve import index_text
from rag.split import paragraphs
from rag.types import AddReport, Document, Embedder, Paragraph

Progress = Callable[[int, int, str], object]
"""Called with files done, files in all, and the name of the one at hand."""

_BATCH = 32  # documents embedded and stored at once: what a crash or Ctrl-C can cost


def add(
    paths: Iterable[str | os.PathLike[str]],
    library: Library,
    embedder: Embedder,
    settings: Settings,
    progress: Progress | None = None,
) -> AddReport:
    """Adds files, and folders with all readable files in them; what is there already in the same version is left alone.

    Each batch is one transaction: a crash loses nothing that is reported as done.
    """
    library.bind(embedder.name)
    files, failed = _listed(paths, library)
    known = library.versions()
    added: list[str] = []
    changed: list[str] = []
    unchanged: list[str] = []
    batch: list[Document] = []
    for n, file in enumerate(files):
        if progress:
            progress(n, len(files), shown(file.name))
        try:
            document = _read(file, settings)
        except ReadError as exc:
            failed.append((shown(file), str(exc)))
            continue
        if known.get(document.id) == document.version:
            unchanged.append(document.id)
            continue
        (changed if document.id in known else added).append(document.id)
        known[document.id] = document.version
        batch.append(document)
        if len(batch) == _BATCH:
            store(batch, library, embedder)
            batch = []
    store(batch, library, embedder)
    if progress:
        progress(len(files), len(files), "")
    duplicates = _duplicates(known, {*added, *changed})
    return AddReport(tuple(added), tuple(changed), tuple(unchanged), tuple(failed), duplicates)


def rebuild(library: Library, embedder: Embedder, settings: Settings, progress: Progress | None = None) -> AddReport:
    """Reads all files again, splits and embeds all documents again, and picks up new files in folders that were added.

    A document whose file is gone keeps its stored text. All is stored in one transaction at the end.
    """
    stored = library.documents()
    fresh = [_again(document, settings) for document in stored]
    failed = [(document.source, reason) for document, reason in fresh if reason]
    items = []
    for n, (document, _) in enumerate(fresh):
        if progress:
            progress(n, len(fresh), Path(document.source).name)
        items.append(_embedded(document, embedder))
    library.put(items, embedder.name)
    changed = [new.id for old, (new, _) in zip(stored, fresh, strict=True) if old.version != new.version]
    unchanged = [new.id for old, (new, _) in zip(stored, fresh, strict=True) if old.version == new.version]
    folders = [folder for folder in library.folders() if os.path.isdir(folder)]
    found = add(folders, library, embedder, settings) if folders else AddReport()
    if progress:
        progress(len(fresh), len(fresh), "")
    failed += [(path, reason) for path, reason in found.failed if path not in dict(failed)]
    return replace(found, changed=tuple(changed), unchanged=tuple(unchanged), failed=tuple(failed))


def store(documents: Sequence[Document], library: Library, embedder: Embedder) -> None:
    """Splits, embeds and stores documents in one transaction."""
    if documents:
        library.put([_embedded(document, embedder) for document in documents], embedder.name)


def _duplicates(versions: Mapping[str, str], among: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Returns (id, id of an older document with the same text) for some documents; `versions` has the oldest first."""
    first: dict[str, str] = {}
    pairs = [(document, first.setdefault(version, document)) for document, version in versions.items()]
    return tuple((document, older) for document, older in pairs if older != document and document in among)


def _listed(paths: Iterable[str | os.PathLike[str]], library: Library) -> tuple[list[Path], list[tuple[str, str]]]:
    files: dict[Path, None] = {}
    failed = []
    for path in map(absolute, paths):
        try:
            found = list(find_files([path]))
        except ReadError as exc:
            failed.append((shown(path), str(exc)))
            continue
        if path.is_dir():
            library.add_folders([str(path)])
            if not found:
                failed.append((shown(path), f"The folder has no articles: no {', '.join(sorted(SUFFIXES))} files."))
        files |= dict.fromkeys(found)
    return list(files), failed


def _read(file: Path, settings: Settings) -> Document:
    return read(file, max_bytes=settings.max_file_mb * 10**6)


def _again(document: Document, settings: Settings) -> tuple[Document, str]:
    try:
        return _read(Path(document.source), settings), ""
    except ReadError as exc:
        return document, f"{exc} Its stored text is kept."


def _embedded(document: Document, embedder: Embedder) -> tuple[Document, tuple[Paragraph, ...], np.ndarray]:
    found = paragraphs(document)
    texts = [index_text(document.title, document.text[p.start : p.end]) for p in found]
    return document, found, embedder.embed_paragraphs(texts)
