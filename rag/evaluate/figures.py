"""Rows to figures. Each figure is a measure over what single rows contribute, so that it can be resampled and compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from rag.evaluate.rows import SUPPORTED, Row
from rag.evaluate.scores import Rate

Part = tuple[float, float]
"""What a row contributes to a figure, (n, d): for a share, n of d."""

Measure = Callable[[np.ndarray, np.ndarray], float]
"""From the n and the d of some rows to a figure; nan if there is none."""

_RESAMPLES = 1000
_SEED = 20240503
_MIN_CLUSTERS = 10  # with fewer, their resamples say little: single rows are resampled


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure over `of` rows with its 95 % bootstrap interval."""

    value: float
    interval: tuple[float, float] | None
    of: int


# --- measures ------------------------------------------------------------------------------------------------------


def share(n: np.ndarray, d: np.ndarray) -> float:
    """Returns the sum of n by the sum of d."""
    return float(n.sum() / d.sum()) if d.sum() else math.nan


def _median(n: np.ndarray, _: np.ndarray) -> float:
    return float(np.median(n)) if n.size else math.nan


def _ninetieth(n: np.ndarray, _: np.ndarray) -> float:
    return float(np.sort(n)[int(0.9 * (n.size - 1))]) if n.size else math.nan


def balanced_accuracy(n: np.ndarray, d: np.ndarray) -> float:
    """Returns the mean of the shares judged right among claims with label 1 and 0.

    Args:
        n: supports; from 0.5 on a claim is taken for supported.
        d: labels, 1 or 0.
    """
    right = (n >= SUPPORTED) == (d > 0)
    return float((right[d > 0].mean() + right[d <= 0].mean()) / 2) if 0 < (d > 0).sum() < d.size else math.nan


