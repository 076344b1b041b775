"""Documents to paragraphs to sentences, with exact offsets. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from rag.read import layout
from rag.types import Document, Paragraph

MAX_SENTENCE = 1000
"""Characters. A longer "sentence" (a list without marks, a text without an end) is cut between words: as a quote it would be
more than anybody reads, and more than a model does."""


def paragraphs(document: Document) -> tuple[Paragraph, ...]:
    """Returns the paragraphs of the article, numbered from 1 as a reader counts them; furniture has no number."""
    blocks = (b for b in layout(document.text, document.source) if b.kind == "paragraph")
    return tuple(Paragraph(number, b.start, b.end) for number, b in enumerate(blocks, 1))


def sentences(text: str) -> tuple[tuple[int, int], ...]:
    """Returns the trimmed spans of a paragraph's sentences; they cover every visible character of it."""
    from sentencex import get_sentence_boundaries

    spans: list[tuple[int, int]] = []
    for boundary in get_sentence_boundaries("en", text):
        start, end = boundary["start_index"], boundary["end_index"]
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        spans += _cut(text, start, end)
    return tuple(spans)


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > MAX_SENTENCE:
        space = next((i for i in range(start + MAX_SENTENCE, start, -1) if text[i].isspace()), start + MAX_SENTENCE)
        stop = len(text[:space].rstrip()) if text[space].isspace() else space
        yield start, stop
        start = space
        while text[start].isspace():
            start += 1
    if start < end:
        yield start, end
