"""Word files (DOCX) to articles: paragraphs by their styles, tables row by row, text boxes; nothing that they link to."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

from rag.errors import ReadError
from rag.read.parts import Article, Part
from rag.read.table import table_parts
from rag.types import Kind

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_TEXT = f"{_W}t"
_SPACES = {f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}tab": "\t"}
_UNSEEN = {f"{_W}{name}" for name in ("del", "moveFrom", "instrText", "delText")}
_WRAPPERS = {f"{_W}{name}" for name in ("customXml", "smartTag", "ins", "moveTo")}
_DRAWN = ("}pict", "}drawing", "}AlternateContent", "}object")
_KINDS: tuple[tuple[str, Kind], ...] = (
    (r"title$", "title"),
    (r"(?:heading|überschrift|titre|título|titolo|subtitle)", "heading"),
    (r"(?:intense )?quote", "quotation"),
    (r"caption", "caption"),
    (r"list", "list"),
)


def read_docx(data: bytes) -> Iterator[Article]:
    """Yields the article of a DOCX.

    Raises:
        ReadError: it is damaged.
    """
    from docx import Document

    try:
        document = Document(io.BytesIO(data))
    except Exception as exc:  # python-docx, lxml and zipfile raise types of their own
        raise ReadError(
            f"The DOCX is damaged: {type(exc).__name__}.", "Open it in a word processor and save it again."
        ) from exc
    styles = {style.get(f"{_W}styleId", ""): style for style in document.styles.element.iterchildren(f"{_W}style")}
    parts = list(_joined(_parts(document.element.body, styles)))
    stated = document.core_properties.title or ""
    is_named = any(part.kind == "title" for part in parts) or len(stated.split()) < 2  # "Document1"
    yield Article(parts, title="" if is_named else stated)


def _children(element: Any) -> Iterator[Any]:
    """Yields the children of an element, and in place of what only wraps others (content controls, insertions) these."""
    for child in element.iterchildren():
        if child.tag == f"{_W}sdt":
            yield from (inner for content in child.iterchildren(f"{_W}sdtContent") for inner in _children(content))
        elif child.tag in _WRAPPERS:
            yield from _children(child)
        else:
            yield child


def _parts(body: Any, styles: Mapping[str, Any]) -> Iterator[Part]:
    for element in _children(body):
        if element.tag == f"{_W}p":
            yield from _paragraph(element, styles)
        elif element.tag == f"{_W}tbl":
            yield from _table(element)


def _paragraph(element: Any, styles: Mapping[str, Any]) -> Iterator[Part]:
    if text := _text(element).strip():
        yield Part(_kind(element, styles), text)
    seen: set[str] = set()
    for box in element.iter(f"{_W}txbxContent"):  # it is there twice: for old and for new programs
        parts = list(_parts(box, styles))
        told = "\n".join(part.text for part in parts)
        if told not in seen:
            seen.add(told)
            yield from parts


def _kind(element: Any, styles: Mapping[str, Any]) -> Kind:
    found = element.find(f"{_W}pPr/{_W}pStyle")
    style = found.get(f"{_W}val", "") if found is not None else ""
    named = styles[style].find(f"{_W}name") if style in styles else None
    name = (named.get(f"{_W}val", "") if named is not None else style).casefold()
    for pattern, kind in _KINDS:
        if re.match(pattern, name):
            return kind
    return "list" if element.find(f"{_W}pPr/{_W}numPr") is not None else "paragraph"


def _text(element: Any) -> str:
    """Returns what is seen of a paragraph: without what was deleted, and without the text boxes anchored in it."""
    pieces: list[str] = []
    for child in element.iterchildren():
        tag = child.tag
        if tag == _TEXT:
            pieces.append(child.text or "")
        elif tag in _SPACES:
            pieces.append(_SPACES[tag])
        elif isinstance(tag, str) and tag.endswith("}t"):  # of a formula
            pieces.append(child.text or "")
        elif isinstance(tag, str) and tag not in _UNSEEN and not tag.endswith(_DRAWN):
            pieces.append(_text(child))
    return "".join(pieces)


def _table(element: Any) -> Iterator[Part]:
    rows: list[list[str]] = []
    for row in (one for one in _children(element) if one.tag == f"{_W}tr"):
        cells: list[str] = []
        for cell in (one for one in _children(row) if one.tag == f"{_W}tc"):
            above = rows[-1][len(cells)] if rows and len(cells) < len(rows[-1]) else ""
            text = above if _continues(cell) else " ".join(_text(p) for p in cell.iter(f"{_W}p"))
            cells += [text, *("" for _ in range(_width(cell) - 1))]
        rows.append(cells)
    yield from table_parts(rows)


def _continues(cell: Any) -> bool:
    """True if a cell is one with that above it."""
    merged = cell.find(f"{_W}tcPr/{_W}vMerge")
    return merged is not None and merged.get(f"{_W}val", "continue") == "continue"


def _width(cell: Any) -> int:
    span = cell.find(f"{_W}tcPr/{_W}gridSpan")
    given = span.get(f"{_W}val", "") if span is not None else ""
    return max(1, int(given)) if given.isascii() and given.isdigit() and len(given) < 3 else 1


def _joined(parts: Iterator[Part]) -> Iterator[Part]:
    """Makes one part of the items of a list."""
    items: list[str] = []
    for part in parts:
        if part.kind == "list":
            items.append(f"- {part.text}")
            continue
        if items:
            yield Part("list", "\n".join(items))
            items = []
        yield part
    if items:
        yield Part("list", "\n".join(items))
