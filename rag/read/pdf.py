"""PDF to articles: pdfminer finds the boxes of text on each page; here they become paragraphs in the order of reading."""

from __future__ import annotations

import io
import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from rag.errors import ReadError
from rag.read.article import Article, Part, Tick
from rag.read.ocr import recognised
from rag.types import Box

_END = re.compile(r"[.!?…:;。！？][\"'”’»)\]]*$")
_CUT = re.compile(r"(\w+)[-\u00ad\u2010]$")
_DRAWN = 0.25  # of a page that pictures cover, from which on it is one that should be read
_MAX_LOST = 100_000  # pages that a file says it has
_EDGE = 0.12  # of the page's height, at top and bottom, where running heads stand
_LARGER = 1.15  # times the size of most letters: a heading
_MAX_HEADING = 25  # words
_NO_TITLE = re.compile(
    r"(?:untitled|microsoft word|powerpoint|document\d*$|.*\.(?:docx?|pdf|tex|dvi|indd|qxd|odt|rtf|pptx?)$)", re.I
)


_LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st"}


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    box: Box
    size: float


@dataclass(frozen=True, slots=True)
class _Piece:
    """Lines that belong together."""

    lines: tuple[_Line, ...]
    page: int
    height: float  # of the page

    @property
    def box(self) -> Box:
        boxes = [line.box for line in self.lines]
        return min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)

    @property
    def size(self) -> float:
        return median(line.size for line in self.lines)

    @property
    def first(self) -> str:
        return self.lines[0].text

    @property
    def last(self) -> str:
        return self.lines[-1].text


@dataclass(frozen=True, slots=True)
class _Page:
    """A page: its pieces, whether it is a picture only, and why it cannot be read."""

    number: int
    pieces: tuple[_Piece, ...]
    is_picture: bool = False
    failure: str = ""


