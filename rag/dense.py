"""FAISS index over the paragraphs' vectors, derived from the library.

Exact inner product (equals cosine: the vectors have unit length). A stamp beside the index file names the generation
of the library that it reflects; it is written after the file, so a crash between the two leaves a stale stamp, and the
index is built anew from the library.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np


class Dense:
    """A vector index in one folder. Searches may run while it changes: a change replaces the index as a whole."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "dense.faiss"
        self._stamp = folder / "dense.json"
        self._index: Any = None
        self.generation = -1

    def load(self) -> None:
        """Reads index and stamp from disk, unless they are loaded; a missing or damaged file leaves generation -1."""
        import faiss

        try:
            stamp = json.loads(self._stamp.read_text(encoding="utf-8"))
            generation = int(stamp["generation"])
            if generation == self.generation:
                return
            index = faiss.read_index(str(self._path))
            if index.ntotal != stamp["n_paragraphs"]:
                generation = -1
            self._index, self.generation = index, generation
        except (OSError, ValueError, KeyError, TypeError, RuntimeError):
            self.generation = -1  # derived: whoever asks sees the generation and builds it anew

    def build(self, ids: np.ndarray, vectors: np.ndarray, generation: int) -> None:
        """Replaces the index, in memory and on disk.

        Args:
            ids: int64, shape (n,); no id twice.
            vectors: float32, shape (n, d), unit rows.
            generation: of the library that they were read from.
        """
        import faiss

        index = faiss.IndexIDMap2(faiss.IndexFlatIP(vectors.shape[1] or 1))
        if len(ids):
            index.add_with_ids(np.ascontiguousarray(vectors, np.float32), ids)
        temporary = self._path.with_suffix(".tmp")  # one name: the writers' lock is held, and a crash leaves no others
        faiss.write_index(index, str(temporary))
        _replace(temporary, self._path)
        temporary.write_text(json.dumps({"generation": generation, "n_paragraphs": len(ids)}), encoding="utf-8")
        _replace(temporary, self._stamp)
        self._index, self.generation = index, generation

    def search(self, vector: np.ndarray, k: int, ids: np.ndarray | None = None) -> list[tuple[int, float]]:
        """Returns up to k (paragraph id, cosine) pairs, best first; only of `ids` (int64) if given."""
        import faiss

        index = self._index
        if index is None or not index.ntotal or (ids is not None and not len(ids)):
            return []
        parameters = None
        if ids is not None:
            parameters = faiss.SearchParameters(sel=faiss.IDSelectorBatch(ids))  # type: ignore[call-arg]
        scores, found = index.search(vector.reshape(1, -1), min(k, index.ntotal), params=parameters)
        return [(int(i), float(s)) for i, s in zip(found[0], scores[0], strict=True) if i >= 0]


def _replace(temporary: Path, path: Path) -> None:
    """Puts a file in another's place so that after a crash one of the two is there, whole."""
    with open(temporary, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(temporary, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
