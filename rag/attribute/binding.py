"""What a number counts or measures, and what was asked for. Pure."""

from __future__ import annotations

import itertools
import re

from rag.attribute.clauses import sentence_texts
from rag.attribute.dating import dates
from rag.attribute.facts import everything, facts
from rag.attribute.values import numbers
from rag.attribute.words import FUNCTION_WORDS, LIGHT_WORDS, WORD, fold, has

NEARER = 2
"""So many more words of the question has the sentence that a value should have come from. Source: docs/experiments.md,
"Attribution"."""
_NEAR = 100  # characters after a number in which what it counts is looked for: "1-1-1-..." is one word without an end
_TOLD = 2  # words that the question does not have: a claim with so many is a statement of its own

_UNITS = {
    "percent": "%|per cent|percent|pct",
    "point": "percentage points?",
    "dollar": "us dollars?|dollars?|usd|bucks",
    "euro": "euros?|eur",
    "pound": "pounds?|gbp|lbs?|sterling",
    "currency": "baht|yuan|renminbi|kip|riel|dong|crowns?|kron(?:a|or|e|er)|rupees?|rupiah|yen|rubles?|roubles?|pesos?"
    "|francs?|lira|ringgit|cents?",
    "mm": "millimet(?:er|re)s?|mm",
    "cm": "centimet(?:er|re)s?|cm",
    "metre": "met(?:er|re)s?",
    "km": "kilomet(?:er|re)s?|km|kms",
    "foot": "feet|foot|ft",
    "inch": "inch(?:es)?",
    "yard": "yards?",
    "mile": "miles?",
    "square km": "square (?:kilomet(?:er|re)s?|km)|km²|sq\\.? km",
    "square mile": "square miles?|sq\\.? mi(?:les)?",
    "square metre": "square met(?:er|re)s?|m²",
    "square foot": "square (?:feet|foot)|sq\\.? ft",
    "hectare": "hectares?|ha",
    "acre": "acres?",
    "litre": "lit(?:er|re)s?",
    "gallon": "gallons?",
    "barrel": "barrels?",
    "gram": "grams?|g",
    "kg": "kilograms?|kilos?|kg",
    "ton": "tons?|tonnes?",
    "ounce": "ounces?|oz",
    "second": "seconds?",
    "minute": "minutes?|mins?",
    "hour": "hours?",
    "day": "days?",
    "week": "weeks?",
    "month": "months?",
    "year": "years?",
    "decade": "decades?",
    "century": "centur(?:y|ies)",
    "celsius": "(?:degrees )?celsius|°c|degrees c",
    "fahrenheit": "(?:degrees )?fahrenheit|°f|degrees f",
    "kmh": "km/h|kph|kilomet(?:er|re)s (?:an|per) hour",
    "mph": "mph|miles (?:an|per) hour",
}
_UNIT = re.compile(
    r"[\s-]*(?:" + "|".join(f"(?P<u{n}>{words})" for n, words in reversed(list(enumerate(_UNITS.values())))) + r")(?!\w)",
    re.IGNORECASE,
)
_SIGNS = {"$": "dollar", "usd": "dollar", "€": "euro", "eur": "euro", "£": "pound", "gbp": "pound"}
_SIGN = re.compile(r"(?:\b(?:US|A|C|HK|S))?(?P<sign>[$€£]|\b(?:USD|EUR|GBP))\s?$", re.IGNORECASE)


def unit(text: str, start: int, end: int) -> str | None:
    """Returns the unit or currency of the number at [start, end) of a text; None if it has none that is known."""
    if sign := _SIGN.search(text[max(0, start - 12) : start]):
        return _SIGNS[sign["sign"].lower()]
    if match := _UNIT.match(text, end):
        return list(_UNITS)[int(next(name for name, value in match.groupdict().items() if value)[1:])]
    return None


def wrong_units(claim: str, passage: str) -> list[str]:
    """Returns the numbers of a claim that the passage has in another unit only: 70 million dollars for 70 million pills."""
    there = [(v, unit(passage, s, e), noun_after(passage, e), passage[e : e + 4]) for v, s, e in numbers(passage)]
    found = []
    for value, start, end in numbers(claim):
        said, noun = unit(claim, start, end), noun_after(claim, end)
        own = [(u, ns, rest) for v, u, ns, rest in there if v == value]
        if not own or not (said or noun):
            continue
        if all(_is_other_unit(said, noun, u, ns, rest) for u, ns, rest in own):
            found.append(f"unit of {claim[start:end]}")
    return found


