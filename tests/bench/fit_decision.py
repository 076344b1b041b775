"""Fits the function that decides whether the documents hold an answer (rag/decide.py). Not a test: run it by hand.

    RAG_CAUTION=always rag eval PACK... --reuse --json > FILE
    python -m tests.bench.fit_decision FILE... [--write]

Prints out-of-fold figures only: five folds grouped by document (or conversation), so that no article is fitted and judged at
once. Each set counts as much as every other, and its unanswerable questions as much as its answerable ones. --write puts
the coefficients of a fit on all questions, with thresholds from the out-of-fold probabilities, into rag/decide.json.
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
FALSE_REFUSALS = {"careful": 0.20, "balanced": 0.125, "talkative": 0.05}
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
