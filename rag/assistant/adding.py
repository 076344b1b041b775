"""Files into the library: read, split, embed, store."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

import numpy as np

from rag.config import Settings
from rag.duplicates import copied
from rag.errors import ReadError
from rag.library import Library
from rag.read import SUFFIXES, absolute, document_id, find_files, read, shown
from rag.retrieve import index_text
from rag.split import paragraphs
from rag.types import AddReport, Document, Embedder, Paragraph

Progress = Callable[[int, int, str], object]
"""Called with files done, files in all, and the name of the one at hand."""

Stored = Callable[[bool], object]
"""Called after documents were stored, under the writers' lock; told whether stored documents were changed by it."""

_BATCH, _BATCH_SECONDS = 32, 2.0  # documents, or time, after which is stored: what a crash or Ctrl-C can cost

_Item = tuple[Document, tuple[Paragraph, ...], np.ndarray]


def add(
    paths: Iterable[str | os.PathLike[str]],
    library: Library,
    embedder: Embedder,
    settings: Settings,
    stored: Stored,
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
    batch: list[_Item] = []
    begun = time.monotonic()

    def put() -> None:
        library.put(batch, embedder.name)
        stored(any(document.id in changed for document, *_ in batch))
        batch.clear()

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
        begun = begun if batch else time.monotonic()
        batch.append(_embedded(document, embedder))
        if len(batch) == _BATCH or time.monotonic() - begun > _BATCH_SECONDS:
            put()
    if batch:
        put()
    if progress:
        progress(len(files), len(files), "")
    duplicates = _duplicates(known, {*added, *changed})
    similar = _similar(known, {*added, *changed}, library)
    return AddReport(tuple(added), tuple(changed), tuple(unchanged), tuple(failed), duplicates, similar)


def rebuild(library: Library, embedder: Embedder, settings: Settings, progress: Progress | None = None) -> AddReport:
    """Reads all files again, splits and embeds all documents again, and picks up new files in folders that were added.

    A document whose file is gone keeps its stored text; one that was removed stays away. All is stored in one transaction at
    the end.
    """
    old = library.versions()
    fresh = [_again(document, settings) for document in library.documents()]
    failed = [(document.source, reason) for document, reason in fresh if reason]
    documents = [document for document, _ in fresh]
    files, not_listed = _listed(filter(os.path.isdir, library.folders()), library)
    known = old.keys() | library.removed()
    for file in files:
        if document_id(str(file)) not in known:
            try:
                documents.append(_read(file, settings))
            except ReadError as exc:
                not_listed.append((shown(file), str(exc)))
    items = []
    for n, document in enumerate(documents):
        if progress:
            progress(n, len(documents), Path(document.source).name)
        items.append(_embedded(document, embedder))
    library.put(items, embedder.name)
    if progress:
        progress(len(documents), len(documents), "")
    new = {document.id: document.version for document in documents}
    added = tuple(identity for identity in new if identity not in old)
    return AddReport(
        added=added,
        changed=tuple(i for i, version in new.items() if i in old and old[i] != version),
        unchanged=tuple(i for i, version in new.items() if old.get(i) == version),
        failed=(*failed, *not_listed),
        duplicates=_duplicates(new, set(added)),
        similar=_similar(new, set(added), library),
    )


def _duplicates(versions: Mapping[str, str], among: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Returns (id, id of an older document with the same text) for some documents; `versions` has the oldest first."""
    first: dict[str, str] = {}
    pairs = [(document, first.setdefault(version, document)) for document, version in versions.items()]
    return tuple((document, older) for document, older in pairs if older != document and document in among)


def _similar(versions: Mapping[str, str], among: Collection[str], library: Library) -> tuple[tuple[str, str, float], ...]:
    """Returns (id, id of the older document that is most like it, share) for those of some documents that are copies.

    A document that has the text of an older one is none of them: that is told already.
    """
    equal = {document for document, _ in _duplicates(versions, among)}
    found = []
    for document in (identity for identity in versions if identity in among and identity not in equal):
        text = library.body(document)
        shares = {older: copied(text, library.body(older)) for older in library.alike(document)}
        older = max(shares, key=shares.__getitem__, default="")
        if older and shares[older]:
            found.append((document, older, shares[older]))
    return tuple(found)


def _listed(paths: Iterable[str | os.PathLike[str]], library: Library) -> tuple[list[Path], list[tuple[str, str]]]:
    files: dict[Path, None] = {}
    failed = []

    def unreadable(exc: OSError) -> None:
        failed.append((shown(exc.filename), f"The folder cannot be read: {exc.strerror}. Change its permissions."))

    for named in paths:
        try:
            path = absolute(named)
            found = list(find_files([path], unreadable))
        except ReadError as exc:
            failed.append((shown(named), str(exc)))
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


def _embedded(document: Document, embedder: Embedder) -> _Item:
    found = paragraphs(document)
    texts = [index_text(document.title, document.text[p.start : p.end]) for p in found]
    return document, found, embedder.embed_paragraphs(texts)