def _is_other_unit(said: str | None, noun: frozenset[str], unit: str | None, nouns: frozenset[str], rest: str) -> bool:
    if said == unit:
        return False
    if said is None:  # "70 million pills", where it is "$70 million" or "70 million miles"; "a $70 million prize" is both
        return not _share(noun, nouns) and any(is_plural(word) for word in noun)
    if unit is None:  # "5 to 10 km", "5-10 km": nothing can be told of the 5; "70 million pills" is no money
        return bool(nouns) and not re.match(r"\s?[-–—/(]", rest) and not _share(noun, nouns)
    return not _share(noun, nouns) or said in ("mile", "km") or unit in ("mile", "km")


def far_values(claim: str, question: str, passage: str) -> list[str]:
    """Returns the value of a claim if another sentence, much nearer to the question, has a value of the same kind.

    Asked in which year the library was opened, a year from a sentence about something else is no answer where the sentence
    about the library's opening has one. Only for claims with a single value that is not the question's, and that say little
    but it: "The blue tram came in 1911" is another statement, for the other checks.
    """
    asked = everything(question)
    said = {value for value, start, _ in numbers(claim) if value > 1 or claim[start].isdigit()} - asked.numbers
    if len(said) != 1 or dates(claim):
        return []
    (value,) = said
    words = facts(question).words - LIGHT_WORDS
    told = [word for word in facts(claim).words - LIGHT_WORDS if not has(asked.words, word)]
    own, others = [], []  # (number of the question's words, kinds of values)
    for sentence in sentence_texts(passage):
        common = sum(has(everything(sentence).words, word) for word in words)
        kinds = [(v, _kind(v, sentence, s, e)) for v, s, e in numbers(sentence) if v not in asked.numbers]
        if any(v == value for v, _ in kinds):
            if len(told) >= _TOLD and all(has(everything(sentence).words, word) for word in told):
                return []
            own.append((common, {kind for v, kind in kinds if v == value}))
        others.append((common, {kind for v, kind in kinds if v != value}))
    if not own:
        return []
    wanted, nearest = set().union(*(kinds for _, kinds in own)), max(n for n, _ in own)
    far = any(n >= nearest + NEARER and kinds & wanted for n, kinds in others)
    return [f"value {value:g} in the sentence that was asked about"] if far else []


def _kind(value: float, text: str, start: int, end: int) -> str:
    if found := unit(text, start, end):
        return "time" if found in ("second", "minute", "hour", "day", "week", "month", "year") else found
    return "year" if 1000 <= value <= 2100 and end - start == 4 else "plain"


def is_plural(word: str) -> bool:
    """True if a folded word may be what a number counts: "annually" in "40 billion annually" is none."""
    return word in ("people", "men", "women", "children") or (
        len(word) > 3 and word.endswith("s") and not word.endswith("ss")
    )


def is_bound(claim: str, question: str, passage: str) -> bool:
    """False if a number of the claim counts something else in the passage than what was asked or claimed.

    "How many Indonesians?" is not answered by 347 where the passage says "347 Vietnamese, 271 Indonesians": the noun
    belongs to another number there.
    """
    counted = [(value, noun_after(passage, end)) for value, _, end in numbers(passage)]
    asked = _asked_nouns(question)
    for value, start, end in numbers(claim):
        if claim[:start].rstrip().endswith("("):  # "1,600 miles (2,600 km)": the same in another unit
            continue
        for nouns in filter(None, (asked, noun_after(claim, end))):
            own = [ns for v, ns in counted if v == value]
            others = [ns for v, ns in counted if v != value]
            if own and all(own) and not any(_share(nouns, ns) for ns in own) and any(_share(nouns, ns) for ns in others):
                return False
    return True


def _share(nouns: frozenset[str], others: frozenset[str]) -> bool:
    return any(has(others, noun) for noun in nouns)


def noun_after(text: str, position: int, over: frozenset[str] = frozenset()) -> frozenset[str]:
    """Returns the words that a number counts: up to three words after it, to the next mark or function word.

    Args:
        over: function words that are read over and left out.
    """
    found: set[str] = set()
    if of := re.compile(r"\s+of(?:\s+the)?(?=\s)").match(text, position):  # "347 of the Vietnamese"
        position = of.end()
    for match in itertools.islice(WORD.finditer(text, position, position + _NEAR), 3):
        between = text[position : match.start()]
        word = fold(match[0])
        if between.strip() or (word in FUNCTION_WORDS and word not in over) or word[0].isdigit():
            break
        found |= {word} - over
        position = match.end()
    return frozenset(found)


def _asked_nouns(question: str) -> frozenset[str]:
    match = re.search(r"\b(?:how many|number of)\b", question, re.IGNORECASE)
    return noun_after(question, match.end()) if match else frozenset()
