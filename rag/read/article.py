"""How a document is made of what a reader of a format hands over, or of its text. Pure."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import get_args

from rag.dateline import is_update, names_author, stated_date
from rag.errors import LibraryDamaged, ReadError
from rag.language import language
from rag.read.markdown import told_rows
from rag.read.parts import COUNTED, Article, Part
from rag.read.spans import canonical, trim
from rag.read.text import MARKDOWN, cut, is_headline, layout
from rag.types import Block, Box, Document, Kind

_TOGETHER: frozenset[Kind] = frozenset({"row"})  # stand on lines of their own without a blank one between
_ADDRESSES = re.compile(r"(?:[\[(<]*(?:https?://|www\.)\S+\s*)+")  # of a mail that was written as a page
_HEAD, _LINE = 6, 100  # parts at the beginning, and characters of one that tells day or author
_PLAIN, _WITH_PAGES = 1, 2  # what is stored begins with one of these


def make_document(raw: str, source: str) -> Document:
    """Builds a document from decoded text; `source` is an absolute path, and its suffix decides between formats.

    Raises:
        ReadError: the text holds no paragraph.
    """
    return with_language(plain_document(raw, source))


def plain_document(raw: str, source: str) -> Document:
    """Does what `make_document` does, but tells no language."""
    text = canonical(raw)
    text, rows = told_rows(text) if Path(source).suffix.lower() in MARKDOWN else (text, [])
    if not rows:
        blocks = list(layout(text, source))
        return _document(text, blocks, source, day=_dated(text, blocks))
    blocks = sorted([*layout(_without(text, rows), source), *rows], key=lambda block: block.start)
    return _document(text, blocks, source, day=_dated(text, blocks), stored=written(blocks))


def _dated(text: str, blocks: Sequence[Block]) -> str:
    """Returns the day that lines of a text tell, that of a change only if there is no other; "" if none does."""
    dated = [text[b.start : b.end] for b in blocks if b.kind == "date"]
    return next((day for line in sorted(dated, key=is_update) if (day := stated_date(line))), "")


def _without(text: str, blocks: Sequence[Block]) -> str:
    """Returns a text with nothing where some blocks are: what stands in a cell is no Markdown for what is behind it."""
    pieces, at = [], 0
    for block in blocks:
        pieces += [text[at : block.start], " " * (block.end - block.start)]
        at = block.end
    return "".join([*pieces, text[at:]])


def build(article: Article, source: str) -> Document:
    """Builds a document from the parts of an article; in its text a blank line stands between two of them.

    Raises:
        ReadError: it holds no paragraph.
    """
    parts = [Part(p.kind, canonical(p.text).strip(), p.page, p.box) for p in article.parts]
    parts = [replace(p, kind="furniture") if _ADDRESSES.fullmatch(p.text) else p for p in parts if p.text]
    if not any(part.kind in COUNTED for part in parts):  # of labels without one sentence these are what its reader came for
        parts = [replace(part, kind="paragraph") if part.kind == "heading" else part for part in parts]
    title = _line(canonical(article.title))
    if title and not any(part.kind == "title" for part in parts):
        if parts[1:] and _is_same(parts[0].text, title):
            parts = parts[1:]
        parts = [Part("title", title), *parts]
    parts = _with_head(parts)
    pieces, blocks, at = [""], list[Block](), 0
    for before, part in zip([None, *parts], parts, strict=False):
        if before:
            pieces.append("\n" if before.kind == part.kind and part.kind in _TOGETHER else "\n\n")
            at += len(pieces[-1])
        start, end = trim(part.text, 0, len(part.text))
        if start < end:
            blocks.append(Block(part.kind, at + start, at + end, part.page, part.box))
        pieces.append(part.text)
        at += len(part.text)
    text = "".join(pieces)
    blocks = list(cut(text, blocks))
    day = article.date if article.is_dated else article.date or _dated(text, blocks)
    return _document(text, blocks, source, title=title, day=day, stored=written(blocks))


def _with_head(parts: Sequence[Part]) -> list[Part]:
    """Returns the parts of an article, of which lines over its first paragraph may tell day or author."""
    told = list(parts)
    for n, part in enumerate(parts[:_HEAD]):
        if part.kind in ("title", "furniture"):
            continue
        # A PDF does not say what a heading is; where a format does, "15 April 1912" and "By Ship" may be headings.
        if (part.kind != "paragraph" and not (part.kind == "heading" and part.page)) or len(part.text) >= _LINE:
            break
        if (day := stated_date(part.text)) and has_come(day):
            told[n] = replace(part, kind="date")
        elif names_author(part.text) and len(part.text.split()) > 2:
            told[n] = replace(part, kind="furniture")
    return told if any(part.kind in COUNTED for part in told) else list(parts)


def _is_same(a: str, b: str) -> bool:
    return re.sub(r"\W+", "", a).casefold() == re.sub(r"\W+", "", b).casefold()


def _document(
    text: str, blocks: Sequence[Block], source: str, *, title: str = "", day: str = "", stored: str = ""
) -> Document:
    if not blocks:
        raise ReadError("The file is empty.", "Nothing was added.")
    if not any(b.kind in COUNTED for b in blocks):
        raise ReadError("No paragraph was found in the file.", "It seems to hold only labels or numbers.")
    titles = (text[b.start : b.end] for b in blocks if b.kind == "title")
    first = text[blocks[0].start : blocks[0].end] if blocks[0].kind in ("paragraph", "heading", "furniture") else ""
    title = title or next(titles, first if len(blocks) > 1 and is_headline(first) else "") or Path(source).stem
    return Document(
        id=document_id(source),
        version=hashlib.sha256(text.encode()).hexdigest(),
        title=_line(title),
        source=source,
        date=day,
        text=text,
        layout=stored,
    )


def with_language(document: Document) -> Document:
    """Returns a document with the language of its paragraphs.

    Apart from the rest, as the model that tells it takes half a second to load, which each process that reads would take.
    """
    text, blocks = document.text, blocks_of(document)
    return replace(document, language=language("\n".join(text[b.start : b.end] for b in blocks if b.kind in COUNTED)))


def iso_day(value: str) -> str:
    """Returns the day that a value begins with, as ISO 8601; "" if it begins with none."""
    try:
        return date.fromisoformat(value[:10]).isoformat() if re.match(r"\d{4}-\d{2}-\d{2}", value) else ""
    except ValueError:
        return ""


def has_come(day: str) -> bool:
    """True for an ISO day up to tomorrow, which it is elsewhere already: nothing was published later."""
    return day <= (date.today() + timedelta(1)).isoformat()


def document_id(source: str) -> str:
    """Returns the id of a source: the first 12 hexadecimal digits of the sha256 of its absolute path."""
    return hashlib.sha256(os.fsencode(source)).hexdigest()[:12]


def written(blocks: Sequence[Block]) -> str:
    """Returns the blocks of a text as they are stored: JSON, a row a block."""
    rows = [[b.kind, b.start, b.end, *([b.page, *b.box] if b.page else [])] for b in blocks]
    return json.dumps([_WITH_PAGES if any(b.page for b in blocks) else _PLAIN, *rows], separators=(",", ":"))


def blocks_of(document: Document) -> tuple[Block, ...]:
    """Returns every visible part of a document, in order: as its format says, or as its text shows."""
    if not document.layout:
        return layout(document.text, document.source)
    try:
        return tuple(_stored(document.layout))
    except (ValueError, TypeError) as exc:
        raise LibraryDamaged(f"What is stored of the parts of {document.title!r} is damaged.", "Run: rag repair") from exc


def places_of(document: Document) -> dict[int, tuple[int, Box]]:
    """Returns page and box of each part of a document by its first character; nothing where there are no pages."""
    if not document.layout.startswith(f"[{_WITH_PAGES}"):
        return {}
    return {block.start: (block.page, block.box) for block in blocks_of(document)}


def is_layout(stored: str, n_chars: int) -> bool:
    """True for what `written` returns of a text of so many characters, and for ""."""
    try:
        blocks = list(_stored(stored)) if stored else []
        at = [0, *(place for block in blocks for place in (block.start, block.end)), n_chars]
        return at == sorted(at) and all(block.kind in get_args(Kind) and block.start < block.end for block in blocks)
    except (ValueError, TypeError):
        return False


def _stored(written: str) -> Iterator[Block]:
    _, *rows = json.loads(written)
    for kind, start, end, *place in rows:
        yield Block(kind, start, end, place[0] if place else 0, tuple(place[1:]))


def _line(text: str) -> str:
    return " ".join(text.split())