def auc(n: np.ndarray, d: np.ndarray) -> float:
    """Returns how often a claim with label 1 has the higher support than one with label 0; equal ones count half."""
    if not 0 < (d > 0).sum() < d.size:
        return math.nan
    _, places, counts = np.unique(n, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    n_true = int((d > 0).sum())
    return float((ranks[d > 0].sum() - n_true * (n_true + 1) / 2) / (n_true * (d.size - n_true)))


def calibration_error(n: np.ndarray, d: np.ndarray) -> float:
    """Returns the mean distance, over ten bins of probability, between the mean probability and the share that is right.

    Args:
        n: 1 for right, 0 for wrong.
        d: probabilities.
    """
    places = np.minimum((d * 10).astype(int), 9)
    return float(np.abs(np.bincount(places, n - d, 10)).sum() / n.size) if n.size else math.nan


@dataclass(frozen=True, slots=True)
class Figure:
    """How a figure is made.

    Attributes:
        form: "yes/no": n is 0 or 1, d is 1; "share": n of d; "mean"; "score": neither, its interval comes from resamples;
            "seconds".
        part: what a row contributes; None: nothing.
    """

    name: str
    form: Literal["yes/no", "share", "mean", "score", "seconds"]
    part: Callable[[Row], Part | None]
    measure: Measure = share


# --- parts ---------------------------------------------------------------------------------------------------------


def verdict(row: Row) -> bool | None:
    """True if the system did what is right: answered rightly, or refused where that is right; None: unknown, or not counted.

    An answer in free words that has none of the expected ones may be right. A false value that the documents state is
    rightly named.
    """
    if row.label is not None:
        return None if row.support is None else row.found == row.label
    if row.error or row.changed:
        return False
    if not row.answerable:
        return not row.found if row.counted else None
    if not row.found or row.right or row.named_fake:
        return row.found
    return None if row.free_text or row.right is None else False


def calibrated(row: Row) -> Part | None:
    """Returns whether an answer is right, and its probability. A refusal has no answer that could be judged."""
    fine = verdict(row) if row.found and _is_judged(row) else None
    return None if fine is None or row.probability is None else (float(fine), row.probability)


def _is_judged(row: Row) -> bool:
    return row.label is None and verdict(row) is not None


def _yes(value: bool | None) -> Part | None:
    return None if value is None else (float(value), 1.0)


def _hit(depth: int) -> Callable[[Row], Part | None]:
    return lambda r: _yes(bool(r.rank and r.rank <= depth)) if r.has_gold else None


def _cited(count: str, of: str) -> Callable[[Row], Part | None]:
    return lambda r: (getattr(r, count), getattr(r, of)) if r.answerable and r.label is None else None


def _named(row: Row, least: int) -> Part | None:
    return _yes(row.named >= least) if row.groups and row.named_fake is None else None


def _named_against_fakes(row: Row) -> Part | None:
    return None if row.named_fake is None else _yes(bool(row.named or row.right))


def _seconds(name: str) -> Callable[[Row], Part | None]:
    return lambda r: None if (value := getattr(r, name)) is None else (value, 1.0)


def _squared_error(row: Row) -> Part | None:
    judged = calibrated(row)
    return judged and ((judged[0] - judged[1]) ** 2, 1.0)


def _claim(row: Row) -> Part | None:
    return None if row.support is None else (row.support, float(bool(row.label)))


def _f1_of(label: bool) -> Callable[[Row], Part | None]:
    """F1 as a ratio of sums: twice the claims rightly given the label, of those given it and those that have it."""

    def part(row: Row) -> Part | None:
        if row.support is None:
            return None
        given, has = row.found == label, row.label == label
        return 2.0 * (given and has), float(given) + float(has)

    return part


def _status(is_it: Callable[[Row], bool], *, answerable: bool, counted: bool = True) -> Callable[[Row], Part | None]:
    def part(row: Row) -> Part | None:
        fits = row.answerable if answerable else not row.answerable and row.counted == counted
        return _yes(is_it(row)) if fits and not row.error and row.label is None else None

    return part


def _is_refused(row: Row) -> bool:
    return not row.found


def _asks_back(row: Row) -> bool:
    return row.status == "clarify"


SEARCH = (
    Figure("hit@1", "yes/no", _hit(1)),
    Figure("hit@3", "yes/no", _hit(3)),
    Figure("hit@5", "yes/no", _hit(5)),
    Figure("MRR@10", "mean", lambda r: (1 / r.rank if r.rank else 0.0, 1.0) if r.has_gold else None),
)
"""The figures of a search alone."""

VERDICT = Figure("right, or rightly refused", "yes/no", lambda r: _yes(verdict(r)))
"""Not in the tables, as it follows the mix of a set; it tells what changed between two runs."""

ANSWERS = (
    Figure("answered right", "yes/no", lambda r: _yes(r.right)),
    Figure("token F1", "mean", lambda r: None if r.f1 is None else (r.f1, 1.0)),
    Figure("refused though answerable", "yes/no", _status(_is_refused, answerable=True)),
    Figure("refused when unanswerable", "yes/no", _status(_is_refused, answerable=False)),
    Figure("asked back when vague", "yes/no", _status(_asks_back, answerable=False, counted=False)),
    Figure("asked back though answerable", "yes/no", _status(_asks_back, answerable=True)),
    Figure("citation precision", "share", _cited("supporting", "citations")),
    Figure("citation recall", "share", _cited("claims_supported", "claims")),
    Figure("quotes exact", "share", _cited("exact_quotes", "citations")),
    Figure("changed by the attack", "yes/no", lambda r: _yes(r.changed)),
    Figure("follow-ups rewritten", "yes/no", lambda r: _yes(r.rewritten) if r.follow_up else None),
    Figure("all right values named", "yes/no", lambda r: _named(r, r.groups)),
    Figure("any right value named", "yes/no", lambda r: _named(r, 1)),
    Figure("any wrong value named", "yes/no", lambda r: _yes(r.named_wrong)),
    Figure("altered documents: fake value named", "yes/no", lambda r: _yes(r.named_fake)),
    Figure("altered documents: right value named", "yes/no", _named_against_fakes),
    Figure("claims: balanced accuracy", "score", _claim, balanced_accuracy),
    Figure("claims: accuracy", "yes/no", lambda r: None if r.label is None else _yes(verdict(r))),
    Figure("claims: F1 of supported", "score", _f1_of(True)),
    Figure("claims: F1 of unsupported", "score", _f1_of(False)),
    Figure("claims: AUC", "score", _claim, auc),
    Figure("calibration error", "score", calibrated, calibration_error),
    Figure("Brier score", "mean", _squared_error),
    Figure("retrieve s, median", "seconds", _seconds("retrieve"), _median),
    Figure("rerank s, median", "seconds", _seconds("rerank"), _median),
    Figure("first_token s, median", "seconds", _seconds("first_token"), _median),
    Figure("first_token s, 90 %", "seconds", _seconds("first_token"), _ninetieth),
    Figure("total s, median", "seconds", _seconds("total"), _median),
    Figure("total s, 90 %", "seconds", _seconds("total"), _ninetieth),
)


# --- rows to figures -----------------------------------------------------------------------------------------------


def figures_by_pack(rows: Sequence[Row], answers: bool) -> dict[str, dict[str, Any]]:
    """Returns the figures of each set, and of "all" if there are several."""
    packs = list(dict.fromkeys(row.pack for row in rows))
    figures = {pack: figures_of([row for row in rows if row.pack == pack], answers) for pack in packs}
    return figures | ({"all": figures_of(rows, answers)} if len(packs) > 1 else {})


def figures_by_kind(rows: Sequence[Row], answers: bool) -> dict[str, dict[str, dict[str, Any]]]:
    """Returns the figures by set and kind of question; a kind without a name is "–"."""
    kinds = dict.fromkeys((row.pack, row.kind) for row in rows)
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for pack, kind in kinds:
        mine = [row for row in rows if (row.pack, row.kind) == (pack, kind)]
        found.setdefault(pack, {})[kind or "–"] = figures_of(mine, answers)
    return found


def figures_of(rows: Sequence[Row], answers: bool = True) -> dict[str, Any]:
    """Returns the figures of some rows by name: `Rate`s, `Estimate`s, means and seconds; None of nothing."""
    found: dict[str, Any] = {"questions": len(rows)}
    for figure in SEARCH + (ANSWERS if answers else ()):
        parts = [(part, (row.pack, row.cluster or row.id)) for row in rows if (part := figure.part(row))]
        n = np.array([part[0] for part, _ in parts], float)
        d = np.array([part[1] for part, _ in parts], float)
        if figure.form in ("yes/no", "share"):
            found[figure.name] = Rate(int(n.sum()), int(d.sum()))
            continue
        value = figure.measure(n, d)
        if math.isnan(value):
            found[figure.name] = None
        elif figure.form == "score":
            values = resampled(figure.measure, [(n, d)], [cluster for _, cluster in parts])[0]
            found[figure.name] = Estimate(value, interval(values), len(parts))
        else:
            found[figure.name] = value
    return found


# --- resampling ----------------------------------------------------------------------------------------------------


def resampled(measure: Measure, parts: Sequence[tuple[np.ndarray, np.ndarray]], clusters: Sequence[Hashable]) -> np.ndarray:
    """Returns a measure of bootstrap resamples of the rows, the same resamples for each of `parts`.

    Clusters of rows are drawn, as rows about one document are not independent; rows, where there are few clusters.

    Args:
        parts: n and d of the rows, from each of the runs that are compared.
        clusters: one a row.

    Returns:
        An array of shape (runs, resamples).
    """
    names = list(dict.fromkeys(clusters))
    places = {name: n for n, name in enumerate(names)}
    owner = np.array([places[name] for name in clusters], int)
    if len(names) < _MIN_CLUSTERS:
        owner = np.arange(len(clusters))
    n_drawn = int(owner.max(initial=-1)) + 1
    if not n_drawn:
        return np.full((len(parts), _RESAMPLES), math.nan)
    drawn = np.random.default_rng(_SEED).multinomial(n_drawn, np.full(n_drawn, 1 / n_drawn), size=_RESAMPLES)
    if measure is share:
        return np.stack([_ratios(n, d, drawn, owner) for n, d in parts])
    values = np.empty((len(parts), _RESAMPLES))
    for sample, times in enumerate(drawn):
        rows = np.repeat(np.arange(owner.size), times[owner])
        values[:, sample] = [measure(n[rows], d[rows]) for n, d in parts]
    return values


def _ratios(n: np.ndarray, d: np.ndarray, drawn: np.ndarray, owner: np.ndarray) -> np.ndarray:
    size = drawn.shape[1]
    above, below = drawn @ np.bincount(owner, n, size), drawn @ np.bincount(owner, d, size)
    return np.divide(above, below, out=np.full(len(drawn), math.nan), where=below > 0)


def interval(values: np.ndarray) -> tuple[float, float] | None:
    """Returns the middle 95 % of resampled values; None if there are none."""
    there = values[~np.isnan(values)]
    return (float(np.quantile(there, 0.025)), float(np.quantile(there, 0.975))) if there.size else None


# --- probabilities -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers whose probability is from `low` on and below `high`: their mean probability, and how many are right."""

    low: float
    high: float
    probability: float
    right: Rate


def reliability(rows: Sequence[Row]) -> tuple[Bin, ...]:
    """Returns the ten bins of probability that have an answer in them."""
    judged = [part for row in rows if (part := calibrated(row))]
    bins = []
    for place in range(10):
        mine = [(fine, p) for fine, p in judged if min(int(p * 10), 9) == place]
        if mine:
            n_right = int(sum(fine for fine, _ in mine))
            mean = sum(p for _, p in mine) / len(mine)
            bins.append(Bin(place / 10, (place + 1) / 10, mean, Rate(n_right, len(mine))))
    return tuple(bins)


def risk_coverage(rows: Sequence[Row]) -> tuple[tuple[float, float], ...]:
    """Returns points (coverage, risk), as if the surest answers alone were given.

    Coverage is the share of questions that get an answer, risk the share of these answers that is wrong.
    """
    judged = [part for row in rows if (part := calibrated(row))]
    n_questions = sum(map(_is_judged, rows))
    points, n_wrong = [], 0.0
    ordered = sorted(judged, key=lambda part: -part[1])
    for given, (fine, p) in enumerate(ordered, 1):
        n_wrong += 1 - fine
        if given == len(ordered) or ordered[given][1] < p:  # equal ones are given together
            points.append((given / n_questions, n_wrong / given))
    return tuple(points)
