"""Questions for yes or no: what of an answer must be there, and whether a passage says yes or no. Pure."""

from __future__ import annotations

import re

from rag.attribute.clauses import clauses, nearest, sentence_texts
from rag.attribute.facts import facts
from rag.attribute.negating import is_negated, is_undone
from rag.attribute.premises import has_opposite
from rag.attribute.words import FUNCTION_WORDS, LIGHT_WORDS, WORD, fold, has

_WHETHER = re.compile(
    r"^\W*(?:(?:and|but|so|then|ok|okay)\b\W*)?(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might)"
    r"(?:n['’]t)?\b(?!\W*(?:you|we)\b.*\b(?:tell|explain|summari[sz]e|list|give|say)\b)",
    re.IGNORECASE,
)
_CHOOSING = re.compile(r"\w\W+or\W+\w", re.IGNORECASE)
_GRADED = re.compile(
    r"\b(?:more|less|fewer|most|least|all|every|each|only|both|always|\w{3,}er than|as \w+ as)\b", re.IGNORECASE
)
_NOW = re.compile(r"^\W*(?:is|are)\b", re.IGNORECASE)
_IS = re.compile(r"\b(?:is|are|has|have|remains?|\w+n['’]t)\b", re.IGNORECASE)
_ANYONE = frozenset("anyone anybody anything someone somebody something really".split())
_REPLY = re.compile(r"^\W*(?:yes|no)\b\W*(?=\w|$)", re.IGNORECASE)
_UNSURE = re.compile(
    r"\b(?:if|unless|whether|would|should|(?-i:may)|might|could|will|until|almost|nearly|partly|partially|except|some|few"
    r"|(?:is|are|was|were) to|suspect\w*|alleg\w+|accus\w+|claim\w*|belie\w+|thought|fear\w*|expect\w*|likely|unlikely"
    r"|plan\w*|hop(?:e|es|ed|ing)|possib\w+|perhaps|probably|apparently|reportedly|rumou?r\w*|critics?|propos\w+|suggest\w*"
    r"|den(?:y|ied|ies)|call(?:s|ed)? for)\b",
    re.IGNORECASE,
)


def asks_whether(question: str) -> bool:
    """True if a question is for yes or no: "Was anyone hurt?", but not "Was it a tram or a bus?"."""
    return bool(_WHETHER.match(question)) and not _CHOOSING.search(question)


def without_reply(sentence: str) -> str:
    """Returns a sentence without the "Yes," or "No," that it begins with."""
    rest = _REPLY.sub("", sentence)
    return rest[:1].upper() + rest[1:] if rest != sentence else sentence


def with_reply(claim: str, question: str, passage: str) -> str:
    """Returns a claim with "Yes" or "No" before it where its passage says so (`reply`)."""
    said = reply(question, passage)
    if not said:
        return claim
    first = claim.split(" ", 1)[0]
    is_small = fold(first) in FUNCTION_WORDS or re.search(rf"(?<!\w){re.escape(first.lower())}(?!\w)", passage)
    return f"{said}, {claim[:1].lower() if is_small else claim[:1]}{claim[1:]}"


def missing_predicate(claim: str, question: str, passage: str) -> list[str]:
    """Returns the words of a question for yes or no that a claim repeats and its passage lacks.

    Such a question asks whether its own words are so: a claim may not take them from there. A claim that has none of them
    but names is about something else.
    """
    names = _names(question)
    asked = [word for word in facts(question).words - LIGHT_WORDS - _ANYONE if word not in names]
    said, there = facts(claim).words, facts(passage).words
    repeated = [word for word in asked if has(said, word)]
    lacking = [f"word {word}" for word in sorted(repeated) if not has(there, word)]
    if asked and not repeated and not any(has_opposite(word, said) for word in asked):
        lacking.append("anything of what was asked")
    return lacking


def reply(question: str, passage: str) -> str:
    """Returns "Yes" or "No" if one sentence of a passage says so in the words of the question, or in opposite ones; else "".

    Nothing is told where the sentence is hedged or conditional, or where the question asks for more than so or not so.
    """
    if not asks_whether(question) or _GRADED.search(question) or is_negated(question):
        return ""
    asked = facts(question)
    wanted = asked.words - LIGHT_WORDS - _ANYONE
    unsure = {fold(match[0]) for match in _UNSURE.finditer(question)}
    for sentence in nearest(question, sentence_texts(passage)):
        said = facts(sentence)
        lacking = [word for word in wanted if not has(said.words, word)]
        turned = [word for word in lacking if has_opposite(word, said.words)]
        if not wanted or len(lacking) > len(turned) or not asked.numbers <= said.numbers:
            continue
        if _NOW.match(question) and not _IS.search(sentence):  # "Is it open?" is not told by "It opened in 1911"
            continue
        if any(fold(match[0]) not in unsure for match in _UNSURE.finditer(sentence)):
            continue
        denied = {is_negated(part) or is_undone(part) for part in nearest(question, clauses(sentence))}
        if len(denied) == 1 and len(turned) < 2:
            return "No" if denied.pop() != bool(turned) else "Yes"
    return ""


def _names(question: str) -> set[str]:
    words = [match[0] for match in WORD.finditer(question)][1:]
    return {fold(word) for word in words if word[0].isupper()} - FUNCTION_WORDS
