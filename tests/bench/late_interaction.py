"""Ranking by late interaction with stored token vectors, beside the cross-encoder. Not a test: run it by hand.

    python -m tests.bench.late_interaction SET... --folder DATA [--questions 200] [--timed 30] [--marked]
                                               [--model NAME]

Needs `rag models fetch answerai-colbert-small`. The articles of the sets become one library in DATA; each passage's token
vectors are written there: in half precision, in bytes, and in bytes of 96 dimensions (principal ones, as the model's own
projection is not in its file); with `--marked` with its markers, and with [MASK]s behind a question. Asked are so many
answerable questions of each set, of those without a conversation; cross-encoder scores are kept in DATA. Prints for each way
hit@1 / hit@5 of each set; how many gold paragraphs are first here and not in the product, and the reverse; and of the timed
questions (which use nothing kept) wall clock p50 / p95 and processor time p50 in ms, from the fused hits on, without reading
sentences for quotes.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from rag import config
from rag.assistant import Assistant
from rag.assistant.loading import NO_MODEL, Models, load_embedder, load_reranker
from rag.duplicates import distinct
from rag.evaluate.memory import Memory, RememberingReranker
from rag.evaluate.scores import first_rank
from rag.evaluate.sets import Limit, questions, read_packs
from rag.library import Library
from rag.rerank import _RANKED, BARE, _bare, _best_windows, lead, recency, rerank
from rag.retrieve import Retriever, fuse
from rag.types import Hit, Reranker
from tests.bench.token_vectors import Encoder, Stored, stored, titled

ADDED = 0.3  # weight of what the product adds for date and place, beside the sums of cosines
Way = Callable[[Reranker], list[Hit]]


class Ordering:
    """A `Reranker` that reads paragraphs, with title or without, but no single sentences of them."""

    def __init__(self, reranker: Reranker, hits: Sequence[Hit]) -> None:
        self._reranker, self.languages = reranker, reranker.languages
        self._known = {text for hit in hits for text in (titled(hit), _bare(hit))}

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        return self._reranker.scores(question, texts) if self._known.issuperset(texts) else [0.0] * len(texts)


def ways(asked: str, found: Sequence[Hit], bonus: Mapping[str, float], stores: Mapping[str, Stored]) -> dict[str, Way]:
    added = np.array([bonus[hit.document] + lead(hit) for hit in found])

    def late(store: str, n: int) -> list[Hit]:
        return _first(found[:n], stores[store].scores(asked, found[:n]))

    def weighed(store: str) -> list[Hit]:
        return _first(found[:50], stores[store].scores(asked, found[:50], BARE) + ADDED * added[:50])

    def joined() -> list[Hit]:  # three rankings in place of two
        order = np.argsort(-stores["bytes"].scores(asked, found[:50]), kind="stable")
        third = dict(fuse([order.tolist()]))
        return _first(found[:50], [hit.score + third[n] + _RANKED * added[n] for n, hit in enumerate(found[:50])])

    def crossed(hits: Sequence[Hit], n: int, reranker: Reranker) -> list[Hit]:
        scores = reranker.scores(asked, [titled(hit) for hit in hits[:n]])
        return _first(hits, [*scores, *(min(scores) - 1 - place for place in range(len(hits) - n))])

    def product(hits: Sequence[Hit], n: int, reranker: Reranker) -> list[Hit]:
        own = [replace(h, score=-n - _RANKED * (bonus[h.document] + lead(h))) for n, h in enumerate(hits)]  # keeps its order
        return _first([*rerank(asked, own, reranker, depth=n, keep=n, bonus=bonus), *own[n:]])

    by_search = [found[n] for n in np.argsort([-h.score - _RANKED * a for h, a in zip(found[:20], added, strict=False)])]
    return {
        "product: 20 in stages": lambda r: list(rerank(asked, found, r, depth=20, keep=20, bonus=bonus)),
        "fused": lambda _: _first(found),
        "cross-encoder on 20": partial(crossed, found[:20], 20),
        "cross-encoder on 6": partial(crossed, found[:20], 6),
        "product on 3": partial(product, by_search, 3),
        "product on 6": partial(product, by_search, 6),
        **{f"late on 20, {store}": lambda _, store=store: late(store, 20) for store in stores},  # type: ignore[misc]
        "late on 50": lambda _: late("bytes", 50),
        "late on 50, part without title, date, place": lambda _: weighed("bytes"),
        "late on 20, cross-encoder on 3": lambda r: crossed(late("bytes", 20), 3, r),
        "late on 20, cross-encoder on 6": lambda r: crossed(late("bytes", 20), 6, r),
        "late with title, date, place; product on 3": lambda r: product(weighed("bytes"), 3, r),
        "the same, reduced": lambda r: product(weighed("reduced"), 3, r),
        "late with title, date, place; product on 6": lambda r: product(weighed("bytes"), 6, r),
        "late as a third ranking; product on 3": lambda r: product(joined(), 3, r),
        "late as a third ranking; product on 6": lambda r: product(joined(), 6, r),
        "late as a third ranking; product in stages": lambda r: product(joined(), 20, r),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("packs", nargs="+", type=Path)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--timed", type=int, default=30)
    parser.add_argument("--model", default="answerai-colbert-small")
    parser.add_argument("--marked", action="store_true")
    options = parser.parse_args()
    settings = replace(config.load(), index=options.folder / "library", answer_model=NO_MODEL)
    packs = read_packs(options.packs, options.folder / "corpus")
    embedder, reranker = load_embedder(settings), load_reranker(settings)
    with Assistant(settings, Models.of(embedder, reranker, None)) as assistant:
        assistant.add([options.folder / "corpus"])
    library = Library(settings.index)
    retriever = Retriever(library)
    retriever.sync()
    encoder = Encoder(settings.models / options.model, settings.threads, options.marked)
    stores = stored(library, encoder, options.folder / (options.model + "-marked" * options.marked))
    remembering = RememberingReranker(reranker, settings.reranking_model, Memory(options.folder / "memory.sqlite"))
    ranks: dict[str, dict[str, list[int]]] = {}
    times: dict[str, list[tuple[float, float]]] = {}
    for pack in packs:
        limits = {p.name: Limit(None if p is pack else 0) for p in packs}
        for n, q in enumerate([q for q in questions(packs, None, limits) if q.golds and not q.history][: options.questions]):
            everything = retriever.retrieve(q.text, embedder.embed_question(q.text), settings.top_k)
            bonus = {hit.document: recency(library.document(hit.document).date, q.asked_on) for hit in everything}
            found = distinct(everything, lambda hit, bonus=bonus: bonus[hit.document])  # type: ignore[misc]
            for name, way in ways(q.text, found, bonus, stores).items():
                rank = first_rank(way(Ordering(remembering, found)), q.golds) or 1000
                ranks.setdefault(name, {}).setdefault(pack.name, []).append(rank)
                if n < options.timed:
                    started, used = time.perf_counter(), time.process_time()
                    way(Ordering(reranker, found))
                    took = 1000 * (time.perf_counter() - started), 1000 * (time.process_time() - used)
                    times.setdefault(name, []).append(took)
    own = [rank == 1 for of_pack in ranks["product: 20 in stages"].values() for rank in of_pack]
    print("questions:", {name: len(of_pack) for name, of_pack in ranks["fused"].items()})
    for name, way_ranks in ranks.items():
        first = [rank == 1 for of_pack in way_ranks.values() for rank in of_pack]
        gained, lost = (sum(a > b for a, b in zip(x, y, strict=True)) for x, y in ((first, own), (own, first)))
        hits = " | ".join(f"{_percent(of_pack, 1):.1f} / {_percent(of_pack, 5):.1f}" for of_pack in way_ranks.values())
        wall, spent = (statistics.quantiles(t, n=20, method="inclusive") for t in zip(*times[name], strict=True))
        print(f"| {name} | {hits} | {gained} / {lost} | {wall[9]:.0f} / {wall[18]:.0f} | {spent[9]:.0f} |")


def _first(hits: Sequence[Hit], scores: Sequence[float] | np.ndarray | None = None) -> list[Hit]:
    values = [-float(n) for n in range(len(hits))] if scores is None else [float(score) for score in scores]
    ranked = sorted(zip(hits, values, strict=True), key=lambda pair: -pair[1])
    return [hit for hit, _ in _best_windows(ranked)]


def _percent(ranks: Sequence[int], depth: int) -> float:
    return 100 * sum(rank <= depth for rank in ranks) / len(ranks)


if __name__ == "__main__":
    main()
