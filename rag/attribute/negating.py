"""What a text denies. Pure."""

from __future__ import annotations

import re

from rag.attribute.clauses import clauses, nearest
from rag.attribute.facts import everything, facts
from rag.attribute.words import WORD, fold, has

_NEGATIONS = frozenset("no not none never nobody nothing neither nor without cannot".split())
_NO_NEGATION = re.compile(  # "not only the town", "no fewer than 9", "it did not open until Friday"
    r"\bnot (?:only|just|merely|least)\b|\bno (?:fewer|less|later|more|earlier) than\b|\bno doubt\b"
    r"|\b(?:not|never|\w+n['’]t)\b(?=[^,;.]{0,200}\b(?:until|till)\b)",
    re.IGNORECASE,
)
_DENIAL = re.compile(r"\b(?:not|never|cannot|\w+n['’]t|no (?:more|longer|one)|nobody|none of)\b", re.IGNORECASE)
_UNDONE = re.compile(
    r"\b(?:fail(?:ed|s|ing)?|refus(?:ed|es|ing)|declin(?:ed|es|ing)|unable|forgot|neglected|unwilling) to\b"
    r"|\b(?:ruled out|stopped short of)\b",
    re.IGNORECASE,
)
"""What is said not to happen without a "not": refused to reply."""
_NONE_OF = re.compile(r"\bno (?P<what>\w+)(?: (?P<then>\w+))?", re.IGNORECASE)
_FOR = re.compile(
    r"\b(?:(?:vote|votes|voted|voting|campaign\w*|argue[sd]?) for|in favou?r of|support(?:s|ed)?|back(?:s|ed)?)\b",
    re.IGNORECASE,
)
_AGAINST = re.compile(r"\b(?:voted?|votes|voting|campaign\w*|argued?|was|were|is|are) against\b|\bopposed\b", re.IGNORECASE)
_NOBODY = re.compile(r"\b(?:nobody|no one|none)\b", re.IGNORECASE)


def is_negated(text: str) -> bool:
    """True if something in a text is negated."""
    words = (match[0].lower() for match in WORD.finditer(_NO_NEGATION.sub(" ", text)))
    return any(word in _NEGATIONS or word.endswith(("n't", "n’t")) for word in words)


def is_undone(text: str) -> bool:
    """True if a text says of something that it was not done, in words that are no negation: refused to, failed to."""
    return bool(_UNDONE.search(text))


def says_no(question: str, sentence: str) -> bool:
    """True if a sentence answers a question for yes or no with no: "no arrests were made", "she voted against it"."""
    asked = facts(question).words
    parts = nearest(question, clauses(sentence))
    none_of = [word for part in parts for match in _NONE_OF.finditer(part) for word in match.groups("")]
    if len(parts) == 1 and any(has(asked, fold(word).removesuffix("s")) for word in none_of):
        return True
    if _FOR.search(question) and _AGAINST.search(sentence):
        return True
    nobody = [part for part in parts if _NOBODY.search(part)]
    return len(parts) == len(nobody) and any(has(everything(part).words, word) for part in nobody for word in asked)


def is_denied(claim: str, passage: str) -> bool:
    """True if the clause of a passage that has most words of a claim is denied: "has not replied" is not "replied"."""
    parts = nearest(claim, clauses(passage))
    if parts and not is_undone(claim) and all(is_undone(part) for part in parts):
        return True
    return bool(parts) and all(_DENIAL.search(_NO_NEGATION.sub(" ", part)) for part in parts)
