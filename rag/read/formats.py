"""Bytes to documents, by their format; a file may hold several documents, and each of these may fail by itself."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath

from rag.errors import ReadError
from rag.read.archive import Budget, members, opened, taken
from rag.read.article import build, plain_document
from rag.read.docx import read_docx
from rag.read.encoding import decode
from rag.read.epub import read_epub
from rag.read.html import read_html
from rag.read.mail import Mail, attachments, parse_mail, read_mail
from rag.read.parts import Article, Tick
from rag.read.pdf import read_pdf
from rag.read.spans import canonical
from rag.read.tabular import read_csv, read_jsonl
from rag.types import Document

TEXTS = frozenset({".txt", ".text", ".md", ".markdown"})
PAGES = frozenset({".html", ".htm", ".xhtml"})
TABLES = frozenset({".csv", ".tsv"})
LINES = frozenset({".jsonl", ".ndjson"})
SUFFIXES = TEXTS | PAGES | TABLES | LINES | {".pdf", ".docx", ".epub", ".eml", ".zip"}

_MAX_NAME = 200  # bytes of a path within a file
_MAX_DEPTH = 3  # of archives in archives, and of files attached to mails
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAGIC = ((b"%PDF-", ".pdf"), (b"PK\x03\x04", ".zip"), (_OLE, ".doc"), (b"{\\rtf", ".rtf"))
_PAGE_HEAD = (b"<!doctype html", b"<html")


@dataclass(frozen=True, slots=True)
class Unread:
    """What was not read, and why; `is_other` if it is only of a format that is not read, within an archive."""

    source: str
    reason: str
    is_other: bool = False


def documents(
    data: bytes,
    source: str,
    max_bytes: int,
    tick: Tick = lambda done, total: None,
    *,
    depth: int = 0,
    budget: Budget | None = None,
) -> Iterator[Document | Unread]:
    """Yields the documents of a file, without their languages; an archive is as a folder in the sources of what is in it.

    Args:
        depth: archives and mails that the file stands in.
        budget: what may still be taken out of the outermost one.

    Raises:
        ReadError: nothing of the file can be read.
    """
    suffix = _format(data, PurePath(source).suffix.lower())
    budget = budget or Budget(max_bytes)
    if suffix == ".zip":
        yield from _members(data, source, max_bytes, tick, depth, budget)
    elif suffix in TEXTS:
        yield plain_document(decode(data), source)
    elif suffix == ".eml":
        mail = parse_mail(data)
        attached = _attached(mail, source, max_bytes, depth, budget)
        try:
            yield from _built(read_mail(mail), source)
        except ReadError:  # a mail may only carry files
            first = next(attached, None)
            if first is None:
                raise
            yield first
        yield from attached
    else:
        yield from _built(_articles(data, suffix, max_bytes, tick), source)


class _Places:
    """Gives what is in a file a path below it that no other has, and that can be stored."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._times: Counter[str] = Counter()
        self._taken: set[str] = set()

    def place(self, name: str) -> str:
        """Returns a path; that of the file for no name."""
        if not name:
            return self._source
        name = " ".join(canonical(name).split()).encode()[-_MAX_NAME:].decode("utf-8", "ignore").strip("/") or "file"
        place = name
        while place in self._taken:  # the suffix stays: by it the reader is chosen
            self._times[name] += 1
            place = str(PurePath(name).with_stem(f"{PurePath(name).stem} ({self._times[name] + 1})"))
        self._taken.add(place)
        return f"{self._source}/{place}"


def _format(data: bytes, suffix: str) -> str:
    """Returns the suffix of what a file really is.

    Raises:
        ReadError: it is not what it is called, and nothing that is read.
    """
    found = next((name for magic, name in _MAGIC if data.startswith(magic)), "")
    if found == ".zip":
        found = _packed(data) or found
    if found in (".doc", ".rtf"):
        raise ReadError(*_unread_office(data, found))
    if not found and suffix in (".pdf", ".docx", ".epub", ".zip"):
        at = data[:1024].find(b"%PDF-")
        if suffix == ".pdf" and at >= 0:  # something stands before it, which readers pass over
            return ".pdf"
        if not data.strip(b"\0 \t\r\n"):
            raise ReadError("The file is empty.", "Nothing was added.")
        raise ReadError(f"The file is not what its name says: no {suffix[1:].upper()}.", "Check where it comes from.")
    if not found and suffix in (".txt", ".text") and data[:512].lstrip().lower().startswith(_PAGE_HEAD):
        return ".html"
    return found or suffix


