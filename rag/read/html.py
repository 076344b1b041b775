"""HTML to articles. trafilatura finds the main text; nothing is fetched."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from rag.read.encoding import decode
from rag.read.headline import headline
from rag.read.parts import Article, Part
from rag.read.published import published
from rag.read.table import list_part, spread, table_parts

_ELSEWHERE = re.compile(
    r"(?:READ (?:MORE|ALSO|NEXT)|[Rr]ead (?:also|next)|[Ss]ee also|RELATED|[Rr]elated)\s*:|DON'T MISS\s*$"
)
"""How a line begins that leads to another article; "read more:" may be what an article asks for."""

_PREFORMATTED = 1000  # characters from which on it is no piece of code any more, but paragraphs
_MIN_WORDS = 25  # of a page's text: with less, all of the page is read

_BLOCKS = frozenset(
    "address article aside blockquote body center dd details dialog div dl dt fieldset figcaption figure footer form h1 h2 "
    "h3 h4 h5 h6 header hr li main nav ol p pre section summary table ul".split()
)
_UNSEEN = frozenset(
    "script style noscript template svg math iframe object embed canvas audio video select button textarea head".split()
)
_LISTS = frozenset({"ul", "ol"})


def read_html(data: bytes) -> Iterator[Article]:
    """Yields the article of a page: its main text in paragraphs, or all of its text if none of it is the main one."""
    yield html_article(decode(data, is_markup=True))


def html_article(markup: str) -> Article:
    """Returns the article of a page's markup."""
    from trafilatura import bare_extraction

    _prepare()
    parts: list[Part] = []
    title = date = ""
    root = parsed(markup)
    if root is not None:
        title = headline(root)
        date = published(root, title)
        found: Any = bare_extraction(root, include_comments=False, favor_precision=True)
        if found is not None:
            parts = list(_parts(found.body))
        if sum(len(part.text.split()) for part in parts) < _MIN_WORDS:
            everything = list(page_parts(markup))
            parts = everything if len(everything) > len(parts) else parts
    return Article(parts, title=title, date=date, is_dated=True)


@cache
def _prepare() -> None:
    """Makes trafilatura quiet, and quick with small words: it has a tuple of 150,000, which it hashes for each page."""
    from justext import core
    from trafilatura import external

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # what it cannot read is told by us
    lists = (files("justext") / "stoplists").iterdir()
    words = frozenset("\n".join(one.read_text(encoding="utf-8") for one in lists).lower().splitlines())
    external.JT_STOPLIST = words  # type: ignore[assignment]
    core.define_stoplist = lambda words: words  # they are in small letters already


# --- the tree that trafilatura returns ---------------------------------------------------------------------------------


def _parts(body: Any) -> Iterator[Part]:
    for element in body:
        match element.tag:
            case "head":
                yield Part("heading", _text(element))
            case "list":
                yield list_part([_text(item, "list") for item in element.iter("item")])
            case "table":
                rows = [list(row.iter("cell")) for row in element.iter("row")]
                headed = bool(rows) and bool(rows[0]) and all(cell.get("role") == "head" for cell in rows[0])
                yield from table_parts([[_text(cell) for cell in row] for row in rows], is_headed=headed or None)
            case "quote" if len(element) or len(element.text or "") <= _PREFORMATTED:
                yield Part("quotation", _text(element))
            case "code" | "quote":  # trafilatura takes a long preformatted text for either
                yield from _preformatted(element)
            case "p" | "div" | "fw" | "ab":
                yield from (Part("paragraph", text) for text in _text(element).split("\n") if not _ELSEWHERE.match(text))


def _text(element: Any, without: str = "") -> str:
    """Returns an element's text, a line for each of its lines, without elements with some tag: a list in a list."""
    pieces = [element.text or ""]
    for child in element:
        if child.tag in ("lb", "p"):
            pieces.append("\n")
        if child.tag == without:
            pieces.append("\n")
        elif isinstance(child.tag, str):
            pieces.append(_text(child, without))
        pieces.append(f"\n{child.tail or ''}" if child.tag == "p" else child.tail or "")
    lines = (" ".join(line.split()) for line in "".join(pieces).split("\n"))
    return "\n".join(line for line in lines if line)


# --- any markup, all of it ---------------------------------------------------------------------------------------------


