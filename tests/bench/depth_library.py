"""Libraries of any size for `tests.bench.depth`: the paragraphs of question sets, then noisy copies of them."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

import rag
from rag.assistant import adding, embedding
from rag.evaluate.sets import read_packs
from rag.library import Item, Library
from rag.retrieve import Retriever
from rag.types import Document, Paragraph, Passage

WORDS = 0.3
"""Share of a copy's words that are replaced, by words of other paragraphs."""

TOP = 10
_BATCH = 5000  # passages of one transaction


@dataclass(frozen=True, slots=True)
class Real:
    """The paragraphs of the sets: a title and a number of passages for each document, and all their texts and vectors."""

    titles: tuple[str, ...]
    counts: tuple[int, ...]
    texts: tuple[str, ...]
    vectors: np.ndarray
    model: str


def real(packs: Sequence[Path], folder: Path, report: Any) -> Real:
    """Adds the articles of the sets to a library as `rag add` does, telling where the time goes, and reads them from it."""
    if not (folder / "stages.json").is_file():
        files = [path for pack in read_packs(packs, folder / "articles") for path in pack.files.values()]
        with rag.Assistant.open(folder / "real", answer_model="none") as assistant:
            assistant._models.check_search()
            started = time.perf_counter()
            with stages() as spent:
                assistant.add(files)
            spent["all"] = time.perf_counter() - started
        spent["documents"] = len(files)
        (folder / "stages.json").write_text(json.dumps(spent), encoding="utf-8")
    report(json.loads((folder / "stages.json").read_text(encoding="utf-8")))
    library = Library(folder / "real")
    with library.reading():
        vectors = np.concatenate([rows for _, rows in library.vectors_after()])
        passages, model = list(library.passages_after()), library.embedding_model
    library.close()
    order: dict[str, int] = {}
    for passage in passages:
        order[passage.document.id] = order.get(passage.document.id, 0) + 1
    titles = {passage.document.id: passage.document.title for passage in passages}
    texts = tuple(passage.searched for passage in passages)
    return Real(tuple(titles[i] for i in order), tuple(order.values()), texts, vectors, model)


@contextlib.contextmanager
def stages() -> Iterator[dict[str, float]]:
    """Gives the seconds that an `add` spends in each of its stages; "index" is both derived indexes."""
    spent: dict[str, float] = {}

    def timed(name: str, act: Any) -> Any:
        def call(*args: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return act(*args, **named)
            finally:
                spent[name] = spent.get(name, 0.0) + time.perf_counter() - started

        return call

    from rag.embed import TextEmbedder

    places = [
        (adding, "_listed", "list"),
        (adding, "_read", "read"),
        (embedding, "passages", "split"),
        (TextEmbedder, "embed_paragraphs", "embed"),
        (Library, "staged", "stage"),
        (Library, "stage", "stage"),
        (Library, "put", "write"),
        (adding, "_similar", "compare"),
        (Retriever, "update", "index"),
    ]
    with contextlib.ExitStack() as stack:
        for owner, attribute, name in places:
            stack.enter_context(mock.patch.object(owner, attribute, timed(name, getattr(owner, attribute))))
        yield spent


def build(real: Real, n: int, noise: float, folder: Path, questions: np.ndarray) -> None:
    """Makes a library of n passages, unless it is there: real ones, then copies; with the exact neighbours of questions.

    A copy's vector is the real one with Gaussian noise of the real ones' covariance, `noise` times as large as they spread.
    """
    if (folder / "exact.npz").is_file():
        return
    library = Library(folder)
    chance = np.random.default_rng(1)
    best = (np.zeros((len(questions), 0), np.float32), np.zeros((len(questions), 0), np.int64))
    last = library.n_passages()
    if last:
        raise SystemExit(f"{folder} was begun and not finished: delete it.")
    for items in _batches(real, n, noise, chance):
        library.put(items, real.model)
        vectors = np.concatenate([vectors for _, _, vectors in items])
        ids = np.arange(last + 1, last + len(vectors) + 1)  # as the library numbers them
        best = _merged(best, questions @ vectors.T, ids)
        last += len(vectors)
    assert library.n_passages() == last
    library.close()
    np.savez(folder / "exact.npz", scores=best[0], ids=best[1])


def _merged(best: tuple[np.ndarray, np.ndarray], scores: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    both = np.concatenate([best[0], scores], axis=1)
    of = np.concatenate([best[1], np.broadcast_to(ids, scores.shape)], axis=1)
    order = np.argsort(-both, axis=1, kind="stable")[:, :TOP]
    return np.take_along_axis(both, order, 1), np.take_along_axis(of, order, 1)


def spread(real: Real) -> np.ndarray:
    """Returns a matrix that turns standard normal rows into rows with the covariance of the real vectors."""
    covariance = np.cov(real.vectors, rowvar=False) + 1e-9 * np.eye(real.vectors.shape[1])
    return np.linalg.cholesky(covariance).T.astype(np.float32)


def _batches(real: Real, n: int, noise: float, chance: np.random.Generator) -> Iterator[list[Item]]:
    """Yields the documents of a library of n passages, some thousand passages at a time."""
    shape = spread(real)
    words = " ".join(real.texts).split()
    items: list[Item] = []
    starts = np.cumsum((0, *real.counts))
    size = done = copy = 0
    while done < n:
        # A library that is smaller than the sets has some of all.
        for number in chance.permutation(len(real.titles)) if n < len(real.texts) else range(len(real.titles)):
            rows = slice(starts[number], starts[number + 1])
            title, texts, vectors = real.titles[number], real.texts[rows], real.vectors[rows]
            if copy:
                title, *texts = (_reworded(text, words, chance) for text in (title, *texts))
                vectors = shaken(vectors, noise, shape, chance)
            keep = min(len(texts), n - done)
            items.append(_item(title, texts[:keep], vectors[:keep], f"/articles/{copy}/{number}.txt"))
            size, done = size + keep, done + keep
            if size >= _BATCH or done == n:
                yield items
                items, size = [], 0
            if done == n:
                return
        copy += 1


def shaken(vectors: np.ndarray, noise: float, shape: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Returns unit rows near some others; `shape` as `spread` returns it."""
    moved = vectors + noise * (chance.standard_normal(vectors.shape, dtype=np.float32) @ shape)
    return moved / np.linalg.norm(moved, axis=1, keepdims=True)


def _reworded(text: str, words: Sequence[str], chance: np.random.Generator) -> str:
    own = text.split()
    replaced = chance.random(len(own)) < WORDS
    others = chance.integers(0, len(words), len(own))
    return " ".join(words[other] if new else word for word, new, other in zip(own, replaced, others, strict=True))


def _item(title: str, texts: Sequence[str], vectors: np.ndarray, source: str) -> Item:
    text, passages = title, []
    for number, each in enumerate(texts, 1):
        start, text = len(text) + 2, f"{text}\n\n{each}"
        passages.append(Passage(Paragraph(number, start, len(text)), start, len(text)))
    return Document(source, "1", title, source, "", text), passages, vectors
