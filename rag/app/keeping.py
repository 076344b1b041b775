"""Turns as they are kept in the library, and a conversation as it is exported. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from rag.app.conversation import Turn
from rag.types import Answer, Citation, as_dict

INTERRUPTED = "Interrupted: the page was left while this was written. Continue asks it again."
_MAX_TITLE = 80  # characters
_ACTIVE = re.compile(r"[\\`*_\[\]<>!|#&~]")
_NOT_KEPT = frozenset({"rating", "comment", "awaited"})  # the first two are columns of their own
_turns: TypeAdapter[Turn] = TypeAdapter(Turn)


def to_content(turn: Turn) -> str:
    """Returns a turn as JSON."""
    return _turns.dump_json(turn, exclude=set(_NOT_KEPT)).decode()


def from_content(content: str, rating: int = 0, comment: str = "") -> Turn:
    """Returns a turn that was kept; one without an answer was interrupted, and says so."""
    try:
        turn = replace(_turns.validate_json(content), rating=rating, comment=comment)
    except ValidationError:  # of another version of this program
        return Turn("?", note="This turn was kept by another version of this program, and cannot be read.")
    return turn if turn.answer or turn.note else replace(turn, note=INTERRUPTED)


def title_of(turns: Sequence[Turn]) -> str:
    """Returns what a conversation is listed as until it is renamed: its first question."""
    question = " ".join(turns[0].question.split())
    return question if len(question) <= _MAX_TITLE else question[: _MAX_TITLE - 1].rstrip() + "…"


def answer_json(answer: Answer) -> str:
    """Returns an answer as `rag ask --json` prints it; `rag verify` checks its quotes again."""
    return json.dumps(as_dict(answer), ensure_ascii=False, indent=1)


def as_json(title: str, turns: Sequence[Turn]) -> str:
    """Returns a conversation with all that is known of it."""
    return json.dumps({"title": title, "turns": [_as_dict(turn) for turn in turns]}, ensure_ascii=False, indent=1)


def _as_dict(turn: Turn) -> dict[str, Any]:
    kept = json.loads(_turns.dump_json(turn, exclude={"awaited", "draft"}))
    return kept | {"found": bool(turn.answer and turn.answer.found)}


def as_markdown(title: str, turns: Sequence[Turn]) -> str:
    """Returns a conversation to be read, each answer with its sources as footnotes.

    What stands in questions and articles is text there too: no picture of another host, no forged footnote.
    """
    parts = [f"# {_plain(title)}"]
    for n, turn in enumerate(turns, 1):
        parts.append(f"## {_plain(turn.question)}")
        if turn.searched and turn.searched != turn.question:
            parts.append(f"*Asked as: {_plain(turn.searched)}*")
        text = " ".join(f"{_plain(claim.text)}{_marks(n, claim.citations)}" for claim in turn.claims)
        parts += [line for line in (text or (_plain(turn.answer.text) if turn.answer else ""), turn.note) if line]
        citations = {c.number: c for claim in turn.claims for c in claim.citations}
        parts += [f"[^{n}-{number}]: {_footnote(citation)}" for number, citation in sorted(citations.items())]
    return "\n\n".join(parts) + "\n"


def _marks(turn: int, citations: Sequence[Citation]) -> str:
    return "".join(f"[^{turn}-{citation.number}]" for citation in citations)


def _footnote(citation: Citation) -> str:
    return f"“{_plain(citation.quote)}” – {_plain(citation.title)}, {citation.place}"


def _plain(text: str) -> str:
    """Returns a text in one line, what means something to Markdown or HTML escaped."""
    return _ACTIVE.sub(r"\\\g<0>", " ".join(text.split()))
