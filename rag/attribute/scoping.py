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
_HOLDS = re.compile(r"^\W*(?P<who>[^\W\d_a-z][^.,;]*?) (?:is|are|serves as) (?:still )?(?:the|a|an|its|their|our) ")
_NAME = r"[^\W\d_a-z][\w'’-]+(?: [^\W\d_a-z][\w'’-]+){0,3}"
_OFFICE = r"[^,.;]{1,150}"
_NOW = r"(?:(?:now|currently|still) )?"
_HOLDS_NOW = (
    re.compile(rf"^\W*(?P<who>{_NAME}) {_NOW}(?:is|serves as) {_NOW}(?:(?:the|a|an|its|their|our) )?(?P<what>{_OFFICE})"),
    re.compile(rf"^\W*(?P<who>{_NAME}) {_NOW}(?:{_RUNS}) (?P<what>{_OFFICE})"),
    re.compile(rf"^\W*The (?P<what>{_OFFICE}?) is {_NOW}(?P<who>{_NAME})\W*$"),
    re.compile(rf"^\W*(?P<what>\w{_OFFICE}?) is {_NOW}(?:run|led|headed|chaired|managed|owned) by (?P<who>{_NAME})\W*$"),
)
_HELD = (
    re.compile(rf"(?P<who>{_NAME}), (?:(?:a|an|the|its|their|his|her) )?(?:former |ex-)(?P<what>{_OFFICE})"),
    re.compile(rf"\b(?:[Ff]ormer |[Ee]x-)(?P<what>{_OFFICE}), (?P<who>{_NAME})"),
    re.compile(rf"\b(?:[Ff]ormer |[Ee]x-)(?P<what>[a-z][\w'’-]*(?: [a-z][\w'’-]*){{0,4}}) (?P<who>{_NAME})"),
    re.compile(rf"(?P<who>{_NAME}),? (?:who )?(?:used to be|was once) (?:(?:a|an|the) )?(?P<what>{_OFFICE})"),
    re.compile(rf"(?P<who>{_NAME}) was (?:(?:a|an|the) )?(?P<what>{_OFFICE}?) until\b"),
)
_FORMER = re.compile(r"\bformer\b|\bex-", re.IGNORECASE)
_HOLDING = re.compile(rf"\b(?:is|are|serves|remains|became|{_RUNS})\b")
_REFERRING = re.compile(r"^\W*(?:the \w+|it|they|its|their)\b", re.IGNORECASE)
_PLAYED = re.compile(r"\b(?:defeat(?:ed)?|win|won|victory|loss|lost|beat(?:en)?|draw|drew|match|game)\b", re.IGNORECASE)
_AGAINST = re.compile(r"\b(?:at|against|over|versus|vs?\.?)\s+(?:the\s+)?$", re.IGNORECASE)
_STAGES = "rounds? run-?off leg half quarter-?final semi-?final final qualifying primary".split()
_RANKS = frozenset("first second third fourth fifth last".split())
_RANKS_OF_ALL = (
    "cheapest|dearest|largest|biggest|smallest|oldest|youngest|newest|tallest|highest|lowest|longest|shortest|fastest|slowest"
    "|heaviest|lightest|richest|poorest|strongest|weakest|deepest|widest|busiest|earliest|hottest|coldest|wettest|driest"
)
_SUPERLATIVE = re.compile(rf"\b(?:is|are|was|were|has|have|had) (?:the )?(?P<what>{_RANKS_OF_ALL})\b")
_RANKING = re.compile(
    rf"\b(?:{_RANKS_OF_ALL}|most|least|top|record|leading|(?:than|of) (?:any|all)|no other)\b", re.IGNORECASE
)
_EVERYWHERE = re.compile(
    r"\b(?:(?:nation|country|world)-?wide|nationally|globally"
    r"|(?:across|around|throughout|all over) the (?:country|nation|world|globe))\b",
    re.IGNORECASE,
)
_COUNTED_IN = re.compile(
    rf"\b\d[\d,.]*(?: [a-z]+)? (?:(?P<of>{_NAME}) [a-z]+|[a-z]+ (?:in|across|throughout) (?:the )?(?P<place>{_NAME}))"
)
_WHEN = re.compile(
    rf"\b(?:in|during|after|at) (?:the|a) (?P<stage>(?:\w+ ){{0,2}}?(?:{'|'.join(reversed(_STAGES))}))\b", re.IGNORECASE
)


