"""Files to documents: one canonical text each, with title, date and source, and what each part of it is.

A file is read in a process of its own (`workers`): on bytes that somebody else made, a parser may take any memory and
time, or crash. Nothing that a document refers to is ever fetched.
"""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterator
from pathlib import Path

from rag.errors import ReadError
from rag.read.article import blocks_of, document_id, is_layout, make_document, places_of, with_language
from rag.read.files import absolute, file_name, file_of, find_files, shown
from rag.read.formats import SUFFIXES, Unread, documents
from rag.read.parts import COUNTED, Tick
from rag.read.spans import canonical
from rag.types import Document

__all__ = [
    "COUNTED",
    "SUFFIXES",
    "Unread",
    "absolute",
    "blocks_of",
    "canonical",
    "document_id",
    "file_name",
    "file_of",
    "find_files",
    "is_layout",
    "make_document",
    "places_of",
    "read",
    "read_parts",
    "shown",
    "with_language",
]


def read(path: Path, *, max_bytes: int) -> Iterator[Document | Unread]:
    """Yields the documents of one file, and what of it cannot be read; in this process, without a limit of time.

    Raises:
        ReadError: nothing of the file can be read; the message says why.
    """
    for found in read_parts(path, max_bytes=max_bytes):
        yield with_language(found) if isinstance(found, Document) else found


def read_parts(path: Path, *, max_bytes: int, tick: Tick = lambda done, total: None) -> Iterator[Document | Unread]:
    """Does what `read` does, but tells no languages.

    Args:
        path: an absolute path.
        max_bytes: a larger file is refused before it is read.

    Raises:
        ReadError: nothing of the file can be read; the message says why.
    """
    if path.suffix.lower() not in SUFFIXES and path.exists():
        formats = f"Save it as one of {', '.join(sorted(SUFFIXES))}."
        raise ReadError(f"{shown(path.suffix) or 'A file without a suffix'} is not a format that is read.", formats)
    if shown(path) != str(path):
        raise ReadError("The file's name is not UTF-8.", "Rename it.")
    yield from documents(_bytes(path, max_bytes), str(path), max_bytes, tick)


def _bytes(path: Path, max_bytes: int) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ReadError("It is not a file.", "Name a file.")
        if status.st_size > max_bytes:
            raise ReadError(
                f"The file is too large: {status.st_size / 1e6:.0f} MB, at most {max_bytes / 1e6:.0f} MB.",
                "Split it, or raise max_file_mb.",
            )
        data, after = path.read_bytes(), path.stat()
        if (after.st_size, after.st_mtime_ns) != (status.st_size, status.st_mtime_ns):
            raise ReadError("The file was changed while it was read.", "Add it again once it is written.")
    except FileNotFoundError as exc:
        raise ReadError("The file is not there.", "Check the path, or where a link leads.") from exc
    except OSError as exc:
        hint = "Check where the link leads." if exc.errno == errno.ELOOP else "Check its permissions."
        raise ReadError(f"The file cannot be opened: {exc.strerror or exc}.", hint) from exc
    return data
