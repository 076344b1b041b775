"""What a notice of correction takes back, and what is right instead. Pure."""

from __future__ import annotations

import re
from itertools import pairwise

from rag.attribute.facts import everything, facts
from rag.attribute.words import has
from rag.split import sentence_texts, sentences

_TITLED = re.compile(
    r"^\W*(?:corrections?|corrected|clarifications?|erratum|errata|editor['’]s note)\W*(?::|$|\n)", re.IGNORECASE
)
_MISTAKEN = r"(?:wrongly|incorrectly|mistakenly|erroneously)"
_TOLD = r"(?:said|stated|gave|given|reported|named|put|described|identified|listed)"
_PIECE = r"\b(?:article|report|story|version|headline|caption|post|edition)s?\b"
_NOTICE = re.compile(
    rf"\b{_MISTAKEN} {_TOLD}\b|\b{_TOLD} {_MISTAKEN}\b|\bmis(?:stated|reported|identified|spelled)\b"
    rf"|{_PIECE}[^.;]{{0,80}}?\bin error\b",
    re.IGNORECASE,
)
_WRONG = re.compile(
    rf"{_NOTICE.pattern}|{_PIECE}[^.;]{{0,80}}?\b{_TOLD}\b|\b(?:was|were) (?:wrong|incorrect)\b", re.IGNORECASE
)
_RIGHT = re.compile(
    r"\b(?:revised|corrected|correct|in fact|actually|should have|has since|have since|(?:it|he|she|they)"
    r" (?:is|was|were|are)|rather than|instead|the right)\b",
    re.IGNORECASE,
)


def correction(quote: str, text: str, title: str) -> tuple[int, int] | None:
    """Returns where a notice of correction takes back what a sentence of it says, with what is right instead.

    Args:
        quote: a sentence of the text, or a part of one.
        text: a paragraph of an article; if neither it nor the article's title is of a notice, nothing is corrected.

    Returns:
        A span of the text, from the sentence to the one that corrects it; None if that sentence is not taken back.
    """
    if not (_TITLED.match(title) or _TITLED.match(text) or _NOTICE.search(text)):
        return None
    spans = sentences(text)
    for (start, end), following in pairwise(spans):
        wrong, right = text[start:end], text[slice(*following)]
        is_wrong = quote in wrong and _WRONG.search(wrong) and not _WRONG.search(right)
        if is_wrong and _RIGHT.search(right) and _has_more(right, wrong):
            return start, following[1]
    return None


def corrected_by(claim: str, question: str, text: str, title: str) -> tuple[int, int] | None:
    """Returns where a notice of correction takes back the values of a claim, with what is right; see `correction`.

    The values are the claim's numbers that the question does not have, or its names if there are none. All of them must be
    taken back together, in a sentence of a paragraph that has a name of claim or question besides.
    """
    said, asked = facts(claim), facts(question)
    values: frozenset[float] | frozenset[str] = said.numbers - asked.numbers
    values = values or frozenset(name for name in said.names if not has(asked.words, name))
    around = everything(f"{title}\n{text}").words
    is_about = any(has(around, name) for name in said.names | asked.names if name not in values)
    for wrong in sentence_texts(text) if values and is_about else ():
        there = facts(wrong)
        if all(v in there.numbers if isinstance(v, float) else has(there.words, v) for v in values):
            return correction(wrong, text, title)
    return None


def _has_more(right: str, wrong: str) -> bool:
    """True if a sentence has a number or name that the other one lacks: else it puts nothing in its place."""
    new, old = facts(right), everything(wrong)
    return bool(new.numbers - old.numbers) or any(not has(old.words, name) for name in new.names)
