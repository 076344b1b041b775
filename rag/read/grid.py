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

_CELL_WORDS = 8  # of a line that may be in a cell
_MEAN_WORDS = 3.5  # of the cells of a table; lines of narrow columns of prose have more
_GAP, _WIDER = 0.5, 1.8  # times the size of a letter, and the gaps of its line, that one between two cells has at least
_SMALL = 0.35  # likewise, of a gap between words that stand in two columns
_MIN_ROWS = 3
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
        if last and abs(_middle(last[0]) - _middle(line)) < 0.4 * _height(line) and not any(_meet(line, o) for o in last):
            last.append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda line: line.box[0]) for row in rows]


def _goes_on(run: Sequence[Sequence[_Cell]], row: Sequence[_Cell], prose: Sequence[_Cell]) -> bool:
    """True if a row belongs to the table above it: near, under its columns, and with no prose between them."""
    above, top = run[-1], max(line.box[3] for line in row)
    gap = min(line.box[1] for line in above) - top
    if gap > _NEXT * _height(row[0]) or not any(_meet(line, other) for line in row for other in above):
        return False
    if len(row) == 1 and gap > 0.5 * _height(row[0]):  # the rest of a cell stands close to it
        return False
    bottom = min(line.box[1] for line in above)
    return not any(top <= _middle(line) <= bottom and any(_meet(line, cell) for cell in row) for line in prose)


def _grid(run: Sequence[Sequence[_Cell]]) -> Iterator[Grid]:
    while run and len(run[0]) == 1:  # what stands over a table is no row of it
        run = run[1:]
    full = [row for row in run if len(row) > 1]
    cells = [cell for row in full for cell in row]
    if len(full) < _MIN_ROWS or mean(len(cell.words) for cell in cells) > _MEAN_WORDS:
        return
    columns = [(cell.box[0], cell.box[2]) for cell in max(full, key=len)]
    lines = tuple({id(cell.line): cell.line for row in run for cell in row}.values())
    is_whole = sum(len(line.words) for line in lines) == sum(len(cell.words) for row in run for cell in row)
    if not is_whole or _share_aligned(cells, columns) < _ALIGNED:
        return
    texts: list[list[str]] = []
    boxes: list[list[Box]] = []
    for row in run:
        if len(row) > 1:
            texts.append([""] * len(columns))
            boxes.append([])
        for cell in row:
            for text, n in _placed(cell, columns):
                texts[-1][n] = f"{texts[-1][n]} {text}".strip()
            boxes[-1].append(cell.box)
    yield Grid(tuple(map(tuple, texts)), tuple(around(row) for row in boxes), lines)


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
