"""The numbers of a text, in digits or English words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

_DIGITS = r"\d{1,2}(?:,\d{2})+,\d{3}|\d{1,3}(?:[,\u00a0\u2009\u202f]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_SMALL = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
_SMALL += "seventeen eighteen nineteen"
_UNITS = {word: n for n, word in enumerate(_SMALL.split())}
_TENS = {w: 10 * n for n, w in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
_SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "lakh": 1e5, "crore": 1e7}
_SCALES |= {"k": 1e3, "mn": 1e6, "m": 1e6, "bn": 1e9, "b": 1e9, "tn": 1e12}
_METRES = "wide|long|tall|high|deep|thick|across|away|above|below|race|sprint|dash|hurdles|freestyle|relay|apart"
_BIG = "thousand|million|billion|trillion|lakh|crore|mn|bn|tn"
_BELOW_100 = rf"(?:(?:{'|'.join(_TENS)})(?:[\s-]+(?:{'|'.join(list(_UNITS)[1:10])})\b)?|(?:{'|'.join(_UNITS)}))\b"
_BELOW_1000 = rf"{_BELOW_100}(?:[\s-]+hundred\b(?:(?:\s+and)?\s+{_BELOW_100}(?![\s-]+hundred\b))?)?"
_SPELLED = (  # "two hundred and fifty thousand", "one thousand three hundred"; "one thousand and two thousand" are two
    rf"{_BELOW_1000}(?:(?:[\s-]+(?:{_BIG})\b)+(?:\s+{_BELOW_1000}(?:[\s-]+(?:{_BIG})\b)+)*"
    rf"(?:(?:\s+and)?\s+{_BELOW_1000}(?![\s-]+(?:hundred|{_BIG})\b))?)?"
)
_NUMBER = re.compile(
    rf"(?<![\w.])(?:(?P<minus>(?<!\S)[-−])?(?P<digits>{_DIGITS})"
    rf"(?:(?:st|nd|rd|th|(?P<short>k|mn|m(?!\s+(?:{_METRES})\b)|bn|b|tn))(?!\w))?(?!\d)"  # or a unit: 100kg
    rf"(?P<scales>(?:[\s-]+(?:hundred|{_BIG})\b)*)"
    rf"|(?P<spelled>{_SPELLED}))",
    re.IGNORECASE,
)
_ORDINALS = {
    word: n
    for n, word in enumerate(
        """first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth
        sixteenth seventeenth eighteenth nineteenth twentieth""".split(),
        1,
    )
} | {f"{word[:-1]}ieth": n for word, n in _TENS.items()}
_ORDINAL = re.compile(
    rf"\b(?:(?P<digits>\d{{1,3}})(?:st|nd|rd|th)"
    rf"|(?<!\ba )(?<!\bone )(?<!\bone-)(?<!\bper )(?<!\bsplit )(?<!\bsplit-)(?<!\d )(?<!\d-)"
    rf"(?:(?P<tens>{'|'.join(_TENS)})-)?(?P<word>{'|'.join(_ORDINALS)}))\b(?! (?:of all|or so)\b)",
    re.IGNORECASE,
)


def numbers(text: str) -> list[tuple[float, int, int]]:
    """Returns (value, start, end) of the numbers of a text, in digits or English words, with their scale."""
    found = []
    for match in _NUMBER.finditer(text):
        if match["spelled"]:
            value = _spelled(match["spelled"])
        else:
            value = float(re.sub(r"[^\d.]", "", match["digits"])) * _SCALES.get((match["short"] or "").lower(), 1)
            for scale in re.findall(r"[a-z]+", match["scales"].lower()):
                value *= _SCALES[scale]
            value = -value if match["minus"] else value
        found.append((round(value, 6), match.start(), match.end()))
    return found


def places(spans: Iterable[tuple[float, int, int]]) -> frozenset[int]:
    """Returns every offset that is inside one of the numbers of a text: to ask for each word is slow in a long table."""
    return frozenset(n for _, start, end in spans for n in range(start, end))


def ordinals(text: str) -> list[tuple[float, int, int]]:
    """Returns (value, start, end) of the ordinals of a text: the third, 3rd, twenty-first; no fractions, no seconds."""
    found = []
    for match in _ORDINAL.finditer(text):
        if match["digits"]:
            value = float(match["digits"])
        else:
            value = float(_TENS.get((match["tens"] or "").lower(), 0) + _ORDINALS[match["word"].lower()])
        found.append((value, match.start(), match.end()))
    return found


def _spelled(text: str) -> float:
    total = part = 0.0
    for word in re.findall(r"[a-z]+", text.lower()):
        if word == "hundred":
            part *= 100
        elif word in _SCALES:
            total, part = (total + part * _SCALES[word], 0.0) if part else (total * _SCALES[word], 0.0)
        elif word != "and":
            part += _UNITS.get(word, _TENS.get(word, 0))
    return total + part