def left_office(claim: str, passage: str) -> list[str]:
    """Returns the word by which a passage says that who "is" something in a claim is so no longer: resigned, former."""
    if _LEFT.search(claim):
        return []
    near = nearest(claim, sentence_texts(passage))
    holds = _HOLDS.match(claim)
    names = facts(holds["who"]).words if holds else frozenset()
    for sentence in near if names else ():
        left = _LEFT.search(sentence)
        if left and any(has(everything(_just_before(sentence, left)).words, name) for name in names):
            return [f"the word {left[0]}"]
    if _FORMER.search(claim):
        return []
    held = [match for pattern in _HOLDS_NOW if (match := pattern.match(claim))]
    return ["office of now"] if held and any(_is_former(held[0], sentence) for sentence in near) else []


def _is_former(claimed: re.Match[str], sentence: str) -> bool:
    """True if a sentence calls somebody the former holder of what is claimed to be his, and nobody its holder."""
    names, office = facts(claimed["who"]).words, claimed["what"]
    for match in (match for pattern in _HELD for match in pattern.finditer(sentence)):
        is_him = bool(names) and all(has(everything(match["who"]).words, name) for name in names)
        rest = sentence[: match.start()] + sentence[match.end() :]
        if is_him and _is_one_office(office, match["what"]) and not _HOLDING.search(rest):
            return True
    return False


def _is_one_office(claimed: str, former: str) -> bool:
    """True if two offices have the same head ("mayor of Arlen"), or one is that of what is run ("runs the port")."""
    of_what = everything(former).words
    if has([_head(former)], _head(claimed)):
        return True
    named = facts(f"x {claimed}").names or facts(claimed).words
    return all(has(of_what, word) for word in named) and bool(re.search(r"\b(?:of|at|for|in)\b", former))


def _head(office: str) -> str:
    """Returns the noun of an office: mayor of "the long-time mayor of Arlen"."""
    words = re.split(r"\s(?:of|for|at|in|on|to|from|with|under|by)\s", office, maxsplit=1)[0].split()
    return fold(words[-1]) if words else ""


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


def narrowed_count(claim: str, passage: str) -> list[str]:
    """Returns the place to which a claim narrows a count that its passage makes of everywhere: "60 Ohio stores"."""
    there = everything(passage)
    found = []
    for match in _COUNTED_IN.finditer(claim):
        counted = facts(match[0]).numbers
        everywhere = [s for s in sentence_texts(passage) if counted & everything(s).numbers and _EVERYWHERE.search(s)]
        name = match["of"] or match["place"]
        if everywhere and not _EVERYWHERE.search(claim) and not any(has(there.words, word) for word in facts(name).words):
            found.append(f"the place {name}")
    return found


def unsaid_superlative(question: str, passage: str) -> list[str]:
    """Returns the superlative that is asked for if the passage ranks nothing: which site is the cheapest, it must say."""
    asked = _SUPERLATIVE.search(question)
    if not asked or _RANKING.search(passage):
        return []
    stem = fold(asked["what"]).removesuffix("est").removesuffix("i")
    return [] if any(word.startswith(stem) for word in everything(passage).words) else [f"asked the {asked['what']}"]


def _stage(words: str) -> tuple[frozenset[str], str]:
    """Returns the ranks and the noun of a stage."""
    *before, noun = words.lower().replace("-", "").split()
    return _RANKS.intersection(before), noun.removesuffix("s")


def _is_one(one: tuple[frozenset[str], str], other: tuple[frozenset[str], str]) -> bool:
    return one[1] == other[1] and (not one[0] or not other[0] or bool(one[0] & other[0]))
