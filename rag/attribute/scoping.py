"""Of whom and when a sentence speaks: who "the club" is, who holds an office no longer, in which round. Pure."""

from __future__ import annotations

import re
from itertools import pairwise

from rag.attribute.clauses import nearest, sentence_texts
from rag.attribute.facts import everything, facts
from rag.attribute.words import WORD, fold, has

_LEFT = re.compile(
    r"\b(?:resign(?:s|ed)|step(?:s|ped) down|stood down|quit|retire[sd]|was (?:dismissed|sacked|fired|ousted|removed)"
    r"|has (?:resigned|retired|quit)|left office)\b",
    re.IGNORECASE,
)
_MAX_BETWEEN = 20  # characters between a name and what is said of it: "Simone Varga, 54, resigned"
_RUNS = "runs|leads|heads|chairs|directs|manages|governs|commands|coaches|edits|owns|presides over"
_HOLDS = re.compile(
    rf"^\W*(?P<who>[^\W\d_a-z][^.,;]*?) (?:(?:now|currently|still) )?"
    rf"(?:(?:is|are|serves as) (?:(?:now|currently|still) )?(?:the|a|an|its|their|our) |(?:{_RUNS})\b)"
)
_RUN_BY = re.compile(
    r"\bis (?:(?:now|currently|still) )?(?:run|led|headed|chaired|managed|owned) by (?P<who>[^\W\d_a-z][^.,;]*)"
)
_FORMER = re.compile(r"\bformer\b|\bex-", re.IGNORECASE)
_WHO = r"(?P<who>[^\W\d_a-z][\w'’-]+(?: [^\W\d_a-z][\w'’-]+){0,3})"
_WAS = (
    re.compile(rf"{_WHO}, (?:(?:a|an|the|its|their|his|her) )?(?:former |ex-)(?P<what>[^,.;]+)"),
    re.compile(rf"\b(?:[Ff]ormer |[Ee]x-)(?P<what>[^,.;]+), {_WHO}"),
    re.compile(rf"\b(?:[Ff]ormer |[Ee]x-)(?P<what>[a-z][\w'’-]*(?: [a-z][\w'’-]*){{0,4}}) {_WHO}"),
)
_REFERRING = re.compile(r"^\W*(?:the \w+|it|they|its|their)\b", re.IGNORECASE)
_PLAYED = re.compile(r"\b(?:defeat(?:ed)?|win|won|victory|loss|lost|beat(?:en)?|draw|drew|match|game)\b", re.IGNORECASE)
_AGAINST = re.compile(r"\b(?:at|against|over|versus|vs?\.?)\s+(?:the\s+)?$", re.IGNORECASE)
_STAGES = "rounds? run-?off leg half quarter-?final semi-?final final qualifying primary".split()
_RANKS = frozenset("first second third fourth fifth last".split())
_WHEN = re.compile(
    rf"\b(?:in|during|after|at) (?:the|a) (?P<stage>(?:\w+ ){{0,2}}?(?:{'|'.join(reversed(_STAGES))}))\b", re.IGNORECASE
)


def left_office(claim: str, passage: str) -> list[str]:
    """Returns the word by which a passage says that who "is" something in a claim is so no longer: resigned, former."""
    holds = _HOLDS.match(claim) or _RUN_BY.search(claim)
    if not holds or not (names := facts(holds["who"]).words) or _LEFT.search(claim) or _FORMER.search(claim):
        return []
    for sentence in nearest(claim, sentence_texts(passage)):
        left = _LEFT.search(sentence)
        if left and any(has(everything(_just_before(sentence, left)).words, name) for name in names):
            return [f"the word {left[0]}"]
        office = facts(claim).words - names
        for match in (match for pattern in _WAS for match in pattern.finditer(sentence)):
            who, what = everything(match["who"]).words, everything(match["what"]).words
            if any(has(who, name) for name in names) and any(has(what, word) for word in office):
                return ["office of now"]
    return []


def _just_before(sentence: str, match: re.Match[str]) -> str:
    words = sentence[: match.start()].split()
    return " ".join(words[-3:]) if len(" ".join(words[-2:])) <= _MAX_BETWEEN else words[-1] if words else ""


def wrong_antecedent(claim: str, passage: str) -> list[str]:
    """Returns the subject of a claim if the passage speaks of its opponent: "Rovers lost at Arlen. The club has 9 points".

    What a sentence without a name says is said of what the sentence before it is about, not of what stands there behind
    "at", "against" or "over".
    """
    subject = _subject(claim)
    if not subject:
        return []
    texts = sentence_texts(passage)
    values = facts(claim).numbers
    for before, sentence in pairwise(texts):
        said = everything(sentence)
        if not _REFERRING.match(sentence) or not values & said.numbers or any(has(said.words, name) for name in subject):
            continue
        places = [match.start() for match in WORD.finditer(before) if has(subject, fold(match[0]))]
        is_named_before = bool(places) and bool(facts(before[: places[0]]).names - subject)
        if is_named_before and _PLAYED.search(before) and _AGAINST.search(before[: places[0]]):
            return [f"subject {' '.join(sorted(subject))}"]
    return []


def _subject(claim: str) -> frozenset[str]:
    """Returns the folded words of the name that a claim begins with."""
    found: list[str] = []
    for match in WORD.finditer(claim):
        if not match[0][0].isupper() or (claim[: match.start()].strip(" \"“'") and not found):
            break
        found.append(fold(match[0]))
    return frozenset(found)


def wrong_stage(claim: str, passage: str) -> list[str]:
    """Returns the stage of a claim if its sentence in the passage tells of another: the run-off, the first round."""
    said = [_stage(match["stage"]) for match in _WHEN.finditer(claim)]
    if not said:
        return []
    for sentence in nearest(claim, sentence_texts(passage)):
        there = [_stage(match["stage"]) for match in _WHEN.finditer(sentence)]
        if not there or any(_is_one(a, b) for a in said for b in there):
            return []
    return [f"the stage {' '.join(sorted(noun for _, noun in said))}"]


def _stage(words: str) -> tuple[frozenset[str], str]:
    """Returns the ranks and the noun of a stage."""
    *before, noun = words.lower().replace("-", "").split()
    return _RANKS.intersection(before), noun.removesuffix("s")


def _is_one(one: tuple[frozenset[str], str], other: tuple[frozenset[str], str]) -> bool:
    return one[1] == other[1] and (not one[0] or not other[0] or bool(one[0] & other[0]))
