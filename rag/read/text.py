"""Plain text to blocks, by form (sentences against labels) and place (before, inside, after).

A page saved as text carries weather, menus and captions beside the article.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rag.dateline import is_byline, is_labelled, names_author, opening_dateline, parse_date, stated_date
from rag.read.markdown import markdown_blocks
from rag.read.spans import line_spans, trim
from rag.types import Block, Kind

MARKDOWN = {".md", ".markdown"}

_TERMINAL = re.compile(r"[.!?…。！？؟۔।॥։።၊။។៕][\"'”’»)\]」』*_]*$")
_INNER_STOP = re.compile(r"[a-z0-9)”’\"][.!?][\"”’)]* +[“\"(]?[A-Z]")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_BULLET = re.compile(r"(?:[-*•‣◦–]|\(?\d{1,3}[.)])\s+\S")
_LABEL = re.compile(
    r"(?:advertisement|sponsored|promoted|related|recommended|read (?:more|next|also)|see also|more (?:from|on|stories)|"
    r"share(?: this)?|follow us|sign up|subscribe|newsletter|log ?in|sign in|register|menu|home|search|skip to|"
    r"latest|this week|trending|most (?:read|popular)|popular|previous article|next article|tags?|topics?|"
    r"comments?|leave a (?:comment|reply)|copyright|©|all rights reserved|photos?|image|credit|source:|cookies?|"
    r"accept all|privacy policy|terms of|contact us|about us)\b",
    re.IGNORECASE,
)
_COMMENTS = re.compile(
    r"(?:\d+ )?(?:comments?|replies|responses?)\b.{0,30}|leave a (?:comment|reply)\b.{0,30}|(?:post|add) a comment\b.{0,30}|"
    r"join the (?:conversation|discussion)\b.{0,30}|(?:view|show|read|see|load) (?:all |more )?(?:\d+ )?comments\b.{0,30}|"
    r"be the first to comment\b.{0,30}",
    re.IGNORECASE,
)
_NO_HEADLINE = re.compile(r"https?:|\b\d{1,2}:\d\d\b|@|\b(?:updated|published|posted)\b", re.IGNORECASE)
_RUNNING_ON = re.compile(
    r"[,–—-]$|\b(?:on|of|by|in|at|from|until|till|since|before|after|to|the|and|or|for|than|with|about)$"
)
_LONGEST = 8000  # characters of a paragraph: some three pages
_ENDS = ("\n\n", "\n", ". ", "。", " ")  # where one is cut, the best ones first
_MAX_HEADLINE = 3  # lines
_WORD = re.compile(r"[^\W\d_]{2}")
_NEXT_WORD = re.compile(r"\S+")
_NO_WORDS = re.compile(r"[^\W_]+_\w+|[\W\d_]*|[-+]?[\d.,]+ ?°? ?[CF]")  # spot_img, * * *, 24.5 C


def layout(text: str, source: str = "") -> tuple[Block, ...]:
    """Classifies every visible part of a canonical text, in order."""
    if Path(source).suffix.lower() in MARKDOWN:
        return tuple(cut(text, _with_dateline(text, markdown_blocks(text))))
    units = _all_units(text)
    return tuple(cut(text, _with_dateline(text, _classify(text, units)))) if units else ()


def cut(text: str, blocks: Iterable[Block]) -> Iterator[Block]:
    """Cuts blocks that nobody would read as one paragraph (a law in one line), where a line or a sentence ends."""
    for block in blocks:
        start = block.start
        while block.end - start > _LONGEST:
            least, most = start + _LONGEST // 2, start + _LONGEST
            at = next((place + len(end) for end in _ENDS if (place := text.rfind(end, least, most)) > 0), most)
            yield replace(block, start=start, end=trim(text, start, at)[1])
            start = trim(text, at, block.end)[0]
        yield replace(block, start=start) if start != block.start else block


def _with_dateline(text: str, blocks: Iterable[Block]) -> Iterator[Block]:
    """Makes a block of its own of the dateline that the first paragraph opens with: it is not what the paragraph says.

    Where the second paragraph opens with one too, they are the entries of a diary or a timeline.
    """
    blocks = list(blocks)
    ends = [opening_dateline(text[b.start : b.end]) for b in itertools.islice(_paragraphs(blocks), 2)]
    first = next(_paragraphs(blocks), None) if ends[:1] != [(0, 0)] and ends[1:] in ([], [(0, 0)]) else None
    for block in blocks:
        if block is first:
            end, start = ends[0]
            yield Block("date", block.start, block.start + end)
            block = Block("paragraph", block.start + start, block.end)
        yield block


def _paragraphs(blocks: Iterable[Block]) -> Iterator[Block]:
    return (block for block in blocks if block.kind == "paragraph")


def _groups(text: str) -> Iterator[list[tuple[int, int]]]:
    """Yields runs of lines between blank lines."""
    group: list[tuple[int, int]] = []
    for start, end in line_spans(text):
        if start < end:
            group.append((start, end))
        elif group:
            yield group
            group = []
    if group:
        yield group


def _all_units(text: str) -> list[tuple[int, int]]:
    """Returns the spans of all units."""
    units: list[tuple[int, int]] = []
    is_head = True
    for lines in _groups(text):
        units += _head_units(text, lines) if is_head else _units(text, lines)
        is_head = is_head and not any(_unit(text[start:end]).opening for start, end in units[-3:])
    return units


def _head_units(text: str, lines: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Returns the units of a group above the first sentence: a line under the headline that tells date or author is one."""
    whole = _units(text, lines)
    for n in range(1, min(len(lines), _MAX_HEADLINE + 1)):
        if _is_dateline(text[slice(*lines[n - 1])], text[slice(*lines[n])]):
            above = lines[:n] if len(whole) > 1 else _units(text, lines[:n])
            return [*above, lines[n], *(_head_units(text, lines[n + 1 :]) if lines[n + 1 :] else ())]
    return whole


