"""Files into the library: read, split, embed, store."""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rag.assistant.embedding import embed, keys
from rag.config import Settings
from rag.duplicates import copied
from rag.errors import ReadError
from rag.library import Item, Library
from rag.read import SUFFIXES, Unread, absolute, document_id, file_of, find_files, shown, with_language
from rag.read.workers import Found, OnTick, Workers
from rag.types import AddReport, Document, Embedder

Progress = Callable[[int, int, str], object]
"""Called with bytes done, bytes in all, and the name of the file at hand: the time left goes with the bytes. Those of a file
that is there already count as neither, once that is known, unless there is no other."""

Stored = Callable[[bool], object]
"""Called after documents were stored, under the writers' lock; told whether stored documents were changed by it."""

_BATCH, _BATCH_CHARS, _BATCH_SECONDS = 32, 100_000, 2.0  # documents, characters or time after which is stored


class _Adding:
    """One call of `add`: what is known, what was done, and what is about to be stored."""

    def __init__(
        self, library: Library, embedder: Embedder, settings: Settings, stored: Stored, progress: Progress | None
    ) -> None:
        self._library, self._embedder, self._settings = library, embedder, settings
        self._stored, self._progress = stored, progress or (lambda done, total, name: None)
        self._versions, self._sources = library.versions(), library.sources()
        self._by_version = {version: identity for identity, version in self._versions.items()}
        self._added: list[str] = []
        self._changed: list[str] = []
        self._unchanged: list[str] = []
        self._renamed: list[tuple[str, str]] = []
        self._failed: list[tuple[str, str]] = []
        self._moves: dict[str, str] = {}  # new sources by id
        self._moved: set[str] = set()  # documents that have a new source: another copy of one is a new document
        self._batch: list[Document] = []
        self._like: set[str] = set()  # documents whose vectors the batch may take over
        self._begun = 0.0
        self._done = self._reached = self._total = 0  # bytes: stored, read, all
        self._file: Path | None = None  # that is at hand
        self._passed = 0  # bytes of files for which there was nothing to do

    def run(self, paths: Iterable[str | os.PathLike[str]]) -> AddReport:
        """Adds files, and folders with all readable files in them."""
        files, self._failed, skipped = _listed(paths, self._library)
        sizes = {file: _n_bytes(file) for file in files}
        self._total = sum(sizes.values())
        with _reading(files, self._settings, self._tick) as found:
            for file, documents in found:
                self._file = file
                self._progress(self._done, self._total, shown(file.name))
                if self._take_all(documents, skipped):
                    self._reached += sizes[file]
                else:
                    self._total -= sizes[file]  # as done, it would promise that the others are as quick
                    self._passed += sizes[file]
                if self._is_full():
                    self._put()
        self._put()
        every = self._total or self._passed  # if nothing was to be done, it ends full all the same
        self._progress(every, every, "")
        return AddReport(
            added=tuple(self._added),
            changed=tuple(self._changed),
            unchanged=tuple(self._unchanged),
            failed=tuple(self._failed),
            duplicates=_duplicates(self._versions, {*self._added, *self._changed}),
            similar=_similar(self._versions, {*self._added, *self._changed}, self._library),
            renamed=tuple(self._renamed),
            skipped=by_suffix(skipped),
        )

    def _tick(self, file: Path, done: int, total: int) -> None:
        """Tells how far the file at hand is; of one that is read ahead nothing."""
        if file == self._file:
            self._progress(self._done, self._total, f"{shown(file.name)}, {done} of {total}")

    def _take_all(self, found: Iterable[Document | Unread], skipped: set[Path]) -> bool:
        """Takes the documents of one file; returns whether there was something to be done for one of them."""
        is_new = False
        for one in found:
            if isinstance(one, Document):
                is_new = self._take(one) or is_new
                if self._is_full():  # an archive has many
                    self._put()
            elif one.is_other:
                skipped.add(Path(one.source))
            else:
                self._failed.append((shown(one.source), one.reason))
        return is_new

    def _take(self, read: Document) -> bool:
        """Takes a document; returns whether it is to be stored."""
        document = replace(read, id=self._identity(read.source))
        known = self._versions.get(document.id)
        twin = self._by_version.get(document.version, "")
        if known == document.version and self._is_stored_so(document):
            self._unchanged.append(document.id)
            return False
        if known is None and twin and twin not in self._moved and self._was_renamed(twin, document.source):
            self._moved.add(twin)
            self._moves[twin] = document.source
            self._sources[document.source] = twin
            self._renamed.append((twin, document.source))
            document = replace(document, id=twin)
            if self._is_stored_so(document):
                return False
            self._queue(document)  # its title may be the file's name
            return True
        (self._added if known is None else self._changed).append(document.id)
        self._like.add(twin)
        self._versions[document.id] = document.version
        self._by_version.setdefault(document.version, document.id)
        self._sources[document.source] = document.id
        self._queue(document)
        return True

    def _queue(self, document: Document) -> None:
        self._like.add(document.id)
        self._begun = self._begun if self._batch else time.monotonic()
        self._batch.append(with_language(document))

    def _is_stored_so(self, document: Document) -> bool:
        """True if title, day and parts are stored as they were read now: they may change where the text does not."""
        stored = next((one for one in self._batch if one.id == document.id), None) or self._library.document(document.id)
        return (stored.title, stored.date, stored.layout) == (document.title, document.date, document.layout)

    def _identity(self, source: str) -> str:
        """Returns the id of the document with this source: a new one for a new source, also where a renamed file was."""
        if source in self._sources:
            return self._sources[source]
        return _free_id(source, self._versions)

    def _was_renamed(self, identity: str, source: str) -> bool:
        """True if the document's own file is gone and the new one is of its kind."""
        old = next((path for path, i in self._sources.items() if i == identity), "")
        is_there = os.path.lexists(old) or file_of(old) != Path(old)
        return bool(old) and not is_there and Path(old).suffix == Path(source).suffix

    def _is_full(self) -> bool:
        return bool(self._batch) and (
            len(self._batch) >= _BATCH
            or sum(len(document.text) for document in self._batch) > _BATCH_CHARS
            or time.monotonic() - self._begun > _BATCH_SECONDS
        )

    def _put(self) -> None:
        if self._moves:
            self._library.move(self._moves)
            self._moves = {}
        if self._batch:
            share, name = (self._reached - self._done), shown(Path(self._batch[-1].source).name)

            def ticked(part: float) -> None:
                self._done += int(share * part)
                self._progress(self._done, self._total, name)

            model = self._embedder.name
            items = embed(self._batch, self._library, self._embedder, self._like, ticked)
            self._library.put(items, model, staged=keys(items, model))
            known = {*self._changed, *(identity for identity, _ in self._renamed)}
            self._stored(any(document.id in known for document in self._batch))
            self._batch, self._like = [], set()
        self._done = self._reached


