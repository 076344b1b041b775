"""Who says it: what is alleged is not stated, and what one says is not put into another one's mouth. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.attribute.clauses import nearest, sentence_texts
from rag.attribute.facts import everything, facts
from rag.attribute.words import FUNCTION_WORDS, WORD, fold, has

_CONTESTERS = (
    "critics?|opponents?|supporters?|proponents?|skeptics?|sceptics?|detractors?|activists?|campaigners?|prosecutors?"
    "|defen[cs]e lawyers?"
)
_NO_ALLEGING = (  # "the flood claimed 12 lives", "he claimed the title"
    r"(?!\s+(?:(?:the|a|an|its|his|her|their|at least|up to|more than|some|another)\s+)?"
    r"(?:responsibility|credit|victory|lives?|titles?|crown|gold|silver|bronze|medal|championship|throne|asylum|benefits"
    r"|\d|one|two|three|four|five|six|seven|eight|nine|ten|twelve|dozens|hundreds|thousands))"
)
_ALLEGING = re.compile(
    rf"\b(?:alleg(?:e|es|ed|ing|edly|ations?)\b|claim(?:s|ed|ing)?\b{_NO_ALLEGING}(?=\s+(?!in\b|for\b|from\b|of\b|by\b)\w|[,.”\"])"
    r"|accus(?:e|es|ed|ing|ations?)\b|charged with\b|(?:on )?suspicion (?:of|that)\b|suspected of\b|suspects? that\b"
    r"|den(?:y|ies|ied|ying)\b(?=\s+(?:that|any|having|\w+ing\b|the (?:charge|allegation|claim|report|accusation)"
    r"|it\b|he\b|she\b|they\b))"
    r"|rumou?r(?:s|ed)?\b|purportedly\b|supposedly\b|reportedly\b"
    rf"|(?:{_CONTESTERS})\s+(?:\w+\s+){{0,2}}?(?:say|says|said|argue|argues|argued|contend|contends|contended|warn|warns|warned|fear"
    r"|feared|believe|believed|think|thought)\b)",
    re.IGNORECASE,
)
_MARKED = re.compile(
    r"\b(?:alleg\w+|claim(?:s|ed|ing)?|accus\w+|charg(?:e|es|ed)|suspect\w*|suspicion|den(?:y|ies|ied|ying|ial)|rumou?r\w*"
    r"|purported\w*|supposed\w*|report(?:s|ed|edly)?|according|say|says|said|argue[sd]?|contend(?:s|ed)?|warn(?:s|ed)?|believe[sd]?"
    r"|think|thinks|thought|fear(?:s|ed)?|critici[sz]\w*|told|insist(?:s|ed)?|(?-i:may)|might|could|question(?:s|ed)?"
    rf"|{_CONTESTERS})\b",
    re.IGNORECASE,
)
_SCOPE_ENDS = re.compile(r",\s*(?:but|while|and|who|which)\b|;|\bbut\b|\balthough\b", re.IGNORECASE)
_SAYING = re.compile(
    r"(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )(?<!\bbeen )(?<!\bbe )"
    r"\b(?:says?|said|claims?|claimed|alleges?|alleged|argues?|argued|warns?|warned|insists?|insisted|believes?|told)\b",
    re.IGNORECASE,
)
_ACCORDING = re.compile(r"\baccording to\s+(?P<who>[^,.;:”\"]+)", re.IGNORECASE)
_MARK = re.compile(r"[,;:.!?—()“”\"«»]|\bthat\b")
_OF_NOUN = re.compile(r"\b(?:the|an|his|her|its|their|of|for|over|in|with|to|by|and|this|that)\s+$", re.IGNORECASE)
_DEMANDED = re.compile(
    r"\b(?:prosecut(?:ors?|ion)|defen[cs]e|plaintiffs?)\b.{0,40}?\b(?:want(?:s|ed)|demand(?:s|ed)|seeks|sought"
    r"|(?:ask|call)(?:s|ed) for|request(?:s|ed)|recommended|proposed)\b",
    re.IGNORECASE,
)
_DEMANDING = re.compile(
    r"\b(?:prosecut\w*|defen[cs]e|plaintiffs?|wants?|wanted|demand\w*|seek\w*|sought|ask(?:s|ed|ing)?|call(?:s|ed|ing)?|request\w*"
    r"|recommend\w*|propos\w*|plea\w*|plead\w*|lawyers?|attorneys?)\b",
    re.IGNORECASE,
)
_PRONOUNS = frozenset("he she they it who i we".split())
_MAX_WORDS = 8  # of a speaker's name and office
_NEAR = 400  # characters before and after "said" in which they are looked for


def unmarked_allegation(claim: str, question: str, passage: str) -> list[str]:
    """Returns the word with which a passage alleges what a claim states as a fact; [] if neither claim nor passage do.

    "Critics say the law will harm farmers" does not say that it will. Asked what critics say, an answer need not repeat it.
    """
    if _MARKED.search(claim) or _ALLEGING.search(question) or re.search(rf"\b(?:{_CONTESTERS})\b", question, re.IGNORECASE):
        return []
    said = facts(claim).words
    found: list[str] = []
    parts = told_in(claim, question, sentence_texts(passage))
    for sentence in parts:
        present = {word for word in said if has(everything(sentence).words, word)}
        for match in _ALLEGING.finditer(sentence):
            scope = everything(_scope(sentence, match)).words
            inside = {word for word in present if has(scope, word)}
            names = facts(claim).names
            if inside - names and 2 * len(inside) >= len(present):
                found.append(f"the word {match[0]}")
                break
    return found if found and len(found) == len(parts) else []


def unmarked_demand(claim: str, passage: str) -> list[str]:
    """Returns who demands something in a claim, where a passage tells what a court did and nobody demands anything.

    "A court sentenced him to six years" does not say that the prosecution wanted six.
    """
    demanded = _DEMANDED.search(claim)
    return [f"demand {demanded[0]}"] if demanded and not _DEMANDING.search(passage) else []


def told_in(claim: str, question: str, sentences: tuple[str, ...]) -> list[str]:
    """Returns the sentences nearest to a claim, among those that have all it adds to the question, if there are any.

    "A pupil wrote the note" stands where the pupil does, not where the note is spoken of most.
    """
    asked = everything(question).words
    added = [word for word in facts(claim).words if not has(asked, word)]
    telling = [text for text in sentences if all(has(everything(text).words, word) for word in added)] if added else []
    return nearest(claim, tuple(telling) or sentences)


def _scope(sentence: str, match: re.Match[str]) -> str:
    """Returns what is alleged: what follows, or where little follows, what stands before."""
    rest = sentence[match.end() :]
    inserted = sentence[: match.start()].rstrip().endswith(",")  # "Reyk, accused of fraud, resigned"
    end = re.search(r",", rest) if inserted else _SCOPE_ENDS.search(rest)
    after = rest[: end.start()] if end else rest
    if match[0].lower() in ("allegedly", "reportedly", "purportedly", "supposedly"):
        before = re.split(r"[,;]\s|\b(?:and|but|while)\b", sentence[: match.start()])[-1]
        return f"{before} {re.split(r'[,;] ', after)[0]}"
    if match[0].lower() == "alleged" and _OF_NOUN.search(sentence[: match.start()]):  # "his alleged theft"
        return " ".join(rest.split()[:2])
    if len(WORD.findall(after)) >= 3 or re.match(r"accus|charged|(?:on )?susp|den", match[0], re.IGNORECASE):
        return after
    return sentence[: match.start()]


def wrong_speaker(claim: str, question: str, passage: str) -> list[str]:
    """Returns the speaker that a claim names if the passage has these words from another one, or from nobody."""
    found: list[str] = []
    named = [who for who in speakers(claim) if not who <= _PRONOUNS]
    if not named:
        return found
    near = [who for sentence in nearest(claim, sentence_texts(passage)) for who in speakers(sentence)]
    others = [who for who in near if not who & _PRONOUNS]
    anywhere = speakers(passage)
    for speaker in named:
        if any(_share(speaker, who) for who in near):
            continue
        asked = any(has(everything(question).words, word) for word in speaker)
        known = any(_share(speaker, who) for who in anywhere) or any(who & _PRONOUNS for who in anywhere)
        if others or not (known or asked):
            found.append("speaker " + " ".join(sorted(speaker)))
    return found


def _share(one: frozenset[str], two: frozenset[str]) -> bool:
    return any(has(two, word) for word in one)


def speakers(text: str) -> list[frozenset[str]]:
    """Returns the folded words of each one who says something in a text."""
    return [who for who in _each(text) if who]


def _each(text: str) -> Iterator[frozenset[str]]:
    for match in _ACCORDING.finditer(text):
        yield _who(match["who"].split()[:_MAX_WORDS])
    for match in _SAYING.finditer(text):
        before = text[max(0, match.start() - _NEAR) : match.start()].rstrip()
        after = text[match.end() : match.end() + _NEAR]
        pieces = [piece for piece in _MARK.split(before) if piece.strip()]
        apposed = before.endswith(",")
        near = [word for piece in pieces[-2 if apposed else -1 :] for word in piece.split()[-_MAX_WORDS:]]
        who = _who(near) if pieces and not before.endswith(("”", '"', "»", ",”", ',"')) else frozenset()
        if apposed or before.endswith(("”", '"', "»")):  # “...,” said Ilse Varga, the mayor
            who |= _who([word for piece in _MARK.split(after)[:2] for word in piece.split()[:_MAX_WORDS]])
        yield who


def _who(words: list[str]) -> frozenset[str]:
    folded = {fold(match[0]) for word in words for match in WORD.finditer(word)}
    return frozenset(word for word in folded if word not in FUNCTION_WORDS or word in _PRONOUNS)
