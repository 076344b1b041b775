"""PDF to articles: pdfminer finds the boxes of text on each page; here they become paragraphs in the order of reading."""

from __future__ import annotations

import io
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from rag.errors import ReadError
from rag.read.article import Article, Part
from rag.read.ocr import recognised
from rag.types import Box

Tick = Callable[[int, int], object]
"""Called with pages read and pages in all."""

_END = re.compile(r"[.!?…:;。！？][\"'”’»)\]]*$")
_CUT = re.compile(r"(\w+)[-\u00ad\u2010]$")
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


def read_pdf(data: bytes, tick: Tick = lambda done, total: None) -> Iterator[Article]:
    """Yields the article of a PDF.

    Raises:
        ReadError: it is protected, damaged, or holds only pictures and no program is there that reads them.
    """
    for name in ("pdfminer", "pdfminer.psparser"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    pages, title, has_pictures = _pages(data, tick)
    pieces = [piece for page in pages for piece in page]
    if not pieces and has_pictures:
        yield Article(tuple(_recognised(data, tick)), title=title)
        return
    if not pieces:
        raise ReadError("The PDF holds no text.", "Nothing was added.")
    pieces = _without_running_heads(pieces, len(pages))
    words = Counter(word.casefold() for piece in pieces for line in piece.lines for word in re.findall(r"[\w-]+", line.text))
    parts = list(_parts(pieces, words))
    yield Article(parts, title=title or _largest(pieces))


def _pages(data: bytes, tick: Tick) -> tuple[list[list[_Piece]], str, bool]:
    """Returns the pieces of each page, the title that the file states, and whether a page shows a picture."""
    from pdfminer.converter import PDFPageAggregator
    from pdfminer.layout import LAParams, LTFigure, LTImage, LTTextBox
    from pdfminer.pdfdocument import PDFDocument, PDFEncryptionError, PDFPasswordIncorrect, PDFTextExtractionNotAllowed
    from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
    from pdfminer.pdfpage import PDFPage
    from pdfminer.pdfparser import PDFParser

    try:
        document = PDFDocument(PDFParser(io.BytesIO(data)))
    except (PDFPasswordIncorrect, PDFEncryptionError, PDFTextExtractionNotAllowed) as exc:
        raise ReadError("The PDF is protected with a password.", "Save it without one.") from exc
    except Exception as exc:  # pdfminer raises what the bytes happen to lead to
        raise ReadError(f"The PDF is damaged: {type(exc).__name__}.", "Open it in a reader and save it again.") from exc
    manager = PDFResourceManager()
    device = PDFPageAggregator(manager, laparams=LAParams())
    interpreter = PDFPageInterpreter(manager, device)
    pages: list[list[_Piece]] = []
    has_pictures, failure = False, ""
    found = PDFPage.create_pages(document)
    total = _n_pages(document)
    while True:
        try:
            page = next(found, None)
            if page is None:
                break
            interpreter.process_page(page)
            layout = device.get_result()
        except Exception as exc:  # one bad page does not take the others with it
            failure = type(exc).__name__
            if page is None or len(pages) > total:
                break
            pages.append([])
            continue
        pages.append(
            [
                piece
                for box in layout
                if isinstance(box, LTTextBox)
                for piece in _split(_lines_of(box), len(pages) + 1, layout.height)
            ]
        )
        has_pictures = has_pictures or any(isinstance(one, LTFigure | LTImage) for one in layout)
        tick(len(pages), max(total, len(pages)))
    if not any(pages) and failure:
        raise ReadError(f"No page of the PDF can be read: {failure}.", "Open it in a reader and save it again.")
    if not pages:
        raise ReadError("The PDF has no pages.", "Nothing was added.")
    return pages, _stated_title(document), has_pictures


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
    text = ""
    for line in lines:
        cut, after = _CUT.search(text), re.match(r"[a-zß-ÿ]\w*", line)
        if not text:
            text = line
        elif cut and after:
            whole, hyphened = cut[1] + after[0], f"{cut[1]}-{after[0]}"
            keeps = words[hyphened.casefold()] > words[whole.casefold()]
            text = f"{text[: cut.end(1)]}-{line}" if keeps else text[: cut.end(1)] + line
        else:
            text = f"{text} {line}"
    return text


def _largest(pieces: Sequence[_Piece]) -> str:
    """Returns the largest words of the first page, if they are larger than the others and few."""
    first = [piece for piece in pieces if piece.page == pieces[0].page] if pieces else []
    if len(first) < 2:
        return ""
    largest = max(first, key=lambda piece: piece.size)
    text = " ".join(line.text for line in largest.lines)
    is_alone = largest.size > _LARGER * median(piece.size for piece in first)
    return text if is_alone and len(text.split()) <= _MAX_HEADING else ""


def _recognised(data: bytes, tick: Tick) -> Iterator[Part]:
    for page, paragraphs in recognised(data, tick):
        yield from (Part("paragraph", text, page) for text in paragraphs)
