"""Do two sentences give one question different values? Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.attribute.binding import noun_after, unit
from rag.attribute.dating import dates, undated
from rag.attribute.facts import facts
from rag.attribute.hedging import value_hedges
from rag.attribute.speaking import speakers
from rag.attribute.values import numbers
from rag.attribute.words import has

_ABOUT = 0.05  # "about 1,360" and 1,362 are no difference
_BEING = frozenset("is are was were be been being has have had".split())
_IN_YEAR = re.compile(r"\b(?:in|since|until|till|from|by|during|before|after|early|late|mid)[\s-]+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Count:
    value: float
    kind: str  # its unit; "rank", "year"; "" of all others
    nouns: frozenset[str]  # what it counts, or what these did: "30 people were hurt", "30 were hurt"
    hedged: bool


def differs(claim: str, other: str, question: str) -> bool:
    """True if two sentences give different values for what was asked: other numbers, other dates, or other names.

    What the question says itself is no value. Numbers differ only if they count or measure the same: "12 people died" and
    "30 were hurt" may both be right, and so may a number and a name. A name in full and in part are the same.
    """
    asked = facts(question)
    counts = [_counts(text, asked.numbers) for text in (claim, other)]
    if all(counts):
        pairs = [(a, b) for a in counts[0] for b in counts[1] if _is_same_kind(a, b)]
        return bool(pairs) and not any(_is_equal(a, b) for a, b in pairs)
    days = [[date.parts for date in dates(text) if date.parts] for text in (claim, other)]
    if all(days):
        return not any(_agree(a, b) for a in days[0] for b in days[1])
    said = [facts(undated(text)) for text in (claim, other)]
    names = [{name for name in one.names if not has(asked.words, name)} for one in said]
    if any(counts) or any(days) or not all(names):
        return False
    # "the Arlen police" and "Police of Arlen": a name may be written as a word
    return not any(has(said[1].words, n) for n in names[0]) and not any(has(said[0].words, n) for n in names[1])


def counts_differ(one: str, other: str, question: str = "") -> bool:
    """True if two sentences count or measure the same and give different numbers for it.

    Args:
        question: if there is one, it has the word that they count, or they measure in the same unit. Its numbers are no
            values.
    """
    asked = facts(question)
    counts = [_counts(text, asked.numbers) for text in (one, other)]
    pairs = [(a, b) for a in counts[0] for b in counts[1] if _is_same_kind(a, b) and _shared(a, b, asked.words)]
    return bool(pairs) and not any(_is_equal(a, b) for a, b in pairs)


def _shared(one: _Count, other: _Count, asked: frozenset[str]) -> bool:
    if asked and one.kind == other.kind and one.kind not in ("", "rank", "year"):
        return True
    return any(has(other.nouns, noun) and (not asked or has(asked, noun)) for noun in one.nouns)


def disputes(one: str, other: str, question: str) -> bool:
    """True if two sentences of one article are said by different speakers and count what was asked differently.

    "About 620 drivers stayed away, according to the union" and "We count 540 drivers on strike, said the operator".
    """
    said = speakers(one), speakers(other)
    if not all(said) or any(has(a, word) for a in said[0] for b in said[1] for word in b):
        return False
    return counts_differ(one, other, question)


def _counts(text: str, asked: frozenset[float]) -> list[_Count]:
    plain = undated(text)
    known = facts(plain).numbers - asked
    hedged = {hedge.value for hedge in value_hedges(plain) if hedge.kind}
    return [
        _Count(value, _kind(plain, start, end), noun_after(plain, end, _BEING), value in hedged)
        for value, start, end in numbers(plain)
        if value in known
    ]


def _kind(text: str, start: int, end: int) -> str:
    if found := unit(text, start, end):
        return found
    if text[end - 2 : end].lower() in ("st", "nd", "rd", "th"):
        return "rank"
    is_year = re.fullmatch(r"(?:1\d|20)\d\d", text[start:end])
    return "year" if is_year and (_IN_YEAR.search(text[max(0, start - 10) : start]) or not noun_after(text, end)) else ""


def _is_same_kind(one: _Count, two: _Count) -> bool:
    if one.kind == two.kind:
        is_told = one.kind not in ("", "currency")  # baht and yen are both "currency"
        return is_told or not (one.nouns and two.nouns) or any(has(two.nouns, noun) for noun in one.nouns)
    if {one.kind, two.kind} & {"rank", "year"}:
        return False
    return any(not count.kind and not count.nouns for count in (one, two))  # "$5 million" and "7 million", not "70 workers"


def _is_equal(one: _Count, two: _Count) -> bool:
    if one.hedged or two.hedged:
        return abs(one.value - two.value) <= _ABOUT * max(abs(one.value), abs(two.value))
    return one.value == two.value


def _agree(one: dict[str, int], two: dict[str, int]) -> bool:
    """True if two dates say nothing different: 15 July, and 15 July 2025."""
    return all(two[name] == value for name, value in one.items() if name in two)
