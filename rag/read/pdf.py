"""PDF to articles: pdfminer finds the boxes of text on each page; here they become paragraphs in the order of reading."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median
from typing import TYPE_CHECKING

from rag.errors import ReadError
from rag.read.grid import Grid, around, grids
from rag.read.ocr import recognised
from rag.read.parts import Article, Part, Tick
from rag.read.table import list_part, table_parts
from rag.types import Box

if TYPE_CHECKING:
    from rag.read.pages import Line, Page

_END = re.compile(r"[.!?…:;。！？][\"'”’»)\]]*$")
_CUT = re.compile(r"(\w+)[-\u00ad\u2010]$")
_BULLET = re.compile(r"[•‣◦●○▪■□►➤✓✔\ue000-\uf8ff]\s*(?=\S)|\ufffd\s+(?=[^\W\d_]{2})")  # also of fonts of signs
_PAGE_NUMBER = re.compile(
    r"\W*(?:(?:page|p|seite|s)\b\W*)?(?:\d{1,4}|[ivxlc]{1,7})(?:\s*(?:/|of|von)\s*\d{1,4})?\W*", re.IGNORECASE
)
_NUMBERS = 0.5  # of the cells of a column under a header
_EDGE = 0.12  # of the page's height, at top and bottom, where running heads stand
_LARGER = 1.15  # times the size of most letters: a heading
_MAX_HEADING = 25  # words


@dataclass(frozen=True, slots=True)
class _Piece:
    """Lines that belong together."""

    lines: tuple[Line, ...]
    page: int
    height: float  # of the page
    rows: tuple[Part, ...] = ()  # if they are a table

    @property
    def box(self) -> Box:
        return around([line.box for line in self.lines])

    @property
    def size(self) -> float:
        return median(line.size for line in self.lines)

    @property
    def first(self) -> str:
        return self.lines[0].text

    @property
    def last(self) -> str:
        return self.lines[-1].text


def read_pdf(data: bytes, tick: Tick = lambda done, total: None) -> Iterator[Article | ReadError]:
    """Yields the article of a PDF, and what is wrong with some of its pages.

    Raises:
        ReadError: it is protected, damaged, or holds only pictures and no program is there that reads them.
    """
    from rag.read.pages import opened, pages, stated_title

    document = opened(data)
    found = list(pages(document, tick))
    pieces = [piece for page in found for piece in _pieces(page)]
    pictures = [page.number for page in found if page.is_picture]
    read, problem = _recognised(data, pictures, tick)
    bad = [page for page in found if page.failure]
    if not pieces and not read:
        if problem:
            raise problem
        if bad:
            told = f"No page of the PDF can be read: {bad[0].failure}."
            raise ReadError(told, "Open it in a reader and save it again.")
        raise ReadError("The PDF holds no text." if found else "The PDF has no pages.", "Nothing was added.")
    pieces = _without_running_heads(pieces, len(found))
    words = Counter(word.casefold() for piece in pieces for line in piece.lines for word in re.findall(r"[\w-]+", line.text))
    parts = sorted([*_with_lists(_parts(pieces, words)), *read], key=lambda part: part.page)
    if not parts:  # dots and lines
        raise ReadError("The PDF holds no text.", "Nothing was added.")
    yield Article(parts, title=stated_title(document) or _largest(pieces))
    if problem:
        yield ReadError(f"{_numbered(pictures)} of the PDF: pictures, or signs without letters.", problem.hint)
    if bad:
        told = f"{_numbered([page.number for page in bad])} of the PDF cannot be read: {bad[0].failure}."
        yield ReadError(told, "Open it in a reader and save it again.")


def _numbered(pages: Sequence[int]) -> str:
    shown = ", ".join(map(str, pages[:10])) + (" and more" if len(pages) > 10 else "")
    return f"Page{'s' if len(pages) > 1 else ''} {shown}"


def _pieces(page: Page) -> Iterator[_Piece]:
    """Yields the paragraphs and tables of a page."""
    tables = {id(line): grid for grid in grids([line for lines in page.boxes for line in lines]) for line in grid.lines}
    begun: set[int] = set()
    for lines in page.boxes:
        for grid, run in groupby(lines, key=lambda line: tables.get(id(line))):
            if grid is None:
                yield from _split(list(run), page.number, page.height)
            elif id(grid) not in begun:
                begun.add(id(grid))
                yield _Piece(grid.lines, page.number, page.height, _table(grid, page.number))


def _table(grid: Grid, page: int) -> tuple[Part, ...]:
    """Returns the rows of a table; under its first row only if a column of numbers shows that this one is a header."""
    head, *rows = grid.rows
    numbers = (sum(any(map(str.isdigit, row[n])) for row in rows) for n in range(1, len(head)))
    is_headed = None if any(n >= _NUMBERS * len(rows) for n in numbers) else False
    parts = list(table_parts(grid.rows, is_headed=is_headed, is_data=True))
    missing = len(grid.boxes) - len(parts)  # the header is in its rows
    boxes = grid.boxes[missing:] if missing in (0, 1) else [around(grid.boxes)] * len(parts)
    told = []
    for part, row, box in zip(parts, grid.rows[len(grid.rows) - len(parts) :], boxes, strict=True):
        alone = [cell for cell in row if cell]
        told.append(Part(part.kind, alone[0] if len(alone) == 1 else part.text, page, box))  # a line over the next rows
    return tuple(told)


def _split(lines: Sequence[Line], page: int, height: float) -> Iterator[_Piece]:
    """Yields the paragraphs of a box: another size begins one, an indented line after a short one, and a bullet."""
    left, right = min(line.box[0] for line in lines), max(line.box[2] for line in lines)
    begun = [lines[0]]
    for before, line in pairwise(lines):
        indent = line.box[0] - left > 0.6 * line.size and before.box[0] - left < 0.6 * before.size
        short = right - before.box[2] > 0.15 * (right - left)
        another = abs(line.size - before.size) > 0.12 * before.size or _BULLET.match(line.text)
        if another or (_END.search(before.text) and (indent or short)):
            yield _Piece(tuple(begun), page, height)
            begun = []
        begun.append(line)
    yield _Piece(tuple(begun), page, height)


def _without_running_heads(pieces: Sequence[_Piece], n_pages: int) -> list[_Piece]:
    """Leaves out what stands at the edge of several pages in the same words, numbers apart, and lone page numbers."""

    def at_edge(piece: _Piece) -> bool:
        _, bottom, _, top = piece.box
        return bottom > (1 - _EDGE) * piece.height or top < _EDGE * piece.height

    def words(piece: _Piece) -> str:
        return re.sub(r"\d+|\W+", " ", " ".join(line.text for line in piece.lines)).strip().casefold()

    edges = [piece for piece in pieces if at_edge(piece) and (len(piece.lines) <= 3 or piece.rows)]
    pages = Counter(text for text, _ in {(words(piece), piece.page) for piece in edges})
    often = max(2, min(4, n_pages // 2 + 1))
    gone = {id(piece) for piece in edges if pages[words(piece)] >= often or _is_page_number(piece)}
    return [piece for piece in pieces if id(piece) not in gone]


def _is_page_number(piece: _Piece) -> bool:
    return bool(_PAGE_NUMBER.fullmatch(" ".join(line.text for line in piece.lines)))


def _parts(pieces: Sequence[_Piece], words: Counter[str]) -> Iterator[Part]:
    sizes = Counter[float]()
    for piece in pieces:
        sizes[piece.size] += sum(len(line.text) for line in piece.lines)
    usual = sizes.most_common(1)[0][0] if sizes else 0
    open_piece: list[_Piece] = []
    for piece in pieces:
        if not any(re.search(r"\w", line.text) for line in piece.lines):  # a bullet apart from its words, a line of dots
            continue
        if open_piece and (piece.rows or not _goes_on(open_piece[-1], piece)):
            yield _part(open_piece, usual, words)
            open_piece = []
        if piece.rows:
            yield from piece.rows
        else:
            open_piece.append(piece)
    if open_piece:
        yield _part(open_piece, usual, words)


def _with_lists(parts: Iterable[Part]) -> list[Part]:
    """Makes one part of the items of a list on a page."""
    joined: list[Part] = []
    for part in parts:
        before = joined[-1] if joined else None
        if part.kind == "list" and before and before.kind == "list" and before.page == part.page:
            joined[-1] = Part("list", f"{before.text}\n{part.text}", part.page, around([before.box, part.box]))
        else:
            joined.append(part)
    return joined


def _goes_on(before: _Piece, piece: _Piece) -> bool:
    """True if a paragraph runs on in the next column or on the next page."""
    if abs(before.size - piece.size) > 0.5 or _END.search(before.last) or len(before.last.split()) < 3:
        return False
    moved = piece.page != before.page or piece.box[3] > before.box[1] + 1  # not below it
    return moved and (piece.first[:1].islower() or bool(_CUT.search(before.last)))


def _part(pieces: Sequence[_Piece], usual: float, words: Counter[str]) -> Part:
    text = _joined([line.text for piece in pieces for line in piece.lines], words)
    first = pieces[0]
    is_heading = first.size > _LARGER * usual and len(text.split()) <= _MAX_HEADING
    if (bullet := _BULLET.match(text)) and not is_heading:
        return Part("list", list_part([text[bullet.end() :]]).text, first.page, first.box)
    label = not _END.search(text) and len(text.split()) <= 3
    caption = re.match(r"(?:fig(?:ure|\.)|table|abb(?:ildung|\.)|tab\.)\s*\d", text, re.IGNORECASE)
    kind = "heading" if is_heading or label else "caption" if caption else "paragraph"
    return Part(kind, text, first.page, first.box)  # type: ignore[arg-type]


def _joined(lines: Iterable[str], words: Counter[str]) -> str:
    """Joins the lines of a paragraph, and the halves of words that were cut at their ends."""
    joined: list[str] = []
    for line in lines:
        cut, after = _CUT.search(joined[-1]) if joined else None, re.match(r"[a-zß-ÿ]\w*", line)
        if cut and after:
            whole, hyphened = cut[1] + after[0], f"{cut[1]}-{after[0]}"
            keeps = words[hyphened.casefold()] > words[whole.casefold()]
            joined[-1] = joined[-1][: cut.end(1)] + ("-" if keeps else "")
            joined.append(line)
        else:
            joined += [" ", line] if joined else [line]
    return "".join(joined)


def _largest(pieces: Sequence[_Piece]) -> str:
    """Returns the largest words of the first page, if they are larger than the others and few."""
    first = [piece for piece in pieces if piece.page == pieces[0].page]
    if len(first) < 2:
        return ""
    largest = max(first, key=lambda piece: piece.size)
    text = " ".join(line.text for line in largest.lines)
    is_alone = largest.size > _LARGER * median(piece.size for piece in first)
    return text if is_alone and len(text.split()) <= _MAX_HEADING else ""


def _recognised(data: bytes, pages: Sequence[int], tick: Tick) -> tuple[list[Part], ReadError | None]:
    """Returns what tesseract reads on some pages, and why it cannot: that does not take the other pages with it."""
    parts: list[Part] = []
    try:
        for page, paragraphs in recognised(data, pages, tick) if pages else ():
            parts += [Part("paragraph", text, page) for text in paragraphs]
    except ReadError as exc:
        return parts, exc
    except MemoryError:
        raise
    except Exception as exc:  # of pypdfium2, for a page that it finds broken
        return parts, ReadError(f"The scanned pages cannot be read: {type(exc).__name__}.", "Save it with text.")
    return parts, None
