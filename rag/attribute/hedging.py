"""Hedges: "up to", "at least", "suspected", "may". What the source hedges, an answer must hedge too. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from rag.attribute.clauses import nearest, sentence_texts
from rag.attribute.dating import undated
from rag.attribute.facts import facts
from rag.attribute.keeping import kept
from rag.attribute.values import numbers
from rag.attribute.words import FUNCTION_WORDS, LIGHT_WORDS, WORD, fold, has, is_same, unmarked

_VALUE_HEDGES = {
    "least": "at least|no fewer than|no less than|not less than|not fewer than|a minimum of|upwards of",
    "more": "more than|over|exceeding|in excess of|greater than|well over|just over",
    "most": "up to|at most|as many as|as much as|no more than|not more than|a maximum of",
    "less": "less than|fewer than|just under|under",
    "nearly": "nearly|almost|close to",
    "about": "about|around|approximately|roughly|some|circa|an estimated|estimated|estimated at",
}
_CLASSES = {words: name for name, choices in _VALUE_HEDGES.items() for words in choices.split("|")}
_BEFORE = re.compile(
    rf"\b(?P<hedge>{'|'.join(sorted(map(re.escape, _CLASSES), key=len, reverse=True))})"
    r"(?P<money>\s+(?:(?:US|A|C|HK|S)?[$€£¥₹₭฿]|(?:USD|EUR|GBP|Rs\.?)\s?)?)$",
    re.IGNORECASE,
)
_MONEY = re.compile(r"(?:(?:US|A|C|HK|S)?[$€£¥₹₭฿]|\b(?:USD|EUR|GBP|Rs\.?)\s?)$")
_BOUND = re.compile(  # "the 53 compounds", "between 5 and 10": no hedge can be put before such a number
    r"\b(?:the|these|those|all|its|their|his|her|another|every|each|only|exactly|between|and|or|to|from"
    r"|(?<!total )(?<!average )of|than|number|no\.?|first|last|next|other|further|additional)\s+$|[-–—/#(]\s*$",
    re.IGNORECASE,
)
_TIME = re.compile(r"[\s-]+(?:years?|months?|weeks?|days?|hours?|minutes?|decades?|centur(?:y|ies))\b", re.IGNORECASE)
_ALLOWED = {
    (None, "about"),
    ("more", "least"),
    ("nearly", "about"),
    ("least", "about"),
    ("more", "about"),
    ("about", "nearly"),
}
"""(source, claim): what a claim may say more weakly."""
_ADJECTIVE = re.compile(
    r"\b(?P<hedge>suspected|alleged|purported|possible|potential|apparent|presumed|reported|planned|proposed|would-be|so-called)"
    r"\s+(?P<noun>(?:[a-z][\w'’-]+\s+)??(?P<head>[\w'’-]+))\b"
)
_BE_TO = "expected|likely|unlikely|planned|believed|thought|feared|suspected|alleged|estimated|reported|rumou?red|projected"
_MODAL = re.compile(
    rf"\b(?P<modal>(?:may|might|could)(?!\s+not)|(?:is|are|was|were)\s+(?:\w+ly\s+)?(?:{_BE_TO})\s+to"
    r"|(?:plan|hope|aim|intend|want|threaten|seek|appear|seem)s?\s+to"
    r"|(?:planned|hoped|aimed|intended|wanted|threatened|sought)\s+to)"
    r"\s+(?P<aux>(?:have\s+)?(?:been\s+|be\s+)?)(?P<article>(?:the|a|an)\s+)?(?P<verb>[\w'’-]+)"
)
_HEDGED = re.compile(
    rf"\b(?:(?-i:may)|might|could|would|possibly|perhaps|probably|apparently|reportedly|allegedly|{_BE_TO}|suspected|expect(?:s|ed)?"
    r"|(?:plan|hope|aim|intend|want|threaten|seek|appear|seem|believe|think|estimate|suspect)(?:s|ed)?|sought|thinks?|thought"
    r"|according to|said|says|chance|possib\w+)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Hedge:
    """A number of a text with the hedge before it; `kind` is None and `words` "" if it has none."""

    value: float
    start: int  # of the number, its currency sign included
    kind: str | None
    words: str


_NEAR = 60
"""Characters before a number in which its hedge and currency are looked for: searching all that comes before it takes a
time that grows with the square of a paragraph's length."""


