"""The lines under a headline: when and by whom an article was written. Pure."""

from __future__ import annotations

import datetime
import re
from functools import cache

_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_PREFIX = re.compile(
    r"^(?:(?:first |last |originally )?(?:published|updated|posted|modified|date|created|issued|veröffentlicht|aktualisiert|"
    r"publicado|actualizado|atualizado|publié|mis à jour|pubblicato|aggiornato|gepubliceerd|bijgewerkt|เผยแพร่)"
    r"(?: on| at| am| el| em| le| il| op)?\s*:?\s*)+",
    re.IGNORECASE,
)
_UPDATE = re.compile(
    r"(?:last )?(?:updated|modified|aktualisiert|actualizado|atualizado|mis à jour|aggiornato|bijgewerkt)\b", re.IGNORECASE
)
_BYLINE = re.compile(
    r"(?:by|written by|reported by|from)\s+[A-Z]|.*\b(?:min(?:ute)?s? read|staff (?:writer|reporter))\b", re.I
)
_BY = re.compile(r"(?:(?:words|text|story|written|reported|published|posted)\s+)?by\s+", re.IGNORECASE)
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.?"
_DATE = re.compile(
    rf"\b\d{{1,2}}(?:st|nd|rd|th)?\.? {_MONTH},? (?:19|20)\d\d\b|\b{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)\d\d\b"
    r"|\b(?:19|20)\d\d-\d\d-\d\d\b|\b\d{1,2}[./]\d{1,2}[./](?:19|20)\d\d\b",
    re.IGNORECASE,
)
_WEEKDAY = re.compile(r"\b(?:Mon|Tue(?:s)?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?\b[.,]?\s*$", re.IGNORECASE)
_EMPHASIS = re.compile(r"^[*_]{1,3}(?=\S)|(?<=\S)[*_]{1,3}$")
_MARK = re.compile(r"\s*(?:[,;|•·()\n]|:(?!\d)|/)\s*|\s+(?:-{1,2}|[–—])\s+")
_SMALL = frozenset("a an and at by da de del der di for in la le of on the van von".split())
_LEADS = re.compile(r"\.?[*_]{1,3}(?=\s)|(?<=\d{4})\.\s+|\s*[—–]\s*|\s+-{1,2}\s+|:\s+")  # between a dateline and its text
_AGENCY = re.compile(r"\([^\d()]{2,40}\)|/[^\d/]{2,40}/")
_LABELS = frozenset("photo photos image images picture credit source video file updated copyright".split())
_TIME = re.compile(r"(?:at )?\d{1,2}[:.]\d\d(?: ?[ap]\.?m\.?)?(?: [A-Z]{2,4}| Uhr)?", re.IGNORECASE)
_LOCALES = "de de-AT es fr it pt nl th ar ar-LB zh ja ko vi".split()  # besides English
_BUDDHIST = 543  # years that the calendar of Thailand is ahead
_MAX_CHARS, _MAX_WORDS = 100, 6  # of a line; of a name in it


def parse_date(text: str) -> str:
    """Returns the ISO date if the text is nothing but a date with a year ("Saturday, July 19, 2025"), else ""."""
    from dateutil import parser

    line = " ".join(re.sub(r"[|•·]", " ", _PREFIX.sub("", _with_iso_dates(plain(text)))).split())
    if not _YEAR.search(line) or len(line) > 60:
        return ""
    dotted = bool(re.match(r"\d{1,2}\.", line))  # 3.5.2024 is the third of May wherever it is written so
    defaults = (datetime.datetime(2000, 1, 1), datetime.datetime(2001, 2, 2))
    try:
        # Two defaults that differ in day and month: a date that leaves one of them out is not taken.
        first, second = (parser.parse(line, default=d, dayfirst=dotted, ignoretz=True) for d in defaults)
    except (ValueError, ArithmeticError):
        return ""
    return first.date().isoformat() if first.date() == second.date() else ""


def stated_date(text: str) -> str:
    """Returns the ISO date of a line that says when, and perhaps where or by whom, an article was written; else "".

    "By Ann Smith, 9 November 2026", "Region Today | 9 November 2026", "Published 9 November 2026, updated 10 November 2026".
    Only for lines under a headline: "Winter Olympics, 9 February 2026" may be a headline itself.
    """
    if exact := parse_date(text):
        return exact
    line = _with_iso_dates(plain(text))
    if len(line) > _MAX_CHARS or not (found := _DATE.search(line)):
        return ""
    before, after = _WEEKDAY.sub("", line[: found.start()]), line[found.end() :]
    is_led = not before or _PREFIX.fullmatch(f"{before} ") or re.search(r"[,;:|•·(]\s*$|\s(?:-{1,2}|[–—])\s+$", before)
    rest = _MARK.split(_PREFIX.sub("", _DATE.sub(" ", f"{before}\n{after}")))
    return parse_date(found[0]) if is_led and all(_is_name(part) for part in rest) else ""


def opening_dateline(text: str) -> tuple[int, int]:
    """Returns where the dateline that a first paragraph opens with ends, and where the text after it begins; else (0, 0).

    "CASTELL, March 14, 2026 (Region Press) — A court ...", "**CASTELL — 8 April 2026.** A court ...". A place alone is worth
    keeping, and a date alone may be what the paragraph is about: both are needed, with a sign of the press, which "Titanic,
    15 April 1912: The ship sinks" has not.
    """
    for mark in _LEADS.finditer(text, 0, _MAX_CHARS + 20):
        line, rest = _with_iso_dates(text[: mark.start()]), text[mark.end() :].lstrip()
        if _DATE.search(line):
            begun = len(rest.split(maxsplit=4)) > 4 and not (rest[0].islower() or rest[0].isdigit() or _DATE.match(rest))
            is_dateline = begun and _is_press(line, mark[0].strip()) and stated_date(line) and not parse_date(line)
            return (mark.start(), len(text) - len(rest)) if is_dateline else (0, 0)
    return 0, 0


