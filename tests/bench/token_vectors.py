"""Token vectors of a library's passages for `tests.bench.late_interaction`: made, stored and compared with a question's."""

from __future__ import annotations

import string
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from rag.library import Library
from rag.split import index_text
from rag.types import Hit

QUERY_TOKENS, MAX_TOKENS, REDUCED = 32, 512, 96


class Encoder:
    def __init__(self, folder: Path, threads: int, is_marked: bool) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS - 1)
        self._id, self.pool, self._is_marked = self._tokenizer.get_vocab(), ThreadPoolExecutor(threads), is_marked
        self._skipped = [self._id[mark] for mark in string.punctuation]

    def question(self, text: str) -> np.ndarray:
        ids = self.ids(text, "[unused0]")
        return self._run(ids + [self._id["[MASK]"]] * (self._is_marked * max(0, QUERY_TOKENS - len(ids))), len(ids))

    def passage(self, text: str) -> np.ndarray:
        ids = self.ids(text, "[unused1]")
        return self._run(ids, len(ids))[self.is_kept(ids)]

    def is_kept(self, ids: Sequence[int]) -> np.ndarray:
        return ~np.isin(ids, self._skipped)

    def ids(self, text: str, marker: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text).ids
        return [ids[0], self._id[marker], *ids[1:]] if self._is_marked else ids

    def _run(self, ids: Sequence[int], n_read: int) -> np.ndarray:
        row = np.array([ids], np.int64)
        mask = (np.arange(len(ids)) < n_read).astype(np.int64)[None]
        return _unit(
            self._session.run(None, {"input_ids": row, "attention_mask": mask, "token_type_ids": np.zeros_like(row)})[0][0]
        )


class Stored:
    def __init__(self, rows: np.ndarray, spans: Mapping[str, tuple[int, int]], basis: np.ndarray | None, encoder: Encoder):
        self._rows, self._spans, self._basis, self._encoder = rows, spans, basis, encoder

    def scores(self, question: str, hits: Sequence[Hit], bare: float = 0.0) -> np.ndarray:
        """Returns a score a hit; so much of it counts the tokens behind the title only."""
        asked = self._encoder.question(question)
        asked = asked if self._basis is None else _unit(asked @ self._basis)
        spans = [self._spans[titled(hit)] for hit in hits]
        rows = np.concatenate([self._rows[a:b] for a, b in spans]).astype(np.float32)
        starts = np.cumsum([0, *(b - a for a, b in spans[:-1])])
        near = asked @ rows.T / np.linalg.norm(rows, axis=1)
        scores = (1 - bare) * np.maximum.reduceat(near, starts, axis=1).sum(axis=0)
        if bare:
            for n, (hit, (a, b)) in enumerate(zip(hits, spans, strict=True)):
                n_title = self._encoder.is_kept(self._encoder.ids(hit.title, "[unused1]")[:-1]).sum()
                scores[n] += bare * near[:, starts[n] + min(n_title, b - a - 1) : starts[n] + b - a].max(axis=1).sum()
        return np.asarray(scores)


def stored(library: Library, encoder: Encoder, folder: Path) -> dict[str, Stored]:
    folder.mkdir(parents=True, exist_ok=True)
    texts = list(dict.fromkeys(index_text(p.document.title, p.searched) for p in library.passages_after()))
    if not (folder / "spans.npz").is_file():
        started, used = time.perf_counter(), time.process_time()
        encoded = [rows.astype(np.float16) for rows in encoder.pool.map(encoder.passage, texts)]
        wall, used = (1000 * t / len(texts) for t in (time.perf_counter() - started, time.process_time() - used))
        print(f"encoding a passage: {wall:.1f} ms, {used:.1f} of processor time", flush=True)
        half = np.concatenate(encoded)
        basis = np.linalg.eigh(sum(r.astype(np.float32).T @ r.astype(np.float32) for r in encoded))[1][:, -REDUCED:]
        np.save(folder / "half.npy", half)
        np.save(folder / "bytes.npy", np.concatenate([_bytes(rows) for rows in encoded]))
        np.save(folder / "reduced.npy", np.concatenate([_bytes(rows @ basis) for rows in encoded]))
        np.savez(folder / "spans.npz", lengths=[len(rows) for rows in encoded], basis=basis)
    kept = np.load(folder / "spans.npz")
    ends = np.cumsum(kept["lengths"]).tolist()
    spans = dict(zip(texts, zip([0, *ends[:-1]], ends, strict=True), strict=True))
    files = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("half", "bytes", "reduced")}
    sizes = {name: rows.nbytes // len(texts) for name, rows in files.items()}
    print(f"{len(texts)} passages of {ends[-1] / len(texts):.0f} token vectors; bytes a passage: {sizes}", flush=True)
    return {name: Stored(rows, spans, kept["basis"] if name == "reduced" else None, encoder) for name, rows in files.items()}


def titled(hit: Hit) -> str:
    return index_text(hit.title, hit.searched or hit.text)


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True))


def _bytes(rows: np.ndarray) -> np.ndarray:
    return np.rint(127 * rows.astype(np.float32) / np.abs(rows).max(axis=1, keepdims=True)).astype(np.int8)
