"""Files into the library: read, split, embed, store."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from rag.config import Settings
from rag.errors import ReadError
from rag.library import Library
from rag.read import find_files, read
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
    versions = {version: document for document, version in known.items()}
    added: list[str] = []
    changed: list[str] = []
    unchanged, duplicates = [], []
    batch: list[Document] = []
    for n, file in enumerate(files):
        if progress:
            progress(n, len(files), file.name)
        try:
            document = _article(file, settings)
        except ReadError as exc:
            failed.append((str(file), str(exc)))
            continue
        if known.get(document.id) == document.version:
            unchanged.append(document.id)
            continue
        (changed if document.id in known else added).append(document.id)
        if versions.setdefault(document.version, document.id) != document.id:
            duplicates.append((document.id, versions[document.version]))
        known[document.id] = document.version
        batch.append(document)
        if len(batch) == _BATCH:
            store(batch, library, embedder)
            batch = []
    store(batch, library, embedder)
    if progress:
        progress(len(files), len(files), "")
    return AddReport(tuple(added), tuple(changed), tuple(unchanged), tuple(failed), tuple(duplicates))


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
    return replace(found, changed=tuple(changed), unchanged=tuple(unchanged), failed=tuple(failed) + found.failed)


def store(documents: Sequence[Document], library: Library, embedder: Embedder) -> None:
    """Splits, embeds and stores documents in one transaction."""
    if documents:
        library.put([_embedded(document, embedder) for document in documents], embedder.name)


def _listed(paths: Iterable[str | os.PathLike[str]], library: Library) -> tuple[list[Path], list[tuple[str, str]]]:
    files: dict[Path, None] = {}
    failed = []
    for path in paths:
        try:
            found = list(find_files([path]))
        except ReadError as exc:
            failed.append((str(path), str(exc)))
            continue
        if os.path.isdir(path):
            library.add_folders([os.path.abspath(path)])
            if not found:
                failed.append((str(path), "The folder has no .txt or .md files."))
        files |= dict.fromkeys(found)
    return list(files), failed


def _article(file: Path, settings: Settings) -> Document:
    document = read(file, max_bytes=settings.max_file_mb * 2**20)
    if not paragraphs(document):
        raise ReadError(
            f"{file} has no paragraph of an article.", "Footnote reads articles: sentences, not lists of labels."
        )
    return document


def _again(document: Document, settings: Settings) -> tuple[Document, str]:
    try:
        return _article(Path(document.source), settings), ""
    except ReadError as exc:
        return document, f"{exc} Its stored text is kept."


def _embedded(document: Document, embedder: Embedder) -> tuple[Document, tuple[Paragraph, ...], np.ndarray]:
    found = paragraphs(document)
    texts = [index_text(document.title, document.text[p.start : p.end]) for p in found]
    return document, found, embedder.embed_paragraphs(texts)