def _is_dateline(above: str, line: str) -> bool:
    """True if a line says when or by whom an article was written, and the one above it does not run on into it."""
    runs_on = _RUNNING_ON.search(above) and not is_labelled(line)  # "What we know a week on / Published 9 November 2026"
    return bool(stated_date(line) or names_author(line)) and not (_TERMINAL.search(line) or runs_on)


def _units(text: str, lines: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Joins the lines of a group that one paragraph was wrapped into; keeps lines apart that stand for themselves."""
    if len(lines) == 1 or _is_wrapped(text, lines) or _is_list(text, lines):
        return [(lines[0][0], lines[-1][1])]
    return lines


def _is_wrapped(text: str, lines: list[tuple[int, int]]) -> bool:
    """True if nearly every line ends where the next word would have passed the widest line: wrapped by a program."""
    width = max(end - start for start, end in lines)
    if not 30 <= width <= 120:
        return False
    full = 0
    for (start, end), (after, _) in itertools.pairwise(lines):
        word = _NEXT_WORD.match(text, after)
        full += end - start + 1 + len(word.group() if word else "") >= width - 1
    return full >= 0.8 * (len(lines) - 1)


def _is_list(text: str, lines: list[tuple[int, int]]) -> bool:
    return sum(bool(_BULLET.match(text, start)) for start, _ in lines) >= 0.5 * len(lines)


@dataclass(frozen=True, slots=True)
class _Unit:
    """A line, or the lines that one paragraph was wrapped into.

    Attributes:
        opening: it can only be the article's own: a sentence, or longer than any headline.
        prose: a reader, once inside the article, takes it for a paragraph: also an unfinished sentence.
        label: it begins as the furniture of pages does: "Advertisement", "Share this".
    """

    text: str
    words: float
    opening: bool
    prose: bool
    label: bool
    date: bool


def _unit(text: str) -> _Unit:
    words = _n_words(text)
    label = bool(_LABEL.match(text))
    is_caption = label and words <= 12
    sentence = bool(_TERMINAL.search(text)) and words >= 4 and not is_caption
    opening = sentence or words > 40 or (words >= 8 and bool(_INNER_STOP.search(text)))
    unfinished = words >= 12 or (words >= 4 and (text.endswith((":", ",", ";")) or text[:1].islower()))
    return _Unit(text, words, opening, (opening or unfinished) and not is_caption, label, bool(parse_date(text)))


def _n_words(text: str) -> float:
    """Counts words; scripts without spaces count a word for four letters."""
    unspaced = len(_UNSPACED.findall(text))
    return unspaced / 4 + len(re.findall(r"\w+(?:[-'’.,]\w+)*", _UNSPACED.sub(" ", text)))


def _classify(text: str, spans: list[tuple[int, int]]) -> Iterator[Block]:
    units = [_unit(text[start:end]) for start, end in spans]
    first, last = _bounds(units)
    title = _find_title(units, first)
    if title is not None and title >= first:
        first = title + 1
    has_prose = any(unit.prose for unit in units)
    kinds = [_kind(unit, first <= i <= last, has_prose) if i != title else "title" for i, unit in enumerate(units)]
    if title is not None:
        kinds[title + 1 : first] = [
            "date" if stated_date(unit.text) else kind
            for unit, kind in zip(units[title + 1 : first], kinds[title + 1 : first], strict=True)
        ]
    return _join_lists(text, [Block(kind, *span) for kind, span in zip(kinds, spans, strict=True)])


_WORTH = (20, 40)  # words that a unit of prose counts at least and at most: one long paragraph is no match for a menu
_COST = 15  # words that each further unit of another kind takes off; a label twice as many, the first of a row half
_BEFORE_COMMENTS = 60  # words of prose after which a heading of comments ends the article


def _bounds(units: list[_Unit]) -> tuple[int, int]:
    """Returns the first and the last unit of the article: from where its prose outweighs what is between.

    Teasers and comments are sentences too, but menus, names and times stand between them. Constants: by a grid over 79
    saved news pages, with room for short articles that a label interrupts (docs/experiments.md, "Furniture").
    Source: Pasternack and Roth, "Extracting article text from the web with maximum subsequence segmentation", WWW 2009.
    """
    prose = [i for i, unit in enumerate(units) if unit.prose]
    if not prose:
        return 0, len(units) - 1
    low = start = next((i for i in prose if units[i].opening), prose[0])
    high = _before_comments(units, low, prose[-1])
    best, first, last, weight = 0.0, low, low, 0.0
    for i in range(low, high + 1):
        if weight <= 0:
            weight, start = 0.0, i
        if units[i].prose:
            weight += min(max(units[i].words, _WORTH[0]), _WORTH[1])
        else:
            weight -= _COST * (1 + units[i].label) / (1 + units[i - 1].prose)
        if units[i].prose and weight >= best:
            best, first, last = weight, start, i
    first = next((i for i in range(first, last + 1) if units[i].opening), first)
    # Only pages have furniture: where nothing that is cut off is known for a label, all of it is the article.
    if not any(unit.label for unit in units[low:first]):
        first = low
    if not any(unit.label for unit in units[last + 1 : high + 1]):
        last = high
    return first, last


def _before_comments(units: list[_Unit], low: int, high: int) -> int:
    """Returns the last prose before a heading of the readers' comments, if there is one after enough prose."""
    words, last = 0.0, low
    for i in range(low, high + 1):
        if units[i].prose:
            words, last = words + units[i].words, i
        elif words >= _BEFORE_COMMENTS and _COMMENTS.fullmatch(units[i].text):
            return last
    return high


def _kind(unit: _Unit, inside: bool, has_prose: bool) -> Kind:
    """Classifies a unit that is not the title; `inside`: between the article's first and last prose."""
    if unit.date:
        return "date"
    if not has_prose:
        return "paragraph"  # a file of labels without one sentence is still what its reader came for
    if not inside:
        return "furniture"
    if unit.prose or (_BULLET.match(unit.text) and unit.words >= 3):
        return "paragraph"
    return "furniture" if unit.label or _NO_WORDS.fullmatch(unit.text) else "heading"


def _join_lists(text: str, blocks: list[Block]) -> Iterator[Block]:
    """Makes one paragraph of three or more labels in a row inside an article: a list without bullets."""
    i = 0
    while i < len(blocks):
        run = i
        while run < len(blocks) and blocks[run].kind == "heading":
            run += 1
        led = i > 0 and (blocks[i - 1].kind == "furniture" or _LABEL.match(text, blocks[i - 1].start))
        if run - i >= 3 and not led:
            yield Block("paragraph", blocks[i].start, blocks[run - 1].end)
        else:
            run = max(run, i + 1)
            yield from blocks[i:run]
        i = run


def _find_title(units: list[_Unit], first: int) -> int | None:
    """Returns the headline: of the labels before the article, a long one near it, or first of all, or there twice."""
    labels = [
        i
        for i, unit in enumerate(units[:first])
        if not (stated_date(unit.text) if i else unit.date)
        and not is_byline(unit.text)
        and unit.words <= 40
        and re.search(r"[^\W\d_]{2}", unit.text)
        and not _NO_WORDS.fullmatch(unit.text)
        and not _NO_HEADLINE.search(unit.text)
    ]
    times = Counter(unit.text.casefold() for unit in units)

    def weight(i: int) -> float:
        return min(units[i].words, 8) - (first - i) / 2 + 2 * (i == 0) + 4 * (times[units[i].text.casefold()] > 1)

    wide = [i for i in labels if units[i].words >= 5 and not units[i].label]
    if wide:
        return max(wide, key=weight)
    if labels:
        return max(labels, key=lambda i: (not units[i].label, units[i].words, -i))
    # A headline that asks or exclaims is the file's first line, short, with the article after it. One that ends in a
    # full stop cannot be told from a first paragraph: it names the document, and stays a paragraph.
    rest = [unit.text for unit in units[1:] if not unit.date]
    line = units[0].text
    asks = re.search(r"[?!][\"'”’]*$", line)
    return 0 if first == 0 and rest and asks and is_headline(line) and len(rest[0]) > len(line) else None


def is_headline(text: str) -> bool:
    """True for a text that is short enough for a headline, and has a word."""
    return _n_words(text) <= 20 and bool(_WORD.search(text))
