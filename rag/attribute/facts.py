"""What can be checked in a text. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.attribute.keeping import kept
from rag.attribute.values import numbers, places
from rag.attribute.words import FUNCTION_WORDS, LIGHT_WORDS, WORD, fold, joined

_QUOTED = re.compile(r"[\"“«„]([^\"“”«»„]{8,})[\"”»]")


@dataclass(frozen=True, slots=True)
class Facts:
    """What can be checked in a text, normalised for comparison."""

    numbers: frozenset[float]
    names: frozenset[str]
    quoted: tuple[str, ...]
    words: frozenset[str]  # all words but function words; names among them


def facts(text: str) -> Facts:
    """Returns what can be checked in a sentence."""
    text = joined(text)
    matches = list(WORD.finditer(text))
    values = numbers(text)
    inside = places(values)
    names, words = set(), set()
    for n, match in enumerate(matches):
        word = match[0]
        if match.start() in inside or word[0].isdigit():
            continue
        parts = [fold(part) for part in re.split(r"[-]", word)]
        content = [part for part in parts if part and part not in FUNCTION_WORDS]
        words.update(content)
        if word[0].isupper() and (n or _is_name_at_start(matches)):
            names.update(content)
    counted = {value for value, start, _ in values if not text[start].isalpha() or value > 1}  # "one" is often no number
    return Facts(frozenset(counted), frozenset(names), tuple(_QUOTED.findall(text)), frozenset(words))


def _is_name_at_start(matches: Sequence[re.Match[str]]) -> bool:
    """The first word has a capital anyway: it is taken as a name before another one, and in an answer of few words."""
    return len(matches) <= 3 or matches[1][0][0].isupper()


def name_at_start(claim: str, context: str) -> frozenset[str]:
    """Returns the first word of a claim if the document writes it with a capital inside a sentence too."""
    first = WORD.match(claim)
    if first is None or not first[0][0].isupper() or not re.search(rf"[a-z,] {re.escape(first[0])}\b", context):
        return frozenset()
    return frozenset({fold(first[0])} - FUNCTION_WORDS)


def n_checkable(question: str) -> int:
    """Returns how many different words and numbers of a question a passage can be held against."""
    asked = facts(question)
    return len(asked.words - LIGHT_WORDS) + len(asked.numbers)


@kept
def everything(text: str) -> Facts:
    """Facts of a longer text: all its numbers, and all its words, function words too (a name may be one: "The Who")."""
    text = joined(text)
    values = frozenset(value for value, _, _ in numbers(text))
    words = {fold(part) for match in WORD.finditer(text) for part in (match[0], *match[0].split("-"))}
    return Facts(values, frozenset(), (), frozenset(words))