def _packed(data: bytes) -> str:
    """Returns what a ZIP is, if it is the shell of another format."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError):
        return ".docx" if b"word/" in data[:4096] else ""
    if "word/document.xml" in names:
        return ".docx"
    if "META-INF/container.xml" in names:
        return ".epub"
    for name, kind in (("xl/workbook.xml", "spreadsheet"), ("ppt/presentation.xml", "presentation")):
        if name in names:
            raise ReadError(f"The file is a {kind}, which is not read yet.", "Save it as PDF or CSV.")
    return ""


def _unread_office(data: bytes, found: str) -> tuple[str, str]:
    if found == ".rtf":
        return "The file is RTF, which is not read yet.", "Save it as DOCX."
    if "EncryptedPackage".encode("utf-16-le") in data:
        return "The file is protected with a password.", "Save it without one."
    return "The file is of an old office program (DOC, XLS, PPT), which is not read.", "Save it as DOCX or PDF."


def _built(articles: Iterator[Article | ReadError], source: str) -> Iterator[Document | Unread]:
    places = _Places(source)
    for article in articles:
        if isinstance(article, ReadError):
            yield Unread(source, str(article))
            continue
        place = places.place(article.name)
        try:
            yield build(article, place)
        except ReadError as exc:
            if not article.name:
                raise
            yield Unread(place, str(exc))


def _articles(data: bytes, suffix: str, max_bytes: int, tick: Tick) -> Iterator[Article | ReadError]:
    match suffix:
        case ".pdf":
            return read_pdf(data, tick)
        case ".docx":
            return _unpacked(data, max_bytes, read_docx)
        case ".epub":
            return read_epub(data, max_bytes)
        case ".csv" | ".tsv":
            return read_csv(data, tick)
        case ".jsonl" | ".ndjson":
            return read_jsonl(data, tick)
    return read_html(data)


def _unpacked(data: bytes, max_bytes: int, read: Callable[[bytes], Iterator[Article]]) -> Iterator[Article]:
    with opened(data, max_bytes):  # which refuses what would grow beyond reason
        pass
    return read(data)


def _members(
    data: bytes, source: str, max_bytes: int, tick: Tick, depth: int, budget: Budget
) -> Iterator[Document | Unread]:
    if depth >= _MAX_DEPTH:
        raise ReadError(f"It stands in {depth} archives.", "Unpack them, and add the folder.")
    places = _Places(source)
    with opened(data, max_bytes) as archive:
        listed = list(members(archive))
        for n, (member, name, reason) in enumerate(listed, 1):
            place = places.place(name)
            if PurePath(name).suffix.lower() not in SUFFIXES:
                yield Unread(place, reason, is_other=True)
            elif reason:
                yield Unread(place, reason)
            else:
                yield from _each(partial(taken, archive, member, max_bytes, budget), place, max_bytes, depth + 1, budget)
            tick(n, len(listed))
        if not listed:
            raise ReadError("The archive is empty.", "Nothing was added.")


def _attached(mail: Mail, source: str, max_bytes: int, depth: int, budget: Budget) -> Iterator[Document | Unread]:
    places = _Places(source)
    for name, content in attachments(mail):
        place = places.place(name.replace("/", "_").replace("\\", "_").strip(". ") or "attachment")
        if PurePath(name).suffix.lower() not in SUFFIXES:
            yield Unread(place, "", is_other=True)
        elif depth >= _MAX_DEPTH:
            yield Unread(place, f"It stands in {depth} archives and mails. Save it as a file.")
        else:
            yield from _each(partial(bytes, content), place, max_bytes, depth + 1, budget)


def _each(data: Callable[[], bytes], place: str, max_bytes: int, depth: int, budget: Budget) -> Iterator[Document | Unread]:
    """Yields the documents of a member; what is wrong with it does not touch the others."""
    try:
        yield from documents(data(), place, max_bytes, depth=depth, budget=budget)
    except ReadError as exc:
        yield Unread(place, str(exc))
    except MemoryError:
        raise
    except Exception as exc:  # of a library, for bytes that it does not expect
        yield Unread(place, unforeseen(exc))


def unforeseen(exc: BaseException) -> str:
    """Returns what is said of a file at which a library broke."""
    return f"The file cannot be read: {type(exc).__name__}. Save it in another format."
