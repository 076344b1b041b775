"""Files to documents: one canonical text, its title, date and source, and which parts of it are the article.

Knows plain text and Markdown. A page saved as text carries weather, menus and captions beside the article; `layout`
tells the article's paragraphs from them by form (sentences against labels) and place (before, inside, after).
"""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import re
import stat
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rag.dateline import is_byline, is_labelled, is_update, names_author, opening_dateline, parse_date, stated_date
from rag.errors import ReadError
from rag.language import language
from rag.types import Document

SUFFIXES = {".txt", ".text", ".md", ".markdown"}
_MARKDOWN = {".md", ".markdown"}
_BOMS: tuple[tuple[bytes, str], ...] = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
)
_BOMS += ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))

Kind = Literal["title", "date", "heading", "paragraph", "furniture"]


@dataclass(frozen=True, slots=True)
class Block:
    """A span of a canonical text with what it is; spans are trimmed, in order, and do not overlap."""

    kind: Kind
    start: int
    end: int


def find_files(
    paths: Iterable[str | os.PathLike[str]],
    unreadable: Callable[[OSError], object] | None = None,
    other: Callable[[Path], object] = lambda path: None,
) -> Iterator[Path]:
    """Yields absolute paths: files as named, folders walked in name order for files that can be read.

    Hidden files and folders below a named folder are passed over; symbolic links to folders are not followed.

    Args:
        unreadable: told of folders that cannot be read; they are passed over.
        other: told of files in folders that are of another format; likewise.

    Raises:
        ReadError: a path does not exist, cannot be looked at, or cannot be stored as text.
    """
    for path in map(absolute, paths):
        if shown(path) != str(path):
            raise ReadError(f"The name {shown(path)} is not UTF-8.", "Rename it.")
        if _is_folder(path):
            for folder, names, files in os.walk(path, onerror=unreadable):
                names[:] = sorted(n for n in names if not n.startswith("."))
                for file in (Path(folder, name) for name in sorted(files) if not name.startswith(".")):
                    if file.suffix.lower() in SUFFIXES:
                        yield file
                    else:
                        other(file)
        elif path.exists():
            yield path
        else:
            raise ReadError(f"{shown(path)} does not exist.", "Check the path.")


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as exc:  # a name that is too long, a folder above it that may not be entered
        raise ReadError(f"{shown(path)} cannot be read: {exc.strerror}.", "Check the path.") from exc


def absolute(path: str | os.PathLike[str]) -> Path:
    """Returns the absolute path, "~" replaced; links are not followed, so that a source stays as it was named.

    Raises:
        ReadError: the path is empty, which would mean the working directory.
    """
    if not os.fspath(path):
        raise ReadError("The path is empty.", "Name a file or a folder.")
    return Path(os.path.abspath(os.path.expanduser(path)))


def shown(path: str | os.PathLike[str]) -> str:
    """Returns a path as text that can be printed and stored: bytes of its name that are not UTF-8 become "\ufffd"."""
    return os.fsencode(path).decode("utf-8", "replace")


def read(path: Path, *, max_bytes: int) -> Document:
    """Reads one file.

    Args:
        path: an absolute path.
        max_bytes: a larger file is refused before it is read.

    Raises:
        ReadError: the file cannot be read as an article; the message says why.
    """
    if path.suffix.lower() not in SUFFIXES:
        formats = f"Save it as one of {', '.join(sorted(SUFFIXES))}."
        raise ReadError(f"{shown(path.suffix) or 'A file without a suffix'} is not a format that is read yet.", formats)
    if shown(path) != str(path):
        raise ReadError("The file's name is not UTF-8.", "Rename it.")
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ReadError("It is not a file.", "Name a text file.")
        if status.st_size > max_bytes:
            raise ReadError(
                f"The file is too large: {status.st_size / 1e6:.0f} MB, at most {max_bytes / 1e6:.0f} MB.",
                "Split it, or raise max_file_mb.",
            )
        data, after = path.read_bytes(), path.stat()
        if (after.st_size, after.st_mtime_ns) != (status.st_size, status.st_mtime_ns):
            raise ReadError("The file was changed while it was read.", "Add it again once it is written.")
    except FileNotFoundError as exc:
        raise ReadError("The file is not there.", "Check the path, or where a link leads.") from exc
    except OSError as exc:
        hint = "Check where the link leads." if exc.errno == errno.ELOOP else "Check its permissions."
        raise ReadError(f"The file cannot be opened: {exc.strerror or exc}.", hint) from exc
    return make_document(decode(data), str(path))


def make_document(raw: str, source: str) -> Document:
    """Builds a document from decoded text; `source` is an absolute path, and its suffix decides between formats.

    Raises:
        ReadError: the text holds no paragraph.
    """
    text = canonical(raw)
    blocks = layout(text, source)
    if not blocks:
        raise ReadError("The file is empty.", "Nothing was added.")
    if not any(b.kind == "paragraph" for b in blocks):
        raise ReadError("No paragraph was found in the file.", "It seems to hold only labels or numbers.")
    titles = (text[b.start : b.end] for b in blocks if b.kind == "title")
    first = text[blocks[0].start : blocks[0].end] if blocks[0].kind != "date" else ""
    title = next(titles, first if len(blocks) > 1 and _is_headline(first) else "") or Path(source).stem
    article = "\n".join(text[b.start : b.end] for b in blocks if b.kind == "paragraph")
    dated = [text[b.start : b.end] for b in blocks if b.kind == "date"]
    dates = [d for line in sorted(dated, key=is_update) if (d := stated_date(line))]
    return Document(
        id=document_id(source),
        version=hashlib.sha256(text.encode()).hexdigest(),
        title=_line(title),
        source=source,
        date=next(iter(dates), ""),
        text=text,
        language=language(article),
    )


