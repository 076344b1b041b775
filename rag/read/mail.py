"""Mails (EML) to articles: subject, day and text; what is attached is read as files of their own."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from email.message import EmailMessage, Message
from email.utils import parsedate_to_datetime
from typing import Any

from rag.errors import ReadError
from rag.read.article import Article, Part, iso_day
from rag.read.encoding import decode
from rag.read.html import page_parts

_HEADER = re.compile(rb"^[\x21-\x39\x3b-\x7e]+:", re.MULTILINE)
_SIGNATURE = re.compile(r"^-- ?$", re.MULTILINE)


def read_mail(mail: EmailMessage) -> Iterator[Article]:
    """Yields the article of a mail."""
    yield Article([*_head(mail), *_body(mail)], title=_header(mail, "subject"), date=_day(mail))


def parse_mail(data: bytes) -> EmailMessage:
    """Returns a mail.

    Raises:
        ReadError: it has no headers.
    """
    if not _HEADER.match(data.lstrip()):
        raise ReadError("The file is not a mail: it begins without a header.", "Save it as EML.")
    found: Message = email.message_from_bytes(data.lstrip(), policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def attachments(mail: EmailMessage) -> Iterator[tuple[str, bytes]]:
    """Yields name and bytes of each file that is attached to a mail; a mail that is, as one."""
    for part in _walked(mail):
        name = _header(part, "filename")
        if part.get_content_type() == "message/rfc822":
            inner = part.get_payload(0) if part.is_multipart() else None
            if isinstance(inner, Message):
                yield f"{name.removesuffix('.eml') or _header(inner, 'subject') or 'mail'}.eml", inner.as_bytes()
        elif name:
            yield name, _bytes(part)


def _walked(part: Any) -> Iterator[Any]:
    """Yields the parts of a mail, without those of mails that are attached to it."""
    yield part
    if part.is_multipart() and part.get_content_type() != "message/rfc822":
        for inner in part.get_payload():
            yield from _walked(inner)


def _head(mail: EmailMessage) -> Iterator[Part]:
    for name in ("From", "To"):
        if value := _header(mail, name):
            yield Part("furniture", f"{name}: {value}")


def _header(part: Any, name: str) -> str:
    """Returns a header, or the name of a file; "" for one that cannot be read: Python's parser raises whatever happens."""
    try:
        return " ".join(str((part.get_filename() if name == "filename" else part[name]) or "").split())
    except Exception:
        return ""


def _day(mail: EmailMessage) -> str:
    value = _header(mail, "date")
    try:
        return parsedate_to_datetime(value).date().isoformat()
    except (ValueError, TypeError, IndexError):
        return iso_day(value)


def _body(mail: EmailMessage) -> Iterator[Part]:
    texts = [
        part for part in _walked(mail) if part.get_content_type() in ("text/plain", "text/html") and not _is_attached(part)
    ]
    plain = [part for part in texts if part.get_content_type() == "text/plain"]
    if said := [text for part in plain if (text := _text(part)).strip()]:
        yield from (part for text in said for part in _paragraphs(text))
    else:
        yield from (part for one in texts if one not in plain for part in page_parts(_text(one)))


def _is_attached(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or bool(_header(part, "filename"))


def _bytes(part: Message) -> bytes:
    found = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""


def _text(part: Message) -> str:
    data, charset = _bytes(part), part.get_content_charset() or "utf-8"
    try:
        return data.decode(charset)
    except (UnicodeError, LookupError):
        return decode(data, is_markup=part.get_content_type() == "text/html")


def _paragraphs(text: str) -> Iterator[Part]:
    """Yields the paragraphs of a plain mail: lines that were quoted are quotations, the signature is no part of it."""
    signature = _SIGNATURE.search(text := text.replace("\r\n", "\n"))
    said = text[: signature.start()] if signature else text
    for block in re.split(r"\n\s*\n", said):
        lines = [line.strip() for line in block.split("\n") if line.strip()]
        quoted = bool(lines) and all(line.startswith(">") for line in lines)
        lines = [line.lstrip("> ") for line in lines] if quoted else lines
        wrapped = len(lines) > 1 and all(len(line) >= 45 for line in lines[:-1])
        yield Part("quotation" if quoted else "paragraph", (" " if wrapped else "\n").join(lines))
    if signature:
        yield Part("furniture", text[signature.end() :].strip())
