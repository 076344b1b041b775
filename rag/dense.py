"""FAISS index over the passages' vectors, derived from the library.

Most of it is a file that is mapped into memory and never changed; passages that came since are held beside it, and those
that went are passed over. Once much of it has changed, the file is written anew and put in the old one's place: from the old
one, as long as its groups fit the number of passages, else from the library. A stamp beside it names the generation of the
library that it reflects and the file's checksum.
"""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rag.library import Changes, Library, put_in_place

EXACT = 100_000
"""Up to so many passages each search compares all of them; beyond, vectors are quantised and grouped, and the best are
scored again by the stored ones. Source: docs/experiments.md, "Depth"."""

PROBED = 384
"""Groups that are searched. Source: as above."""

RESCORED = 2
"""So many times the hits wanted are scored again. Source: as above."""

_GROUPS = 4  # times the square root of the number of passages
_TRAINED_ON = 100_000  # vectors that the groups are made from
_CHANGED = 0.25  # share of the file that changed, from which on it is written anew; or so many passages, whichever is less:
_MOST_CHANGED = 20_000  # each search compares all that came, and each opening reads them
_OUTGROWN = 2  # times the passages that the groups were made from: then they are made anew
_CRC_PIECE = 1 << 24


@dataclass(frozen=True, slots=True)
class _State:
    """What a search sees, replaced as a whole.

    Attributes:
        file: the FAISS index that is mapped; None if there is none.
        stamp: what was read beside the file: its generation, size and checksum.
        last: the highest passage id that is in file or `fresh`.
        ids: of the passages beside the file (int64), with their vectors in `fresh` (float32, shape (n, d)).
        gone: ids that are in the file and no longer in the library.
    """

    generation: int = -1
    file: Any = None
    stamp: dict[str, Any] = field(default_factory=dict)
    last: int = 0
    ids: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    fresh: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.float32))
    gone: frozenset[int] = frozenset()


