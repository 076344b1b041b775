"""Made-up question sets, and rows of an evaluation."""

from __future__ import annotations

import json
from pathlib import Path

from rag.evaluate.rows import Row

TOWN = [
    {
        "doc_id": "bridge",
        "title": "Old bridge of Arlen reopens after nine years",
        "paragraphs": [
            "The stone bridge of Arlen was opened again on Friday, nine years after a flood had closed it.",
            "Its repair cost 4.2 million crowns, said the mayor, Ilse Varga.",
            "",
            "Some 12,000 people crossed the bridge on its first day.\nHalf of them came twice.",
        ],
    },
    {
        "doc_id": "tram/2",
        "title": "Tram of Arlen gets a second line",
        "paragraphs": ["The second tram line of Arlen costs 9 million crowns.", "It will run from the port to the hill."],
    },
]
WOOD = [
    {
        "doc_id": "bridge",  # the same id as in the other set
        "title": "Forest bridge of Marrow falls",
        "paragraphs": ["A fallen tree broke the forest bridge of Marrow, and nobody was hurt."],
    }
]


def question(identity, text, answers=(), evidence=(), **more):
    plain = {"id": identity, "question": text, "answers": list(answers), "answerable": bool(answers)}
    return plain | {"evidence": [list(pair) for pair in evidence]} | more


COST = question("cost", "What did the repair of the bridge cost?", ["4.2 million crowns"], [("bridge", 1)])
CROSSED = question("crossed", "How many people crossed the bridge on its first day?", ["12,000"], [("bridge", 3)])
NEVER = question("never", "Which quantum theory won?", kind="unanswerable")


def write_set(folder: Path, corpus, questions) -> Path:
    """Writes a set; returns its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)), encoding="utf-8")
    (folder / "questions.jsonl").write_text("\n".join(map(json.dumps, questions)) + "\n\n", encoding="utf-8")
    return folder


def row(identity="1", **values):
    """A row of an answered question of the set "p", all else at its plainest."""
    plain = {"id": identity, "pack": "p", "answerable": True, "kind": "", "status": "answered", "text": "", "question": ""}
    plain |= {"best": 1.0, "rank": None, "has_gold": False, "right": None, "f1": None}
    plain |= {"found": values.get("status", "answered") in ("answered", "supported")}
    return Row(**(plain | values))


def refused(identity="1", **values):
    return row(identity, **({"status": "not_found"} | values))


def claim(identity, label, support, **values):
    """A row of a claim that its paragraphs support or not, and how surely they were found to."""
    status = "supported" if support >= 0.5 else "unsupported"
    return row(identity, status=status, answerable=label, label=label, support=support, **values)
