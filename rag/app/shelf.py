"""What the page does to the library: one job after the other, in a thread of its own. Every page sees how far it is."""

from __future__ import annotations

import contextlib
import filecmp
import logging
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import RagError
from rag.read import file_name
from rag.types import AddReport, Document

logger = logging.getLogger(__name__)

FOLDER = "articles"
"""Beside the library: files that were added in the page, as a document is known by its file."""

_ASIDE = ".removed-"
"""Begins the name of a file whose document was removed, while that can be undone."""

_KEPT_SECONDS = 24 * 3600
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\]")
_MAX_DESCRIBED = 1000  # documents of each kind that a report describes
_MAX_NAME = 120  # characters of a file's name


@dataclass(frozen=True, slots=True)
class Job:
    """What is being done; `done` of `total` in whatever it is counted by, and the file at hand."""

    what: str
    done: int = 0
    total: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What was done: in one line, and file by file."""

    told: str
    lines: tuple[str, ...] = ()
    can_undo: bool = False


class Shelf:
    """Adds, removes and rebuilds for the page."""

    def __init__(self, assistant: Any, folder: Path) -> None:
        """Deletes what cannot be brought back any more; starts nothing.

        Args:
            assistant: adds, removes, brings back and rebuilds, as `rag.Assistant` does.
            folder: of the library.
        """
        self._assistant, self._folder = assistant, Path(os.path.abspath(folder / FOLDER))
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="rag-shelf")
        self._lock = threading.Lock()
        self._waiting: list[Job] = []  # the first one is being done
        self._removed: Document | None = None  # until another one is removed
        self.report: Report | None = None
        self._forget_removed()

    @property
    def job(self) -> Job | None:
        """What is being done; None if nothing is."""
        with self._lock:
            return self._waiting[0] if self._waiting else None

    def add(self, files: Sequence[str]) -> Future[None]:
        """Adds files that were sent by a browser; they are moved into a folder beside the library."""
        return self._begin(f"Adding {_counted(len(files), 'file')}", lambda: self._add([Path(file) for file in files]))

    def remove(self, identity: str) -> Future[None]:
        """Removes a document; until the next one is removed, `undo` brings it back."""
        return self._begin("Removing an article", lambda: self._remove(identity))

    def undo(self) -> Future[None]:
        """Brings back what was removed last."""
        return self._begin("Bringing an article back", self._undo)

    def rebuild(self) -> Future[None]:
        """Reads all files again; questions are answered from the old library meanwhile."""
        return self._begin("Rebuilding the library", self._rebuild)

    def dismiss(self) -> None:
        """Forgets the report."""
        self.report = None

    def _begin(self, what: str, act: Callable[[], Report]) -> Future[None]:
        with self._lock:  # both, so that they are in one order
            self._waiting.append(Job(what))
            return self._worker.submit(self._run, act)

    def _run(self, act: Callable[[], Report]) -> None:
        try:
            self.report = act()
        except RagError as exc:
            self.report = Report(f"{exc.message} {exc.hint}".strip())
        except OSError as exc:
            self.report = Report(f"The file {exc.filename} cannot be written: {exc.strerror}. Nothing more was changed.")
        except Exception as exc:
            logger.exception("the library could not be changed: %s", type(exc).__name__)
            self.report = Report("Something went wrong; the library is as it was, or partly changed. Try again.")
        finally:
            with self._lock:
                self._waiting.pop(0)

    def _progress(self, done: int, total: int, name: str) -> None:
        with self._lock:
            self._waiting[0] = Job(self._waiting[0].what, done, total, name)

    def _add(self, sent: Sequence[Path]) -> Report:
        placed: dict[str, bool] = {}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for file in sent:
                path, is_new = self._placed(file)
                placed[str(path)] = is_new or placed.get(str(path), False)
            report = self._assistant.add(list(placed), progress=self._progress)
        except BaseException:
            self._take_away(placed, self._sources())
            raise
        finally:
            for file in sent:
                with contextlib.suppress(OSError):
                    file.unlink()
        failed = dict(report.failed)
        self._take_away({path: is_new for path, is_new in placed.items() if path in failed}, self._sources())
        return _told("", report, self._title, self._described)

    def _sources(self) -> set[str]:
        with contextlib.suppress(RagError):  # what went wrong before is told
            return {document.source for document in self._assistant.documents()}
        return set()

    def _take_away(self, placed: Mapping[str, bool], known: Collection[str]) -> None:
        """Deletes the files that were placed and hold no document."""
        for path, is_new in placed.items():
            if is_new and not _held(path, known):
                Path(path).unlink(missing_ok=True)

    def _placed(self, file: Path) -> tuple[Path, bool]:
        """Copies a file beside the library; returns where it is, and False if it was there.

        Another file of the same name stays: its article may be another one ("index.txt").
        """
        name = _UNSAFE.sub("_", file.name)[-_MAX_NAME:].lstrip(".") or "article.txt"
        path, n = self._folder / name, 1
        while path.exists():
            if filecmp.cmp(file, path, shallow=False):
                return path, False
            n += 1
            path = self._folder / f"{Path(name).stem} ({n}){Path(name).suffix}"
        temporary = path.with_name(f".{path.name}.part")
        try:
            shutil.copyfile(file, temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        return path, True

    def _remove(self, identity: str) -> Report:
        document = self._assistant.document(identity)
        self._assistant.remove([identity])
        self._forget_removed()
        self._removed = document
        file = self._file(document)
        if file and not _held(str(file), self._sources()):  # an archive, or a mail with what is attached, may hold more
            with contextlib.suppress(OSError):
                file.rename(_aside(file))
        return Report(f"“{document.title}” was removed.", can_undo=True)

    def _file(self, document: Document) -> Path | None:
        """Returns the file beside the library that a document is, or is in; None if it is in none."""
        source = Path(document.source)
        return next((file for file in (source, *source.parents) if file.parent == self._folder), None)

    def _forget_removed(self) -> None:
        """Deletes the files of what was removed before."""
        long_ago = time.time() - _KEPT_SECONDS
        for kept in self._folder.glob(f"{_ASIDE}*"):
            with contextlib.suppress(OSError):
                if kept.stat().st_ctime < long_ago:  # another server may be asked to bring it back
                    kept.unlink()

    def _undo(self) -> Report:
        document = self._removed
        if document is None:
            return Report("There is nothing to bring back.")
        file = self._file(document)
        if file and _aside(file).exists() and not file.exists():
            _aside(file).rename(file)
        self._assistant.bring_back([document])
        self._removed = None
        return Report(f"“{document.title}” is back.")

    def _rebuild(self) -> Report:
        return _told("Rebuilt: ", self._assistant.rebuild(progress=self._progress), self._title, self._described)

    def _title(self, identity: str) -> str:
        try:
            document = self._assistant.document(identity)
        except RagError:
            return identity
        return f"“{document.title}” ({file_name(document.source)})"

    def _described(self, identity: str) -> str:
        """Returns what was taken for a document's title, date and paragraphs, so that a wrong reading is seen at once."""
        try:
            document, n = self._assistant.document(identity), len(self._assistant.paragraphs(identity))
        except RagError:
            return identity
        return f"{self._title(identity)}: {document.date or 'no date'}, {_counted(n, 'paragraph')}"