def parsed(markup: str) -> Any | None:
    """Returns the tree of a page; None if there is nothing in it."""
    from lxml import html

    declaration = re.match(r"\s*<\?xml[^>]*\?>", markup)  # lxml refuses a text that says its encoding
    parser = html.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        return html.document_fromstring(markup[declaration.end() if declaration else 0 :], parser=parser)
    except (ValueError, AssertionError, html.etree.ParserError):
        return None


def page_parts(markup: str) -> Iterator[Part]:
    """Yields all visible text of a page, in its order: for chapters and mails, which have nothing around their text."""
    root = parsed(markup)
    if root is not None:
        body = root.find("body")
        yield from _walked(root if body is None else body)


def _walked(element: Any) -> Iterator[Part]:
    """Yields the parts of an element: text between two of its blocks is a paragraph."""
    inline: list[str] = [element.text or ""]
    for child in element:
        tag = child.tag if isinstance(child.tag, str) else ""
        if tag in _UNSEEN:
            pass
        elif tag == "br":
            inline.append("\n")
        elif tag in _BLOCKS or any(isinstance(one.tag, str) and one.tag in _BLOCKS for one in child.iter()):
            yield from _paragraph(inline)
            inline = []
            yield from _block(child, tag)
        else:
            inline.append(_inline(child))
        inline.append(child.tail or "")
    yield from _paragraph(inline)


def _block(element: Any, tag: str) -> Iterator[Part]:
    if re.fullmatch("h[1-6]", tag):
        yield Part("heading", _flat(element))
    elif tag in ("ul", "ol") and not any(one.tag in ("table", "p", "h1", "h2", "h3") for one in element.iter()):
        yield list_part([_flat(item, _LISTS) for item in element.iter("li")])
    elif tag == "table" and not any(True for _ in element.iterfind(".//table")):
        rows = [list(row.iter("td", "th")) for row in element.iter("tr")]
        headed = bool(rows) and bool(rows[0]) and all(cell.tag == "th" for cell in rows[0])
        yield from (Part("caption", _flat(one)) for one in element.iter("caption"))
        cells = (((_flat(cell), _span(cell, "colspan"), _span(cell, "rowspan")) for cell in row) for row in rows)
        yield from table_parts(spread(cells), is_headed=headed or None)
    elif tag == "blockquote":
        yield from (Part("quotation" if p.kind == "paragraph" else p.kind, p.text) for p in _walked(element))
    elif tag == "figcaption":
        yield Part("caption", _flat(element))
    elif tag == "pre":
        yield from _preformatted(element)
    else:
        yield from _walked(element)


def _preformatted(element: Any) -> Iterator[Part]:
    """Yields a text whose lines are the markup's: some pages have all of theirs so."""
    text = "".join(element.itertext()).strip("\n")
    pieces = re.split(r"\n[ \t]*\n", text) if len(text) > _PREFORMATTED else [text]
    yield from (Part("paragraph", piece.strip("\n")) for piece in pieces if piece.strip())


def _span(cell: Any, name: str) -> int:
    given = cell.get(name, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 6 else 1


def _paragraph(pieces: list[str]) -> Iterator[Part]:
    text = "\n".join(line for piece in "".join(pieces).split("\n") if (line := " ".join(piece.split())))
    if text:
        yield Part("paragraph", text)


def _inline(element: Any) -> str:
    """Returns the text of an element in which no block stands; line ends of the markup are spaces."""
    pieces = [" ".join((element.text or "").split("\n"))]
    for child in element:
        if child.tag == "br":
            pieces.append("\n")
        elif isinstance(child.tag, str) and child.tag not in _UNSEEN:
            pieces.append(_inline(child))
        pieces.append(" ".join((child.tail or "").split("\n")))
    return "".join(pieces)


def _flat(element: Any, without: frozenset[str] = frozenset()) -> str:
    """Returns the text of an element in one line, without what is not seen, and without elements with some tags."""
    return " ".join(_pieces(element, without).split())


def _pieces(element: Any, without: frozenset[str]) -> str:
    pieces = [element.text or ""]
    for child in element:
        if isinstance(child.tag, str) and child.tag not in _UNSEEN and child.tag not in without:
            apart = " " if child.tag in _BLOCKS or child.tag in ("br", "td", "th") else ""
            pieces += [apart, _pieces(child, without), apart]
        elif child.tag in without:
            pieces.append(" ")
        pieces.append(child.tail or "")
    return "".join(pieces)
