"""Names in part, abbreviations, and first names with the wrong surname. Pure."""

from __future__ import annotations

import re
from itertools import pairwise

from rag.attribute.facts import everything, facts
from rag.attribute.keeping import kept
from rag.attribute.words import FUNCTION_WORDS, WORD, fold, has, joined, unmarked

_CAPITAL = r"[^\W\d_a-z][\w'’]{0,60}"
_RUN = re.compile(rf"{_CAPITAL}(?:(?:[ -]|\s(?:of|the|for|and|on|de|von|van|al|bin)\s)(?:the\s)?{_CAPITAL})*")
_ABBREVIATION = re.compile(r"\b(?:[A-Z][a-z]?){2,6}\b")  # WHO, MoU
_LONG = {"us": "united states", "usa": "united states america", "uk": "united kingdom", "un": "united nations"}
_LONG |= {"eu": "european union"}
"""What everybody knows; other abbreviations must be told by their initials in the document."""
_TITLES = frozenset(
    """mr mrs ms miss dr sir lady lord president minister king queen prince princess general colonel captain judge justice
    senator governor mayor professor chief officer""".split()
)

_PERSON = "(?:man|woman|boy|girl|child|baby|person|suspect|victim|driver|attacker|gunman|killer|officer|passenger|patient)"
_ASKS_NAME = re.compile(
    rf"\bnames? of (?:the|a|an|this|that|his|her|their|its) (?:[\w-]+ ){{0,2}}?{_PERSON}s?\b"
    rf"|\b{_PERSON}['’]s (?:first |last |full )?name\b|\bwhat (?:is|was) (?:his|her) (?:first |last |full )?name\b",
    re.IGNORECASE,
)

_MAX_WORDS = 8  # of one name; more of them in a row are several


@kept
def runs(text: str) -> tuple[tuple[str, ...], ...]:
    """Returns the names of a text as their folded words, in order: (world, health, organization)."""
    found = []
    for match in _RUN.finditer(joined(text)):
        words = re.findall(r"[\w'’]+", match[0])
        while words and fold(words[0]) in FUNCTION_WORDS and not (len(words[0]) > 1 and words[0].isupper()):
            words = words[1:]
        if words:
            found.append(tuple(fold(word) for word in words))
    return tuple(found)


@kept
def abbreviations(text: str) -> frozenset[str]:
    """Returns the folded abbreviations of a text that is not all in capitals: WHO, US."""
    text = joined(text)
    if not re.search(r"[a-z]", text):
        return frozenset()
    return frozenset(match[0].casefold() for match in _ABBREVIATION.finditer(text))


@kept
def initials(text: str) -> frozenset[str]:
    """Returns what the names of a text may be abbreviated to, with and without the initials of small words."""
    found = set()
    for words in runs(text):
        full = [word for word in words if word not in FUNCTION_WORDS]
        for row in (words, full):
            for first in range(len(row)):
                for last in range(first + 2, min(first + 6, len(row)) + 1):
                    found.add("".join(word[0] for word in row[first:last]))
    return frozenset(found) | {short for short, long in _LONG.items() if f" {long} " in f" {_content(text)} "}


_unmarked = kept(unmarked)


def _content(text: str) -> str:
    return " ".join(word for word in unmarked(text).split() if word not in FUNCTION_WORDS)


def is_named(name: str, claim: str, passage: str, context: str) -> bool:
    """True if a passage has a name of the claim in another form: WHO for World Health Organization, Manet for Hun Manet.

    The other form must be the document's own: the full name stands somewhere in the context, and its surname belongs to
    nobody else there.
    """
    if name in initials(passage) and name in abbreviations(claim):
        return True
    around = f" {_unmarked(context)} "
    own = (run for run in runs(claim) if name in run)
    return any(_is_part_named(part, passage, around, context) for run in own for part in _parts(run, name))


def _parts(run: tuple[str, ...], name: str) -> set[tuple[str, ...]]:
    """Returns the parts of a row of names, of two words or more, that a word is in."""
    return {
        run[first:last]
        for place in (n for n, word in enumerate(run) if word == name)
        for first in range(max(0, place - _MAX_WORDS + 1), place + 1)
        for last in range(max(place + 1, first + 2), min(len(run), first + _MAX_WORDS) + 1)
    }


def _is_part_named(part: tuple[str, ...], passage: str, around: str, context: str) -> bool:
    full = [word for word in part if word not in FUNCTION_WORDS]
    shorts = {"".join(word[0] for word in kept) for kept in (part, full)}
    shorts |= {short for short, long in _LONG.items() if long == " ".join(full)}
    known = f" {' '.join(part)} " in around
    if not shorts.isdisjoint(abbreviations(passage)) and (known or not shorts.isdisjoint(_LONG)):
        return True
    there = everything(passage).words
    return known and any(word in there and not _others(word, part, context) for word in full if word not in _TITLES)


def _others(word: str, part: tuple[str, ...], context: str) -> bool:
    """True if a word of a name belongs to another name of the context too: Hun Sen's, Hun Manet's."""
    place = part.index(word)
    for run in _single(context):
        for n, other in enumerate(run):
            if other != word:
                continue
            before, after = run[n - 1 : n], run[n + 1 : n + 2]
            if place and before and before[0] not in _TITLES and before[0] != part[place - 1]:
                return True
            if place + 1 < len(part) and after and after[0] != part[place + 1]:
                return True
    return False


def _single(text: str) -> list[tuple[str, ...]]:
    """Returns the names of a text without those that "and" joins: Ilse Varga and Jon Reyk are two."""
    return [tuple(part.split()) for run in runs(text) for part in " ".join(run).split(" and ")]


def unnamed_person(claim: str, question: str) -> list[str]:
    """Returns what is lacking where the name of a person is asked for and a claim has no name that the question lacks."""
    if not _ASKS_NAME.search(question):
        return []
    first = WORD.match(claim)
    at_start = {fold(first[0])} - FUNCTION_WORDS if first and first[0][0].isupper() else set()
    return [] if (facts(claim).names | at_start) - everything(question).words else ["asked a name of a person"]


def crossed_names(claim: str, passage: str, context: str) -> list[str]:
    """Returns the names of a claim put together from two of the passage: Ilse Reyk, of Ilse Varga and Jon Reyk."""
    there, found = _single(passage), []
    for run in runs(claim):
        for one, two in pairwise(run):
            follows = [r[n + 1] for r in there for n, word in enumerate(r[:-1]) if word == one]
            leads = [r[n] for r in there for n, word in enumerate(r[1:]) if word == two]
            if not follows or not leads or two in follows or {one, two} & (FUNCTION_WORDS | _TITLES):
                continue
            if any(one in r and two in r for r in (*there, *_single(context))):
                continue
            if not any(has((one,), word) for word in leads) and all(
                word not in FUNCTION_WORDS for word in (*follows, *leads)
            ):
                found.append(f"{one} {two}")
    return found
