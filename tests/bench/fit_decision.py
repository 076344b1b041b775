"""Fits the function that decides whether the documents hold an answer (rag/decide.py). Not a test: run it by hand.

    RAG_CAUTION=always rag eval PACK... --reuse --json > FILE
    python -m tests.bench.fit_decision FILE... [--write] [--draw docs/risk-coverage.svg]

Prints out-of-fold figures only: five folds grouped by document (or conversation), so that no article is fitted and judged at
once. Each set counts as much as every other, and its unanswerable questions as much as its answerable ones. --write puts
the coefficients of a fit on all questions, with thresholds from the out-of-fold probabilities, into rag/decide.json. --draw
draws risk over coverage: what share of the answers given would be wrong, if only so many questions got one, the surest
first. Where answers are in free words, an answer to an answerable question counts as right.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from rag.config import ROOT
from rag.decide import Signals, features

NAMES = [field.name for field in dataclasses.fields(Signals)]
FOLDS = 5
FALSE_REFUSALS = {"careful": 0.20, "balanced": 0.13, "talkative": 0.05}
"""The share of answerable questions, a mean over the sets, that each setting refuses out of fold."""


def read(paths: list[Path]) -> list[dict[str, Any]]:
    """Returns the questions that count and for which something was found."""
    rows = [row for path in paths for row in json.loads(path.read_text(encoding="utf-8"))["questions"]]
    return [row for row in rows if row["signals"] and row["counted"] and row["kind"] != "underspecified"]


def weighed(rows: list[dict[str, Any]]) -> np.ndarray:
    """Returns the features of each question as `rag.decide` weighs them, shape (n, len(NAMES)); NaN where there is none."""
    found = [features(Signals(**row["signals"])) for row in rows]
    return np.array([[np.nan if one[name] is None else one[name] for name in NAMES] for one in found], float)


def weights(rows: list[dict[str, Any]]) -> np.ndarray:
    """Returns a weight for each question: every set, and both kinds within it, have the same sum."""
    keys = [(row["pack"], row["answerable"]) for row in rows]
    found = np.array([1 / keys.count(key) for key in keys])
    return found * len(found) / found.sum()


def scaling(raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns mean and deviation of each feature, where it is known."""
    return np.nanmean(raw, axis=0), np.nanstd(raw, axis=0) + 1e-9


