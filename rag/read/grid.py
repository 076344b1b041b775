"""Tables on the page of a PDF, which only says where its words stand: a few words each, in rows and columns. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import mean, median
from typing import TYPE_CHECKING

from rag.types import Box

if TYPE_CHECKING:
    from rag.read.pages import Line

_CELL_WORDS = 12  # of a line that may be in a cell
_MEAN_WORDS, _MEAN_WORDS_ALONE = 3.5, 2.2  # of the cells of a table, and of one without a number; of columns of prose more
_GAP, _WIDER = 0.5, 1.8  # times the size of a letter, and the gaps of its line, that one between two cells has at least
_SMALL = 0.35  # likewise, of a gap between words that stand in two columns
_MIN_ROWS = 3
_FULL = 0.6  # of the rows of a table that have several cells: the head of a letter has fewer
_SHARED, _HIGHER = 0.5, 2  # of the height of the lower of two lines side by side, and times it
_WRAPPED = 0.85  # times the usual way from a row to the next one, that the rest of a cell stands below it at most
_MAX_REST = 2  # lines in a row that are the rest of a cell; an address has more
_ALIGNED = 0.6  # of the cells of a table; of words that a program spread over a line fewer are
_OFF = 1  # point between two sides that are one
_NEXT = 2.5  # times the height of a row, by which the next one is lower at most


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: the texts of its cells, a row each, with the box of each row; and the lines of the page that are in it."""

    rows: tuple[tuple[str, ...], ...]
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class _Cell:
    """Words of a line without a wide gap between."""

    words: tuple[Line, ...]
    line: Line
    box: Box

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


def grids(lines: Sequence[Line]) -> Iterator[Grid]:
    """Yields the tables among the lines of a page, from top to bottom."""
    cells = [cell for line in lines for cell in _cells(line)]
    prose = [cell for cell in cells if len(cell.words) > _CELL_WORDS]
    run: list[list[_Cell]] = []
    for row in _rows([cell for cell in cells if len(cell.words) <= _CELL_WORDS]):
        if run and not _goes_on(run, row, prose):
            yield from _grid(run)
            run = []
        run.append(row)
    yield from _grid(run)


def _cells(line: Line) -> Iterator[_Cell]:
    gaps = [after.box[0] - before.box[2] for before, after in pairwise(line.words)]
    wide = max(_GAP * line.size, _WIDER * median(gaps) if len(gaps) > 2 else 0)  # in lines that fill a column all are wide
    ends = [n for n, gap in enumerate(gaps, 1) if gap > wide]
    for start, end in pairwise([0, *ends, len(line.words)]):
        words = line.words[start:end]
        yield _Cell(words, line, around([word.box for word in words]) if ends else line.box)


def around(boxes: Sequence[Box]) -> Box:
    """Returns the box around some boxes."""
    return min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)


def _rows(lines: Sequence[_Cell]) -> list[list[_Cell]]:
    """Returns lines that stand side by side, from top to bottom, each row from left to right."""
    rows: list[list[_Cell]] = []
    for line in sorted(lines, key=lambda line: -_middle(line)):
        last = rows[-1] if rows else []
        if last and _beside(last[0], line) and not any(_meet(line, other) for other in last):
            last.append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda line: line.box[0]) for row in rows]


def _beside(one: _Cell, other: _Cell) -> bool:
    """True if two lines share most of the height of the lower one: also a small number above the line, but no headline."""
    shared = min(one.box[3], other.box[3]) - max(one.box[1], other.box[1])
    low, high = sorted((_height(one), _height(other)))
    return shared > _SHARED * low and high < _HIGHER * low


def _goes_on(run: Sequence[Sequence[_Cell]], row: Sequence[_Cell], prose: Sequence[_Cell]) -> bool:
    """True if a row belongs to the table above it: near, under its columns, and with no prose between them."""
    above, top = run[-1], max(line.box[3] for line in row)
    gap = min(line.box[1] for line in above) - top
    if gap > _NEXT * _height(row[0]) or not any(_meet(line, other) for line in row for other in above):
        return False
    bottom = min(line.box[1] for line in above)
    return not any(top <= _middle(line) <= bottom and any(_meet(line, cell) for cell in row) for line in prose)


