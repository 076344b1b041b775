"""Follows files and folders: what comes, changes or is renamed there is added once it is written. Looks now and then.

A file counts as written when its size, time and inode have stayed the same for a second. A file that is gone keeps its
document, as with `add`; that is told.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rag.assistant.adding import by_suffix
from rag.errors import LibraryError, LibraryMismatch, ReadError
from rag.library import Library
from rag.read import absolute, find_files, shown
from rag.types import AddReport

POLL_SECONDS = 1.0
"""Between two looks, at least; a look takes a twentieth of the time at most."""

SETTLED_SECONDS = 1.0
"""So long a file must have stayed as it is before it is read: programs write in pieces."""

_Mark = tuple[int, int, int]  # a file's time, size and inode


@dataclass(frozen=True, slots=True)
class Watched:
    """One thing that happened to a file.

    Attributes:
        kind: "gone" if its document stays while the file is not there any more; "waiting" if nothing can be stored now;
            "skipped" if files of another format came.
        path: of the file; "" if it is about all of them, or several.
        document: its id; "" if there is none.
        reason: why it failed, or what is waited for.
        skipped: as of `AddReport`.
    """

    kind: Literal["added", "changed", "renamed", "failed", "gone", "waiting", "skipped"]
    path: str
    document: str = ""
    reason: str = ""
    skipped: tuple[tuple[str, int], ...] = ()


class Watch:
    """Follows paths from the moment it is made; what is there then counts as known."""

    def __init__(
        self,
        paths: Iterable[str | os.PathLike[str]],
        library: Library,
        add: Callable[[Sequence[Path]], AddReport],
    ) -> None:
        self._paths = [absolute(path) for path in paths]
        self._library, self._add = library, add
        self._known: dict[Path, _Mark] = {}  # files as they were added, or passed over
        self._others: set[Path] = set()  # files of another format that are there
        self._known = dict(self._marks())
        self._since: dict[Path, tuple[_Mark | None, float]] = {}  # how a file that is not so is now, and since when
        self._waiting = ""

    def follow(self, stop: threading.Event) -> Iterator[Watched]:
        """Yields what happens, until `stop` is set.

        Raises:
            LibraryMismatch, ModelError: nothing can be added any more.
        """
        while not stop.is_set():
            started = time.monotonic()
            yield from self.look()
            stop.wait(max(POLL_SECONDS, 20 * (time.monotonic() - started)))

    def look(self) -> Iterator[Watched]:
        """Looks once; adds what is written and not known, and yields what happened."""
        now, marks = time.monotonic(), self._marks()
        due = [path for path, mark in marks.items() if self._is_settled(path, mark, now, SETTLED_SECONDS)]
        if others := [path for path in due if path in self._others]:
            if new := [path for path in others if path not in self._known]:
                yield Watched("skipped", "", skipped=by_suffix(new))
            self._settle(others, marks)
        if articles := [path for path in due if path not in self._others]:
            yield from self._take(articles, marks)
        # Later than files are taken: one that was renamed has its new name in the library by then.
        gone = [path for path in self._known.keys() - marks.keys() if self._is_settled(path, None, now, 3 * SETTLED_SECONDS)]
        sources = self._library.sources() if gone else {}
        for path in gone:
            del self._known[path], self._since[path]
            for source, document in sources.items():
                if source == str(path) or source.startswith(f"{path}/"):  # what was in it
                    yield Watched("gone", shown(source), document)

    def _is_settled(self, path: Path, mark: _Mark | None, now: float, seconds: float) -> bool:
        """True if a file is another than it was added as, and has been so for some seconds."""
        if self._known.get(path) == mark:
            self._since.pop(path, None)
            return False
        before, since = self._since.get(path, (mark, now))
        self._since[path] = (mark, since if before == mark else now)
        return now - self._since[path][1] >= seconds

    def _take(self, due: list[Path], marks: Mapping[Path, _Mark]) -> Iterator[Watched]:
        try:
            report = self._add(due)
        except LibraryMismatch:
            raise
        except LibraryError as exc:  # a full disk, another writer: tried again with the next look
            if str(exc) != self._waiting:
                self._waiting = str(exc)
                yield Watched("waiting", "", reason=self._waiting)
            return
        self._waiting = ""
        self._settle(due, marks)
        sources = {document: source for source, document in self._library.sources().items()}
        for document in report.added:
            yield Watched("added", sources.get(document, ""), document)
        for document in report.changed:
            yield Watched("changed", sources.get(document, ""), document)
        for document, source in report.renamed:
            yield Watched("renamed", source, document)
        for source, reason in report.failed:
            yield Watched("failed", source, reason=reason)

    def _settle(self, paths: Iterable[Path], marks: Mapping[Path, _Mark]) -> None:
        for path in paths:
            self._known[path] = marks[path]  # as it was before it was read: a later change is seen
            del self._since[path]

    def _marks(self) -> dict[Path, _Mark]:
        """Returns all files as they are; those below a path that cannot be read now stay as they were known."""
        marks: dict[Path, _Mark] = {}
        unreadable: list[Path] = []
        others: set[Path] = set()
        for path in self._paths:
            try:
                files = list(find_files([path], lambda exc: unreadable.append(Path(exc.filename)), others.add))
                others.difference_update(files)  # one that is named itself is not passed over
                for file in (*files, *others):
                    with contextlib.suppress(OSError):  # it is gone meanwhile
                        status = os.stat(file)
                        marks[file] = status.st_mtime_ns, status.st_size, status.st_ino
            except ReadError:
                unreadable.append(path)
        self._others = others
        kept = {file for file in self._known if any(file.is_relative_to(folder) for folder in unreadable)}
        return marks | {file: self._known[file] for file in kept}
