"""What the answer model keeps of passages that it has read, as files: so that it need not read them again.

Derived, like the indexes: any file may be deleted at any time, and a damaged one is as good as none. Knows names and bytes,
nothing of what they mean to the model.
"""

from __future__ import annotations

import contextlib
import logging
import mmap
import os
import re
import struct
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

logger = logging.getLogger(__name__)

INSTRUCTIONS = "instructions"
"""Stands in place of a document for what is read before all passages."""

_HEAD = struct.Struct("<8sIQ")  # magic, CRC-32 of the state, its bytes
_MAGIC = b"FNSTATE1"
_NAME = re.compile(r"([^.]+)\.([0-9a-f]{64})\.state")
_WRITING_SECONDS = 60  # a temporary file that is older was left by a crash
_SERVED = "served"
_MOST_SERVED = 10_000  # questions that the share is told of, at most twice as many


@dataclass(frozen=True, slots=True)
class Stored:
    """What is in a store.

    Attributes:
        n_states: passages.
        n_bytes: of them on disk.
        n_asked: the last prompts with passages, 10,000 or somewhat more: one for each passage that a question is asked of.
        n_served: those of them whose passages were all there.
        documents: how many states each document has.
    """

    n_states: int
    n_bytes: int
    n_asked: int
    n_served: int
    documents: Mapping[str, int]


def stored_states(index: Path, max_mb: int) -> StateStore:
    """Returns the store beside a library, by the library's folder."""
    return StateStore(index / "states", max_mb << 20)


class StateStore:
    """States by document and key, the least recently used ones deleted first. Several processes may share a folder."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        """Creates nothing before the first state is stored.

        Args:
            max_bytes: of all states together; 0 stores none.
        """
        self._folder, self._max_bytes = folder, max_bytes
        self.problem = ""

    def get(self, document: str, key: str) -> memoryview | None:
        """Returns a state, mapped from its file, or None. The view may be written to; the file keeps what it has.

        A damaged file is deleted.
        """
        if not self._max_bytes:
            return None
        path = self._path(document, key)
        try:
            with path.open("rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        except FileNotFoundError:
            return None
        except (OSError, ValueError):  # ValueError: an empty file cannot be mapped
            mapped = None
        if mapped and (state := _whole(memoryview(mapped))):
            with contextlib.suppress(OSError):  # on a disk that can only be read
                os.utime(path)
            return state
        logger.warning("the passage state %s cannot be read, and is computed anew", path)
        self._delete([path])
        return None

    def has(self, document: str, key: str) -> bool:
        """True if there is a file of a state; it may be damaged."""
        return self._path(document, key).exists()

    def put(self, document: str, key: str, state: bytes | memoryview) -> None:
        """Stores a state under a temporary name first; on a full disk it is not stored, and `problem` says so."""
        if len(state) + _HEAD.size > self._max_bytes:
            return
        path = self._path(document, key)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._make_room(len(state) + _HEAD.size)
            with temporary.open("wb") as file:
                file.write(_HEAD.pack(_MAGIC, zlib.crc32(state), len(state)))
                file.write(state)
            temporary.replace(path)  # not synced: after a power cut the checksum tells
            self.problem = ""
        except OSError as exc:
            self.problem = f"Passage states cannot be stored in {self._folder}: {exc.strerror}."
            logger.warning(self.problem)
            with contextlib.suppress(OSError):
                temporary.unlink()

    def forget(self, documents: Iterable[str]) -> None:
        """Deletes the states of documents."""
        gone = set(documents)
        self._delete(path for path, document, _ in self._files() if document in gone)

    def keep(self, documents: Iterable[str]) -> None:
        """Deletes the states of all other documents, and what a crash left."""
        kept = {*documents, INSTRUCTIONS} if self._max_bytes else set()
        long_ago = time.time() - _WRITING_SECONDS
        self._delete(
            path
            for path, document, about in self._files()
            if (about.st_mtime < long_ago if _is_temporary(path) else document not in kept)
        )

    def count(self, served: bool) -> None:
        """Notes whether all passages of a prompt were there."""
        if not self._max_bytes:
            return
        with contextlib.suppress(OSError):
            path = self._folder / _SERVED
            self._folder.mkdir(parents=True, exist_ok=True)
            if path.exists() and path.stat().st_size >= 2 * _MOST_SERVED:
                path.write_bytes(path.read_bytes()[-_MOST_SERVED:])
            with path.open("ab") as file:
                file.write(b"1" if served else b"0")

    def stored(self) -> Stored:
        """Tells what is there."""
        files = [(document, about.st_size) for path, document, about in self._files() if not _is_temporary(path)]
        documents = Counter(document for document, _ in files if document != INSTRUCTIONS)
        try:
            served = (self._folder / _SERVED).read_bytes()
        except OSError:
            served = b""
        n_bytes = sum(size for _, size in files)
        return Stored(documents.total(), n_bytes, len(served), served.count(b"1"), documents)

    def _path(self, document: str, key: str) -> Path:
        return self._folder / f"{document}.{key}.state"

    def _files(self) -> Iterator[tuple[Path, str, os.stat_result]]:
        """Yields path, document and status of all states, and of those that are being written."""
        with contextlib.suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                if found := _NAME.fullmatch(entry.name.lstrip(".").rpartition(".state")[0] + ".state"):
                    with contextlib.suppress(OSError):  # deleted meanwhile
                        about = entry.stat()
                        yield Path(entry.path), found[1], about

    def _make_room(self, n_bytes: int) -> None:
        files = sorted(((about.st_mtime_ns, about.st_size, path) for path, _, about in self._files()), reverse=True)
        kept = 0
        for n, (_, size, _) in enumerate(files):
            kept += size
            if kept + n_bytes > self._max_bytes:
                self._delete(path for _, _, path in files[n:])
                return

    def _delete(self, paths: Iterable[Path]) -> None:
        for path in list(paths):
            with contextlib.suppress(OSError):
                path.unlink()


def _is_temporary(path: Path) -> bool:
    return path.name.startswith(".")


def _whole(mapped: memoryview) -> memoryview | None:
    """Returns the state in a file; None if it is not as it was written."""
    if len(mapped) <= _HEAD.size:
        return None
    magic, checksum, n_bytes = _HEAD.unpack_from(mapped)
    state = mapped[_HEAD.size :]
    return state if magic == _MAGIC and n_bytes == len(state) and zlib.crc32(state) == checksum else None