def _is_press(line: str, mark: str) -> bool:
    """True for an agency in brackets, and, but before a colon, for a place in capitals and for emphasis."""
    place = re.match(r"\W*(\w*)", line.lstrip("_"))
    in_capitals = place is not None and place[1].isupper() and len(place[1]) > 2
    return bool(_AGENCY.search(line)) or (mark != ":" and (in_capitals or mark.endswith(("*", "_"))))


def _with_iso_dates(line: str) -> str:
    """Returns a line with the dates of other languages in it in the form of ISO, with what belongs to them: the weekday."""
    if len(line) > 2 * _MAX_CHARS or not re.search(r"\d{4}", line):
        return line
    months, dates = _foreign_dates()

    def iso(found: re.Match[str]) -> str:
        given = {name.rstrip("_"): value for name, value in found.groupdict().items() if value}
        year, month = int(given["year"]), given["month"].casefold()
        year -= _BUDDHIST if year > 2400 else 0
        try:
            date = datetime.date(year, months.get(month) or int(month), int(given["day"]))
        except ValueError:
            return found[0]
        return date.isoformat() if 1900 <= year < 2100 else found[0]

    return dates.sub(iso, line)


@cache
def _foreign_dates() -> tuple[dict[str, int], re.Pattern[str]]:
    """Returns the months by their names, and what finds a date with one of them, or in the signs of East Asia.

    Names are ICU's, those of a date and those of a calendar, whole and abbreviated.
    """
    from icu4py.messageformat import MessageFormat

    months: dict[str, int] = {}
    weekdays: set[str] = set()
    for locale in _LOCALES:
        names = MessageFormat("{day, date, ::MMMM}|{day, date, ::LLLL}|{day, date, ::MMM}", locale)
        days = MessageFormat("{day, date, ::EEEE}|{day, date, ::EEE}", locale)
        for n in range(1, 13):
            told = names.format({"day": datetime.datetime(2024, n, 15, 12)}).casefold().split("|")
            months |= {name.rstrip("."): n for name in told if not re.search(r"\d", name)}
            weekdays |= set(days.format({"day": datetime.datetime(2024, 1, n, 12)}).split("|"))
    of_month, of_day = (
        "|".join(sorted(map(re.escape, names), key=len, reverse=True))
        for names in (months, {day.rstrip(".") for day in weekdays})
    )
    weekday = rf"(?:(?:{of_day})(?:ที่)?\.?[,،]?\s*(?:(?:den|le|ngày|วันที่)\s+)?|(?:ngày|วันที่)\s*)?"
    spoken = (
        rf"(?<!\w){weekday}(?P<day>\d{{1,2}})(?:\.|er|º|°)?\s+(?:de\s+|tháng\s+)?(?P<month>(?:{of_month})|(?<=tháng\s)\d{{1,2}})"
        r"\.?,?\s+(?:del?\s+|năm\s+|พ\.ศ\.\s*)?(?P<year>\d{4})(?!\d)"
    )
    signs = (
        r"(?<!\d)(?P<year_>\d{4})\s?[年년]\s?(?P<month_>\d{1,2})\s?[月월]\s?(?P<day_>\d{1,2})\s?[日일]"
        rf"(?:\s?(?:{of_day})|\s?[（(]\w{{1,3}}[）)])?"
    )
    return months, re.compile(f"{spoken}|{signs}", re.IGNORECASE)


def is_byline(text: str) -> bool:
    """True if a line begins as those that name an author, or tells how long the reading takes."""
    return bool(_BYLINE.match(plain(text)))


def names_author(text: str) -> bool:
    """True if a line is nothing but a name after "by": "By Ann Smith", "By Ann Smith and Jo Reyk, Castell"."""
    line = plain(text)
    by = _BY.match(line)
    return by is not None and len(line) <= _MAX_CHARS and all(_is_name(part) for part in _MARK.split(line[by.end() :]))


def is_labelled(text: str) -> bool:
    """True if a line says that it is a date: "Published 9 November 2026", "Updated: ..."."""
    return bool(_PREFIX.match(f"{plain(text)} "))


def is_update(text: str) -> bool:
    """True if a line tells when an article was changed, not when it was written."""
    return bool(_UPDATE.match(plain(text)))


def plain(text: str) -> str:
    """Returns a line without the marks of emphasis around it, one space between words."""
    return _EMPHASIS.sub("", " ".join(text.split()))


def _is_name(text: str) -> bool:
    """True for a name of a person, paper or place, a time, or nothing."""
    text = re.sub(
        r"^(?:updated|modified|last updated|at|on)\b:?\s*", "", _BY.sub("", text.strip(" .-–—")), flags=re.IGNORECASE
    )
    words = text.split()
    if not words or _TIME.fullmatch(text):
        return True
    is_label = words[0].casefold() in _LABELS
    named = all(word[0].isupper() or word in _SMALL for word in words) and words[0][0].isupper()
    return named and not is_label and len(words) <= _MAX_WORDS and not text.endswith(("?", "!"))
