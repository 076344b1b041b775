"""Questions to hits: the dense and the lexical index, fused by reciprocal rank.

Also keeps the two derived indexes at the library's generation, whichever process raised it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from rag.dense import Dense
from rag.errors import LibraryError
from rag.lexical import Lexical
from rag.library import Library, StoredPassage
from rag.read import places_of
from rag.types import EVERYTHING, Box, Filter, Hit

RRF_K = 60
"""Source: Cormack, Clarke, Buettcher, "Reciprocal Rank Fusion outperforms Condorcet", SIGIR 2009."""

_POLL_SECONDS = 0.1  # between two looks at what another process does
_LAG_SECONDS = 2.0  # that a search waits for indexes which are behind the library
_UPDATING = 0.1  # share of a long add that may go into bringing the indexes up to date


def fuse(rankings: Iterable[Sequence[int]]) -> list[tuple[int, float]]:
    """Returns (id, score) pairs, best first: the sum over all rankings of 1 / (60 + rank)."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, identity in enumerate(ranking, 1):
            scores[identity] = scores.get(identity, 0.0) + 1 / (RRF_K + rank)
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))


class Retriever:
    """Searches both indexes of one library."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._dense, self._lexical = Dense(library), Lexical(library)
        self._lock = threading.Lock()
        self._updated, self._took = 0.0, 0.0
        self._kept: tuple[tuple[int, Filter], np.ndarray | None] = (-1, EVERYTHING), None

    def sync(self) -> None:
        """Brings both indexes to the library's generation: from disk if another process did it, else from the library.

        While another process is adding documents, the word index stays as it was, unless there is none yet.

        Raises:
            LibraryError: the indexes cannot be written.
        """
        while not self._is_current():
            # Without the writers' lock: a process that adds may hold it for minutes.
            with self._lock:
                self._dense.follow()
                self._lexical.load()
            if self._is_current():
                return
            with self._library.writing(wait=False) as mine:
                if mine:
                    self._build()
                    return
            if self._lexical.generation >= 0:
                return
            time.sleep(_POLL_SECONDS)

    def update(self, at_once: bool) -> None:
        """Brings both indexes to the library's generation, for a caller that holds the writers' lock.

        To be called before the lock is given up: no process then searches stale indexes.

        Args:
            at_once: False in a long add: then only a tenth of the time is given to it.

        Raises:
            LibraryError: the indexes cannot be written.
        """
        started = time.monotonic()
        if at_once or started - self._updated >= self._took / _UPDATING:
            self._build()
            self._updated = time.monotonic()
            self._took = self._updated - started

    def retrieve(
        self,
        question: str,
        vector: np.ndarray | None,
        top_k: int,
        filter: Filter = EVERYTHING,
        others: Sequence[tuple[str, np.ndarray | None]] = (),
    ) -> list[Hit]:
        """Returns the fused hits of both indexes, best first; scores are those of the fusion.

        A long paragraph has a hit for each of its windows that was found.

        Args:
            vector: of the question, float32, shape (d,), unit length; None if it is to be searched by its words only.
            top_k: taken from each index, for each query.
            filter: only the paragraphs of what it selects are searched.
            others: further queries with their vectors, whose ranks count as much as the question's.
        """
        deadline = time.monotonic() + _LAG_SECONDS
        while True:
            hits, is_whole = self._search([(question, vector), *others], top_k, filter)
            # Passages that are found and gone: another process changed documents and is about to index them.
            if (is_whole and (hits or self._is_current())) or time.monotonic() > deadline:
                return hits
            time.sleep(_POLL_SECONDS)
            self.sync()

    def _search(
        self, queries: Sequence[tuple[str, np.ndarray | None]], top_k: int, filter: Filter
    ) -> tuple[list[Hit], bool]:
        """Returns the hits, and whether the library still holds all that the indexes named."""
        ids = self._selected(filter)
        rankings = []
        for text, vector in queries:
            if vector is not None:
                rankings.append([i for i, _ in self._dense.search(vector, top_k, ids)])
            rankings.append([i for i, _ in self._lexical.search(text, top_k, ids)])
        wanted = {i for ranking in rankings for i in ranking}
        stored = {p.id: p for p in self._library.passages(sorted(wanted))} if wanted else {}
        places = {p.document.id: places_of(p.document) for p in stored.values()}
        hits = [_hit(stored[i], score, places[stored[i].document.id]) for i, score in fuse(rankings) if i in stored]
        return hits, len(stored) == len(wanted)

    def _selected(self, filter: Filter) -> np.ndarray | None:
        """Returns what `Library.selected` does, which is kept for the next question until the library changes."""
        asked, kept = (self._library.generation, filter), self._kept
        if kept[0] != asked:
            kept = self._kept = asked, self._library.selected(filter)
        return kept[1]

    def _is_current(self) -> bool:
        return self._dense.generation == self._lexical.generation == self._library.generation

    def _build(self) -> None:
        """Brings the indexes to the library's generation; for the holder of the writers' lock."""
        try:
            with self._lock:
                self._dense.compact()
                self._lexical.update()
        except (OSError, RuntimeError, ValueError) as exc:  # RuntimeError is faiss', ValueError tantivy's for a failed write
            raise LibraryError(
                f"The search indexes in {self._library.folder} cannot be written: {exc}.",
                "The articles are safe. Free some space or change the folder's permissions; then run: rag rebuild",
            ) from exc


def _hit(stored: StoredPassage, score: float, places: Mapping[int, tuple[int, Box]]) -> Hit:
    document, paragraph = stored.document, stored.passage.paragraph
    page, box = places.get(paragraph.start, (0, ()))
    return Hit(
        document=document.id,
        version=document.version,
        title=document.title,
        source=document.source,
        paragraph=paragraph.number,
        start=paragraph.start,
        end=paragraph.end,
        text=stored.text,
        score=score,
        searched=stored.searched,
        page=page,
        box=box,
    )