def add(
    paths: Iterable[str | os.PathLike[str]],
    library: Library,
    embedder: Embedder,
    settings: Settings,
    stored: Stored,
    progress: Progress | None = None,
) -> AddReport:
    """Adds files, and folders with all readable files in them; what is there already in the same version is left alone.

    Each batch is one transaction: a crash loses nothing that is reported as done. A file that was moved keeps its document.
    """
    library.bind(embedder.name)
    library.drop_stale()
    return _Adding(library, embedder, settings, stored, progress).run(paths)


def bring_back(documents: Sequence[Document], library: Library, embedder: Embedder) -> None:
    """Stores documents as they are, those left out that are there."""
    known = library.versions()
    library.bind(embedder.name)
    items = embed([document for document in documents if document.id not in known], library, embedder)
    library.put(items, embedder.name, staged=keys(items, embedder.name))


def rebuild(library: Library, embedder: Embedder, settings: Settings, progress: Progress | None = None) -> AddReport:
    """Reads all files again, splits and embeds all documents again, and picks up new files in folders that were added.

    A document whose file is gone keeps its stored text; one that was removed stays away. Vectors are staged beside the old
    ones, and all takes the old ones' place in one transaction at the end: questions go on meanwhile, and a rebuild that was
    stopped goes on where it was.
    """
    library.drop_stale()
    old = library.versions()
    files, not_listed, _ = _listed(filter(os.path.isdir, library.folders()), library)
    documents, failed = _again(library, files, settings)
    library.put(_rebuilt(documents, library, embedder, progress), embedder.name, anew=True)
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


