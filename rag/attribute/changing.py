"""By how much, and to what: a difference that a claim states must be one in the passage too. Pure."""

from __future__ import annotations

import re

from rag.attribute.values import numbers

_MORE = (
    r"more|fewer|less|higher|lower|longer|shorter|older|younger|larger|smaller|greater|bigger|taller|deeper|wider|heavier|lighter"
    r"|faster|slower|earlier|later|farther|further|ahead|behind"
)
_COMPARED = re.compile(
    rf"[\s-]*(?:[\w%’'-]{{1,30}}\s+){{0,3}}?(?:{_MORE})\b(?!\s+(?:and|or) (?:more|less)\b)", re.IGNORECASE
)
_THAN = re.compile(r"[^.;]{0,200}\bthan\b", re.IGNORECASE)
_ABOUT = r"(?:(?:about|around|some|nearly|almost|over|only|more than|less than|at least|up to)\s+)?[$€£]?$"
_BY = re.compile(rf"\bby\s+{_ABOUT}", re.IGNORECASE)
_FROM_TO = re.compile(rf"\b(?:to|from)\s+{_ABOUT}", re.IGNORECASE)
_BEFORE = 40  # characters before a number in which "by" and "to" are looked for


def differs_by(text: str, end: int) -> bool:
    """True if the number that ends at `end` of a text says by how much something is more, less, longer."""
    return bool(_COMPARED.match(text, end))


def _is_than(text: str, end: int) -> bool:
    compared = _COMPARED.match(text, end)
    return bool(compared and _THAN.match(text, compared.end()))


def invented_differences(claim: str, passage: str) -> list[str]:
    """Returns the numbers by which a claim says that something differs or changed, where the passage has them otherwise.

    "The state paid 11 million more than the town" is not said by "the state paid 11 million and the town 7.4 million", "the
    town paid 3.6 million" not by "the state paid 3.6 million more than the town", and "fees rose by 19 crowns" not by "fees
    rose from 12 to 19 crowns".
    """
    found = []
    there: dict[float, list[tuple[int, int]]] = {}
    for value, start, end in numbers(passage):
        there.setdefault(value, []).append((start, end))
    for value, start, end in numbers(claim):
        own = there.get(value, ())
        if not own:
            continue
        if _is_than(claim, end) and not any(differs_by(passage, e) for _, e in own):
            found.append(f"difference {value:g}")
        elif not differs_by(claim, end) and all(_is_than(passage, e) for _, e in own):
            found.append(f"no difference {value:g}")
        elif _BY.search(claim[max(0, start - _BEFORE) : start]) and all(
            _FROM_TO.search(passage[max(0, s - _BEFORE) : s]) for s, _ in own
        ):
            found.append(f"change by {value:g}")
    return found
