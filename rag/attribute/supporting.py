"""How surely passages say a sentence: a logistic function of a few features. Pure: the scores of models are passed in."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from itertools import pairwise

from rag.attribute.checking import check
from rag.attribute.clauses import sentence_texts
from rag.attribute.dating import missing_dates, undated
from rag.attribute.facts import everything, facts
from rag.attribute.words import LIGHT_WORDS, WORD, fold, has

_MARKS = re.compile(r"(?<!\s)\s*\[\d+(?:\s*[,\]\[]+\s*\d+){0,20}\]")  # "[1]", "[1, 3]", "[2][4]"
_PERSONS = frozenset("i you me my your we our".split())
_MAX_COUNTED = 3  # lacking names or numbers; more make a sentence no more wrong
_MAX_WORDS = 400  # of a window that are compared in order


def support(claim: str, question: str, passages: Sequence[str], scores: Sequence[float]) -> float:
    """Returns how surely the passages together say what the claim says, 0 to 1; from 0.5 on they do.

    The coefficients are in support.json. Source: tests/bench/fit_support.py; docs/experiments.md, "Attribution".

    Args:
        claim: a sentence; marks of citations in it, as [1], are left out.
        scores: the default reranker's logits, of the claim with each passage.
    """
    fitted = _fitted()
    values = features(claim, question, passages, scores)
    total = fitted["intercept"] + sum(weight * values[name] for name, weight in fitted["weights"].items())
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def features(claim: str, question: str, passages: Sequence[str], scores: Sequence[float]) -> Mapping[str, float]:
    """Returns what `support` weighs. A further score (of a model for entailment) is one more name here, and a new fit."""
    claim = _MARKS.sub("", claim)
    passage = "\n".join(passages)
    said, there = facts(undated(claim)), everything(passage)
    words = sorted(facts(claim).words - LIGHT_WORDS or facts(claim).words)
    texts = [sentence_texts(text) for text in passages if text.strip()]
    windows = [" ".join(parts[n : n + 2]) for parts in texts for n in range(max(1, len(parts) - 1))] or [""]
    spoken = _words(claim)
    pairs = set(pairwise(spoken))
    pairs_there = {pair for window in windows for pair in pairwise(_words(window))}
    lacking = len(said.numbers - there.numbers) + len(missing_dates(claim, question, passage, passage))
    return {
        # share of the claim's words in the best two sentences in a row
        "words": max(_share(words, window) for window in windows),
        # share of its pairs of neighbouring words
        "pairs": len(pairs & pairs_there) / len(pairs) if pairs else 0.0,
        # share of its words that the best two sentences have in the same order
        "order": max(_in_order(spoken, _words(window)) for window in windows) / max(1, len(spoken)),
        "numbers_lacking": min(_MAX_COUNTED, lacking),
        "names_lacking": min(_MAX_COUNTED, sum(not has(there.words, name) for name in said.names)),
        "checks_failed": math.log1p(len(check(claim, question, passage, passage))),
        "score": max(scores, default=0.0),
        "length": math.log1p(len(spoken)),
        # "I love it", "did you know?": no passage says that
        "personal": float(not _PERSONS.isdisjoint(spoken)),
        "asking": float("?" in claim),
    }


@cache
def _fitted() -> dict:
    return json.loads(resources.files("rag.attribute").joinpath("support.json").read_text(encoding="utf-8"))


def _words(text: str) -> list[str]:
    return [fold(match[0]) for match in WORD.finditer(text)]


def _share(words: Sequence[str], text: str) -> float:
    there = everything(text).words
    return sum(has(there, word) for word in words) / len(words) if words else 0.0


def _in_order(one: Sequence[str], two: Sequence[str]) -> int:
    """Returns the length of the longest run of words that both have in the same order, with others between."""
    one, two = one[:_MAX_WORDS], two[:_MAX_WORDS]
    row = [0] * (len(two) + 1)
    for word in one:
        above, row = row, [0]
        for n, other in enumerate(two):
            row.append(above[n] + 1 if word == other else max(above[n + 1], row[-1]))
    return row[-1]
