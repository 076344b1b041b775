"""The lines of text on the pages of a PDF, box by box, as pdfminer finds them. It loads pdfminer."""

from __future__ import annotations

import codecs
import io
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from statistics import median
from typing import Any

from pdfminer import layout
from pdfminer.converter import PDFPageAggregator
from pdfminer.layout import LAParams, LTChar, LTFigure, LTImage, LTPage, LTTextBox, LTTextGroup, LTTextLine
from pdfminer.pdfdocument import PDFDocument, PDFEncryptionError, PDFPasswordIncorrect, PDFTextExtractionNotAllowed
from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
from pdfminer.pdfpage import PDFPage
from pdfminer.pdfparser import PDFParser
from pdfminer.pdftypes import resolve1
from pdfminer.utils import decode_text

from rag.errors import ReadError
from rag.read.grid import around
from rag.read.parts import Tick
from rag.types import Box

_DRAWN = 0.25  # of a page that pictures cover, from which on it is one that should be read
_UNKNOWN = "\ufffd"  # a sign whose letter the file does not tell
_MAX_UNKNOWN = 0.5  # of the letters of a page
_MAX_GROUPED = 300  # boxes of a page; the time to put them in order grows with their square: 1 s for 500, 32 s for 2,000
_ONE_ROW = 0.5  # of the height of a box, by which another one of its row may stand lower
_MAX_LOST = 100_000  # pages that a file says it has
_NO_TITLE = re.compile(
    r"(?:untitled|microsoft word|powerpoint|document\d*$|.*\.(?:docx?|pdf|tex|dvi|indd|qxd|odt|rtf|pptx?)$)", re.I
)
_LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st"}

for _name in ("pdfminer", "pdfminer.psparser"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)  # what it cannot read is told by us

_NUMBERS = count()


def _number(item: Any) -> int:
    return item.__dict__.setdefault("number", next(_NUMBERS))


# It is what pdfminer orders boxes by that are equally far apart. By their addresses, a PDF has another text at each reading.
layout.id = _number  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, or a word of it, with the size of most of its letters in points."""

    text: str
    box: Box
    size: float
    words: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its boxes of lines, whether it is a picture only, and why it cannot be read.

    Attributes:
        number: from 1.
        height: in points.
    """

    number: int
    boxes: Sequence[Sequence[Line]] = ()
    height: float = 0
    is_picture: bool = False
    failure: str = ""


def opened(data: bytes) -> PDFDocument:
    """Opens a PDF.

    Raises:
        ReadError: it is protected or damaged.
    """
    try:
        return PDFDocument(PDFParser(io.BytesIO(data)))
    except (PDFPasswordIncorrect, PDFEncryptionError, PDFTextExtractionNotAllowed) as exc:
        raise ReadError("The PDF is protected with a password.", "Save it without one.") from exc
    except MemoryError:
        raise
    except Exception as exc:  # pdfminer raises what the bytes happen to lead to
        raise ReadError(f"The PDF is damaged: {type(exc).__name__}.", "Open it in a reader and save it again.") from exc


def pages(document: PDFDocument, tick: Tick) -> Iterator[Page]:
    """Yields each page, also one that cannot be read: it does not take the others with it."""
    manager = PDFResourceManager()
    device = _Device(manager, laparams=LAParams(all_texts=True))
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
            yield Page(number, failure=type(exc).__name__)
            if page is None:  # it finds no other one behind it
                yield from (Page(n, failure=type(exc).__name__) for n in range(number + 1, min(total, _MAX_LOST) + 1))
                return
        tick(number, max(total, number))


def stated_title(document: PDFDocument) -> str:
    """Returns the title that a PDF says it has; "" for what programs write in its place."""
    for info in document.info:
        raw = info.get("Title", b"")
        title = _decoded(raw).strip() if isinstance(raw, bytes) else ""
        if len(title.split()) > 1 and not _NO_TITLE.match(title):
            return title
    return ""


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8-sig", "replace") if raw.startswith(codecs.BOM_UTF8) else decode_text(raw)


class _Device(PDFPageAggregator):
    def begin_page(self, page: PDFPage, ctm: Any) -> None:
        super().begin_page(page, ctm)
        assert isinstance(self.cur_item, LTPage)
        self.cur_item = _Layout(self.cur_item.pageid, self.cur_item.bbox)

    def paint_path(self, *args: Any) -> None:
        """Draws nothing: only text is read, and maps have a million lines."""

    def handle_undefined_char(self, font: Any, cid: int) -> str:
        return _UNKNOWN


class _Layout(LTPage):
    def group_textboxes(self, laparams: LAParams, boxes: Sequence[LTTextBox]) -> list[LTTextGroup]:
        if len(boxes) > _MAX_GROUPED:
            return [_Rows(boxes)]
        return super().group_textboxes(laparams, boxes)


class _Rows(LTTextGroup):
    def analyze(self, laparams: LAParams) -> None:
        super().analyze(laparams)
        rows: list[list[Any]] = []
        for box in sorted(self._objs, key=lambda box: -box.y1):
            if rows and rows[-1][0].y1 - box.y1 < _ONE_ROW * box.height:
                rows[-1].append(box)
            else:
                rows.append([box])
        self._objs = [box for row in rows for box in sorted(row, key=lambda box: box.x0)]


def _page(found: LTPage, number: int) -> Page:
    boxes = [lines for box in _boxes(found) if (lines := list(_lines(box)))]
    drawn = sum(one.width * one.height for one in found if isinstance(one, LTFigure | LTImage))
    letters = "".join(word for lines in boxes for line in lines for word in line.text.split())
    is_picture = not boxes and drawn > _DRAWN * found.width * found.height
    if letters.count(_UNKNOWN) > _MAX_UNKNOWN * len(letters):  # what is seen of it can be recognised, what it says cannot
        return Page(number, height=found.height, is_picture=True)
    return Page(number, boxes, found.height, is_picture)


def _boxes(container: Iterable[Any]) -> Iterator[LTTextBox]:
    """Yields the boxes of a page, also those in drawings that it only names: some programs write all text so."""
    for one in container:
        if isinstance(one, LTTextBox):
            yield one
        elif isinstance(one, LTFigure):
            yield from _boxes(one)


def _lines(box: LTTextBox) -> Iterator[Line]:
    for found in box:
        if isinstance(found, LTTextLine) and (words := list(_words(found))):
            size = round(median(word.size for word in words), 1)
            text = " ".join(word.text for word in words)
            yield Line(text, tuple(round(v, 1) for v in found.bbox), size, tuple(words))


def _words(line: Iterable[Any]) -> Iterator[Line]:
    letters: list[LTChar] = []
    for sign in [*line, None]:
        if isinstance(sign, LTChar) and not sign.get_text().isspace():
            letters.append(sign)
        elif letters:
            text = "".join(letter.get_text() for letter in letters).replace("\0", "").translate(_LIGATURES)
            if text.strip():
                box = around([letter.bbox for letter in letters])
                yield Line(text, tuple(round(v, 1) for v in box), round(median(letter.size for letter in letters), 1))
            letters = []


def _n_pages(document: PDFDocument) -> int:
    try:
        return int(resolve1(resolve1(document.catalog["Pages"])["Count"]))
    except Exception:  # the file may say anything
        return 0
