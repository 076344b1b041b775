"""What the links of the page refer to. A reference travels through the browser, so it is checked when it comes back."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass

from rag.types import Citation, Hit

_MAX_CHARS = 2000
_ACT = re.compile(r"#do-([a-z]{1,20})(?:-([\w-]{1,200}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Ref:
    """What a link of this page opens: a version of a document, a paragraph (0: the top), and the span to mark.

    It travels through the browser, so what comes back is checked like any other input.
    """

    document: str
    version: str
    paragraph: int = 0
    start: int = 0
    end: int = 0


def encode_ref(ref: Ref) -> str:
    """Returns the hash link of a reference, "#cite-...": letters, digits, "-" and "_" only."""
    fields = [ref.document, ref.version, ref.paragraph, ref.start, ref.end]
    packed = json.dumps(fields, separators=(",", ":")).encode()
    return "#cite-" + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def decode_ref(link: object) -> Ref | None:
    """Returns the reference of a hash link, None for anything that `encode_ref` cannot have made."""
    if not isinstance(link, str) or len(link) > _MAX_CHARS or not link.startswith("#cite-"):
        return None
    packed = link.removeprefix("#cite-")
    try:
        fields = json.loads(base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        return None
    if not isinstance(fields, list) or [type(field) for field in fields] != [str, str, int, int, int]:
        return None
    if min(fields[2:]) < 0:
        return None
    return Ref(*fields)


def citation_ref(citation: Citation) -> Ref:
    """Returns the reference that opens a citation."""
    return Ref(citation.document, citation.version, citation.paragraph, citation.start, citation.end)


def hit_ref(hit: Hit) -> Ref:
    """Returns the reference that opens a hit's paragraph with its best sentence marked."""
    offset = hit.text.find(hit.quote) if hit.quote else -1
    if offset < 0:
        return Ref(hit.document, hit.version, hit.paragraph)
    return Ref(hit.document, hit.version, hit.paragraph, hit.start + offset, hit.start + offset + len(hit.quote))


def act_ref(name: str, argument: str = "") -> str:
    """Returns the hash link of something that the page does, "#do-..."; an argument has letters, digits, "-" and "_"."""
    return f"#do-{name}-{argument}" if argument else f"#do-{name}"


def decode_act(link: object) -> tuple[str, str]:
    """Returns name and argument of such a link; ("", "") for anything that `act_ref` cannot have made."""
    found = _ACT.fullmatch(link) if isinstance(link, str) else None
    return (found[1], found[2] or "") if found else ("", "")
