"""The day on which the article of a page was published, as programs are told and as its readers see."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from copy import copy
from dataclasses import dataclass
from datetime import date
from typing import Any

from rag.dateline import is_update, parse_date, stated_date
from rag.read.article import has_come, iso_day
from rag.read.headline import content

_SEEN = "normalize-space() and not(parent::script or parent::style or parent::noscript)"
_UNDER = 15  # pieces of text behind the headline, of which one may be the day
_BEHIND = 60  # likewise, in which the article begins
_LINE = 100  # characters
_TIME = re.compile(r"\d{1,2}[:.]\d\d")
_YEAR = re.compile(r"(?:19|20)\d\d")
_CHANGED = re.compile("modif|updat", re.IGNORECASE)
_ELSEWHERE = frozenset({"figure", "figcaption", "aside", "nav", "footer"})
_LABEL = 20  # characters of a label before a day


def published(root: Any, title: str) -> str:
    """Returns the day on which the article of a parsed page was published, ISO 8601; "" if the page does not say.

    It is what the page tells programs. That is often Greenwich's day: the day before or after it that stands by the headline
    is the one that readers see, and one there stands in where nothing is told. Nothing else is searched, as what looks like
    a day is seldom that of publication.
    """
    told, shown = _told(root), list(_shown(root, title))
    for one in shown if told else ():
        days = (date.fromisoformat(one.day) - date.fromisoformat(told)).days
        if one.is_exact and (days in (0, -1) or (days == 1 and not one.is_update)):  # nothing is changed before it is there
            return one.day
    return told or next((one.day for one in shown if not one.is_update), "") or _told(root, changed=True)


@dataclass(frozen=True, slots=True)
class _Shown:
    """A day by the headline.

    Attributes:
        is_exact: by an element for times, alone in its line, or with an hour.
        is_update: as that of a change.
    """

    day: str
    is_exact: bool
    is_update: bool


def _told(root: Any, *, changed: bool = False) -> str:
    """Returns the day in what a page tells programs; that of a change only if it is wanted."""
    from htmldate import find_date
    from lxml import html

    page = html.document_fromstring("<html><head></head><body></body></html>")
    for element in root.xpath("//meta | //link[@rel='canonical'] | //script[contains(@type, 'json')]"):
        names = " ".join(element.get(name, "") for name in ("property", "name", "itemprop", "http-equiv"))
        if _has_year(element) and (changed or not _CHANGED.search(names)):
            page.head.append(copied := copy(element))
            copied.tail = None
    published = root.xpath("//*[@itemprop='datePublished' or @pubdate]")
    for element in [one for one in published if _has_year(one) and not _is_elsewhere(one, ())][:1]:
        page.body.append(html.fromstring("<time></time>"))
        page.body[-1].set("datetime", element.get("datetime") or element.get("content") or element.text or "")
    if not len(page.head) and not len(page.body):
        return ""
    return find_date(page, original_date=True, extensive_search=False, url=content(root, "og:url") or None) or ""


def _has_year(element: Any) -> bool:
    return any(map(_YEAR.search, (*element.attrib.values(), element.text or "")))


def _shown(root: Any, title: str) -> Iterator[_Shown]:
    """Yields the days behind the headline, up to where the article begins."""
    heading = _heading(root, title)
    if heading is None:
        return
    tables = set(heading.iterancestors("table"))
    texts = heading.xpath(f"(following::text()[{_SEEN}])[position() <= {_BEHIND}]")
    n_long, previous, late = 0, "", list[_Shown]()
    for n, text in enumerate(texts):
        line, parent = " ".join(text.split()), text.getparent()
        if len(line) >= _LINE:
            n_long += 1
            if n_long > 1:  # what stood before it was behind a summary
                yield from late
                return
        led, previous = previous if len(previous) < _LABEL else "", line
        if n >= _UNDER or len(line) >= _LINE or _is_elsewhere(parent, tables):
            continue
        timed = iso_day(parent.get("datetime", "")) if parent.tag == "time" and text.is_text else ""
        told = parse_date(line) or stated_date(line) or timed
        if told and has_come(told):
            exact = bool(timed or parse_date(line) or _TIME.search(line))
            one = _Shown(told, exact, is_update(line) or is_update(led))
            if n_long:
                late.append(one)
            else:
                yield one


def _is_elsewhere(element: Any, tables: Collection[Any]) -> bool:
    """True in what is not about the article: a sentence, a table that the headline is not in, a list of links."""
    for one in (element, *element.iterancestors()):
        if one.tag == "p" and len(text := one.text_content().strip()) >= _LINE and text.endswith((".", "!", "?", "”", '"')):
            return True
        if one.tag in _ELSEWHERE or (one.tag == "table" and one not in tables):
            return True
        if one.tag == "li" and one.find(".//a") is not None:
            return True
    return False


def _heading(root: Any, title: str) -> Any | None:
    """Returns the element over the article: a heading with its title, or the first one."""
    headings = list(root.iter("h1", "h2"))
    named = (one for one in headings if " ".join(one.text_content().split()) == title)
    return next(named, next((one for one in headings if one.tag == "h1"), None))
