"""Questions that are answered by reckoning: "how many more", "in all", "which is longer". Pure: no model is called here.

The model does not reckon. Such a question is taken apart into questions for one number each; what the documents say to them
is shown with its citations, and the result behind it, with the numbers that it was made from. Only what is certain is
reckoned with: a bare number, in the one clause that names this part and no other, of the same unit as the others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rag.attribute import (
    FUNCTION_WORDS,
    clauses,
    differs_by,
    facts,
    fold,
    has,
    hedges,
    is_negated,
    is_plural,
    numbers,
    undated,
    unit,
)

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
_MEASURES = frozenset(_ADJECTIVES.values())
_OPPOSITES = {"more": "fewer", "longer": "shorter", "taller": "shorter", "higher": "lower", "deeper": "shallower"}
_OPPOSITES |= {"wider": "narrower", "larger": "smaller", "bigger": "smaller", "heavier": "lighter"}
_OPPOSITES |= {"thicker": "thinner"}
_MAX_PARTS = 4
_NO_NAMES = frozenset("once twice expected usual before ever half planned last average normal".split())
_VERB = r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should)"
_BE = r"(?P<verb>is|are|was|were)"
_GRADE = rf"(?P<grade>{'|'.join(_ADJECTIVES)})"
_THAN = r"(?P<one>.+?) than (?P<two>.+?)\W*$"
_MORE_THAN = re.compile(rf"^\W*how many more {_THAN}", re.IGNORECASE)
_MUCH_MORE = re.compile(
    rf"^\W*how much more (?P<verb>{_VERB}) (?P<one>.+?) (?P<rest>\w+) than (?P<two>.+?)\W*$", re.IGNORECASE
)
_MANY_MORE = re.compile(
    r"^\W*how many (?:more|fewer) (?P<noun>.+?) (?P<verb>did|do|does|has|have|had) (?P<one>.+?) (?P<rest>\w+)"
    r" than (?P<two>.+?)\W*$",
    re.IGNORECASE,
)
_NO_PAIR = re.compile(r"\bby\s+(?:\w+ ){0,2}[$€£]?\d|\bof (?:them|whom|which|these|those)\b|\bafter\b", re.IGNORECASE)
"""By how much something rose, a part of the other number, another event: no two values to be held against each other."""
_BY_HOW_MUCH = re.compile(
    r"^\W*(?:how (?:many|much) (?:\w+ ){0,2}?(?:more|fewer|less|higher|lower|larger|smaller)\b.{1,300}\bthan\b"
    r"|(?:by how (?:many|much)|what (?:is|was) the difference)\b)",
    re.IGNORECASE,
)
_DID_MORE = re.compile(r"^\W*(?P<verb>did|do|does) (?P<one>.+?) (?P<rest>\w+) more than (?P<two>.+?)\W*$", re.IGNORECASE)
_WERE_MORE = re.compile(rf"^\W*(?:is|are|was|were|did|do|does|has|have) more {_THAN}", re.IGNORECASE)
_GRADED = re.compile(rf"^\W*(?:how much|by how much|how many \w+) {_GRADE} {_BE} {_THAN}", re.IGNORECASE)
_WHICH = re.compile(rf"^\W*which(?: (?P<noun>\w+))? {_BE} {_GRADE}\W+(?P<one>.+?) or (?P<two>.+?)\W*$", re.IGNORECASE)
_TOTAL = r"(?:in all|altogether|in total|combined|together|taken together|all told)"
_SUM = re.compile(rf"^\W*(?P<ask>how (?:many|much)) (?P<rest>.+?),? {_TOTAL}\W*$", re.IGNORECASE)
_AND = re.compile(r",\s*and\s+|,\s*|\s+and\s+")
_FIRST_VERB = re.compile(rf"\s+(?={_VERB}\b)", re.IGNORECASE)
_PREPOSITION = re.compile(r"^(according to|in|on|at|by|from|during|of|for|to)\s", re.IGNORECASE)


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
    scale: str  # "million", "billion" or ""
    counted: str  # what it measures or counts, as it was written: "metres", "people", "$"; "" if nothing was
    unit: str | None  # the unit or currency, if it is a known one: "metre"
    is_about: bool = False  # "some 30,000"


def plan(question: str) -> Plan | None:
    """Returns how a question is reckoned; None if it is not for reckoning."""
    made = _compared(question) or _graded(question) or _summed(question)
    fits = (
        made and len(made.names) <= _MAX_PARTS and all(_is_name(name) and _own(made, n) for n, name in enumerate(made.names))
    )
    return made if fits else None


def _is_name(text: str) -> bool:
    said = facts(text)
    return bool(said.words) and not said.numbers and said.words.isdisjoint(_NO_NAMES) and "," not in text


def _own(plan: Plan, n: int) -> frozenset[str]:
    """Returns the words that a part is named by, and no other part."""
    return facts(plan.names[n]).words - facts(" ".join(plan.names[:n] + plan.names[n + 1 :])).words


def _compared(question: str) -> Plan | None:
    match = _MANY_MORE.match(question)
    if match and not (_PREPOSITION.match(match["two"]) or _FIRST_VERB.search(match["two"])):
        return _asked_of_both("difference", f"How many {match['noun']}", match)
    for pattern, operation in ((_MORE_THAN, "difference"), (_WERE_MORE, "more")):
        if match := pattern.match(question):
            asked = _two_questions(match["one"], match["two"], question if operation == "more" else "")
            return Plan(operation, *asked) if asked else None  # type: ignore[arg-type]
    for pattern, operation in ((_MUCH_MORE, "difference"), (_DID_MORE, "more")):
        if match := pattern.match(question):
            return _asked_of_both(operation, "How much", match)  # type: ignore[arg-type]
    return None


def _asked_of_both(operation: Operation, ask: str, match: re.Match[str]) -> Plan:
    names = (match["one"], match["two"])
    return Plan(operation, tuple(f"{ask} {match['verb'].lower()} {name} {match['rest']}?" for name in names), names)


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
            grade, noun = match["grade"].lower(), match.groupdict().get("noun")
            one, two = match["one"].strip(" ,"), match["two"]
            noun = noun or (one.split() or [""])[-1]  # "the new pier" and "the old one" are two piers
            names = tuple(re.sub(r"\bone$", noun, name) for name in (one, two))
            asked = tuple(f"How {_ADJECTIVES[grade]} {match['verb']} {name}?" for name in names)
            return Plan("difference" if pattern is _GRADED else "greatest", asked, names, grade)
    return None


def _summed(question: str) -> Plan | None:
    match = _SUM.match(question)
    if not match:
        return None
    ask, rest = match["ask"], match["rest"]
    if verb := re.match(rf"({_VERB}) (.+) (\w+)$", rest, re.IGNORECASE):  # how much did the state and the town pay
        before, names, behind = f"{verb[1]} ", _listed(verb[2]), f" {verb[3]}"
    else:
        head, *tail = _FIRST_VERB.split(rest, maxsplit=1)
        before, names, behind = "", _listed(head), f" {tail[0]}" if tail else ""
        if not tail or len(names) < 2:  # passengers came in January and February
            places = list(re.finditer(r"\s(?:in|on|at|by|from|during)\s+", rest))
            last = next((place for place in reversed(places) if len(_listed(rest[place.end() :])) > 1), None)
            if last is None:
                return None
            before, behind = rest[: last.end()], ""
            names = tuple(_PREPOSITION.sub("", name) for name in _listed(rest[last.end() :]))
    return Plan("sum", tuple(f"{ask} {before}{name}{behind}?" for name in names), names) if len(names) > 1 else None


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for part in _AND.split(text.strip()) if part)


_NO_COUNT_BEFORE = re.compile(r"[\w–—-]$|(?![$€£])[^\w\s(\[\"'“”‘’:;,.!?/]\s?$")  # COVID-19, ¥5
_PART_OF = re.compile(r"\bof(?: (?:the|these|those|all|its|their))?\s*$", re.IGNORECASE)  # half of the 30 girls
_ALL_OF_THEM = re.compile(r"\b(?:in all|total(?:led|ed|ing)?|altogether|together|combined|both|each)\b", re.IGNORECASE)
_NO_COUNT_BEHIND = re.compile(  # 300 or more, 300-odd, 5 to 10, two dozen, three times
    r"[\s-]*(?:or|to|–|-|plus|\+|odd|dozen|score|times|pairs|percentage)(?!\w)", re.IGNORECASE
)
_RATE = re.compile(
    r"[^.;]{0,40}?\b(?:per|each|every|an? (?:hour|day|week|month|year|head|piece)|annual\w*|daily|yearly|weekly|monthly)\b",
    re.IGNORECASE,
)


def value(plan: Plan, n: int, sentence: str) -> Value | None:
    """Returns the number that a sentence answers part n of a question with; None if that is not certain.

    It is the only number of the sentence, or of its one clause that names this part, and nothing there names another part.
    It must be a bare count or measure: no date, rank, rate, range or difference, not denied, and not
    hedged but by "about".
    """
    own = _own(plan, n)
    others = frozenset().union(*(_own(plan, k) for k in range(len(plan.parts)) if k != n))
    if _ALL_OF_THEM.search(sentence):
        return None
    parts = [part for part in (clauses(sentence) if _names(sentence, others) else (sentence,)) if _names(part, own)]
    if len(parts) != 1 or _names(parts[0], others) or is_negated(parts[0]):
        return None
    part = undated(parts[0])
    found = [one for one in numbers(part) if one[0] not in facts(plan.parts[n]).numbers]
    return _value(part, *found[0], plan.grade) if len(found) == 1 else None


def between(question: str, sentences: Sequence[str]) -> str:
    """Returns the sentence that tells what is asked where the answer has both numbers already; "" if that is not certain.

    "How many more visitors than the year before?" is answered by "41,000 visitors, up from 36,500", and then by 4,500.

    Args:
        sentences: of the answer; all together they must have two numbers to reckon with, and no others.
    """
    summed = _SUM.match(question)
    is_sum = bool(summed and _AND.search(summed["rest"]))
    if not is_sum and not _BY_HOW_MUCH.match(question):
        return ""
    plan = Plan("sum" if is_sum else "difference", (question, question), (question, question))
    asked, values = facts(question).numbers, []
    for text in map(undated, sentences):
        if is_negated(text) or _NO_PAIR.search(text) or (is_sum and _ALL_OF_THEM.search(text)):
            return ""
        for number, start, end in numbers(text):
            if number not in asked:
                values.append(_value(text, number, start, end, plan.grade))
    one, two = values if len(values) == 2 else (None, None)
    if one is None or two is None or one.number == two.number or not one.counted:
        return ""
    is_asked = all(has(facts(question).words, fold(value.counted)) for value in (one, two))
    if two.counted not in ("", one.counted) and not is_asked:
        return ""
    if two.unit is None and not two.counted:  # "41,000 visitors, up from 36,500"
        two = replace(two, unit=one.unit, counted=one.counted, scale=two.scale or one.scale)
    if is_sum:
        return result(plan, (one, two))
    return _difference(plan, one, two) if _fit(plan, (one, two)) else ""


def _difference(plan: Plan, one: Value, two: Value) -> str:
    low, high = sorted((one, two), key=lambda value: value.number)
    written = " − ".join(_written(value.number, [value]) for value in (high, low))
    return f"The difference is {_amount(plan, high.number - low.number, (one, two))} ({written})."


def _value(text: str, number: float, start: int, end: int, grade: str) -> Value | None:
    is_year = 1000 <= number <= 2100 and re.fullmatch(r"\d{4}", text[start:end])
    is_rank = re.search(r"(?:st|nd|rd|th)$", text[start:end])
    if number < 0 or is_year or is_rank or hedges(text, number) - {"about"} or differs_by(text, end):
        return None
    if (
        _NO_COUNT_BEFORE.search(text[:start])
        or _PART_OF.search(text[:start])
        or _NO_COUNT_BEHIND.match(text, end)
        or _RATE.match(text, end)
    ):
        return None
    sign = re.search(r"[$€£]\s?$", text[:start])
    behind = re.match(r"\s?(%|[^\W\d_]+)(?:\s+(\w+))?", text[end:])
    if grade != "more" and behind and behind[2] in _MEASURES and behind[2] != _ADJECTIVES[grade]:  # "180 metres wide"
        return None
    scale = re.search(r"million|billion|(?<=\d)\s?(?:m|bn|k)\b|thousand|hundred", text[start:end], re.IGNORECASE)
    counted = sign[0].strip() if sign else behind[1] if behind and behind[1].lower() not in FUNCTION_WORDS else ""
    is_about = bool(hedges(text, number))
    return Value(number, scale[0].lower() if scale else "", counted, unit(text, start, end), is_about)


def _names(text: str, words: frozenset[str]) -> bool:
    return any(has(facts(text).words, word) for word in words)


def result(plan: Plan, values: Sequence[Value]) -> str:
    """Returns the sentence that tells what was reckoned, with the numbers that it was made from; "" if they do not fit."""
    if not _fit(plan, values):
        return ""
    written = [_written(v.number, [v]) for v in values]
    if plan.operation == "sum":
        return f"Together that is {_amount(plan, sum(v.number for v in values), values)} ({' + '.join(written)})."
    one, two = (v.number for v in values)
    if one == two:
        return "They are equal."
    high, low = written if one > two else reversed(written)
    less = _OPPOSITES[plan.grade] if plan.grade != "more" or all(v.unit is None for v in values) else "less"
    if plan.operation == "difference":
        return f"That is {_amount(plan, abs(one - two), values)} {plan.grade if one > two else less} ({high} − {low})."
    if plan.operation == "more":
        return f"{high} is more than {low}." if one > two else f"{low} is {less} than {high}."
    return f"So {plan.names[0 if one > two else 1]} is {plan.grade} ({high} against {low})."


def _fit(plan: Plan, values: Sequence[Value]) -> bool:
    """True if values can be added and compared: they count what was asked, or measure in the same known unit."""
    units, counted = {v.unit for v in values}, {v.counted for v in values if v.counted}
    if units == {None}:
        if not counted and len({v.scale for v in values}) > 1:  # "11", and "7.4 million"
            return False
        return len(counted) <= 1 or all(has(facts(" ".join(plan.names)).words, fold(word)) for word in counted)
    if None in units:  # "11 million crowns", and "7.4 million" of them
        bare = [v for v in values if v.unit is None]
        return (
            len(units) == 2
            and not any(v.counted for v in bare)
            and len({v.scale for v in values}) == 1
            and bool(bare[0].scale)
        )
    return len(units) == 1 and (units != {"currency"} or len(counted) == 1)


def _amount(plan: Plan, number: float, values: Sequence[Value]) -> str:
    """Returns a number with what all the values count, if that is the same and a unit, or a word of the question."""
    about = "about " if any(v.is_about for v in values) else ""
    written, things = about + _written(number, values), {v.counted for v in values if v.counted}
    if len(things) != 1:
        return written
    (thing,) = things
    if values[0].unit == "percent":
        return f"{written} percentage points"
    if not thing.isalpha():
        return f"{about}{thing}{written.removeprefix(about)}"
    # "Four died and 23 were hurt" counts people, not "died"
    is_counted = is_plural(fold(thing)) or not thing.isascii() or thing[0].isupper()
    is_known = values[0].unit or (is_counted and has(facts(" ".join(plan.parts)).words, fold(thing)))
    return f"{written} {thing}" if is_known else written


def _written(number: float, values: Sequence[Value]) -> str:
    for name, size in (("billion", 1e9), ("million", 1e6)):
        if all(v.scale == name for v in values):
            return f"{_digits(number / size)} {name}"
    return _digits(number)


def _digits(number: float) -> str:
    return f"{number:,.4f}".rstrip("0").rstrip(".")
