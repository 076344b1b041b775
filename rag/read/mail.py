"""Mails (EML) to articles: subject, day and text; what is attached is read as files of their own."""

from __future__ import annotations

import codecs
import email
import email.policy
import mimetypes
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from itertools import groupby
from typing import Any

from rag.errors import ReadError
from rag.read.article import iso_day
from rag.read.encoding import decode
from rag.read.html import page_parts
from rag.read.parts import Article, Part

_FEW = 40  # words of a text that may only say that there is more in the HTML
_HEADER = re.compile(rb"^[\x21-\x39\x3b-\x7e]+:", re.MULTILINE)
_SIGNATURE = re.compile(r"^-- ?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a mail that has no parts itself, or is a mail."""

    message: Message
    kind: str  # "text/html"
    name: str  # of a file; "" if it is none
    is_attached: bool


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail, whose headers were read once: Python's parser takes them apart anew whenever they are asked for."""

    message: Message
    pieces: tuple[_Piece, ...]


def parse_mail(data: bytes) -> Mail:
    """Returns a mail.

    Raises:
        ReadError: it has no headers.
    """
    data = data.removeprefix(codecs.BOM_UTF8).lstrip()
    if not _HEADER.match(data):
        raise ReadError("The file is not a mail: it begins without a header.", "Save it as EML.")
    message: Message = email.message_from_bytes(data, policy=email.policy.default)
    return Mail(message, tuple(_pieces(message)))


def _pieces(part: Message) -> Iterator[_Piece]:
    kind = part.get_content_type()
    if part.is_multipart() and kind != "message/rfc822":
        inner = [piece for one in part.get_payload() if isinstance(one, Message) for piece in _pieces(one)]
        unwanted = _unwanted(inner) if kind == "multipart/alternative" else ""
        yield from (piece for piece in inner if piece.is_attached or piece.kind != unwanted)
        return
    name = _header(part, "filename")
    yield _Piece(part, kind, name, bool(name) or part.get_content_disposition() == "attachment")


def _unwanted(pieces: Sequence[_Piece]) -> str:
    """Returns which kind of text is left out of a mail that says the same as text and as HTML."""
    n_words = sum(len(_text(piece).split()) for piece in pieces if piece.kind == "text/plain" and not piece.is_attached)
    if n_words >= _FEW:
        return "text/html"
    pages = [part for piece in pieces if piece.kind == "text/html" for part in page_parts(_text(piece))]
    return "text/plain" if sum(len(part.text.split()) for part in pages) > 2 * n_words else "text/html"


def read_mail(mail: Mail) -> Iterator[Article]:
    """Yields the article of a mail."""
    message = mail.message
    yield Article([*_head(message), *_body(mail)], title=_header(message, "subject"), date=_day(message))


def attachments(mail: Mail) -> Iterator[tuple[str, bytes]]:
    """Yields name and bytes of each file that is attached to a mail; a mail that is, as one."""
    for piece in mail.pieces:
        if piece.kind == "message/rfc822":
            inner = piece.message.get_payload(0) if piece.message.is_multipart() else None
            if isinstance(inner, Message):
                yield f"{piece.name.removesuffix('.eml') or _header(inner, 'subject') or 'mail'}.eml", inner.as_bytes()
        elif piece.is_attached:
            yield piece.name or f"attachment{mimetypes.guess_extension(piece.kind) or ''}", _bytes(piece.message)


def _head(message: Message) -> Iterator[Part]:
    for name in ("From", "To"):
        if value := _header(message, name):
            yield Part("furniture", f"{name}: {value}")


def _header(part: Any, name: str) -> str:
    """Returns a header, or the name of a file; "" for one that cannot be read: Python's parser raises whatever happens."""
    try:
        return " ".join(str((part.get_filename() if name == "filename" else part[name]) or "").split())
    except Exception:
        return ""


def _day(message: Message) -> str:
    value = _header(message, "date")
    try:
        return parsedate_to_datetime(value).date().isoformat()
    except (ValueError, TypeError, IndexError):
        return iso_day(value)


def _body(mail: Mail) -> Iterator[Part]:
    for piece in mail.pieces:
        if piece.kind == "text/plain" and not piece.is_attached:
            yield from _paragraphs(_text(piece))
        elif piece.kind == "text/html" and not piece.is_attached:
            yield from page_parts(_text(piece))


def _bytes(part: Message) -> bytes:
    found = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""


def _text(piece: _Piece) -> str:
    data, charset = _bytes(piece.message), piece.message.get_content_charset() or "utf-8"
    try:
        return data.decode(charset)
    except (UnicodeError, LookupError):
        return decode(data, is_markup=piece.kind == "text/html")


def _paragraphs(text: str) -> Iterator[Part]:
    """Yields the paragraphs of a plain mail: lines that were quoted are quotations, the signature is no part of it."""
    signature = _SIGNATURE.search(text := text.replace("\r\n", "\n"))
    said = text[: signature.start()] if signature else text
    for quoted, block in groupby(
        (line.strip() for line in said.split("\n")), key=lambda line: line.startswith(">") if line.strip("> ") else None
    ):
        if quoted is None:
            continue
        lines = [line.lstrip("> ") if quoted else line for line in block]
        wrapped = len(lines) > 1 and all(len(line) >= 45 for line in lines[:-1])
        yield Part("quotation" if quoted else "paragraph", (" " if wrapped else "\n").join(lines))
    if signature:
        yield Part("furniture", text[signature.end() :].strip())
