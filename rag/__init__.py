"""Footnote: answers questions from your own articles, with the source paragraph for every statement.

    import rag
    answer = rag.answer("How many Indonesians were arrested?")

Importing this package loads no model and no heavy library; the first question does.
"""

from __future__ import annotations

import atexit
import datetime
import importlib
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rag.config import Settings, load
from rag.errors import RagError
from rag.stopping import Stop
from rag.types import (
    EVERYTHING,
    NOT_FOUND,
    AddReport,
    Answer,
    Citation,
    Claim,
    Delta,
    Document,
    Done,
    Evidence,
    Filter,
    Hit,
    Withdrawn,
)

if TYPE_CHECKING:
    from rag.assistant import Assistant

__version__ = "0.1.0"
__all__ = [
    "NOT_FOUND",
    "AddReport",
    "Answer",
    "Assistant",
    "Citation",
    "Claim",
    "Delta",
    "Document",
    "Done",
    "Evidence",
    "Filter",
    "Hit",
    "RagError",
    "Settings",
    "Stop",
    "Withdrawn",
    "answer",
]

_lock = threading.Lock()
_assistant: Assistant | None = None


def answer(
    question: str,
    history: Sequence[Mapping[str, str]] = (),
    documents: Sequence[str] | None = None,
    asked_on: str | datetime.date | None = None,
    filter: Filter = EVERYTHING,
) -> Answer:
    """Answers a question from the default index, which is built from the seed articles if it is missing.

    The models stay loaded for the next question.

    Args:
        history: messages with "role" ("user" or "assistant") and "content", oldest first.
        documents: ids; only these are asked if given.
        asked_on: the date that "this week" means.
        filter: only the documents that it selects are asked, for example `Filter(languages=("en",), since="2026-03")`.

    Raises:
        QuestionError: the question is empty or too long.
        FilterError: the filter has a value that cannot be used.
        LibraryError: the library cannot be used.
        ModelError: a search model cannot be used.
    """
    return _default_assistant().ask(question, history, documents, asked_on, filter)


def _default_assistant() -> Assistant:
    """Returns the assistant over the default index; opens another one if the settings have changed since."""
    global _assistant
    with _lock:
        settings = load()
        if _assistant and _assistant.settings != settings:
            _close()
        if _assistant is None:
            from rag.assistant import Assistant

            _assistant = Assistant(settings)
            _assistant.add_seeds()
        return _assistant


@atexit.register
def _close() -> None:
    global _assistant
    if _assistant:
        _assistant.close()
        _assistant = None


def __getattr__(name: str) -> Any:
    if name == "Assistant":  # its stations import numpy; the types alone do not
        return importlib.import_module("rag.assistant").Assistant
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
