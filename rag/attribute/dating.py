"""The dates of a text in all their forms, and whether a passage has the dates of a sentence. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from rag.attribute.clauses import sentence_texts
from rag.attribute.keeping import kept
from rag.attribute.values import numbers, ordinals

_MONTHS = {name: n for n, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_WEEKDAYS = {name: n for n, name in enumerate("monday tuesday wednesday thursday friday saturday sunday".split())}
_MONTH = (
    r"(?P<month>January|February|March|April|May|June|July|August|September|October|November|December"
    r"|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?)(?!\w)"
)
_WEEKDAY = r"(?P<weekday>Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"
_TENTH = "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth"
_TENTH += "|sixteenth|seventeenth|eighteenth|nineteenth|(?:twenty|thirty)-(?:first|second|third|fourth|fifth|sixth|seventh"
_TENTH += "|eighth|ninth)|twentieth|thirtieth"
_DAY = rf"(?:\d{{1,2}}(?:st|nd|rd|th)?(?![\d:.]\d|,\d{{3}}(?!\d)|\w|%)|(?:{_TENTH})\b)"
_DAYS = rf"(?P<days>{_DAY}(?:(?:\s*,\s*|\s*[-–—]\s*|\s+(?:to|and|or)\s+|\s*,\s*and\s+)(?:the\s+)?{_DAY}){{0,9}})"
"""Ten at most: without an end each number of a long table was read as the first of all that follow."""
_YEAR = r"(?P<year>[12]\d{3})(?!\d|[-–]?\w)"
_AFTER_WEEKDAY = r"(?:,\s*|\s+)(?:the\s+)?"
_DATES = [
    re.compile(r"(?<!\d)(?P<iso>\d{4}-\d{2}-\d{2})(?!\d)"),
    re.compile(r"(?<![\d/.])(?P<one>\d{1,2})(?P<mark>[/.])(?P<two>\d{1,2})(?P=mark)(?P<year>[12]\d{3})(?!\d)"),
    re.compile(rf"(?<![\w.,/])(?:{_WEEKDAY}{_AFTER_WEEKDAY})?{_DAYS}\s+(?:of\s+)?{_MONTH}(?:(?:,\s*|\s+|\s+of\s+){_YEAR})?"),
    re.compile(
        rf"(?:\b{_WEEKDAY}{_AFTER_WEEKDAY})?\b{_MONTH}\s+(?:the\s+)?{_DAYS}(?!\s+(?:million|billion|thousand|per ?cent))"
        rf"(?:(?:,\s*|\s+|\s+of\s+){_YEAR})?"
    ),
    re.compile(rf"\b{_MONTH}(?:,\s*|\s+|\s+of\s+){_YEAR}"),
    re.compile(
        r"\b(?:(?:in|of|since|until|till|by|during|last|next|this|from|early|late|mid|to|between|through|and|,)[\s-]+)"
        rf"(?P<alone>{_MONTH})"
    ),
    re.compile(rf"\b(?:(?P<relative>last|next|this)\s+)?{_WEEKDAY}\b"),
    re.compile(r"\b(?P<day_word>[Yy]esterday|[Tt]oday|[Tt]omorrow)\b"),
]
_WILL = re.compile(
    r"\b(?:will|shall|(?:is|are) (?:to|going to|set to|due to|expected to|scheduled to|planned to))\b", re.IGNORECASE
)
_AHEAD = re.compile(
    r"\b(?:will|shall|would|(?:is|are|was|were) (?:to|going to|set|due|expected|scheduled|planned)|next|coming|upcoming"
    r"|plan(?:s|ned)|scheduled|due|expected|from \w+day|begins?|starts?|opens?|arrives?|meets?|takes?|returns?|\w+ing on)\b",
    re.IGNORECASE,
)
_PAST = re.compile(
    r"\b(?:\w{2,}ed|was|were|had|said|told|won|lost|met|took|held|began|made|came|went|gave|found|left|sent|beat|chose|broke|fell|rose)\b"
)
_SHIFTS = {"yesterday": -1, "today": 0, "tomorrow": 1}


@dataclass(frozen=True, slots=True)
class Date:
    """What a text says of a day or month; what it leaves out is None. Characters [start, end) of the text."""

    start: int
    end: int
    day: int | None = None
    month: int | None = None
    year: int | None = None
    weekday: int | None = None  # Monday is 0
    relative: str = ""  # last, next, this, yesterday, today, tomorrow

    @property
    def parts(self) -> dict[str, int]:
        named = {"day": self.day, "month": self.month, "year": self.year, "weekday": self.weekday}
        return {name: value for name, value in named.items() if value is not None}


@kept
def dates(text: str) -> tuple[Date, ...]:
    """Returns the dates of a text in its order; a year alone is a number, and 3/4/2025 could be two dates, so it is none."""
    found: list[Date] = []
    taken: set[int] = set()
    for pattern in _DATES:
        for match in pattern.finditer(text):
            start = match.start("alone") if match.groupdict().get("alone") else match.start()
            if not taken.isdisjoint(range(start, match.end())):
                continue
            if read := list(_read(match, start)):
                taken.update(range(start, match.end()))
                found += read
    return tuple(sorted(found, key=lambda d: d.start))


def _read(match: re.Match[str], start: int) -> Iterator[Date]:
    groups = match.groupdict()
    bare = Date(start, match.end())
    if iso := groups.get("iso"):
        if (day := _iso(iso)) is not None:
            yield _exact(bare, day)
        return
    if groups.get("day_word"):
        yield replace(bare, relative=groups["day_word"].lower())
        return
    year = int(groups["year"]) if groups.get("year") else None
    if groups.get("one"):
        one, two = int(groups["one"]), int(groups["two"])
        if (12 < one <= 31 and 1 <= two <= 12) or (one == two and 1 <= one <= 12):
            yield replace(bare, day=one, month=two, year=year)
        elif 12 < two <= 31 and 1 <= one <= 12:
            yield replace(bare, day=two, month=one, year=year)
        return
    month = _MONTHS[groups["month"][:3].lower()] if groups.get("month") else None
    weekday = _WEEKDAYS[groups["weekday"].lower()] if groups.get("weekday") else None
    bare = replace(bare, month=month, year=year, weekday=weekday, relative=groups.get("relative") or "")
    if not groups.get("days"):
        yield bare
        return
    for part in re.findall(_DAY, groups["days"]):
        value = int(re.match(r"\d+", part)[0]) if part[0].isdigit() else int(ordinals(part)[0][0])  # type: ignore[index]
        if 1 <= value <= 31:
            yield replace(bare, day=value)


def _iso(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _exact(bare: Date, day: date) -> Date:
    return replace(bare, day=day.day, month=day.month, year=day.year)


def undated(text: str) -> str:
    """Returns a text with blanks in place of its dates, so that they are not taken for numbers and names."""
    parts, end = [], 0
    for found in dates(text):
        parts += [text[end : found.start], " " * (found.end - max(found.start, end))]
        end = max(found.end, end)
    return "".join(parts) + text[end:]


def missing_dates(claim: str, question: str, passage: str, context: str) -> list[str]:
    """Returns the dates of a claim that neither the passage has nor the question with the document.

    The passage's date may be completed with the document's: 15 July is 15 July 2025 in an article of that year, and
    "on Tuesday" is the last one before it. A weekday is never worked out.

    Args:
        context: title, ISO date and text, on lines of their own.
    """
    lines = context.split("\n", 2)
    published = _iso(lines[1].strip()) if len(lines) > 1 else None
    there, around = dates(passage), dates(context)
    resolved = [r for d in there if published and (r := _resolved(d, published))]
    lacking = []
    for said in dates(claim):
        known = any(_agrees(said, d, passage, around, published) for d in there) or any(_has(d, said) for d in resolved)
        asked = any(_has(d, said) for d in dates(question)) and any(_has(d, said) for d in around)
        if not known and not asked:
            lacking.append(f"date {claim[said.start : said.end]}")
    return lacking


def past_days(claim: str, passage: str) -> list[str]:
    """Returns the weekdays on which a claim says that something will be, where the passage tells only of what was then.

    "The council voted on Thursday to build a tram line" does not say that trams will run on Thursday.
    """
    if not _WILL.search(claim):
        return []
    found = []
    for said in dates(claim):
        if said.weekday is None or said.day is not None or said.relative == "next":
            continue
        telling = [text for text in sentence_texts(passage) if any(d.weekday == said.weekday for d in dates(text))]
        if telling and all(_PAST.search(text) and not _AHEAD.search(text) for text in telling):
            found.append(f"date {claim[said.start : said.end]} to come")
    return found


def _has(date: Date, said: Date) -> bool:
    """True if a date has every part that is said."""
    if said.relative and date.relative != said.relative:
        return False
    return said.parts.items() <= date.parts.items()


def _agrees(said: Date, there: Date, passage: str, around: tuple[Date, ...], published: date | None) -> bool:
    if said.relative and there.relative != said.relative:
        return False
    parts, known = said.parts, there.parts
    year, weekday = parts.pop("year", None), parts.pop("weekday", None)
    if not parts.items() <= known.items() or not (parts or weekday == known.get("weekday")):
        return False
    same_day = [d for d in around if known.items() <= d.parts.items() and (d.day, d.month) == (there.day, there.month)]
    if weekday is not None and known.get("weekday", weekday) != weekday:
        return False
    if weekday is not None and "weekday" not in known and not any(d.weekday == weekday for d in same_day):
        return False
    if year is None or known.get("year") == year:
        return True
    if "year" in known:
        return False
    years = {value for value, _, _ in numbers(undated(passage))} | {d.year for d in dates(passage)}
    return year in years or any(d.year == year for d in same_day) or bool(published and published.year == year)


def _resolved(there: Date, published: date) -> Date | None:
    """Returns the day that "on Tuesday", "last Tuesday" or "yesterday" is in a document of a date."""
    if there.relative in _SHIFTS:
        return _moved(there, published, _SHIFTS[there.relative])
    if there.weekday is None or there.day is not None:
        return None
    back = (published.weekday() - there.weekday) % 7
    if there.relative == "next":
        return _moved(there, published, 7 - back)
    if there.relative == "last" and back == 0:
        back = 7
    return _moved(there, published, -back) if there.relative in ("", "last") else None


def _moved(there: Date, published: date, days: int) -> Date | None:
    try:
        return _exact(there, published + timedelta(days=days))
    except OverflowError:  # before the year 1 or after 9999
        return None
