"""By how much, and to what: a difference that a claim states must be one in the passage too. Pure."""

from __future__ import annotations

import re

from rag.attribute.values import numbers

_MORE = (
    r"more|fewer|less|higher|lower|longer|shorter|older|younger|larger|smaller|greater|bigger|taller|deeper|wider|heavier|lighter"
    r"|faster|slower|earlier|later|farther|further|ahead|behind"
)
_COMPARED = re.compile(rf"[\s-]*(?:[\w%’'-]+\s+){{0,3}}?(?:{_MORE})\b(?!\s+(?:and|or) (?:more|less)\b)", re.IGNORECASE)
_THAN = re.compile(r"[^.;]*\bthan\b", re.IGNORECASE)
_ABOUT = r"(?:(?:about|around|some|nearly|almost|over|only|more than|less than|at least|up to)\s+)?[$€£]?$"
_BY = re.compile(rf"\bby\s+{_ABOUT}", re.IGNORECASE)
_FROM_TO = re.compile(rf"\b(?:to|from)\s+{_ABOUT}", re.IGNORECASE)
_BEFORE = 40  # characters before a number in which "by" and "to" are looked for


def invented_differences(claim: str, passage: str) -> list[str]:
    """Returns the numbers by which a claim says that something differs or changed, where the passage has them otherwise.

    "The state paid 11 million more than the town" is not said by "the state paid 11 million and the town 7.4 million", and
    "fees rose by 19 crowns" not by "fees rose from 12 to 19 crowns".
    """
    found = []
    there: dict[float, list[tuple[int, int]]] = {}
    for value, start, end in numbers(passage):
        there.setdefault(value, []).append((start, end))
    for value, start, end in numbers(claim):
        own = there.get(value, ())
        compared = _COMPARED.match(claim, end)
        if not own:
            continue
        if compared and _THAN.match(claim, compared.end()) and not any(_COMPARED.match(passage, e) for _, e in own):
            found.append(f"difference {value:g}")
        elif _BY.search(claim[max(0, start - _BEFORE) : start]) and all(
            _FROM_TO.search(passage[max(0, s - _BEFORE) : s]) for s, _ in own
        ):
            found.append(f"change by {value:g}")
    return found
