"""Do two sentences answer one question with different values? Pure."""

from __future__ import annotations

from rag.attribute.dating import dates, undated
from rag.attribute.facts import facts
from rag.attribute.words import has


def differs(claim: str, other: str, question: str) -> bool:
    """True if two sentences give different values for what was asked: other numbers, other dates, or other names.

    What the question says itself is no value. Where one gives a number and the other a name, they may both be right: that is
    no difference; nor is a name in full and in part.
    """
    one, two, asked = facts(undated(claim)), facts(undated(other)), facts(question)
    numbers = one.numbers - asked.numbers, two.numbers - asked.numbers
    if all(numbers):
        return numbers[0].isdisjoint(numbers[1])
    days = [[date.parts for date in dates(text) if date.parts] for text in (claim, other)]
    if all(days):
        return not any(_agree(a, b) for a in days[0] for b in days[1])
    names = [{name for name in said.names if not has(asked.words, name)} for said in (one, two)]
    if any(numbers) or any(days) or not all(names):
        return False
    return not any(has(names[1], name) for name in names[0])


def _agree(one: dict[str, int], two: dict[str, int]) -> bool:
    """True if two dates say nothing different: 15 July, and 15 July 2025."""
    return all(two[name] == value for name, value in one.items() if name in two)
