"""Markdown to blocks, by its syntax tree."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rag.dateline import names_author, parse_date, stated_date
from rag.read.spans import bare, line_spans, trim
from rag.read.table import table_parts
from rag.types import Block, Kind

if TYPE_CHECKING:
    from markdown_it.token import Token

_NESTING = ("blockquote_open", "blockquote_close", "_list_open", "_list_close")


def told_rows(text: str) -> tuple[str, list[Block]]:
    """Returns a Markdown text with rows that carry their header, a row a line, in place of its tables; and these rows."""
    from markdown_it import MarkdownIt

    if "|" not in text:
        return text, []
    lines, pieces, blocks = text.split("\n"), list[str](), list[Block]()
    at = length = 0  # lines that are taken; characters of what they became
    for (start, end), rows in _tables(MarkdownIt("commonmark").enable("table").parse(text)):
        between = [*lines[at:start], *([""] if start and lines[start - 1].strip() else [])]
        pieces += between
        length += sum(len(line) + 1 for line in between)
        for part in table_parts(rows, is_headed=True, is_data=True):
            pieces.append(part.text)
            blocks.append(Block(part.kind, length, length + len(part.text)))
            length += len(part.text) + 1
        pieces.append("")
        at, length = end, length + 1
    return "\n".join([*pieces, *lines[at:]]), blocks


def _tables(tokens: Iterable[Token]) -> Iterator[tuple[tuple[int, int], list[list[str]]]]:
    """Yields the lines from and to which each table goes that stands in nothing else, and its cells."""
    rows: list[list[str]] = []
    lines: tuple[int, int] | None = None
    for token in tokens:
        if token.type == "table_open" and not token.level and token.map:
            rows, lines = [], (token.map[0], token.map[1])
        elif lines and token.type == "table_close":
            yield lines, rows
            lines = None
        elif lines and token.type == "tr_open":
            rows.append([])
        elif lines and token.type == "inline":
            rows[-1].append(bare(token.content))


def _head_kind(line: str) -> Kind | None:
    """Returns what a line under the headline of a Markdown text is, if it is a dateline or a byline."""
    return "date" if stated_date(line) else "furniture" if names_author(line) else None


def markdown_blocks(text: str) -> Iterator[Block]:
    """Classifies a Markdown text by its syntax tree; a block's span leaves out its markers where they lead it."""
    from markdown_it import MarkdownIt

    starts = [0, *(m.end() for m in re.finditer("\n", text)), len(text) + 1]
    front = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    body = front.group().count("\n") if front else 0
    title = False
    if front:
        for field in re.finditer(r"^(title|date):[ \t]*[\"']?(.+?)[\"']?[ \t]*$", front.group(1), re.MULTILINE):
            kind: Kind = "title" if field.group(1) == "title" else "date"
            title = title or kind == "title"
            yield Block(kind, front.start(1) + field.start(2), front.start(1) + field.end(2))
    tokens = MarkdownIt("commonmark").enable("table").parse("\n".join(text.split("\n")[body:]))
    in_row = begun = False
    inside: Counter[str] = Counter()  # quotations and lists that are open
    for opening, token in zip([None, *tokens], tokens, strict=False):
        in_row = token.type == "tr_open" or (in_row and token.type != "tr_close")
        if token.type.endswith(_NESTING):
            inside[token.type.rpartition("_")[0]] += token.nesting
        if token.map is None or token.type not in ("tr_open", "inline", "fence", "code_block"):
            continue
        start, end = trim(text, starts[token.map[0] + body], starts[token.map[1] + body] - 1)
        if in_row:
            if token.type == "tr_open" and start < end:
                yield Block("row", start, end)
            continue
        first, *_, last = [bare(line) for line in token.content.rstrip("\n").split("\n")] * 2
        start = max(start, text.find(first, start, end))
        if token.type == "fence":  # its closing mark is in the span, and none of its content
            end = text.rfind(last, start, end) + len(last)
        if start >= end or not bare(re.sub(r"!\[.*?\]\(.*?\)", "", token.content)):
            continue
        heading = opening is not None and opening.type == "heading_open"
        if heading and opening is not None:
            end = start + len(first)
            yield Block("heading" if title or opening.tag != "h1" else "title", start, end)
            title = title or opening.tag == "h1"
        else:
            lines = [] if begun else [(start + a, start + b) for a, b in line_spans(text[start:end]) if a < b]
            kinds = [_head_kind(text[slice(*line)]) for line in lines]
            begun = begun or not all(kinds)
            if kinds and all(kinds):
                yield from (Block(kind, *line) for kind, line in zip(kinds, lines, strict=True) if kind)
            else:
                within: Kind = "quotation" if inside["blockquote"] else "list" if +inside else "paragraph"
                yield Block("date" if parse_date(text[start:end]) else within, start, end)