class Dense:
    """A vector index in one folder. Searches may run while it follows the library."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._path = library.folder / "dense.faiss"
        self._stamp = library.folder / "dense.json"
        self._state = _State()
        self._changing = threading.Lock()

    @property
    def generation(self) -> int:
        """Of the library, as it is searched; -1 before the first `follow`."""
        return self._state.generation

    def follow(self) -> None:
        """Takes over what happened in the library. Writes nothing.

        Where more than `EXACT` passages have no file that can be used, nothing is taken over: they are too many to be held.
        """
        if self.generation != self._library.generation:
            self._take_over(self._library.n_passages() <= EXACT)

    def compact(self) -> None:
        """Writes the file anew if much has changed since it was written; for the holder of the writers' lock.

        Raises:
            OSError, RuntimeError: it cannot be written; what is searched stays as it was.
        """
        if not self._library.generation:  # nothing was ever stored
            self.follow()
            return
        # Another process may have written the file at the generation that this one is at: then there is nothing left to do.
        if self.generation != self._library.generation or _read_stamp(self._stamp) not in ({}, self._state.stamp):
            self._take_over(False)
        state = self._state
        if state.file is None or self.generation != self._library.generation:
            self._replace(_built)
        elif len(state.ids) + len(state.gone) > min(_CHANGED * state.file.ntotal, _MOST_CHANGED):
            self._replace(self._merged if _fits(state) else _built)

    def _take_over(self, without_file: bool) -> None:
        """Takes over what happened; also all that there is, without a file that can be used, if that is wanted."""
        with self._changing, self._library.reading():
            state = self._state
            stamp = _read_stamp(self._stamp)
            changes = self._library.changes(state.generation)
            if changes is None or stamp not in ({}, state.stamp):
                found = self._from_file(stamp)
                if found is None and not without_file:
                    return
                state, changes = found or (_State(), Changes(self._library.generation, 0, np.empty(0, np.int64)))
            self._state = _advanced(state, changes, self._library)

    def _replace(self, make: Callable[[Library], Any]) -> None:
        """Writes what `make` returns as the file, and takes it over."""
        with self._changing, self._library.reading():
            generation = self._library.generation
            self._write(make(self._library), generation)
            found = self._from_file(_read_stamp(self._stamp))
            if found is None:
                raise OSError(f"{self._path} is not as it was written")
            self._state = _advanced(*found, self._library)

    def _merged(self, library: Library) -> Any:
        """Returns the file's index with what came and without what went since: its groups are kept.

        If the file is another one than is searched (a writer was killed before it wrote the stamp), is damaged, or gone,
        an index is built: what came since would be in it twice, and a damage would get a checksum of its own.
        """
        import faiss

        state = self._state
        if _read_stamp(self._stamp) != state.stamp or not _is_whole(self._path, state.stamp):
            return _built(library)
        try:
            index = faiss.read_index(str(self._path))
        except RuntimeError:
            return _built(library)
        if state.gone:
            index.remove_ids(_selector(np.array(sorted(state.gone), np.int64)))
        if len(state.ids):
            index.add_with_ids(state.fresh, state.ids)
        return index

    def search(self, vector: np.ndarray, k: int, ids: np.ndarray | None = None) -> list[tuple[int, float]]:
        """Returns up to k (passage id, cosine) pairs, best first; only of `ids` (int64) if given."""
        state = self._state
        found = self._in_file(state, vector, k, ids) + _beside(state, vector, k, ids)
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:k]

    def _in_file(self, state: _State, vector: np.ndarray, k: int, ids: np.ndarray | None) -> list[tuple[int, float]]:
        import faiss

        index = state.file
        if index is None or not index.ntotal or (ids is not None and not len(ids)):
            return []
        quantised = isinstance(index, faiss.IndexIVF)
        selector = None if ids is None else _selector(ids)
        parameters: Any = faiss.SearchParameters()
        if quantised:
            parameters = faiss.SearchParametersIVF()
            parameters.nprobe = PROBED if ids is None else index.nlist
        parameters.sel = selector
        wanted = k * RESCORED if quantised else k
        while True:
            scores, found = index.search(vector.reshape(1, -1), min(wanted, index.ntotal), params=parameters)
            pairs = [(int(i), float(s)) for i, s in zip(found[0], scores[0], strict=True) if i >= 0]
            kept = [pair for pair in pairs if pair[0] not in state.gone]
            if len(kept) >= k or len(pairs) < wanted or wanted >= index.ntotal:
                break
            wanted *= 2  # many of the nearest are gone
        return self._rescored(vector, kept) if quantised else kept[:k]

    def _rescored(self, vector: np.ndarray, pairs: list[tuple[int, float]]) -> list[tuple[int, float]]:
        stored = self._library.vectors([i for i, _ in pairs])
        return [(i, float(row @ vector)) for i, row in stored.items()]

    def _from_file(self, stamp: dict[str, Any]) -> tuple[_State, Changes] | None:
        """Returns the state that the file is, and what happened since; None if it cannot be used.

        It is derived: then it is read from the library instead, or written anew.
        """
        import faiss

        generation = stamp.get("generation", -1)
        changes = self._library.changes(generation)
        if changes is None or not _is_whole(self._path, stamp):
            return None
        try:
            index = faiss.read_index(str(self._path), faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError:
            return None
        return _State(generation, index, stamp, changes.last), changes

    def _write(self, index: Any, generation: int) -> None:
        import faiss

        temporary = self._path.with_suffix(".tmp")  # one name: the writers' lock is held, and a crash leaves no others
        faiss.write_index(index, str(temporary))
        size, checksum = _checksum(temporary)
        put_in_place(temporary, self._path)
        temporary.write_text(json.dumps({"generation": generation, "size": size, "crc32": checksum}), encoding="utf-8")
        put_in_place(temporary, self._stamp)


def _advanced(state: _State, changes: Changes, library: Library) -> _State:
    """Returns the state with what happened since; within the library's `reading`."""
    gone = set(changes.gone.tolist())
    keep = np.array([i not in gone for i in state.ids.tolist()], bool)
    ids, vectors = [state.ids[keep]], [state.fresh[keep]] if len(state.ids) else []
    last = state.last
    for new, rows in library.vectors_after(last):
        ids.append(new)
        vectors.append(rows)
        last = int(new[-1])
    fresh = np.concatenate(vectors) if vectors else state.fresh
    in_file = frozenset(gone - set(state.ids.tolist())) if state.file is not None else frozenset()
    return _State(changes.generation, state.file, state.stamp, last, np.concatenate(ids), fresh, state.gone | in_file)


