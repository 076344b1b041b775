"""Rows of cells to parts: each row carries its header, so that it can be read, found and quoted alone. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from rag.read.parts import Part

_NUMBER = re.compile(r"[\W\d]*\d[\W\d]*(?:[A-Za-z%]{1,3})?")
_YEAR = re.compile(r"(?:19|20)\d\d")
_MAX_SPAN = 1000  # rows or columns in all; HTML's own limit for one cell. Source: the HTML Standard, 4.9.11
_PROSE = 200  # characters of a cell from which on a table arranges paragraphs rather than data


def table_parts(rows: Sequence[Sequence[str]], *, is_headed: bool | None = None, is_data: bool = False) -> Iterator[Part]:
    """Yields a part for each row: "City: Arlen; Inhabitants: 4,100".

    Args:
        is_headed: True if the first row is the header; None if that must be told by what is in it.
        is_data: True where a table cannot be there to arrange a page.
    """
    rows = [[" ".join(cell.split()) for cell in row] for row in rows]
    rows = [row for row in rows if any(row)]
    if not rows:
        return
    arranges = max(map(len, rows)) == 1 or (not is_headed and any(len(cell) >= _PROSE for row in rows for cell in row))
    if arranges and not is_data:
        yield from (Part("paragraph", cell) for cell in dict.fromkeys(cell for row in rows for cell in row if cell))
        return
    headed = _seems_headed(rows) if is_headed is None else is_headed and len(rows) > 1
    header = rows[0] if headed else []
    if headed and not any(header[1:]):  # a line over all columns
        yield Part("heading", header[0])
        header, rows = (rows[1], rows[1:]) if len(rows) > 2 and _seems_headed(rows[1:]) else ([], rows)
    for row in rows[1 if headed else 0 :]:
        yield Part("row", _row(row, header))


def _row(row: Sequence[str], header: Sequence[str]) -> str:
    if not header:
        return f"{row[0].rstrip(':')}: {row[1]}" if len(row) == 2 and all(row) else "; ".join(cell for cell in row if cell)
    named = [(header[n] if n < len(header) else "", cell) for n, cell in enumerate(row) if cell]
    named = list(dict.fromkeys(named))  # a cell over several columns is told once
    return "; ".join(f"{name.rstrip(':')}: {cell}" if name and name != cell else cell for name, cell in named)


def _seems_headed(rows: Sequence[Sequence[str]]) -> bool:
    """True if the first row names what the others hold: no numbers in it, all cells different, and more rows follow."""
    first = [cell for cell in rows[0] if cell]
    if len(rows) < 2 or len(first) < max(1, len(rows[0]) - 1) or len(set(first)) < len(first):
        return False
    return all(len(cell) <= 60 and not (_NUMBER.fullmatch(cell) and not _is_year_of(rows, cell)) for cell in first)


def _is_year_of(rows: Sequence[Sequence[str]], cell: str) -> bool:
    """True for a year in the first row over a column of other things."""
    n = rows[0].index(cell)
    return bool(_YEAR.fullmatch(cell)) and not any(_YEAR.fullmatch(row[n]) for row in rows[1:] if n < len(row))


def spread(rows: Iterable[Iterable[tuple[str, int, int]]]) -> list[list[str]]:
    """Returns the rows of a table whose cells stand over several columns or rows, so that each column has one place.

    Args:
        rows: of cells with the numbers of columns and of rows that they cover. One over several rows is told in each.
    """
    table: list[list[str]] = []
    below: dict[int, tuple[str, int]] = {}  # what covers a column of the next row, and of how many more

    def covered(row: list[str]) -> None:
        while len(row) in below:
            text, n = below.pop(column := len(row))
            if n > 1:
                below[column] = text, n - 1
            row.append(text)

    for cells in rows:
        row: list[str] = []
        for text, across, down in cells:
            covered(row)
            across = max(1, min(across, _MAX_SPAN - len(row)))
            if down > 1:
                below |= {len(row) + n: ("" if n else text, min(down, _MAX_SPAN) - 1) for n in range(across)}
            row += [text, *("" for _ in range(across - 1))]
        covered(row)
        table.append(row)
    return table


def list_part(items: Sequence[str]) -> Part:
    """Returns a list, an item a line."""
    return Part("list", "\n".join(f"- {' '.join(item.split())}" for item in items if item.strip()))
