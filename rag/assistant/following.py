"""What is searched for a question of a conversation: the question in full, and what else is searched beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rag import followup, prompt
from rag.types import Generator

_MAX_REWRITE_TOKENS = 40


@dataclass(frozen=True, slots=True)
class Searched:
    """How a question is searched.

    Attributes:
        question: in full; it is what is shown, and what the documents are asked.
        others: further queries.
        context: the question with what the conversation is about, for the reranker; "" without a conversation.
        typed: the question as it was typed, if it leans on the conversation and no rewrite can be trusted; else "".
    """

    question: str
    others: tuple[str, ...] = ()
    context: str = ""
    typed: str = ""


def follow(question: str, history: Sequence[Mapping[str, str]], generator: Callable[[], Generator | None]) -> Searched:
    """Returns how a question is searched after what was said.

    Args:
        generator: gives the answer model, or None; it is asked only if the question leans on the history.

    Raises:
        GenerationFailed: the model stopped with an error.
    """
    if chosen := followup.chosen(question, history):
        return Searched(chosen)
    topic = followup.topic(history)
    if not topic or followup.is_new_topic(question, history):
        return Searched(question)
    context = f"{question} {topic}"
    if not followup.is_follow_up(question, history):
        return Searched(question, (context,), context)
    if full := followup.paralleled(question, history):
        return Searched(full, (question, context), context)
    model, rewrite = generator(), ""
    if model:
        asked = prompt.rewrite_prompt(question, history)
        rewrite = "".join(model.stream(asked, max_tokens=_MAX_REWRITE_TOKENS))
    if full := followup.checked_rewrite(rewrite, question, history):
        return Searched(full, (question, context), context)
    return Searched(followup.stand_in(question, history), (question, context), context, typed=question)