def _rebuilt(documents: list[Document], library: Library, embedder: Embedder, progress: Progress | None) -> Iterator[Item]:
    """Stages all vectors, then yields the documents with them."""
    total, done = sum(len(document.text) for document in documents), 0
    for document in documents:
        if progress:
            progress(done, total, Path(document.source).name)
        embed([document], library, embedder)
        done += len(document.text)
    if progress:
        progress(total, total, "")
    return (item for document in documents for item in embed([document], library, embedder))


def _free_id(source: str, taken: Collection[str]) -> str:
    """Returns the id of a new document: of its source, unless a document that was renamed has that one."""
    identity, n = document_id(source), 1
    while identity in taken:
        identity, n = document_id(f"{source}\0{n}"), n + 1
    return identity


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


def by_suffix(files: Iterable[Path]) -> tuple[tuple[str, int], ...]:
    """Returns (suffix, number) of files, the most frequent one first."""
    counts = Counter(shown(file.suffix.lower()) for file in files)
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _listed(
    paths: Iterable[str | os.PathLike[str]], library: Library
) -> tuple[list[Path], list[tuple[str, str]], set[Path]]:
    """Returns the files to be read, what cannot be listed with its reason, and files of other formats."""
    files: dict[Path, None] = {}
    failed = []
    others: set[Path] = set()

    def unreadable(exc: OSError) -> None:
        failed.append((shown(exc.filename), f"The folder cannot be read: {exc.strerror}. Change its permissions."))

    def outside(file: Path) -> None:
        failed.append((shown(file), "It is a link to a file outside the folder. Name that file, to add it."))

    for named in paths:
        try:
            path = absolute(named)
            found = list(find_files([path], unreadable, others.add, outside))
        except ReadError as exc:
            failed.append((shown(named), str(exc)))
            continue
        if path.is_dir():
            library.add_folders([str(path)])
            if not found:
                failed.append((shown(path), f"The folder has no articles: no {', '.join(sorted(SUFFIXES))} files."))
        files |= dict.fromkeys(found)
    return list(files), failed, others - files.keys()


@contextlib.contextmanager
def _reading(
    files: Sequence[Path], settings: Settings, tick: OnTick = lambda file, done, total: None
) -> Iterator[Iterator[tuple[Path, Iterator[Found]]]]:
    """Reads files in as many processes as there are cores; yields each file with what is found in it."""
    n = max(1, min(settings.threads, len(files)))
    with Workers(n, seconds=settings.read_seconds) as workers:
        found = workers.read(files, settings.max_file_mb * 10**6, tick)
        with contextlib.closing(found):
            yield found


def _n_bytes(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # it is gone meanwhile, which reading it will tell
        return 0


def _again(library: Library, files: Iterable[Path], settings: Settings) -> tuple[list[Document], list[tuple[str, str]]]:
    """Reads all files of a library again, and new ones.

    Returns:
        All documents, those that cannot be read again as they are stored; and what could not be read with its reason.
    """
    stored, removed = library.documents(), library.removed()
    sources = {document.source: document for document in stored}
    again: dict[str, Document] = {}
    reasons: dict[str, str] = {}
    own = dict.fromkeys(file_of(source) for source in sources)
    with _reading([*own, *(file for file in files if file not in own)], settings) as found:
        for _, ones in found:
            for one in ones:
                if isinstance(one, Document):
                    again[one.source] = with_language(one)
                elif not one.is_other:
                    reasons[one.source] = one.reason
    documents = []
    failed = []
    for document in stored:
        if (fresh := again.pop(document.source, None)) is not None:
            documents.append(replace(fresh, id=document.id))
            continue
        reason = reasons.pop(document.source, reasons.get(str(file_of(document.source)), "It is not in its file any more."))
        failed.append((document.source, f"{reason} Its stored text is kept."))
        documents.append(document)
    known = library.versions().keys() | removed
    for fresh in again.values():
        if document_id(fresh.source) not in removed:
            documents.append(replace(fresh, id=_free_id(fresh.source, known)))
    own_names = set(map(str, own))
    failed += [(shown(source), reason) for source, reason in reasons.items() if source not in own_names]
    return documents, failed