def _held(file: str, sources: Collection[str]) -> bool:
    """True if one of these sources is a file or is in it."""
    return any(source == file or source.startswith(f"{file}/") for source in sources)


def _aside(file: Path) -> Path:
    return file.with_name(_ASIDE + file.name)


def _told(before: str, report: AddReport, title: Callable[[str], str], described: Callable[[str], str]) -> Report:
    """Returns a report as lines: what failed first."""
    groups = (
        ("added", report.added),
        ("changed", report.changed),
        ("moved", report.renamed),
        ("there already", report.unchanged),
    )
    counts = [f"{len(ids)} {what}" for what, ids in groups if ids]
    counts += [f"{len(report.failed)} failed"] if report.failed else []
    lines = [f"{Path(path).name}: {reason}" for path, reason in report.failed]
    lines += [f"Added {described(i)}." for i in report.added[:_MAX_DESCRIBED]] if not before else []
    lines += [f"Changed {described(i)}." for i in report.changed[:_MAX_DESCRIBED]]
    lines += [f"{title(i)} is the same as {title(older)}." for i, older in report.duplicates]
    lines += [f"{title(i)} tells the same as {title(older)}: {share:.0%}." for i, older, share in report.similar]
    return Report(f"{before}{', '.join(counts) or 'nothing to do'}.", tuple(lines))


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"
