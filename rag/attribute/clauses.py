"""The clauses and sentences of a passage, and which of them a sentence is nearest to. Pure."""

from __future__ import annotations

import re

from rag.attribute.facts import everything, facts
from rag.attribute.keeping import kept
from rag.attribute.words import has
from rag.split import sentences

_INSERTED = re.compile(r",\s*(?:however|though|of course|in fact|yet|so far|as yet)\s*,", re.IGNORECASE)
_CLAUSE_ENDS = re.compile(
    r"[,:](?!\d)|[;—()]|\s–\s|[.!?]\s|\b(?:and|but|while|whereas|although|though|because|despite|instead)\b", re.IGNORECASE
)


@kept
def clauses(text: str) -> tuple[str, ...]:
    """Returns the clauses of a text, cut at marks and conjunctions; "1,362" and "10:30" are no ends."""
    return tuple(part for part in _CLAUSE_ENDS.split(_INSERTED.sub(" ", text)) if part.strip())


@kept
def sentence_texts(text: str) -> tuple[str, ...]:
    """Returns the sentences of a passage; the passage itself if it has no marks."""
    return tuple(text[start:end] for start, end in sentences(text)) or (text,)


def nearest(claim: str, parts: tuple[str, ...]) -> list[str]:
    """Returns the parts that have most words and numbers of a claim: one, or several that have as many."""
    said = facts(claim)
    common = []
    for part in parts:
        there = everything(part)
        common.append(sum(has(there.words, word) for word in said.words) + len(said.numbers & there.numbers))
    most = max(common, default=0)
    return [part for part, n in zip(parts, common, strict=True) if n == most]
