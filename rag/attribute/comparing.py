"""Do two sentences give one question different values? Pure."""

from __future__ import annotations

from dataclasses import dataclass

from rag.attribute.binding import noun_after, unit
from rag.attribute.dating import dates, undated
from rag.attribute.facts import facts
from rag.attribute.hedging import value_hedges
from rag.attribute.values import numbers
from rag.attribute.words import has

_ABOUT = 0.05  # "about 1,360" and 1,362 are no difference


@dataclass(frozen=True, slots=True)
class _Count:
    value: float
    unit: str | None
    nouns: frozenset[str]
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
    names = [{n for n in facts(undated(text)).names if not has(asked.words, n)} for text in (claim, other)]
    if any(counts) or any(days) or not all(names):
        return False
    return not any(has(names[1], name) for name in names[0])


def _counts(text: str, asked: frozenset[float]) -> list[_Count]:
    plain = undated(text)
    known = facts(plain).numbers - asked
    hedged = {hedge.value for hedge in value_hedges(plain) if hedge.kind}
    return [
        _Count(value, unit(plain, start, end), noun_after(plain, end), value in hedged)
        for value, start, end in numbers(plain)
        if value in known
    ]


def _is_same_kind(one: _Count, two: _Count) -> bool:
    if one.unit and two.unit:
        return one.unit == two.unit
    return not (one.nouns and two.nouns) or any(has(two.nouns, noun) for noun in one.nouns)


def _is_equal(one: _Count, two: _Count) -> bool:
    if one.hedged or two.hedged:
        return abs(one.value - two.value) <= _ABOUT * max(abs(one.value), abs(two.value))
    return one.value == two.value


def _agree(one: dict[str, int], two: dict[str, int]) -> bool:
    """True if two dates say nothing different: 15 July, and 15 July 2025."""
    return all(two[name] == value for name, value in one.items() if name in two)
