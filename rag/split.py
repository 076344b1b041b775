"""Documents to paragraphs to sentences, with exact offsets. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any

from rag.language import language
from rag.read import COUNTED, blocks_of
from rag.types import Document, Paragraph, Passage

LONG = 2400
"""Bytes of UTF-8 (about 4 a token in English, 3 in Thai or Chinese) from which on a paragraph is searched by windows: the
encoders read 512 tokens."""

WINDOW = 1600
"""Bytes that a window has at most, unless one sentence has more; each begins with the last sentence of the one before."""

SHORT = 80
"""Bytes up to which a paragraph is searched together with its neighbours."""

_NEAR = 8  # characters between two paragraphs that are neighbours: more is something else than a paragraph
MAX_SENTENCE = 1000
"""Characters. A longer "sentence" (a list without marks, a text without an end) is cut between words: as a quote it would be
more than anybody reads, and more than a model does."""

_TOLD_BY = 500  # characters at its beginning by which the language of a text is told


def paragraphs(document: Document) -> tuple[Paragraph, ...]:
    """Returns the paragraphs of the article, numbered from 1 as a reader counts them; furniture has no number."""
    blocks = (b for b in blocks_of(document) if b.kind in COUNTED)
    return tuple(Paragraph(n, b.start, b.end, b.kind, b.page, b.box) for n, b in enumerate(blocks, 1))


def passages(document: Document) -> tuple[Passage, ...]:
    """Returns what is searched for each paragraph, in their order; a long one has several."""
    found = paragraphs(document)
    text = document.text
    result: list[Passage] = []
    for n, paragraph in enumerate(found):
        size = _size(text, paragraph.start, paragraph.end)
        if size > LONG:
            result += (Passage(paragraph, start, end) for start, end in _windows(text, paragraph))
        elif size <= SHORT:
            before = found[n - 1] if n and paragraph.start - found[n - 1].end <= _NEAR else paragraph
            after = found[n + 1] if n + 1 < len(found) and found[n + 1].start - paragraph.end <= _NEAR else paragraph
            result.append(Passage(paragraph, *_widened(text, paragraph, before, after)))
        else:
            result.append(Passage(paragraph, paragraph.start, paragraph.end))
    return tuple(result)


def index_text(title: str, text: str) -> str:
    """Returns what is embedded, indexed and reranked for a passage: a paragraph of news rarely names its subject."""
    return f"{title}\n{text}"


def _windows(text: str, paragraph: Paragraph) -> Iterator[tuple[int, int]]:
    spans = [(paragraph.start + a, paragraph.start + b) for a, b in sentences(text[paragraph.start : paragraph.end])]
    first = 0
    while first < len(spans):
        last = first
        while last + 1 < len(spans) and _size(text, spans[first][0], spans[last + 1][1]) <= WINDOW:
            last += 1
        yield spans[first][0], spans[last][1]
        if last + 1 == len(spans):
            return
        first = max(last, first + 1)


def _widened(text: str, paragraph: Paragraph, before: Paragraph, after: Paragraph) -> tuple[int, int]:
    """Returns the span from the one neighbour to the other, without those that are long themselves."""
    start = before.start if _size(text, before.start, paragraph.end) <= LONG else paragraph.start
    end = after.end if _size(text, start, after.end) <= LONG else paragraph.end
    return start, end


def _size(text: str, start: int, end: int) -> int:
    return len(text[start:end].encode("utf-8", "replace"))


def sentences(text: str) -> tuple[tuple[int, int], ...]:
    """Returns the trimmed spans of a paragraph's sentences; they cover every visible character of it."""
    from sentencex import get_sentence_boundaries

    found = get_sentence_boundaries("en", text)
    # To tell the language takes forty times as long as to cut: it is not asked where English is seen at once.
    if len(found) > 1 and " the " not in text and " and " not in text:
        found = _joined(found, text)
    spans: list[tuple[int, int]] = []
    for boundary in found:
        start, end = boundary["start_index"], boundary["end_index"]
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        spans += _cut(text, start, end)
    return tuple(spans)


def sentence_texts(text: str) -> tuple[str, ...]:
    """Returns the sentences of a paragraph, trimmed; none of a text without visible characters."""
    return tuple(text[start:end] for start, end in sentences(text))


def _joined(found: list[Any], text: str) -> list[Any]:
    """Returns boundaries without the ends that the text's own language knows for none ("am 5. Mai")."""
    from sentencex import get_sentence_boundaries

    if (own := _language(text[:_TOLD_BY])) in ("", "en"):
        return found
    ends = {boundary["end_index"] for boundary in get_sentence_boundaries(own, text)}
    starts = [found[0], *(after for before, after in pairwise(found) if before["end_index"] in ends)]
    stops = [*(before for before in found[:-1] if before["end_index"] in ends), found[-1]]
    return [{**start, "end_index": stop["end_index"]} for start, stop in zip(starts, stops, strict=True)]


_language = lru_cache(maxsize=256)(language)


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
