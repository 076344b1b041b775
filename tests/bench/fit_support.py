"""Fits the coefficients of `rag.attribute.support`, and says how right it is. Not a test: run it by hand.

    python -m tests.bench.fit_support SET [--scores FILE] [--write]

SET is a folder with corpus.jsonl and questions.jsonl whose questions have a claim, a label (answerable: the paragraphs in
scope say the claim), a kind and a conversation_id. FILE keeps the reranker's scores between two runs. Prints the balanced
accuracy out of fold: five folds, items of one conversation or one document in the same one, over five shuffles; first of
all, then of each kind, with the 95 % interval of one shuffle. --write fits on all items and puts the coefficients in place.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rag.attribute.supporting import features
from rag.config import load
from rag.models import locate
from rag.rerank import CrossReranker

STRENGTH = 0.1
"""Of the regularisation, as scikit-learn counts it; from 0.02 to 1 the figures are the same."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("set", type=Path)
    parser.add_argument("--scores", type=Path)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    texts = {row["doc_id"]: "\n".join(row["paragraphs"]) for row in rows(arguments.set / "corpus.jsonl")}
    items = rows(arguments.set / "questions.jsonl")
    scores = _scores(items, texts, arguments.scores)
    seen = []
    for item in items:
        passages = [texts[doc] for doc in item["scope"]]
        seen.append(features(item["claim"], item["question"], passages, scores[item["id"]]))
    names = list(seen[0])
    x = np.array([[each[name] for name in names] for each in seen])
    y = np.array([item["answerable"] for item in items])
    _report(x, y, items)
    model = _model().fit(x, y)
    scale, logistic = model[0], model[1]
    weights = logistic.coef_[0] / scale.scale_
    fitted = {
        "intercept": round(float(logistic.intercept_[0] - weights @ scale.mean_), 5),
        "weights": {name: round(float(weight), 5) for name, weight in zip(names, weights, strict=True)},
    }
    print(json.dumps(fitted, indent=2))
    if arguments.write:
        path = Path(features.__code__.co_filename).with_name("support.json")
        path.write_text(json.dumps(fitted, indent=2) + "\n", encoding="utf-8")


def rows(path: Path) -> list[dict]:
    """Returns the objects of a file with one a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _scores(items: list[dict], texts: dict[str, str], path: Path | None) -> dict[str, list[float]]:
    if path and path.exists():
        return json.loads(path.read_text(encoding="utf-8"))
    settings = load()
    reranker = CrossReranker(locate(settings.reranking_model, "reranking", settings.models), threads=settings.threads)
    scores = {item["id"]: reranker.scores(item["claim"], [texts[doc] for doc in item["scope"]]) for item in items}
    if path:
        path.write_text(json.dumps(scores), encoding="utf-8")
    return scores


def _model():
    return make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=2000))


def _groups(items: list[dict]) -> np.ndarray:
    """Items that share a conversation or a document, directly or through others, have one number."""
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        while parents.setdefault(name, name) != name:
            name = parents[name]
        return name

    for item in items:
        for doc in item["scope"]:
            parents[root(item["conversation_id"])] = root(doc)
    return np.unique([root(item["conversation_id"]) for item in items], return_inverse=True)[1]


def _report(x: np.ndarray, y: np.ndarray, items: list[dict]) -> None:
    groups, kinds = _groups(items), np.array([item["kind"] for item in items])
    said = []
    for seed in range(5):
        fold = np.random.default_rng(seed).permutation(groups.max() + 1)[groups] % 5
        out = np.zeros(len(y), bool)
        for n in range(5):
            out[fold == n] = _model().fit(x[fold != n], y[fold != n]).predict(x[fold == n])
        said.append(out)
    for kind in ["all", *sorted(set(kinds))]:
        mine = np.full(len(y), True) if kind == "all" else kinds == kind
        rights = [((out & y & mine).sum(), (~out & ~y & mine).sum()) for out in said]
        yes, no = (y & mine).sum(), (~y & mine).sum()
        values = [(a / yes + b / no) / 2 for a, b in rights]
        a, b = rights[0][0] / yes, rights[0][1] / no
        half = 1.96 * math.sqrt(a * (1 - a) / yes + b * (1 - b) / no) / 2
        print(
            f"{kind:22} {100 * np.mean(values):5.1f} % (one shuffle ±{100 * half:.1f}; shuffles {100 * min(values):.1f} to"
            f" {100 * max(values):.1f}) of {mine.sum()}; supported {100 * a:.0f} %, not {100 * b:.0f} % right"
        )


if __name__ == "__main__":
    main()