@kept
def value_hedges(text: str) -> tuple[Hedge, ...]:
    """Returns the numbers of a text that are no dates, each with its hedge."""
    plain, found = undated(text), []
    for value, start, end in numbers(plain):
        before = plain[max(0, start - _NEAR) : start]
        match = _BEFORE.search(before)
        if match and _is_no_hedge(match, plain, value, end):
            match = None
        money = _MONEY.search(before)
        begin = start - len(before) + money.start() if money else start
        kind = _CLASSES[match["hedge"].lower()] if match else None
        found.append(Hedge(value, begin, kind, match["hedge"] if match else ""))
    return tuple(found)


def _is_no_hedge(match: re.Match[str], text: str, value: float, end: int) -> bool:
    words = match["hedge"].lower()
    if words in ("over", "under"):  # "over three days" lasts so long; "under 18" is an age
        return bool(_TIME.match(text, end)) or (words == "under" and not match["money"].strip())
    if words == "some":
        return value < 10
    return False


def hedges(text: str, value: float) -> frozenset[str]:
    """Returns the kinds of hedges before a number of a text: "more", of "more than 1,362"."""
    return frozenset(hedge.kind for hedge in value_hedges(text) if hedge.value == value and hedge.kind)


def missing_hedges(claim: str, question: str, passage: str) -> list[str]:
    """Returns the hedges of a passage that a claim leaves out or turns, and those that it brings to a bare number."""
    return [*_lost_values(claim, question, passage), *_lost_words(claim, question, passage)]


def _lost_values(claim: str, question: str, passage: str) -> Iterator[str]:
    there = value_hedges(passage)
    asked = {name for words, name in _CLASSES.items() if re.search(rf"\b{words}\b", question, re.IGNORECASE)}
    for said in value_hedges(claim):
        own = [hedge for hedge in there if hedge.value == said.value]
        if not own or any(hedge.kind == said.kind or (hedge.kind, said.kind) in _ALLOWED for hedge in own):
            continue
        if said.kind is None and any(hedge.kind in asked for hedge in own):
            continue
        if said.kind is None:
            yield f"hedge {own[0].words} {said.value:g}"
        elif said.kind not in asked:
            yield f"number {said.words} {said.value:g}"


def _lost_words(claim: str, question: str, passage: str) -> Iterator[str]:
    for sentence in nearest(claim, sentence_texts(passage)):
        for adjective, _, noun in _lost_adjectives(claim, sentence):
            if not re.search(rf"\b{adjective}", question, re.IGNORECASE):
                yield f"hedge {adjective} {noun}"
        if not _HEDGED.search(f"{claim} {question}"):
            for modal in _lost_modals(claim, sentence):
                yield f"hedge {modal['modal']} {modal['verb']}"


def _lost_adjectives(claim: str, sentence: str) -> Iterator[tuple[str, re.Match[str], str]]:
    """Yields adjective, where its noun stands in the claim without it, and the noun."""
    said = [(fold(m[0]), m) for m in WORD.finditer(claim)]
    there = Counter(unmarked(sentence).split())
    for match in _ADJECTIVE.finditer(sentence):
        words = match["noun"].split()
        for noun in (words[0], match["head"]):
            if len(noun) < 4 or fold(noun) in FUNCTION_WORDS or fold(noun) in LIGHT_WORDS:
                continue
            places = [m for word, m in said if is_same(word, fold(noun))]
            if len(places) != 1 or _n_times(fold(noun), there) != 1:
                continue
            if not re.search(rf"\b{match['hedge']}", claim, re.IGNORECASE):
                yield match["hedge"], places[0], noun
                break


