"""What was made of a text is kept for a while, as the check of a sentence asks for the same texts again and again. Pure."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

T = TypeVar("T")

_SENTENCE, _PARAGRAPH = 400, 4000  # characters


def kept(read: Callable[[str], T]) -> Callable[[str], T]:
    """Lets a function keep its results for the last texts of each size: what one question needs, and no more.

    A server that runs for months comes across every article; of these only the last few stay in memory. Source of the
    numbers: docs/experiments.md, "Times".
    """
    sentences, paragraphs, articles = (lru_cache(maxsize=n)(read) for n in (1024, 128, 4))

    @wraps(read)
    def recalled(text: str) -> T:
        if len(text) <= _SENTENCE:
            return sentences(text)
        return paragraphs(text) if len(text) <= _PARAGRAPH else articles(text)

    return recalled