def read_pdf(data: bytes, tick: Tick = lambda done, total: None) -> Iterator[Article | ReadError]:
    """Yields the article of a PDF, and what is wrong with some of its pages.

    Raises:
        ReadError: it is protected, damaged, or holds only pictures and no program is there that reads them.
    """
    for name in ("pdfminer", "pdfminer.psparser"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    document = _opened(data)
    pages = list(_pages(document, tick))
    pieces = [piece for page in pages for piece in page.pieces]
    pictures = [page.number for page in pages if page.is_picture]
    read, problem = _recognised(data, pictures, tick)
    bad = [page for page in pages if page.failure]
    if not pieces and not read:
        if problem:
            raise problem
        if bad:
            told = f"No page of the PDF can be read: {bad[0].failure}."
            raise ReadError(told, "Open it in a reader and save it again.")
        raise ReadError("The PDF holds no text." if pages else "The PDF has no pages.", "Nothing was added.")
    pieces = _without_running_heads(pieces, len(pages))
    words = Counter(word.casefold() for piece in pieces for line in piece.lines for word in re.findall(r"[\w-]+", line.text))
    parts = sorted([*_parts(pieces, words), *read], key=lambda part: part.page)
    yield Article(parts, title=_stated_title(document) or _largest(pieces))
    if problem:
        yield ReadError(f"{_numbered(pictures)} of the PDF: pictures without text.", problem.hint)
    if bad:
        told = f"{_numbered([page.number for page in bad])} of the PDF cannot be read: {bad[0].failure}."
        yield ReadError(told, "Open it in a reader and save it again.")


def _numbered(pages: Sequence[int]) -> str:
    shown = ", ".join(map(str, pages[:10])) + (" and more" if len(pages) > 10 else "")
    return f"Page{'s' if len(pages) > 1 else ''} {shown}"


def _opened(data: bytes) -> Any:
    from pdfminer.pdfdocument import PDFDocument, PDFEncryptionError, PDFPasswordIncorrect, PDFTextExtractionNotAllowed
    from pdfminer.pdfparser import PDFParser

    try:
        return PDFDocument(PDFParser(io.BytesIO(data)))
    except (PDFPasswordIncorrect, PDFEncryptionError, PDFTextExtractionNotAllowed) as exc:
        raise ReadError("The PDF is protected with a password.", "Save it without one.") from exc
    except MemoryError:
        raise
    except Exception as exc:  # pdfminer raises what the bytes happen to lead to
        raise ReadError(f"The PDF is damaged: {type(exc).__name__}.", "Open it in a reader and save it again.") from exc


def _pages(document: Any, tick: Tick) -> Iterator[_Page]:
    """Yields each page, also one that cannot be read: it does not take the others with it."""
    from pdfminer.converter import PDFPageAggregator
    from pdfminer.layout import LAParams
    from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
    from pdfminer.pdfpage import PDFPage

    manager = PDFResourceManager()
    device = PDFPageAggregator(manager, laparams=LAParams())
    interpreter = PDFPageInterpreter(manager, device)
    total, number = _n_pages(document), 0
    found = PDFPage.create_pages(document)
    while True:
        number, page = number + 1, None
        try:
            if (page := next(found, None)) is None:
                break
            interpreter.process_page(page)
            yield _page(device.get_result(), number)
        except MemoryError:
            raise
        except Exception as exc:  # pdfminer raises what the bytes happen to lead to
            yield _Page(number, (), failure=type(exc).__name__)
            if page is None:  # it finds no other one behind it
                yield from (_Page(n, (), failure=type(exc).__name__) for n in range(number + 1, min(total, _MAX_LOST) + 1))
                return
        tick(number, max(total, number))


def _page(layout: Any, number: int) -> _Page:
    from pdfminer.layout import LTFigure, LTImage, LTTextBox

    boxes = [box for box in layout if isinstance(box, LTTextBox)]
    pieces = tuple(piece for box in boxes for piece in _split(_lines_of(box), number, layout.height))
    drawn = sum(one.width * one.height for one in layout if isinstance(one, LTFigure | LTImage))
    return _Page(number, pieces, is_picture=not pieces and drawn > _DRAWN * layout.width * layout.height)


def _n_pages(document: Any) -> int:
    from pdfminer.pdftypes import resolve1

    try:
        return int(resolve1(resolve1(document.catalog["Pages"])["Count"]))
    except Exception:  # the file may say anything
        return 0


def _stated_title(document: Any) -> str:
    from pdfminer.utils import decode_text

    for info in document.info:
        raw = info.get("Title", b"")
        title = decode_text(raw).strip() if isinstance(raw, bytes) else ""
        if len(title.split()) > 1 and not _NO_TITLE.match(title):
            return title
    return ""


def _lines_of(box: Any) -> list[_Line]:
    from pdfminer.layout import LTChar, LTTextLine

    lines = []
    for line in box:
        if isinstance(line, LTTextLine) and (
            text := " ".join(line.get_text().replace("\0", "").translate(_LIGATURES).split())
        ):
            sizes = [char.size for char in line if isinstance(char, LTChar)]
            lines.append(_Line(text, tuple(round(v, 1) for v in line.bbox), round(median(sizes), 1) if sizes else 0))
    return lines


def _split(lines: Sequence[_Line], page: int, height: float) -> Iterator[_Piece]:
    """Yields the paragraphs of a box: another size begins one, and so does an indented line after a short one."""
    if not lines:
        return
    left, right = min(line.box[0] for line in lines), max(line.box[2] for line in lines)
    begun = [lines[0]]
    for before, line in pairwise(lines):
        indent = line.box[0] - left > 0.6 * line.size and before.box[0] - left < 0.6 * before.size
        short = right - before.box[2] > 0.15 * (right - left)
        if abs(line.size - before.size) > 0.12 * before.size or (_END.search(before.text) and (indent or short)):
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

    edges = [piece for piece in pieces if at_edge(piece) and len(piece.lines) <= 3]
    pages = Counter(text for text, _ in {(words(piece), piece.page) for piece in edges})
    often = max(2, min(4, n_pages // 2 + 1))
    gone = {id(piece) for piece in edges if pages[words(piece)] >= often or not re.search(r"[^\W\d_]{2}", piece.first)}
    return [piece for piece in pieces if id(piece) not in gone]


def _parts(pieces: Sequence[_Piece], words: Counter[str]) -> Iterator[Part]:
    sizes = Counter[float]()
    for piece in pieces:
        sizes[piece.size] += sum(len(line.text) for line in piece.lines)
    usual = sizes.most_common(1)[0][0] if sizes else 0
    open_piece: list[_Piece] = []
    for piece in pieces:
        if open_piece and not _goes_on(open_piece[-1], piece):
            yield _part(open_piece, usual, words)
            open_piece = []
        open_piece.append(piece)
    if open_piece:
        yield _part(open_piece, usual, words)


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
    """Returns what tesseract reads on some pages, and why it cannot."""
    parts: list[Part] = []
    try:
        for page, paragraphs in recognised(data, pages, tick) if pages else ():
            parts += [Part("paragraph", text, page) for text in paragraphs]
    except ReadError as exc:
        return parts, exc
    return parts, None
