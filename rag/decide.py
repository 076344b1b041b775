"""Signals to a decision: do the documents hold the answer? One logistic function; pure.

It is fitted by tests/bench/fit_decision.py, which writes its coefficients and thresholds into decide.json; how good it is
stands in docs/experiments.md, "Deciding". A signal that cannot be had (no answer model) is worth the mean that it had there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from typing import Any

_SCORES = (-9.5, 4.5)
"""Scores beyond these tell no more. Source: docs/experiments.md, "Deciding"."""

_YES = (-4.0, 4.0)
"""Log odds of yes beyond these are another model's: the default one, with which the weights were fitted, went from -1.5 to
3.8 on all questions measured. Cut like this no model outvotes all other signals."""

_SHORT, _LONG = 2, 3.5
"""From so many words on each one counts 1, up to so much. Source: as above."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What speaks for and against an answer. None where it was not asked.

    Attributes:
        score: the reranker's of the best hit (about -11 to 11, without what was added for its date and place), less what a
            question of so many words gets by its length (`expected`).
        premise: the question takes for granted what the document does not say: it has a name or number that is not there,
            or the best sentence has the opposite of one of its words; 0 or 1.
        fresh: 1 if the document is from the days before the question, 0 if it is not although the question means its own
            time ("this week"); None else, or if a date is not known.
        yes: the answer model's log odds that it says yes, the passage has the answer. It is not asked of a passage that
            denies what is asked ("has not replied"): that is an answer, and the model says no to it.
    """

    score: float
    premise: float
    fresh: float | None
    yes: float | None = None


def features(signals: Signals) -> dict[str, float | None]:
    """Returns what is weighed: the signals, the score and the model's yes cut where they tell no more."""
    yes = None if signals.yes is None else _cut(signals.yes, _YES)
    return asdict(signals) | {"score": _cut(signals.score, _SCORES), "yes": yes}


def _cut(value: float, bounds: tuple[float, float]) -> float:
    low, high = bounds
    return min(max(value, low), high)


def expected(n_words: int) -> float:
    """Returns what is taken off a score: a question of few words gives the reranker little to find.

    Args:
        n_words: of the question, those that can be checked (`attribute.n_checkable`).
    """
    return min(_LONG, max(0.0, float(n_words - _SHORT)))


def probability(signals: Signals) -> float:
    """Returns the chance that the documents hold the answer, 0 to 1."""
    fitted = _fitted()
    total = float(fitted["intercept"])
    for name, value in features(signals).items():
        mean, deviation = fitted["scaling"][name]
        total += fitted["weights"][name] * (0.0 if value is None else (value - mean) / deviation)
    return 1 / (1 + math.exp(-total))


def threshold(caution: str) -> float:
    """Returns the probability from which on an answer is shown.

    Args:
        caution: "careful", "balanced" or "talkative"; or "always" for 0.
    """
    return 0.0 if caution == "always" else float(_fitted()["thresholds"][caution])


@cache
def _fitted() -> Mapping[str, Any]:
    return json.loads(resources.files("rag").joinpath("decide.json").read_text(encoding="utf-8"))
