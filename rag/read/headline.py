"""The headline of an article on its page: what stands over it, which the page's title often shortens or adds its site to."""

from __future__ import annotations

import re
from typing import Any

_JOINTS = re.compile(r"\s+[|\-–—·•»:]{1,2}\s+")
_ALIKE = 0.4  # of the words of the shorter one: a heading and a title that name the same article


def headline(root: Any) -> str:
    """Returns the headline of a parsed page; "" if there is none.

    A main heading that has words of the page's title is it; then what the page calls its title, without the site's name.
    """
    site = content(root, "og:site_name")
    stated = content(root, "og:title")
    titled = " ".join(" ".join(one.text_content().split()) for one in root.iterfind(".//head/title"))
    headings = [text for one in root.iter("h1") if (text := " ".join(one.text_content().split())) and not _same(text, site)]
    for heading in headings:
        if any(_is_alike(heading, title) for title in (titled, stated) if title):
            return heading
    title = _without_site(stated, site) or _without_site(titled, site)
    if len(headings) == 1 and (not title or len(headings[0].split()) > 3):
        return headings[0]
    return title or next(iter(headings), "")


def content(root: Any, name: str) -> str:
    """Returns what a page's head tells of something; "" if nothing."""
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