def _beside(state: _State, vector: np.ndarray, k: int, ids: np.ndarray | None) -> list[tuple[int, float]]:
    """Returns the best of the passages beside the file."""
    chosen = np.arange(len(state.ids)) if ids is None else np.flatnonzero(np.isin(state.ids, ids))
    if not len(chosen):
        return []
    scores = (state.fresh if ids is None else state.fresh[chosen]) @ vector
    best = np.argpartition(-scores, k - 1)[:k] if k < len(scores) else np.arange(len(scores))
    return [(int(state.ids[chosen[n]]), float(scores[n])) for n in best]


def _fits(state: _State) -> bool:
    """True if the file's kind, and its groups, are right for the passages that there are now."""
    import faiss

    n = state.file.ntotal + len(state.ids) - len(state.gone)
    if len(state.ids) and state.fresh.shape[1] != state.file.d:  # it was made when there were no passages
        return False
    if not isinstance(state.file, faiss.IndexIVF):
        return n <= EXACT
    grouped = (state.file.nlist / _GROUPS) ** 2  # passages that the groups were made for
    return grouped / _OUTGROWN <= n <= grouped * _OUTGROWN


def _built(library: Library) -> Any:
    """Returns an index of all passages; within the library's `reading`."""
    import faiss

    n = library.n_passages()
    first = next(library.vectors_after(), None)
    dimension = first[1].shape[1] if first else 1
    if n <= EXACT:
        index = faiss.IndexIDMap2(
            faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
        )
    else:
        index = _grouped(library, n, dimension)
    for ids, vectors in library.vectors_after():
        index.add_with_ids(vectors, ids)
    return index


def _grouped(library: Library, n: int, dimension: int) -> Any:
    """Returns an index of quantised vectors in about 4 sqrt(n) groups, trained on an even sample of them."""
    import faiss

    n_groups = int(_GROUPS * n**0.5)
    step = max(1, n // _TRAINED_ON)
    # Copies: a view would keep all the others in memory with it.
    sample = np.concatenate([vectors[::step].copy() for _, vectors in library.vectors_after()])
    index: Any = faiss.index_factory(dimension, f"IVF{n_groups},SQ8", faiss.METRIC_INNER_PRODUCT)
    index.by_residual = False  # the same scale for all groups: a score is one product, not one more for each group
    index.cp.niter = 8
    index.cp.min_points_per_centroid = 1  # else it warns on stderr of fewer than 39, in the middle of a progress bar
    index.cp.spherical = True
    index.train(sample)
    return index


def _selector(ids: np.ndarray) -> Any:
    import faiss

    bits = np.zeros(int(ids.max()) // 8 + 1, np.uint8)
    np.bitwise_or.at(bits, ids >> 3, np.left_shift(1, ids & 7).astype(np.uint8))
    make: Any = faiss.IDSelectorBitmap  # the wrapper takes an array, and keeps it
    return make(bits)


def _read_stamp(path: Path) -> dict[str, Any]:
    try:
        stamp = json.loads(path.read_text(encoding="utf-8"))
        return stamp if isinstance(stamp, dict) and isinstance(stamp.get("generation"), int) else {}
    except (OSError, ValueError):
        return {}


def _is_whole(path: Path, stamp: dict[str, Any]) -> bool:
    """True if the file is the one that was stamped: a shorter one that is mapped would end the process."""
    try:
        return _checksum(path) == (stamp.get("size"), stamp.get("crc32"))
    except OSError:
        return False


def _checksum(path: Path) -> tuple[int, int]:
    size = checksum = 0
    with open(path, "rb") as file:
        while piece := file.read(_CRC_PIECE):
            size, checksum = size + len(piece), zlib.crc32(piece, checksum)
    return size, checksum