def _lost_modals(claim: str, sentence: str) -> Iterator[re.Match[str]]:
    said = facts(claim).words - LIGHT_WORDS
    there = _parts(sentence)
    for match in _MODAL.finditer(sentence):
        verb = fold(match["verb"])
        if verb in FUNCTION_WORDS | LIGHT_WORDS or not has(said, verb):
            continue
        if _n_times(verb, there) == _n_times(verb, _parts(match[0])):  # it is said nowhere else
            yield match


def _parts(text: str) -> Counter[str]:
    return Counter(unmarked(text.replace("-", " ")).split())


def _n_times(word: str, words: Counter[str]) -> int:
    return sum(n for other, n in words.items() if is_same(word, other))


# --- repair --------------------------------------------------------------------------------------------------------


def restore_hedges(claim: str, sentence: str) -> str:
    """Returns a claim with the hedges of the sentence that it is drawn from: "53 compounds" becomes "at least 53 compounds".

    Only where it can be done safely, in the sentence's own words: before a number that the sentence hedges each time, before
    a noun that it calls suspected, and a "may", "is expected to" in place of "will". What is left the check finds.

    Args:
        sentence: the one that carries the claim; of a whole paragraph the nearest sentences are taken.
    """
    source = " ".join(nearest(claim, sentence_texts(sentence)))
    restored = _with_modals(_with_adjectives(_with_values(claim, source), source), source)
    return restored if not restored or claim[:1].islower() else restored[0].upper() + restored[1:]


def _with_values(claim: str, source: str) -> str:
    there = value_hedges(source)
    for said in reversed(value_hedges(claim)):
        own = [hedge for hedge in there if hedge.value == said.value]
        if said.kind is None and own and len({(h.kind, h.words.lower()) for h in own}) == 1 and own[0].kind:
            before, after = claim[: said.start], claim[said.start :]
            if not _BOUND.search(before) and said.value in facts(undated(claim)).numbers:
                if not before.strip() and after[:1].isupper() and after[1:2].islower():  # "Twelve people"
                    after = after[0].lower() + after[1:]
                claim = f"{before}{own[0].words.lower()} {after}"
    return claim


def _with_adjectives(claim: str, source: str) -> str:
    for adjective, place, _ in reversed(list(_lost_adjectives(claim, source))):
        before, after = claim[: place.start()], claim[place.start() :]
        if re.search(r"\b(?:an?)\s+$", before, re.IGNORECASE):  # "an owl", "a suspected owl": the article may change
            continue
        if not before.strip() and place[0][0].isupper() and place[0][1:].islower():
            after = after[0].lower() + after[1:]
        claim = f"{before}{adjective} {after}"
    return claim


def _with_modals(claim: str, source: str) -> str:
    for modal in _lost_modals(claim, source) if not _HEDGED.search(claim) else ():
        words = f"{modal['modal']} {modal['aux'] or ''}"
        verb = re.escape(modal["verb"])
        for found, right in (
            (rf"\bwill\s+(?:be\s+)?{verb}\b", modal[0]),
            (rf"\b(?:is|are)\s+(?:the\s+|a\s+|an\s+)?{verb}\b" if re.search(r"\bbe(?:en)?\b", words) else r"(?!)", modal[0]),
            (rf"\b(?:was|were)\s+{verb}\b" if "have been" in words else r"(?!)", modal[0]),
            (rf"\b{verb}s\b" if not modal["aux"] and not re.match(r"are\b|were\b", words) else r"(?!)", modal[0]),
        ):
            changed, n = re.subn(found, lambda _, right=right: right, claim)  # type: ignore[misc]
            if n == 1:
                claim = changed
                break
    return claim
