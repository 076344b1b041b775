"""Who does it and where, as the passage says it: "an inquiry led by Hamish Crole", "43 homes" at the other place. Pure."""

from __future__ import annotations

import re
from itertools import pairwise

from rag.attribute.clauses import nearest, sentence_texts
from rag.attribute.facts import everything, facts
from rag.attribute.words import FUNCTION_WORDS, WORD, fold, has, is_same, unmarked

_BY = re.compile(r"\b(?P<verb>\w{3,30}) by (?P<agent>[^,.;:()]{2,120})")
_ACTIVE = re.compile(
    r"^\W*(?P<who>[^\W\d_a-z][\w'’-]*(?: [^\W\d_a-z][\w'’-]*){0,5}) "
    r"(?:(?:will|would|is to|was to|has|had|have|is|was|be|been|also|later|then|to) ){0,3}(?P<verb>\w{3,30})\b"
)
_WHO_IS = re.compile(r"^\W*who(?: is|['’]s| was| are| were) (?:the |an? )(?P<role>[\w-]+)", re.IGNORECASE)
_PLACE = re.compile(r"\b(?P<preposition>at|in|on|near) (?P<name>[^\W\d_a-z][\w'’-]+(?: [^\W\d_a-z][\w'’-]+){0,3})")
_ROLE_ENDINGS = ("ers", "ors", "er", "or", "s")
_MIN_STEM = 3


def wrong_agent(claim: str, passage: str) -> list[str]:
    """Returns by whom it is done, if a claim says that somebody else does it: "Oduya leads" for "to be led by Crole"."""
    said = _ACTIVE.match(claim)
    if not said or _BY.search(claim):
        return []
    who, verb = unmarked(said["who"]).split(), fold(said["verb"])
    for sentence in nearest(claim, sentence_texts(passage)):
        agents = [match["agent"] for match in _BY.finditer(sentence) if is_same(fold(match["verb"]), verb)]
        if agents and not any(has(unmarked(agent).split(), word) for agent in agents for word in who):
            return [f"agent {agents[0]}"]
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
    role = fold(asked["role"])
    return [] if any(_is_of(role, word) for word in everything(passage).words) else [f"role {role}"]


def _is_of(role: str, word: str) -> bool:
    """True if a word is the role, or says what its holder does: owner, owns, owned."""
    stem = next((role.removesuffix(end) for end in _ROLE_ENDINGS if role.endswith(end)), role)
    return is_same(role, word) or (len(stem) >= _MIN_STEM and word.startswith(stem))


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
    return not is_here and any(f" {other} " in said for other in others)


def _is_listed(place: str, texts: tuple[str, ...]) -> bool:
    """True if a number stands in a sentence with the place."""
    return any(f" {place} " in f" {unmarked(text)} " and everything(text).numbers for text in texts)
