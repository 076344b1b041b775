"""How often a question's premises are found wanting in the article that it was asked of. Not a test: run it by hand.

    python -m tests.bench.premises PACK...

A premise that fails refuses the question, so it should fail for unanswerable questions, and hardly ever for answerable ones.
Opposites are looked for in that sentence of the gold (or tempting) paragraph which has the most words of the question.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

from rag.attribute import opposed, unknown
from rag.split import sentences


def words(text: str) -> set[str]:
    return set(text.casefold().split())


def count(pack: Path) -> Counter[str]:
    articles = {}
    for line in (pack / "corpus.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        articles[row["doc_id"]] = (row.get("title") or "", row["paragraphs"])
    counts: Counter[str] = Counter()
    for line in (pack / "questions.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        where = (row.get("evidence") or [[row.get("doc_id"), row.get("paragraph_index")]])[0]
        if where[0] not in articles or not isinstance(where[1], int):
            continue
        title, paragraphs = articles[where[0]]
        text = paragraphs[where[1]]
        spans = sentences(text) or ((0, len(text)),)
        best = max((text[a:b] for a, b in spans), key=lambda sentence: len(words(sentence) & words(row["question"])))
        kind = "answerable" if row["answerable"] else "unanswerable"
        found = unknown(row["question"], "\n".join((title, *paragraphs))), opposed(row["question"], best)
        counts[kind] += 1
        counts[f"{kind}: unknown name or number"] += bool(found[0])
        counts[f"{kind}: opposite"] += bool(found[1])
        counts[f"{kind}: any"] += any(found)
    return counts


def main() -> None:
    for pack in map(Path, sys.argv[1:]):
        counts = count(pack)
        print(pack.name)
        for name, n in counts.items():
            print(f"  {name:40} {n:5}  {100 * n / counts[name.split(':')[0]]:.1f} %")


if __name__ == "__main__":
    main()
