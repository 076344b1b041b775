"""Questions, hits and history to prompts within a token budget. Pure; every text that a model is given lives here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from rag.split import sentences
from rag.types import Hit, Prompt

_ANSWER = (
    "You answer questions about news articles. Give a short, direct answer in one sentence, based on the passage. "
    "Copy names, numbers and dates exactly."
)
"""The model is not offered a way out: asked to refuse where the passage does not answer, the default one refused questions
that it answers, and wrote bare numbers. Source: docs/experiments.md, "Answers"."""
_REWRITE = (
    "You complete follow-up questions. Write the last question again as one full question that can be understood "
    "without the conversation. Keep its words. Write only the question."
)
_EXAMPLE = "You write one short question that the passage answers with a fact. Write only the question."

_REFUSING = re.compile(
    r"^\W*(?:not in the (?:documents?|passages?)"
    r"|(?:the )?(?:passages?|documents?|articles?|text) (?:do|does)(?: not|n['’]t)\b"
    r"|(?:(?:it|this|that) is |(?:it|that)['’]s )?not (?:mentioned|specified|stated|provided|given|available)\b"
    r"|(?:there is |there['’]s )?no (?:information|mention|answer)\b"
    r"|(?:unknown|n/a|none)\W*$|i (?:do not|don['’]t|cannot|can['’]t)\b)"
    r"|\b(?:is|are|was|were)(?: not|n['’]t) (?:mentioned|specified|stated|provided)"
    r" in the (?:document|passage|article|text)s?",
    re.IGNORECASE,
)
_REFERRING = re.compile(
    r"^\W*(?:and|but|or|so|also|what about|how about|what else|who else)\b"
    r"|\b(?:it|its|he|him|his|she|her|hers|they|them|their|theirs|others|which ones?)\b"
    r"|\bthe (?:ones?|others?|former|latter|same)\b"
    r"|\b(?:this|these|those)\b(?!\W+(?:week|month|year|morning|evening|weekend|season|summer|winter|spring|autumn|time)\b)"
    # "that" points back after a verb or preposition, and at the end; behind a noun it begins a clause
    r"|\b(?:is|are|was|were|did|does|do|has|had|in|on|at|of|to|by|for|from|with|about|after|before|why|how|when) that\b"
    r"|\b(?:that|then)\W*$|^\W*(?:that|then)\b"
    r"|(?<!is )(?<!are )(?<!was )(?<!were )\bthere\b(?! (?:is|are|was|were)\b)",
    re.IGNORECASE,
)
_BARE = re.compile(r"^\W*(?:why|when|where|how|who|which one)\b\W*(?:\w+\b\W*){0,3}$", re.IGNORECASE)
_BARE_COUNT = re.compile(r"^\W*how (?:many|much)\b\W*(?:\w+\b\W*){0,2}$", re.IGNORECASE)
_ASKING = frozenset(  # by five letters, as `_weighty` gives them
    "what about when where which whom whose does were have there then this that these those they them their hers "
    "other ones also else forme latte same".split()
)
_RECENT = 4  # messages of the history that a rewrite reads
_MAX_MESSAGE = 400  # characters of each

BLOCK_OVERHEAD = 200
"""Tokens kept free for the chat template, the system prompt and the mark of a block."""


def answer_prompt(question: str, blocks: Sequence[str], asked_on: str = "") -> Prompt:
    """Returns the prompt for a draft.

    Args:
        blocks: texts of passages, best first.
        asked_on: an ISO date that "today" means; "" if it does not matter.
    """
    today = f"(Today is {asked_on}.) " if asked_on else ""
    return Prompt(_ANSWER, tuple(blocks), f"{today}Question: {question}")


def block(hit: Hit, budget: int, count: Callable[[str], int]) -> str:
    """Returns a hit's paragraph as the model is given it, cut to whole sentences around its best one if it is too long.

    Args:
        budget: tokens.
        count: the number of tokens of a text.
    """
    text = hit.text
    if count(text) <= budget:
        return text
    spans = sentences(text)
    best = text.find(hit.quote)
    first = last = next((n for n, (start, end) in enumerate(spans) if start <= best < end), 0)
    while True:
        grown = [(a, b) for a, b in ((first, last + 1), (first - 1, last)) if a >= 0 and b < len(spans)]
        fitting = [(a, b) for a, b in grown if count(text[spans[a][0] : spans[b][1]]) <= budget]
        if not fitting:
            break
        first, last = fitting[0]
    chosen = text[spans[first][0] : spans[last][1]]
    while chosen and count(chosen) > budget:  # one sentence longer than the budget
        chosen = chosen[: len(chosen) * 3 // 4]
    return chosen


def is_refusal(draft: str) -> bool:
    """True if a draft sentence says that the passage does not hold the answer."""
    return bool(_REFUSING.search(draft))


def is_follow_up(question: str, history: Sequence[Mapping[str, str]]) -> bool:
    """True if a question leans on what was said before: a pronoun, "and ...", "why?", "how many voles?"."""
    if not any(m["role"] == "user" for m in history):
        return False
    if _REFERRING.search(question) or _BARE_COUNT.match(question):
        return True
    has_name = any(word[0].isupper() for word in re.findall(r"\w+", question)[1:])
    return bool(_BARE.match(question)) and not has_name and len(_weighty(question) - _ASKING) < 2


def rewrite_prompt(question: str, history: Sequence[Mapping[str, str]]) -> Prompt:
    """Returns the prompt for a full question in place of a follow-up.

    Without an example: the default model took words of it along (docs/experiments.md, "What did not help").
    """
    names = {"user": "Question", "assistant": "Answer"}
    said = [f"{names[m['role']]}: {_shortened(m['content'])}" for m in history[-_RECENT:]]
    return Prompt(_REWRITE, ("\n".join(said),), f"Last question: {question}\nFull question:")


def checked_rewrite(rewrite: str, question: str, history: Sequence[Mapping[str, str]]) -> str:
    """Returns the model's rewrite if it can be trusted, else the follow-up with the previous question after it.

    It can be trusted if it is one question, keeps the follow-up's own words, and has no word of weight that was not said.
    """
    lines = rewrite.strip().splitlines()
    candidate = lines[0].strip().strip('"') if lines else ""
    said = _weighty(" ".join([question, *(m["content"] for m in history)]))
    own = _weighty(question) - _ASKING
    kept = own <= _weighty(candidate)
    if candidate.endswith("?") and len(candidate) <= 300 and kept and _weighty(candidate) - _ASKING <= said:
        return candidate
    previous = next(m["content"] for m in reversed(history) if m["role"] == "user")
    return f"{question} {_shortened(previous)}"


def example_prompt(text: str) -> Prompt:
    """Returns the prompt for a question that a paragraph answers."""
    return Prompt(_EXAMPLE, (text,), "Question:")


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_MESSAGE else text[:_MAX_MESSAGE].rsplit(" ", 1)[0] + " …"


def _weighty(text: str) -> set[str]:
    """Words of four letters or more, and numbers, by their first five letters: enough to compare inflected words."""
    return {word[:5] for word in re.findall(r"\w+", text.lower()) if len(word) > 3 or word.isdigit()}
