"""What the word index finds, beside a plain BM25 and the analysis before `rag.terms`. Not a test: run it by hand.

    python -m tests.bench.lexical PACK... [--limit N]

Every paragraph of a set is indexed as title, newline, text; every answerable question is asked as it stands, without its
conversation. Hit@1 / hit@5 of BM25 written out: with the words that ICU finds, in lower case; with the terms of the analysis
before `rag.terms`; with ours. Then how fast the terms are made, what those of a question take, and
which languages the questions are taken for.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tantivy
from icu4py.breakers import WordBreaker

from rag.language import language
from rag.split import index_text
from rag.terms import question_terms, terms
from tests.bench.fit_support import rows

Ranking = Iterator[list[int]]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("packs", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, default=700, help="questions of a set, drawn with a fixed seed")
    arguments = parser.parse_args()
    print(f"{'set':14} {'paragraphs':>10} {'asked':>5}  {'ICU words':11}  {'before':11}  {'ours':11}")
    for pack in arguments.packs:
        keys, texts = _paragraphs(pack)
        asked = [q for q in rows(pack / "questions.jsonl") if q["answerable"] and q.get("evidence")]
        asked = random.Random(1).sample(asked, min(arguments.limit, len(asked)))
        gold = [{keys.index(tuple(e)) for e in q["evidence"]} for q in asked]
        questions = [q["question"] for q in asked]
        begun = time.perf_counter()
        indexed = [terms(text) for text in texts]
        between = time.perf_counter()
        queries = [question_terms(question) for question in questions]
        ended = time.perf_counter()
        rankings = (
            _bm25([_icu_words(text) for text in texts], [_icu_words(q) for q in questions]),
            _bm25([*map(_before(), texts)], [*map(_before(), questions)]),
            _bm25(indexed, queries),
        )
        shares = "  ".join(f"{_hits(ranking, gold):11}" for ranking in rankings)
        speed = f"{len(texts) / (between - begun):.0f} paragraphs/s, {1000 * (ended - between) / len(asked):.2f} ms"
        told = ", ".join(f"{name or 'none'} {n}" for name, n in Counter(map(language, questions)).most_common())
        print(f"{pack.name:14} {len(texts):10} {len(asked):5}  {shares}  {speed}  {told}")


def _paragraphs(pack: Path) -> tuple[list[tuple[str, int]], list[str]]:
    documents = list(rows(pack / "corpus.jsonl"))
    keys = [(d["doc_id"], number) for d in documents for number in range(len(d["paragraphs"]))]
    return keys, [index_text(d["title"], paragraph) for d in documents for paragraph in d["paragraphs"]]


def _icu_words(text: str) -> list[str]:
    return [word for word in WordBreaker(text.lower(), "en") if any(map(str.isalnum, word))]


def _before() -> Callable[[str], list[str]]:
    """Returns the analysis of the word index before `rag.terms`."""
    builder: Any = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple()).filter(tantivy.Filter.remove_long(60))
    for step in (tantivy.Filter.lowercase(), tantivy.Filter.ascii_fold(), tantivy.Filter.stopword("english")):
        builder = builder.filter(step)
    return builder.filter(tantivy.Filter.stemmer("english")).build().analyze


def _bm25(texts: Sequence[list[str]], questions: Sequence[list[str]], k1: float = 1.2, b: float = 0.75) -> Ranking:
    """Yields the rows of the best five texts for each question: Okapi BM25, idf = ln(1 + (N - n + 0.5) / (n + 0.5))."""
    lengths = np.array([len(text) for text in texts], float)
    norms = k1 * (1 - b + b * lengths / lengths.mean())
    postings: dict[str, dict[int, int]] = {}
    for row, text in enumerate(texts):
        for term, n in Counter(text).items():
            postings.setdefault(term, {})[row] = n
    for question in questions:
        scores = np.zeros(len(texts))
        for term in dict.fromkeys(question):
            found = postings.get(term, {})
            where, n = np.array([*found], int), np.array([*found.values()], float)
            idf = math.log(1 + (len(texts) - len(found) + 0.5) / (len(found) + 0.5))
            scores[where] += idf * n * (k1 + 1) / (n + norms[where])
        yield [int(row) for row in np.argsort(-scores, kind="stable")[:5] if scores[row]]


def _hits(ranking: Ranking, gold: Sequence[set[int]]) -> str:
    best = [[row in right for row in found] for found, right in zip(ranking, gold, strict=True)]
    first, any_of_five = sum(any(hits[:1]) for hits in best), sum(map(any, best))
    return f"{100 * first / len(best):.1f} / {100 * any_of_five / len(best):.1f}"


if __name__ == "__main__":
    main()
