"""CSV and JSONL to articles: a row is an article where it has a text, and else a row of a table."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rag.dateline import parse_date
from rag.errors import ReadError
from rag.read.article import iso_day
from rag.read.encoding import decode
from rag.read.parts import Article, Part, Tick
from rag.read.table import table_parts

_FIELDS = {
    "text": (
        "text",
        "body",
        "content",
        "article",
        "articlebody",
        "paragraphs",
        "maintext",
        "main_text",
        "story",
        "full_text",
    ),
    "title": ("title", "headline", "subject", "name"),
    "date": (
        "date",
        "published",
        "datepublished",
        "date_published",
        "publication_date",
        "published_at",
        "pubdate",
        "created_at",
    ),
    "name": ("id", "doc_id", "docid", "url", "link", "uri", "slug"),
}
_PROSE_WORDS = 8  # of a text, in the middle: with less, a column of this name is no article
_MAX_WRONG = 10  # lines that are told


def read_csv(data: bytes, tick: Tick) -> Iterator[Article | ReadError]:
    """Yields the articles of a CSV or TSV, or one of all its rows; of rows without a text how many they are.

    Raises:
        ReadError: it is no table.
    """
    text = decode(data)
    csv.field_size_limit(len(text) + 1)
    try:
        sample = text[:20_000].rpartition("\n")[0] or text
        delimiter = csv.Sniffer().sniff(sample, delimiters=",;\t|").delimiter  # of quotes it guesses worse than the default
    except csv.Error:
        delimiter = ","
    try:
        read = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        rows = [row for row in read if any(cell.strip() for cell in row)]
    except csv.Error as exc:
        raise ReadError(f"The file is not a table: {exc}.", "Save it as CSV again.") from exc
    header = [cell.strip().casefold().replace(" ", "_") for cell in rows[0]] if rows else []
    records = [dict(zip(header, row, strict=False)) for row in rows[1:]]
    yield from _articles(records, tick) if _are_articles(records) else [Article(list(table_parts(rows, is_data=True)))]


def read_jsonl(data: bytes, tick: Tick) -> Iterator[Article | ReadError]:
    """Yields the articles of a JSONL: objects with a text, and a title, a date and an id if there are.

    A line that cannot be read is yielded as its error.

    Raises:
        ReadError: no line holds an article.
    """
    n_articles, n_wrong, problem = 0, 0, ""
    lines = decode(data).split("\n")  # other ends of lines may stand in a text
    for n, line in enumerate(lines, 1):
        tick(n, len(lines))
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as exc:
            problem, n_wrong = problem or f"line {n} is not JSON", n_wrong + 1
            if n_wrong <= _MAX_WRONG:
                yield ReadError(f"Line {n} is not JSON: {exc}.", "Mend the line.")
            continue
        record = {str(k).casefold(): v for k, v in record.items()} if isinstance(record, dict) else {}
        if not _field(record, "text"):
            problem, n_wrong = problem or f"line {n} has no text", n_wrong + 1
            if n_wrong <= _MAX_WRONG:
                yield ReadError(f"Line {n} has no field with a text.", f"Name it one of {', '.join(_FIELDS['text'][:4])}.")
            continue
        n_articles += 1
        yield _article(record, n)
    if n_articles and n_wrong > _MAX_WRONG:
        yield ReadError(f"{n_wrong - _MAX_WRONG} more lines cannot be read.", "Mend them.")
    if not n_articles:
        raise ReadError(f"The file holds no article: {problem or 'it is empty'}.", "Each line is an object with a text.")


def _are_articles(records: Sequence[Mapping[str, Any]]) -> bool:
    lengths = sorted(len(_words(_field(record, "text"))) for record in records)
    return bool(lengths) and lengths[len(lengths) // 2] >= _PROSE_WORDS


def _articles(records: Sequence[Mapping[str, Any]], tick: Tick) -> Iterator[Article | ReadError]:
    n_without = 0
    for n, record in enumerate(records, 1):
        tick(n, len(records))
        if _field(record, "text"):
            yield _article(record, n)
        else:
            n_without += 1
    if n_without:
        yield ReadError(f"{n_without} of {len(records)} rows have no text.", "Fill the column, or leave them out.")


def _article(record: Mapping[str, Any], n: int) -> Article:
    given = _field(record, "text")
    paragraphs = [str(one) for one in given] if isinstance(given, list) else re.split(r"\n\s*\n|\r\n\s*\r\n", str(given))
    if len(paragraphs) == 1:
        paragraphs = paragraphs[0].split("\n")
    name = re.sub(r"[/\\]+", "_", str(_field(record, "name") or n)).strip("._ ") or str(n)
    return Article(
        [Part("paragraph", text) for text in paragraphs],
        title=str(_field(record, "title") or ""),
        date=_day(str(_field(record, "date") or "")),
        name=name,
    )


def _day(value: str) -> str:
    return iso_day(value) or parse_date(value) or ""


def _field(record: Mapping[str, Any], what: str) -> Any:
    """Returns the first field of a record that is called so and holds what can be one; None if there is none."""
    for name in _FIELDS[what]:
        value = record.get(name)
        is_list = what == "text" and isinstance(value, list) and all(isinstance(one, str) for one in value)
        if value and (isinstance(value, str | int) or is_list):
            return value
    return None


def _words(value: Any) -> list[str]:
    return (" ".join(map(str, value)) if isinstance(value, list) else str(value or "")).split()
