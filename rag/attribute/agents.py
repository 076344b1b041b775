"""Who does it and where, as the passage says it: "an inquiry led by Hamish Crole", "43 homes" at the other place. Pure."""

from __future__ import annotations

import re
from itertools import pairwise

from rag.attribute.clauses import nearest, sentence_texts
from rag.attribute.facts import everything, facts
from rag.attribute.words import FUNCTION_WORDS, WORD, fold, has, is_same, unmarked

_BY = re.compile(
    r"\b(?:be|been|being|is|are|was|were) (?:\w+ly )?(?P<verb>\w{3,30}) by"
    r" (?P<agent>[^,.;:()]{2,120})(?=(?P<rest>[^;:()]{0,80}))"
)
_ACTIVE = re.compile(
    r"^\W*(?P<who>[^\W\d_a-z][\w'’-]*(?: [^\W\d_a-z][\w'’-]*){0,5}) "
    r"(?:(?:will|would|is to|was to|has|had|have|also|later|then) ){0,3}(?P<verb>\w{3,30})\b"
)
_WHO_IS = re.compile(
    r"^\W*who(?: is|['’]s| was| are| were) the (?:\w+ )?(?P<role>owner|operator|founder|leader)s?\b", re.IGNORECASE
)
_DOING = {
    "owner": "own belong",
    "operator": "operat run ran",
    "founder": "found establish creat start set",
    "leader": "lead led head chair",
}
"""How the words begin that say what the holder of a role does. Only roles whose words are few."""
_BACK = re.compile(r"\b(?:it|its|they|their|them|there|here|the (?:town|city|village|plant|site|place))\b", re.IGNORECASE)
_BESIDE = r"\b(?:unlike|than|from|based|near|not)\b[^,;]{0,40}"
_PLACE = re.compile(r"\b(?P<preposition>at|in|on|near) (?P<name>[^\W\d_a-z][\w'’-]+(?: [^\W\d_a-z][\w'’-]+){0,3})")


def wrong_agent(claim: str, passage: str) -> list[str]:
    """Returns by whom it is done, if a claim says that somebody else does it: "Oduya leads" for "to be led by Crole"."""
    said = _ACTIVE.match(claim)
    if not said or _BY.search(claim):
        return []
    who, verb = unmarked(said["who"]).split(), fold(said["verb"])
    for sentence in nearest(claim, sentence_texts(passage)):
        done = [match for match in _BY.finditer(sentence) if is_same(fold(match["verb"]), verb)]
        named = [match["agent"] for match in done if facts(f"x {match['agent']}").names]
        by = unmarked(" ".join(match["agent"] + match["rest"] for match in done)).split()
        if named and len(named) == len(done) and not any(has(by, word) for word in who):
            return [f"agent {named[0]}"]
    return []


def unsaid_role(claim: str, question: str, passage: str) -> list[str]:
    """Returns the role that a question asks for, if neither the passage nor a name of the claim has to do with it.

    "Who is the owner of Sound Ferries?" is not answered by "It is owned by the operator" where nothing is said of owning.
    """
    asked = _WHO_IS.match(question)
    if not asked:
        return []
    known = everything(question).words
    first = WORD.match(claim)
    at_start = {fold(first[0])} - FUNCTION_WORDS if first else set()
    if any(not has(known, name) for name in facts(claim).names | at_start):
        return []
    role = asked["role"].lower()
    stems = tuple(_DOING[role].split())
    return [] if any(word.startswith(stems) for word in everything(passage).words) else [f"role {role}"]


def other_place(claim: str, question: str, passage: str) -> list[str]:
    """Returns the place of a claim if its value is said of another one of the same list.

    "The site at Coldbeck costs 420 million, the one at Norrick 150. Coldbeck is best, though 43 homes would go": 43 homes at
    Norrick are not said. Only where both places stand behind the same preposition, and each beside a number.
    """
    values = facts(claim).numbers - facts(question).numbers
    texts = sentence_texts(passage)
    if not values or len(texts) < 2:
        return []
    there = [(match["preposition"].lower(), unmarked(match["name"])) for match in _PLACE.finditer(passage)]
    wanted = {(m["preposition"].lower(), unmarked(m["name"])) for text in (claim, question) for m in _PLACE.finditer(text)}
    for preposition, place in wanted & set(there):
        others = {name for other, name in there if other == preposition and name != place}
        own = [(before, text) for before, text in pairwise(("", *texts)) if values & everything(text).numbers]
        if own and all(_is_of_other(place, others, before, text) for before, text in own) and _is_listed(place, texts):
            return [f"place {place}"]
    return []


def _is_of_other(place: str, others: set[str], before: str, text: str) -> bool:
    said = f" {unmarked(text)} "
    is_here = f" {place} " in said or (f" {place} " in f" {unmarked(before)} " and not any(f" {o} " in said for o in others))
    if is_here or _BACK.search(text):
        return False
    named = [other for other in others if f" {other} " in said]
    return bool(named) and not any(re.search(_BESIDE + re.escape(other), text, re.IGNORECASE) for other in named)


def _is_listed(place: str, texts: tuple[str, ...]) -> bool:
    """True if a number stands in a sentence with the place."""
    return any(f" {place} " in f" {unmarked(text)} " and everything(text).numbers for text in texts)