def document_id(source: str) -> str:
    """Returns the id of a source: the first 12 hexadecimal digits of the sha256 of its absolute path."""
    return hashlib.sha256(os.fsencode(source)).hexdigest()[:12]


def decode(data: bytes) -> str:
    """Decodes UTF-8, or UTF-16 and UTF-32 with a byte order mark.

    Raises:
        ReadError: the bytes are not text, or in another encoding.
    """
    encoding = next((name for bom, name in _BOMS if data.startswith(bom)), "utf-8")
    if encoding == "utf-8" and b"\0" in data:
        raise ReadError("The file is not text: it has null bytes.", "Save it as UTF-8 text.")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as exc:
        raise ReadError(
            f"The file is not {encoding.upper()} text: byte 0x{data[exc.start]:02x} at offset {exc.start}.",
            "Save it as UTF-8.",
        ) from exc


def canonical(raw: str) -> str:
    """Returns the text that all offsets point into: NFC, every line end one newline, no byte order mark or controls."""
    text = re.sub(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", "\n", raw)
    text = re.sub(r"[\ufeff\x00-\x08\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff]", "", text)
    return unicodedata.normalize("NFC", text)


# --- which parts are the article -----------------------------------------------------------------------------------

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
_MAX_HEADLINE = 3  # lines
_NEXT_WORD = re.compile(r"\S+")
_NO_WORDS = re.compile(r"[^\W_]+_\w+|[\W\d_]*|[-+]?[\d.,]+ ?°? ?[CF]")  # spot_img, * * *, 24.5 C


def layout(text: str, source: str = "") -> tuple[Block, ...]:
    """Classifies every visible part of a canonical text, in order."""
    if Path(source).suffix.lower() in _MARKDOWN:
        return tuple(_with_dateline(text, _markdown(text)))
    units = _all_units(text)
    return tuple(_with_dateline(text, _classify(text, units))) if units else ()


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


def _line(text: str) -> str:
    return " ".join(text.split())


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Yields trimmed line spans; an empty span for a blank line."""
    for match in re.finditer(r"[^\n]*(?:\n|$)", text):
        yield _trim(text, match.start(), match.end())


_INVISIBLE = " \t\n\u00a0\u200b\u200c\u200d\u2060\u00ad\u3000\u200e\u200f"


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and (text[start] in _INVISIBLE or text[start].isspace()):
        start += 1
    while end > start and (text[end - 1] in _INVISIBLE or text[end - 1].isspace()):
        end -= 1
    return start, end


def _bare(line: str) -> str:
    start, end = _trim(line, 0, len(line))
    return line[start:end]


def _groups(text: str) -> Iterator[list[tuple[int, int]]]:
    """Yields runs of lines between blank lines."""
    group: list[tuple[int, int]] = []
    for start, end in _lines(text):
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
    return 0 if first == 0 and rest and asks and _is_headline(line) and len(rest[0]) > len(line) else None


def _is_headline(text: str) -> bool:
    return _n_words(text) <= 20


def _head_kind(line: str) -> Kind | None:
    """Returns what a line under the headline of a Markdown text is, if it is a dateline or a byline."""
    return "date" if stated_date(line) else "furniture" if names_author(line) else None


def _markdown(text: str) -> Iterator[Block]:
    """Classifies a Markdown text by its syntax tree; a block's span leaves out its markers where they lead it."""
    from markdown_it import MarkdownIt

    starts = [0, *(m.end() for m in re.finditer("\n", text)), len(text) + 1]
    front = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    body = front.group().count("\n") if front else 0
    title = False
    if front:
        for field in re.finditer(r"^(title|date):[ \t]*[\"']?(.+?)[\"']?[ \t]*$", front.group(1), re.MULTILINE):
            kind: Kind = "title" if field.group(1) == "title" else "date"
            title = title or kind == "title"
            yield Block(kind, front.start(1) + field.start(2), front.start(1) + field.end(2))
    tokens = MarkdownIt("commonmark").enable("table").parse("\n".join(text.split("\n")[body:]))
    in_row = begun = False
    for opening, token in zip([None, *tokens], tokens, strict=False):
        in_row = token.type == "tr_open" or (in_row and token.type != "tr_close")
        if token.map is None or token.type not in ("tr_open", "inline", "fence", "code_block"):
            continue
        start, end = _trim(text, starts[token.map[0] + body], starts[token.map[1] + body] - 1)
        if in_row:
            if token.type == "tr_open" and start < end:
                yield Block("paragraph", start, end)
            continue
        first, *_, last = [_bare(line) for line in token.content.rstrip("\n").split("\n")] * 2
        start = max(start, text.find(first, start, end))
        if token.type == "fence":  # its closing mark is in the span, and none of its content
            end = text.rfind(last, start, end) + len(last)
        if start >= end or not _bare(re.sub(r"!\[.*?\]\(.*?\)", "", token.content)):
            continue
        heading = opening is not None and opening.type == "heading_open"
        if heading and opening is not None:
            end = start + len(first)
            yield Block("heading" if title or opening.tag != "h1" else "title", start, end)
            title = title or opening.tag == "h1"
        else:
            lines = [] if begun else [(start + a, start + b) for a, b in _lines(text[start:end]) if a < b]
            kinds = [_head_kind(text[slice(*line)]) for line in lines]
            begun = begun or not all(kinds)
            if kinds and all(kinds):
                yield from (Block(kind, *line) for kind, line in zip(kinds, lines, strict=True) if kind)
            else:
                yield Block("date" if parse_date(text[start:end]) else "paragraph", start, end)
