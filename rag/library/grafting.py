"""Another first page for a library whose own is damaged.

The first page of a SQLite file says where each table begins. Without it nothing can be found, however whole the rest is. In
all libraries that this version of the program made the tables begin at the same places, and in all that were made from a
backup at certain others; so the first page of an empty library serves, if a table or index begins wherever it says so. What
is read with it still has to hold against its checksums.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rag.library.schema import migrate

_PAGE = 4096  # bytes; SQLite's default since 2016, with which libraries are made
_LEAF = 8  # the bit of a page's first byte that tells a leaf from an inner page
_N_PAGES, _FREE, _CHANGES, _VALID_FOR = 28, 32, 24, 92  # where in a header these numbers are, four bytes each


def grafted(path: Path, copy: Path) -> Iterator[Path]:
    """Yields a copy of a library's file, with each first page that fits it; none does if the file is of an older schema."""
    log = path.with_name(path.name + "-wal")
    for page, roots in _first_pages():
        if not _fits(path, roots):
            continue
        shutil.copyfile(path, copy)
        if log.exists():
            shutil.copyfile(log, copy.with_name(copy.name + "-wal"))
        with open(copy, "rb+") as file:
            file.write(_of_size(page, path.stat().st_size // _PAGE))
        yield copy


def _first_pages() -> Iterator[tuple[bytes, dict[int, int]]]:
    """Yields the first page of an empty library as it is made, and as it is in a backup.

    With each comes where its tables and indexes begin: the kind of page, by its number.
    """
    with tempfile.TemporaryDirectory() as folder:
        made, packed = Path(folder) / "made", Path(folder) / "packed"
        with contextlib.closing(sqlite3.connect(made, isolation_level=None)) as connection:
            migrate(connection)
            connection.execute("VACUUM INTO ?", (str(packed),))
        for file in (made, packed):
            content = file.read_bytes()
            with contextlib.closing(sqlite3.connect(file)) as connection:
                roots = connection.execute("SELECT rootpage FROM sqlite_master WHERE rootpage > 0").fetchall()
            yield content[:_PAGE], {root: _kind(content[(root - 1) * _PAGE]) for (root,) in roots}


def _fits(path: Path, roots: dict[int, int]) -> bool:
    with open(path, "rb") as file:
        for root, kind in roots.items():
            file.seek((root - 1) * _PAGE)
            if _kind(int.from_bytes(file.read(1), "big")) != kind:
                return False
    return True


def _kind(first: int) -> int:
    """Returns the same number for inner pages and leaves of tables, and another one for those of indexes."""
    return first & ~_LEAF


def _of_size(page: bytes, n_pages: int) -> bytes:
    """Returns a first page for a file of so many pages, none of them free."""
    header = bytearray(page)
    header[_N_PAGES : _N_PAGES + 4] = n_pages.to_bytes(4, "big")
    header[_FREE : _FREE + 8] = bytes(8)
    header[_VALID_FOR : _VALID_FOR + 4] = header[_CHANGES : _CHANGES + 4]  # else SQLite does not believe the size
    return bytes(header)
