"""Documents to paragraphs to sentences, with exact offsets. Pure."""

from __future__ import annotations

from rag.read import layout
from rag.types import Document, Paragraph


def paragraphs(document: Document) -> tuple[Paragraph, ...]:
    """Returns the paragraphs of the article, numbered from 1 as a reader counts them; furniture has no number."""
    blocks = (b for b in layout(document.text, document.source) if b.kind == "paragraph")
    return tuple(Paragraph(number, b.start, b.end) for number, b in enumerate(blocks, 1))


def sentences(text: str) -> tuple[tuple[int, int], ...]:
    """Returns the trimmed spans of a paragraph's sentences; they cover every visible character of it."""
    from sentencex import get_sentence_boundaries

    spans = []
    for boundary in get_sentence_boundaries("en", text):
        start, end = boundary["start_index"], boundary["end_index"]
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        if start < end:
            spans.append((start, end))
    return tuple(spans)
