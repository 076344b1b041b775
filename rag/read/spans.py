"""Spans of a canonical text, without what is not seen at their ends."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator


def canonical(raw: str) -> str:
    """Returns the text that all offsets point into: NFC, every line end one newline, no byte order mark or controls."""
    text = re.sub(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", "\n", raw)
    text = re.sub(r"[\ufeff\x00-\x08\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff]", "", text)
    return unicodedata.normalize("NFC", text)


def line_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yields trimmed line spans; an empty span for a blank line."""
    for match in re.finditer(r"[^\n]*(?:\n|$)", text):
        yield trim(text, match.start(), match.end())


_INVISIBLE = " \t\n\u00a0\u200b\u200c\u200d\u2060\u00ad\u3000\u200e\u200f"


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Returns a span without what is not seen at its ends."""
    while start < end and (text[start] in _INVISIBLE or text[start].isspace()):
        start += 1
    while end > start and (text[end - 1] in _INVISIBLE or text[end - 1].isspace()):
        end -= 1
    return start, end


def bare(line: str) -> str:
    """Returns a text without what is not seen at its ends."""
    start, end = trim(line, 0, len(line))
    return line[start:end]
