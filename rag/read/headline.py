"""The headline of an article on its page, which the page's title often shortens or adds to, and the day under it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import date, timedelta
from typing import Any

from rag.dateline import is_update, stated_date

_JOINTS = re.compile(r"\s+[|\-–—·•»:]{1,2}\s+")
_ALIKE = 0.4  # of the words of the shorter one: a heading and a title that name the same article
_UNDER = 15  # pieces of text, of which one may be the day
_LINE = 100  # characters
_IN_HEAD = "//meta | //link[@rel='canonical'] | //script[contains(@type, 'json')]"
_IN_BODY = "//time | //abbr | //*[contains(@itemprop, 'date') or contains(@class, 'date') or contains(@class, 'publish')]"
_IN_BODY += f"[string-length(normalize-space()) < {_LINE}]"


def headline(root: Any) -> str:
    """Returns the headline of a parsed page; "" if there is none.

    A main heading that has words of the page's title is it; then what the page calls its title, without the site's name.
    """
    site = _content(root, "og:site_name")
    stated = _content(root, "og:title")
    titled = " ".join(" ".join(one.text_content().split()) for one in root.iterfind(".//head/title"))
    headings = [text for one in root.iter("h1") if (text := " ".join(one.text_content().split())) and not _same(text, site)]
    for heading in headings:
        if any(_is_alike(heading, title) for title in (titled, stated) if title):
            return heading
    title = _without_site(stated, site) or _without_site(titled, site)
    if len(headings) == 1 and (not title or len(headings[0].split()) > 3):
        return headings[0]
    lesser = (" ".join(one.text_content().split()) for one in root.iter("h2", "h3"))
    return title or next(iter(headings), "") or next(filter(None, lesser), "")


def day(root: Any, title: str) -> str:
    """Returns the day on which the article of a parsed page was published, ISO 8601; "" if the page does not say.

    htmldate finds it in what a page tells programs, which is often Greenwich's day; the day before or after it that stands
    under the headline is the one that readers see. No other text is searched: htmldate takes a year of copyright, or a day
    in a table, where there is nothing better.
    """
    from htmldate import find_date

    url = _content(root, "og:url") or None
    told = find_date(_dating(root), original_date=True, extensive_search=False, url=url) or ""
    shown = list(_days_under(root, title))
    if not told or told in shown:
        return told or next(iter(shown), "")
    there = date.fromisoformat(told)
    beside = {(there + timedelta(days)).isoformat() for days in (-1, 1)}
    return next((one for one in shown if one in beside), told)


def _dating(root: Any) -> Any:
    """Returns a page of those elements only that may be there to say when the article was published."""
    from lxml import html

    page = html.document_fromstring("<html><head></head><body></body></html>")
    for part, path in ((page.head, _IN_HEAD), (page.body, _IN_BODY)):
        for element in root.xpath(path):
            part.append(copied := deepcopy(element))
            copied.tail = None
    return page


def _days_under(root: Any, title: str) -> Iterator[str]:
    """Yields the days that stand in lines of their own under the headline."""
    for heading in root.iter("h1"):
        if " ".join(heading.text_content().split()) == title:
            texts = heading.xpath(
                "following::text()[normalize-space() and not(parent::script or parent::style or parent::noscript)]"
                "[position() <= $n]",
                n=_UNDER,
            )
            n_long = 0
            for line in (" ".join(text.split()) for text in texts):
                n_long += len(line) >= _LINE
                if n_long > 1:  # behind a summary the article has begun
                    return
                if len(line) < _LINE and not is_update(line) and (shown := stated_date(line)):
                    yield shown
            return


def _content(root: Any, name: str) -> str:
    found = root.xpath("//meta[@property=$name or @name=$name]/@content", name=name)
    return " ".join(found[0].split()) if found else ""


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def _same(a: str, b: str) -> bool:
    return bool(b) and _words(a) == _words(b)


def _is_alike(heading: str, title: str) -> bool:
    mine, theirs = _words(heading), _words(_JOINTS.split(title)[0] if len(_JOINTS.split(title)) == 2 else title)
    return len(mine) > 1 and len(mine & theirs) >= max(2, _ALIKE * min(len(mine), len(theirs)))


def _without_site(title: str, site: str) -> str:
    """Returns a title without the name of its site at the end, or at the beginning."""
    pieces = [(match.start(), match.end()) for match in _JOINTS.finditer(title)]
    if not pieces:
        return title
    (start, _), (_, end) = pieces[-1], pieces[0]
    if site and _same(title[:end], f"{site} "):
        return title[end:]
    rest = title[pieces[-1][1] :]
    return title[:start] if _same(rest, site) or len(rest.split()) <= min(4, len(title[:start].split())) else title
