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
_YES = "Is it said? yes or no"
"""Told apart by what the model says to it, and in few tokens. Source: docs/experiments.md, "Deciding"."""
_REWRITE = (
    "You complete follow-up questions. Write the last question again as one full question that can be understood "
    "without the conversation. Keep its words. Write only the question."
)
_SUMMARY = "Say in one short sentence what the passage tells. Copy names, numbers and dates exactly."
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
_MIN_PHRASE, _MAX_PHRASE = 6, 200  # characters of what is repeated: "no, no, no" may be meant
_REPEATING = re.compile(rf"(.{{{_MIN_PHRASE},{_MAX_PHRASE}}}?)\1\1", re.DOTALL)  # three times, as its ends may be cut
_NOW = re.compile(
    r"\b(?:this (?:week|month|morning|weekend)|today|yesterday|tomorrow|tonight|(?:last|next) (?:week|night|weekend)"
    r"|(?:on|last|next) (?:mon|tues|wednes|thurs|fri|satur|sun)day|recently|just now)\b",
    re.IGNORECASE,
)
_WHETHER = re.compile(
    r"^\W*(?:(?:and|but|or|so|then|ok|okay)\b\W*)?(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might)"
    r"(?:n['’]t)?\b(?!\W*(?:you|we)\b.*\b(?:tell|explain|summari[sz]e|list|give|say)\b)",
    re.IGNORECASE,
)
_CHOOSING = re.compile(r"\w\W+or\W+\w", re.IGNORECASE)
_MARKUP = re.compile(r"\]\(|<\s*/?\s*[a-z!]|\w://", re.IGNORECASE)
_RECENT = 4  # messages of the history that a rewrite reads, without the answer before the last one
_MAX_MESSAGE = 250  # characters of each

BLOCK_OVERHEAD = 200
"""Tokens kept free for the chat template, the system prompt and the mark of a block."""


def answer_prompt(question: str, blocks: Sequence[str], asked_on: str = "", documents: Sequence[str] = ()) -> Prompt:
    """Returns the prompt for a draft, which the model says "yes" or "no" to beside: whether the passages say the answer.

    Args:
        blocks: texts of passages, best first.
        asked_on: an ISO date that "today" means; "" if it does not matter.
        documents: ids of the documents of the passages, if what the model keeps of them is to be stored.
    """
    today = f"(Today is {asked_on}.) " if asked_on else ""
    return Prompt(_ANSWER, tuple(blocks), f"{today}Question: {question}", tuple(documents), f"\n{_YES}")


def means_now(question: str) -> bool:
    """True if a question means the time at which it is asked: "this week", "on Tuesday", "recently"."""
    return bool(_NOW.search(question))


def asks_whether(question: str) -> bool:
    """True if a question is for yes or no: "Was anyone hurt?", but not "Was it a tram or a bus?"."""
    return bool(_WHETHER.match(question)) and not _CHOOSING.search(question)


def block(hit: Hit, budget: int, count: Callable[[str], int]) -> str:
    """Returns a hit's paragraph as the model is given it, under its title.

    A paragraph that is too long is cut to whole sentences around its best one.

    Args:
        budget: tokens.
        count: the number of tokens of a text.
    """
    head = f"{hit.title}\n"
    if count(head) > budget // 2:  # a title that leaves no room is none
        head = ""
    return head + _fitting(hit, budget - count(head), count)


def _fitting(hit: Hit, budget: int, count: Callable[[str], int]) -> str:
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


def has_markup(draft: str) -> bool:
    """True if a draft sentence has a link, an image or a tag: an order in a document may ask for one."""
    return bool(_MARKUP.search(draft))


def is_refusal(draft: str) -> bool:
    """True if a draft sentence says that the passage does not hold the answer, or a phrase over and over."""
    return bool(_REFUSING.search(draft)) or any(_is_phrase(found[1]) for found in _REPEATING.finditer(draft))


def is_looping(draft: str) -> bool:
    """True if a draft that is still being written ends with a phrase four times over; `is_refusal` takes it back."""
    ends = (draft[-n:] for n in range(_MIN_PHRASE, min(_MAX_PHRASE, len(draft) // 4) + 1))
    return any(_is_phrase(end) and draft.endswith(4 * end) for end in ends)


def _is_phrase(text: str) -> bool:
    return any(map(str.isalpha, text))  # not so the noughts of a large number, or a ruled line


def rewrite_prompt(question: str, history: Sequence[Mapping[str, str]]) -> Prompt:
    """Returns the prompt for a full question in place of a follow-up.

    Without an example: the default model took words of it along (docs/experiments.md, "What did not help").
    """
    names = {"user": "Question", "assistant": "Answer"}
    recent = list(history[-_RECENT:])
    answers = [n for n, m in enumerate(recent) if m["role"] == "assistant"]
    said = [f"{names[m['role']]}: {_shortened(m['content'])}" for n, m in enumerate(recent) if n not in answers[:-1]]
    return Prompt(_REWRITE, ("\n".join(said),), f"Last question: {question}\nFull question:")


def summary_prompt(block: str) -> Prompt:
    """Returns the prompt for one sentence on a passage of an article that is summed up."""
    return Prompt(_SUMMARY, (block,), "Sentence:")


def example_prompt(text: str) -> Prompt:
    """Returns the prompt for a question that a paragraph answers."""
    return Prompt(_EXAMPLE, (text,), "Question:")


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_MESSAGE else text[:_MAX_MESSAGE].rsplit(" ", 1)[0] + " …"
