"""What a reader of a format hands over. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.types import Box, Kind

COUNTED: frozenset[Kind] = frozenset({"paragraph", "list", "row", "quotation", "caption"})
"""What a reader counts as a paragraph, and what is searched."""

Tick = Callable[[int, int], object]
"""Called with parts of a file that are done and parts in all, so that one sees that it is still being read."""


@dataclass(frozen=True, slots=True)
class Part:
    """A paragraph, heading or the like, in the order in which it is read.

    Attributes:
        page: from 1; 0 where a format has none.
        box: on its page: left, bottom, right, top in points, from the lower left corner; empty likewise.
    """

    kind: Kind
    text: str
    page: int = 0
    box: Box = ()


@dataclass(frozen=True, slots=True)
class Article:
    """One article of a file.

    Attributes:
        title: as the file says; else "", and a part of kind "title" or the first words of it may be one.
        date: of publication, ISO 8601; "" if the file does not say.
        is_dated: True if the format has places for a day, so that none is looked for in the text.
        name: of what it stands in, within the file ("2026/owls.html", "17"); "" if the file is the article.
    """

    parts: Sequence[Part]
    title: str = ""
    date: str = ""
    name: str = ""
    is_dated: bool = False
