"""How often the checks stop a neighbour's value, and how often a right answer. Not a test: run it by hand.

    python -m tests.bench.neighbours PACK... [--limit N] [--show N]

The claim is the gold answer alone, held against its gold paragraph; then, where the answer has one number, with each other
number of that paragraph in its place. Hedges are restored first, as the assistant does. --show prints right answers stopped.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

from rag.attribute import check, numbers, restore_hedges
from rag.attribute.dating import dates
from rag.evaluate.scores import Rate, contains
from tests.bench.fit_support import rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("packs", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, default=250)
    parser.add_argument("--show", type=int, default=0)
    arguments = parser.parse_args()
    for pack in arguments.packs:
        documents = {row["doc_id"]: row for row in rows(pack / "corpus.jsonl")}
        asked = [q for q in rows(pack / "questions.jsonl") if q["answerable"] and q.get("evidence") and q["answers"]]
        alarms, stops, shown = [], [], arguments.show
        for question in random.Random(1).sample(asked, min(arguments.limit, len(asked))):
            doc, number = question["evidence"][0]
            document, answer = documents[doc], question["answers"][0]
            passage = document["paragraphs"][number]
            if not contains(passage, [answer]):
                continue
            context = "\n".join((document["title"], document.get("date") or "", *document["paragraphs"]))
            lacking = _lacking(answer, question["question"], passage, context)
            alarms.append(bool(lacking))
            if lacking and shown:
                shown -= 1
                print(f"  {question['question']} | {answer} | {lacking}")
            stops += [
                bool(_lacking(wrong, question["question"], passage, context)) for wrong in _neighbours(answer, passage)
            ]
        for name, values in (("right answers stopped", alarms), ("neighbours' values stopped", stops)):
            rate = Rate(sum(values), len(values))
            if rate.value is not None and rate.interval:
                low, high = rate.interval
                print(f"{pack.name:22} {name:28} {100 * rate.value:5.1f} % ({100 * low:.0f}–{100 * high:.0f}) of {rate.of}")


def _lacking(answer: str, question: str, passage: str, context: str) -> tuple[str, ...]:
    claim = restore_hedges(f"{answer[0].upper()}{answer[1:]}.", passage)
    return check(claim, question, passage, context)


def _neighbours(answer: str, passage: str) -> list[str]:
    own = numbers(answer)
    if len(own) != 1 or dates(answer):
        return []
    ((value, start, end),) = own
    others = [(s, e) for v, s, e in numbers(passage) if v not in (value, 1)]
    return [answer[:start] + passage[s:e] + answer[end:] for s, e in others]


if __name__ == "__main__":
    main()