def _grid(run: Sequence[Sequence[_Cell]]) -> Iterator[Grid]:
    full = [n for n, row in enumerate(run) if len(row) > 1]
    run = run[full[0] : full[-1] + 1] if full else []  # what stands over or under a table is no row of it
    cells = [cell for row in run if len(row) > 1 for cell in row]
    if len(full) < max(_MIN_ROWS, _FULL * len(run)) or not _are_short([cell for row in run[1:] for cell in row]):
        return
    columns = [(cell.box[0], cell.box[2]) for cell in max(run, key=len)]
    lines = tuple({id(cell.line): cell.line for row in run for cell in row}.values())
    is_whole = sum(len(line.words) for line in lines) == sum(len(cell.words) for row in run for cell in row)
    if not is_whole or _share_aligned(cells, columns) < _ALIGNED:
        return
    close = _WRAPPED * median(_lead(above, row) for above, row in pairwise(run))
    texts: list[list[str]] = []
    boxes: list[list[Box]] = []
    n_rest = 0
    for above, row in zip([None, *run], run, strict=False):
        is_rest = bool(above) and len(row) == 1 and _lead(above or row, row) < close and n_rest < _MAX_REST
        n_rest = n_rest + 1 if is_rest else 0
        if not is_rest:
            texts.append([""] * len(columns))
            boxes.append([])
        for cell in row:
            for text, n in _placed(cell, columns):
                texts[-1][n] = f"{texts[-1][n]} {text}".strip()
            boxes[-1].append(cell.box)
    yield Grid(tuple(map(tuple, texts)), tuple(around(row) for row in boxes), lines)


def _lead(above: Sequence[_Cell], row: Sequence[_Cell]) -> float:
    return min(map(_middle, above)) - max(map(_middle, row))


def _are_short(cells: Sequence[_Cell]) -> bool:
    """True if cells are of a table: of few words, of fewer if none is a number; no letters one by one, and no bullets."""
    words, has_numbers = mean(len(cell.words) for cell in cells), any(any(map(str.isdigit, cell.text)) for cell in cells)
    letters = mean(len(cell.text) == 1 and cell.text.isalpha() for cell in cells)
    bullets = any(cell.text[0] in "•‣◦●○▪■□" for cell in cells)
    return words <= (_MEAN_WORDS if has_numbers else _MEAN_WORDS_ALONE) and letters < 0.5 and not bullets


def _placed(cell: _Cell, columns: Sequence[tuple[float, float]]) -> Iterator[tuple[str, int]]:
    """Yields the text of a cell with its column; of one that holds several, as their gaps are small, each with its own."""
    ends = [
        n
        for n, (before, after) in enumerate(pairwise(cell.words), 1)
        if after.box[0] - before.box[2] > _SMALL * after.size and _column(before, columns) != _column(after, columns)
    ]
    for start, end in pairwise([0, *ends, len(cell.words)]):
        words = cell.words[start:end]
        part = replace(cell, words=words, box=around([word.box for word in words]))
        yield part.text, _column(part, columns)


def _column(cell: Line | _Cell, columns: Sequence[tuple[float, float]]) -> int:
    """Returns the column that a cell has most of, or is nearest to."""
    return max(range(len(columns)), key=lambda n: _shared(columns[n], (cell.box[0], cell.box[2])))


def _share_aligned(cells: Sequence[_Cell], columns: Sequence[tuple[float, float]]) -> float:
    """Returns the share of cells whose left side, right side or middle is where that of another one of their column is."""
    places = [[(_column(cell, columns), k, round(side / _OFF)) for k, side in enumerate(_sides(cell))] for cell in cells]
    counts = Counter(place for sides in places for place in sides)
    near = [any(sum(counts[n, k, at + off] for off in (-1, 0, 1)) > 1 for n, k, at in sides) for sides in places]
    return mean(near)


def _sides(line: Line | _Cell) -> tuple[float, float, float]:
    return line.box[0], line.box[2], (line.box[0] + line.box[2]) / 2


def _shared(one: tuple[float, float], other: tuple[float, float]) -> float:
    return min(one[1], other[1]) - max(one[0], other[0])


def _meet(one: _Cell, other: _Cell) -> bool:
    return _shared((one.box[0], one.box[2]), (other.box[0], other.box[2])) > 0


def _middle(line: Line | _Cell) -> float:
    return (line.box[1] + line.box[3]) / 2


def _height(line: Line | _Cell) -> float:
    return line.box[3] - line.box[1]
