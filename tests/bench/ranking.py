"""How long it takes from a question to its evidence, and how much the reranker reads. Not a test: run it by hand.

    python -m tests.bench.ranking SET... [--questions N] [--index FOLDER]

The articles of the sets become one library, which is kept if a folder is given; then so many answerable questions of the
first set are asked, of those without a conversation. Prints p50 and p95: of each stage and of all until the evidence comes,
in milliseconds; and of the texts, and the characters in them, that the reranker reads.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rag import config
from rag.assistant import Assistant
from rag.assistant.loading import NO_MODEL, Models, load_embedder, load_reranker
from rag.evaluate.sets import Limit, Question, questions, read_packs
from rag.types import Evidence, Reranker


class CountingReranker:
    """A `Reranker` that asks another one, and keeps how much it was given."""

    def __init__(self, reranker: Reranker) -> None:
        self._reranker, self.languages = reranker, reranker.languages
        self.texts: list[str] = []

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        self.texts += texts
        return self._reranker.scores(question, texts)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("packs", nargs="+", type=Path)
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--index", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = options.index or Path(name)
        packs = read_packs(options.packs, folder / "corpus")
        asked = [q for q in questions(packs[:1], None, {packs[0].name: Limit()}) if q.answerable and not q.history][
            : options.questions
        ]
        settings = replace(config.load(), index=folder, answer_model=NO_MODEL)
        reranker = CountingReranker(load_reranker(settings))
        with Assistant(settings, Models.of(load_embedder(settings), reranker, None)) as assistant:
            assistant.add([folder / "corpus"])
            _report(assistant, reranker, asked)


def _report(assistant: Assistant, reranker: CountingReranker, asked: Sequence[Question]) -> None:
    measured: dict[str, list[float]] = {}
    for question in [asked[0], *asked]:  # the first one warms up
        reranker.texts.clear()
        for what, value in _measured(assistant, reranker, question).items():
            measured.setdefault(what, []).append(value)
    print(f"{assistant.library.count()[1]} paragraphs, {len(asked)} questions")
    print(f"{'':28}{'p50':>8}{'p95':>8}")
    for what, values in measured.items():
        cuts = statistics.quantiles(values[1:], n=20, method="inclusive")
        print(f"{what:28}{cuts[9]:8.0f}{cuts[18]:8.0f}")


def _measured(assistant: Assistant, reranker: CountingReranker, question: Question) -> dict[str, float]:
    started, used = time.perf_counter(), time.process_time()
    stream = assistant.stream(question.text, asked_on=question.asked_on)
    assert isinstance(next(stream), Evidence)
    shown, used = time.perf_counter() - started, time.process_time() - used
    texts = list(reranker.texts)
    *_, done = stream
    timings = done.answer.timings
    retrieve, rerank = timings["retrieve"] or 0.0, timings["rerank"] or 0.0
    return {
        "retrieve, ms": 1000 * retrieve,
        "rerank, ms": 1000 * rerank,
        "first evidence, ms": 1000 * shown,
        "processor time, ms": 1000 * used,
        "texts read": len(texts),
        "characters read": sum(map(len, texts)),
    }


if __name__ == "__main__":
    main()
