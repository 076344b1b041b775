"""Questions that are answered by reckoning: "how many more", "in all", "which is longer". Pure: no model is called here.

The model does not reckon. Such a question is taken apart into questions for one number each; what the documents say to them
is shown with its citations, and the result behind it, with the numbers that it was made from. Where a number cannot be told
for certain (several of them, another unit, "more than 1,362"), nothing is reckoned and what was found stands by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rag.attribute import FUNCTION_WORDS, clauses, facts, has, is_hedged, numbers, unit

Operation = Literal["difference", "sum", "more", "greatest"]

_ADJECTIVES = {
    "longer": "long",
    "taller": "tall",
    "higher": "high",
    "deeper": "deep",
    "wider": "wide",
    "larger": "large",
    "bigger": "big",
    "heavier": "heavy",
    "thicker": "thick",
}
_OPPOSITES = {"more": "fewer", "longer": "shorter", "taller": "shorter", "higher": "lower", "deeper": "shallower"}
_OPPOSITES |= {"wider": "narrower", "larger": "smaller", "bigger": "smaller", "heavier": "lighter"}
_OPPOSITES |= {"thicker": "thinner"}
_MAX_PARTS = 4

_VERB = r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should)"
_BE = r"(?P<verb>is|are|was|were)"
_GRADE = rf"(?P<grade>{'|'.join(_ADJECTIVES)})"
_THAN = r"(?P<one>.+?) than (?P<two>.+?)\W*$"
_MORE_THAN = re.compile(rf"^\W*how many more {_THAN}", re.IGNORECASE)
_MUCH_MORE = re.compile(
    rf"^\W*how much more (?P<verb>{_VERB}) (?P<one>.+?) (?P<rest>\w+) than (?P<two>.+?)\W*$", re.IGNORECASE
)
_DID_MORE = re.compile(r"^\W*(?P<verb>did|do|does) (?P<one>.+?) (?P<rest>\w+) more than (?P<two>.+?)\W*$", re.IGNORECASE)
_WERE_MORE = re.compile(rf"^\W*(?:is|are|was|were|did|do|does|has|have) more {_THAN}", re.IGNORECASE)
_GRADED = re.compile(rf"^\W*(?:how much|by how much|how many \w+) {_GRADE} {_BE} {_THAN}", re.IGNORECASE)
_WHICH = re.compile(rf"^\W*which(?: (?P<noun>\w+))? {_BE} {_GRADE}\W+(?P<one>.+?) or (?P<two>.+?)\W*$", re.IGNORECASE)
_TOTAL = r"(?:in all|altogether|in total|combined|together|taken together|all told)"
_SUM = re.compile(rf"^\W*(?P<ask>how (?:many|much)) (?P<rest>.+?),? {_TOTAL}\W*$", re.IGNORECASE)
_AND = re.compile(r",\s*and\s+|,\s*|\s+and\s+")
_FIRST_VERB = re.compile(rf"\s+(?={_VERB}\b)", re.IGNORECASE)
_PREPOSITION = re.compile(r"^(in|on|at|by|from|during|of|for|to)\s", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Plan:
    """How a question is reckoned.

    Attributes:
        parts: questions for one number each.
        names: what each of them asks about, as it was named.
        grade: "more", or what is compared: "longer".
    """

    operation: Operation
    parts: tuple[str, ...]
    names: tuple[str, ...]
    grade: str = "more"


@dataclass(frozen=True, slots=True)
class Value:
    """A number as an answer gave it."""

    number: float
    words: str  # as it was written: "1,362", "six", "11 million"
    counted: str  # what it measures or counts, as it was written: "metres", "people", "$"; "" if nothing was
    unit: str | None  # the unit or currency, if it is a known one: "metre"


def plan(question: str) -> Plan | None:
    """Returns how a question is reckoned; None if it is not for reckoning."""
    return _compared(question) or _graded(question) or _summed(question)


def _compared(question: str) -> Plan | None:
    for pattern, operation in ((_MORE_THAN, "difference"), (_WERE_MORE, "more")):
        if match := pattern.match(question):
            asked = _two_questions(match["one"], match["two"], question if operation == "more" else "")
            return Plan(operation, *asked) if asked else None  # type: ignore[arg-type]
    for pattern, operation in ((_MUCH_MORE, "difference"), (_DID_MORE, "more")):
        if match := pattern.match(question):
            names = match["one"], match["two"]
            parts = tuple(f"How much {match['verb'].lower()} {name} {match['rest']}?" for name in names)
            return Plan(operation, parts, names)  # type: ignore[arg-type]
    return None


def _two_questions(one: str, two: str, whether: str) -> tuple[tuple[str, str], tuple[str, str]] | None:
    """Returns the two questions of "more ONE than TWO", and the names of both.

    What follows stands behind one of the two: "Vietnamese than Indonesians were arrested", "passengers came in January than
    in February"; in a question for yes or no the verb stands before both.
    """
    verb = whether.split()[0].lower() if whether else ""
    if preposition := _PREPOSITION.match(two):
        start = one.lower().rfind(f" {preposition[1].lower()} ")
        if start < 0 or (verb and verb not in ("did", "do", "does")):
            return None
        asked = one[:start]
        return (f"How many {asked}{one[start:]}?", f"How many {asked} {two}?"), (one[start + 1 :], two)
    if verb in ("is", "are", "was", "were", "has", "have"):
        second, _, rest = two.partition(" ")
        if not rest:
            return None
        return (f"How many {one} {verb} {rest}?", f"How many {second} {verb} {rest}?"), (one, second)
    parts = _FIRST_VERB.split(two, maxsplit=1)
    if len(parts) < 2:
        return None
    return (f"How many {one} {parts[1]}?", f"How many {two}?"), (one, parts[0])


def _graded(question: str) -> Plan | None:
    for pattern in (_GRADED, _WHICH):
        if match := pattern.match(question):
            grade, names = match["grade"].lower(), (match["one"].strip(" ,"), match["two"])
            whole = _completed(*names, match.groupdict().get("noun") or "")
            asked = tuple(f"How {_ADJECTIVES[grade]} {match['verb']} {name}?" for name in whole)
            return Plan("difference" if pattern is _GRADED else "greatest", asked, whole, grade)
    return None


def _completed(one: str, two: str, noun: str) -> tuple[str, str]:
    """Returns both names in full: "the new pier" and "the old one" are two piers."""
    noun = noun or one.split()[-1]
    return re.sub(r"\bone$", noun, one), re.sub(r"\bone$", noun, two)


def _summed(question: str) -> Plan | None:
    match = _SUM.match(question)
    if not match:
        return None
    ask, rest = match["ask"], match["rest"]
    if verb := re.match(rf"({_VERB}) (.+) (\w+)$", rest, re.IGNORECASE):  # how much did the state and the town pay
        names = _listed(verb[2])
        asked = tuple(f"{ask} {verb[1]} {name} {verb[3]}?" for name in names)
        return Plan("sum", asked, names) if 2 <= len(names) <= _MAX_PARTS else None
    head, *tail = _FIRST_VERB.split(rest, maxsplit=1)
    if tail and 2 <= len(names := _listed(head)) <= _MAX_PARTS:  # Vietnamese, Indonesians and Chinese were arrested
        return Plan("sum", tuple(f"{ask} {name} {tail[0]}?" for name in names), names)
    last = re.search(r"\s(?P<preposition>in|on|at|by|from|during)\s+(?P<names>(?:[^,]+,\s*)*[^,]+\s+and\s+.+)$", rest)
    if last and 2 <= len(names := _listed(last["names"])) <= _MAX_PARTS:  # passengers came in January and February
        before, preposition = rest[: last.start()], last["preposition"]
        names = tuple(_PREPOSITION.sub("", name) for name in names)
        return Plan("sum", tuple(f"{ask} {before} {preposition} {name}?" for name in names), names)
    return None


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for part in _AND.split(text.strip()) if part)


def value(plan: Plan, n: int, sentence: str) -> Value | None:
    """Returns the number that a sentence answers part n of a question with; None if that is not certain, or if it is hedged.

    Of several numbers it is the one in the only clause that names this part and none of the others.
    """
    asked = facts(plan.parts[n]).numbers
    found = [(v, s, e) for v, s, e in numbers(sentence) if v not in asked]
    if len(found) > 1:
        own, others = facts(plan.names[n]).words, facts(" ".join(plan.names[:n] + plan.names[n + 1 :])).words
        parts = [part for part in clauses(sentence) if _names(part, own - others) and not _names(part, others - own)]
        there = numbers(parts[0]) if len(parts) == 1 else []
        found = [one for one in found if len(there) == 1 and one[0] == there[0][0]]
    if len(found) != 1 or is_hedged(sentence, found[0][0]):
        return None
    number, start, end = found[0]
    sign = re.search(r"(?:US|A|C|HK)?[$€£]\s?$", sentence[:start])
    behind = re.match(r"\s?(%|[^\W\d]+)", sentence[end:])
    counted = sign[0].strip() if sign else behind[1] if behind and behind[1].lower() not in FUNCTION_WORDS else ""
    return Value(number, sentence[start:end], counted, unit(sentence, start, end))


def _names(text: str, words: frozenset[str]) -> bool:
    return any(has(facts(text).words, word) for word in words)


def result(plan: Plan, values: Sequence[Value]) -> str:
    """Returns the sentence that tells what was reckoned, with the numbers that it was made from; "" if they do not fit."""
    if len({v.unit for v in values if v.unit}) > 1 or (values[0].unit == "currency" and len(_counted(values)) > 1):
        return ""  # dollars and euros, metres and miles
    all_ = [v.number for v in values]
    if plan.operation == "sum":
        return f"Together that is {_amount(sum(all_), values)} ({' + '.join(_written(v.number, [v]) for v in values)})."
    one, two = all_[:2]
    if one == two:
        return "They are equal."
    low, high = (_written(v.number, [v]) for v in sorted(values[:2], key=lambda v: v.number))
    if plan.operation == "difference":
        grade = plan.grade if one > two else _OPPOSITES[plan.grade]
        return f"That is {_amount(abs(one - two), values)} {grade} ({high} − {low})."
    if plan.operation == "more":
        return f"So yes: {high} is more than {low}." if one > two else f"So no: {low} is fewer than {high}."
    return f"So {plan.names[0 if one > two else 1]} is {plan.grade}."


def _amount(number: float, values: Sequence[Value]) -> str:
    """Returns a number with what all the values count, if that is the same."""
    written, things = _written(number, values), _counted(values)
    if len(things) != 1:
        return written
    (counted,) = things
    if counted == "%":
        return f"{written} percentage points"
    return f"{written} {counted}" if counted.isalpha() else f"{counted}{written}"


def _counted(values: Sequence[Value]) -> set[str]:
    return {v.counted for v in values if v.counted}


def _written(number: float, values: Sequence[Value]) -> str:
    for name, scale in (("billion", 1e9), ("million", 1e6)):
        if all(name in v.words.lower() for v in values):
            return f"{_digits(number / scale)} {name}"
    return _digits(number)


def _digits(number: float) -> str:
    return f"{number:,.4f}".rstrip("0").rstrip(".")
