"""Bytes to text, in any encoding."""

from __future__ import annotations

import re

from rag.errors import ReadError

_BOMS: tuple[tuple[bytes, str], ...] = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_DECLARED = re.compile(
    rb"""(?:<\?xml[^>]{0,200}?encoding|<meta[^>]{0,200}?charset)\s*=\s*["']?\s*([A-Za-z0-9_:.-]{1,40})""", re.IGNORECASE
)
_PER_BAD = 3  # letters beyond ASCII that are right for each that is wrong
_FEW = 6  # bytes beyond ASCII
_HEAD = 4096  # bytes in which a page says its encoding; browsers read 1,024
_SAME = {"shift_jis": "cp932", "x-sjis": "cp932", "euc-kr": "cp949", "gb2312": "gb18030", "iso-8859-1": "cp1252"}
"""What browsers read in place of an encoding: one that has more. Source: the Encoding Standard of WHATWG, section 4.2."""


def decode(data: bytes, *, is_markup: bool = False) -> str:
    """Decodes text: by its byte order mark, as UTF-8, by what a page says of itself, or by what it most likely is.

    Args:
        is_markup: True if it is HTML or XML, which may say its encoding.

    Raises:
        ReadError: the bytes are not text.
    """
    for mark, name in _BOMS:
        if data.startswith(mark):
            return _decoded(data, name)
    if b"\0" not in data:
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            pass
    if is_markup and (declared := _DECLARED.search(data[:_HEAD])):
        name = declared[1].decode().lower()
        try:
            return data.decode(_SAME.get(name, name))
        except (UnicodeError, LookupError):  # pages say what their server's settings say
            pass
    return _decoded(data, "utf-8" if _is_nearly_utf_8(data) else _likely(data))


def _is_nearly_utf_8(data: bytes) -> bool:
    """True for UTF-8 with few bad bytes, of which a guess at another encoding would make something that nobody wrote."""
    text = data.decode("utf-8", "replace")
    n_bad = text.count("\ufffd")
    return n_bad > 0 and sum(char > "\x7f" for char in text) - n_bad >= _PER_BAD * n_bad


def _likely(data: bytes) -> str:
    import chardet

    found = chardet.detect(data)["encoding"]
    if found is None:
        raise ReadError("The file is not text.", "Save it in a format that is read, or as UTF-8 text.")
    n_odd = sum(byte > 0x7F for byte in data)
    if n_odd < _FEW and n_odd < len(data) / 5 and not found.lower().startswith("utf"):
        return "cp1252"  # a word or two with an accent: too little to tell another one by
    return _SAME.get(found.lower(), found)


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode(name)
    except UnicodeDecodeError as exc:
        if exc.reason == "unexpected end of data":  # a file that was cut short: all but its last character can be read
            return data[: exc.start].decode(name)
        raise ReadError(
            f"The file seems to be {name.upper()} text, but byte 0x{data[exc.start]:02x} at offset {exc.start} is not.",
            "Save it as UTF-8.",
        ) from exc