def scaled(raw: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Returns features with mean 0 and deviation 1; what is not known is worth the mean."""
    return np.nan_to_num((raw - mean) / deviation)


def fit(values: np.ndarray, labels: np.ndarray, weight: np.ndarray) -> LogisticRegression:
    return LogisticRegression(C=1.0, max_iter=2000).fit(values, labels, sample_weight=weight)


def out_of_fold(raw: np.ndarray, labels: np.ndarray, weight: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Returns for each question the probability by a scaling and a fit that have not seen its document."""
    found = np.zeros(len(labels))
    for fold in range(FOLDS):
        other = folds != fold
        values = scaled(raw, *scaling(raw[other]))
        found[~other] = fit(values[other], labels[other], weight[other]).predict_proba(values[~other])[:, 1]
    return found


def auc(scores: np.ndarray, labels: np.ndarray) -> float:
    higher = scores[labels == 1][:, None] - scores[labels == 0][None]
    return float(np.mean((higher > 0) + 0.5 * (higher == 0)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--draw", type=Path)
    options = parser.parse_args()
    rows = read(options.files)
    labels = np.array([row["answerable"] for row in rows], int)
    raw = weighed(rows)
    packs = np.array([row["pack"] for row in rows])
    folds = np.array([zlib.crc32((row["cluster"] or row["id"]).encode()) % FOLDS for row in rows])
    weight = weights(rows)
    found = out_of_fold(raw, labels, weight, folds)
    right = np.array([bool(row["right"]) for row in rows])

    print(f"{len(rows)} questions; out of fold:")
    _print_auc("all signals", found, labels, packs)
    for n, name in enumerate(NAMES):
        _print_auc(f"without {name}", out_of_fold(np.delete(raw, n, 1), labels, weight, folds), labels, packs)
    answerable = labels == 1
    each = 1 / np.array([np.sum(answerable & (packs == pack)) for pack in packs[answerable]])
    order = np.argsort(found[answerable])
    reached = np.cumsum(each[order]) / each.sum()
    thresholds = {k: float(found[answerable][order][np.searchsorted(reached, v)]) for k, v in FALSE_REFUSALS.items()}
    for name, value in [*thresholds.items(), *((f"{t:.2f}", t) for t in np.arange(0.1, 0.95, 0.05))]:
        cells = [_cell(found >= value, labels == 1, right, packs == pack) for pack in dict.fromkeys(packs)]
        print(f"{name:10} {value:.3f}  " + "  ".join(f"{p} {c}" for p, c in zip(dict.fromkeys(packs), cells, strict=True)))
    mean, deviation = scaling(raw)
    fitted = fit(scaled(raw, mean, deviation), labels, weight)
    print({name: round(float(w), 2) for name, w in zip(NAMES, fitted.coef_[0], strict=True)})
    if options.draw:
        fine = (labels == 1) & (right | np.array([row["free_text"] for row in rows]))
        options.draw.write_text(
            drawing({p: risk_coverage(found[packs == p], fine[packs == p]) for p in dict.fromkeys(packs)})
        )
    if options.write:
        _write(fitted, mean, deviation, thresholds)


def _print_auc(name: str, found: np.ndarray, labels: np.ndarray, packs: np.ndarray) -> None:
    cells = [f"{p} {auc(found[packs == p], labels[packs == p]):.3f}" for p in dict.fromkeys(packs)]
    print(f"  AUC {name:20} " + "  ".join(cells))


def _cell(shown: np.ndarray, answerable: np.ndarray, right: np.ndarray, mine: np.ndarray) -> str:
    """Returns: refused though answerable / refused when unanswerable / answered right, in percent."""
    can, cannot = mine & answerable, mine & ~answerable
    shares = (1 - shown[can].mean(), 1 - shown[cannot].mean(), (shown & right)[can].mean())
    return "/".join(f"{100 * share:.0f}" for share in shares)


def risk_coverage(found: np.ndarray, fine: np.ndarray) -> list[tuple[float, float]]:
    """Returns points (share of questions answered, share of these answers that is wrong), the surest answers first."""
    order = np.argsort(-found)
    given = np.arange(1, len(order) + 1)
    return list(zip(given / len(order), np.cumsum(~fine[order]) / given, strict=True))


_COLOURS = ("#1a5fb4", "#a51d2d", "#26a269", "#9141ac", "#c64600")
_WIDTH, _HEIGHT, _LEFT, _TOP = 420, 260, 50, 20


def drawing(curves: dict[str, list[tuple[float, float]]]) -> str:
    """Returns an SVG with a line for each set."""

    def at(coverage: float, risk: float) -> str:
        return f"{_LEFT + coverage * _WIDTH:.1f},{_TOP + (1 - risk) * _HEIGHT:.1f}"

    end, bottom = _LEFT + _WIDTH, _TOP + _HEIGHT
    marks = [f'<path d="M{_LEFT} {_TOP}V{bottom}H{end}" fill="none" stroke="#777"/>']
    for share in (0, 0.25, 0.5, 0.75, 1):
        x, y = at(share, share).split(",")
        marks.append(f'<text x="{x}" y="{bottom + 16}" text-anchor="middle">{100 * share:.0f} %</text>')
        marks.append(f'<text x="{_LEFT - 6}" y="{float(y) + 4}" text-anchor="end">{100 * share:.0f} %</text>')
    marks.append(f'<text x="{end}" y="{bottom + 34}" text-anchor="end">questions answered, the surest first</text>')
    marks.append(f'<text x="{_LEFT + 6}" y="{_TOP + 4}">of these answers wrong</text>')
    for n, (name, points) in enumerate(curves.items()):
        colour, y = _COLOURS[n % len(_COLOURS)], _TOP + 40 + 16 * n
        line = " ".join(at(*point) for point in points)
        marks.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        marks.append(f'<text x="{_LEFT + 24}" y="{y}" style="fill:{colour}">{name}</text>')
    size = f'viewBox="0 0 {end + 20} {bottom + 44}" width="{end + 20}" height="{bottom + 44}"'
    style = "<style>text{font:12px sans-serif;fill:#777}</style><rect width='100%' height='100%' fill='#fff'/>"
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{style}{"".join(marks)}</svg>\n'


def _write(fitted: LogisticRegression, mean: np.ndarray, deviation: np.ndarray, thresholds: dict[str, float]) -> None:
    found = {
        "intercept": round(float(fitted.intercept_[0]), 4),
        "weights": {name: round(float(w), 4) for name, w in zip(NAMES, fitted.coef_[0], strict=True)},
        "scaling": {
            name: [round(float(m), 4), round(float(d), 4)] for name, m, d in zip(NAMES, mean, deviation, strict=True)
        },
        "thresholds": {name: round(value, 3) for name, value in thresholds.items()},
    }
    (ROOT / "rag" / "decide.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
