"""Filters: their values made sure of, as SQL, and in words. Pure but for the working directory, which a path may lean on.

What a filter selects is decided by one query of the library, as its condition is built here. A document without a date is
selected by no `since` or `until`, one whose language is not known by no language.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields, replace
from typing import Any

from rag.errors import FilterError
from rag.language import LANGUAGES
from rag.types import EVERYTHING, Filter

_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
_FIRST = "0001-01-01"  # completes the first day of a year or month: "2026" is from 2026-01-01 on
_LAST = "9999-99-99"  # and its last one, as texts are compared: nothing of "2026" is after 2026-99-99
_MAX_NAMED = 3  # values that are named where a filter is told
_MAX_LENGTHS = 8  # of paths, up to which a source is compared at each of them

_CONDITIONS = {
    "documents": "d.id IN (SELECT value FROM json_each(:documents))",
    # A folder, with a slash at its end, is where the path of what is in it begins. The beginnings of a source are looked up,
    # at the lengths that there are: compared with each, 500 sources took 17 s in a library of 50,000 documents.
    "sources": "EXISTS (SELECT 1 FROM json_each(:lengths) l WHERE substr(d.source || '/', 1, l.value) IN "
    "(SELECT value FROM json_each(:sources)))",
    "languages": "v.language IN (SELECT value FROM json_each(:languages))",
    "since": "v.date >= :since",
    "until": "v.date <> '' AND substr(v.date, 1, length(:until)) <= :until",
}

# Likewise, at each slash: slower for a folder or two, and as fast for any number of them.
_OF_MANY_SOURCES = """EXISTS (
    WITH RECURSIVE beginning (n, rest) AS (SELECT 0, d.source || '/' UNION ALL
        SELECT n + instr(rest, '/'), substr(rest, instr(rest, '/') + 1) FROM beginning WHERE rest <> '')
    SELECT 1 FROM beginning WHERE substr(d.source || '/', 1, n) IN (SELECT value FROM json_each(:sources)))"""

_SELECT = "SELECT d.id FROM documents d JOIN versions v ON v.document = d.id AND v.version = d.version"


def checked(filter: Filter) -> Filter:
    """Returns a filter in its one form: tuples in order, absolute paths, small letters.

    Raises:
        FilterError: a date that is none, `since` after `until`, a language that no document can have, or another type.
    """
    if not isinstance(filter, Filter):
        raise FilterError(f"The filter is {filter!r}; expected a rag.Filter.", 'For example rag.Filter(since="2026-03").')
    since, until = _date("since", filter.since), _date("until", filter.until)
    if since and until and since + _FIRST[len(since) :] > until + _LAST[len(until) :]:
        raise FilterError(f"since is {since}, which is after until, {until}.", "Exchange them, or leave one of them out.")
    sources, languages = _texts("sources", filter.sources), _texts("languages", filter.languages)
    return Filter(
        documents=_texts("documents", filter.documents),
        sources=None if sources is None else tuple(sorted(os.path.abspath(os.path.expanduser(path)) for path in sources)),
        languages=None if languages is None else tuple(sorted({_language(code) for code in languages})),
        since=since,
        until=until,
    )


def condition(filter: Filter, document: str) -> tuple[str, dict[str, str]]:
    """Returns an SQL condition on the column of a document's id, and its values, for a `checked` filter."""
    sql, values = selection(filter)
    return ("1" if filter == EVERYTHING else f"{document} IN ({sql})"), values


def selection(filter: Filter) -> tuple[str, dict[str, str]]:
    """Returns an SQL query for the ids of the documents that a `checked` filter selects, and its values."""
    given = {name: value for name, value in asdict(filter).items() if value not in (None, "")}
    conditions = {name: _CONDITIONS[name] for name in given}
    if filter.sources is not None:
        given["sources"] = [os.path.join(path, "") for path in filter.sources]
        given["lengths"] = sorted({len(path) for path in given["sources"]})
        if len(given["lengths"]) > _MAX_LENGTHS:
            conditions["sources"] = _OF_MANY_SOURCES
    values = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
    return f"{_SELECT} WHERE {' AND '.join(conditions.values()) or '1'}", values


def parts(filter: Filter) -> Iterator[Filter]:
    """Yields a filter of each condition by itself."""
    for part in fields(filter):
        alone = replace(EVERYTHING, **{part.name: getattr(filter, part.name)})
        if alone != EVERYTHING:
            yield alone


def described(filter: Filter) -> str:
    """Returns a filter in words: "languages de, fr; since 2026-03"; "" for one that leaves nothing out."""
    told = []
    for part in fields(filter):
        value = getattr(filter, part.name)
        if isinstance(value, tuple):
            more = f" and {len(value) - _MAX_NAMED} more" if len(value) > _MAX_NAMED else ""
            value = (", ".join(value[:_MAX_NAMED]) or "none") + more
        if value:
            told.append(f"{part.name} {value}")
    return "; ".join(told)


def _texts(name: str, values: Any) -> tuple[str, ...] | None:
    if values is None:
        return None
    given = (values,) if isinstance(values, str | os.PathLike) else values
    listed = tuple(given) if isinstance(given, Iterable) else (given,)
    for value in listed:
        if not isinstance(value, str | os.PathLike) or not os.fspath(value):
            raise FilterError(f"{name} has {value!r}; expected texts that are not empty.", "Leave it out, or correct it.")
    # A terminal may give half characters, and a path be of bytes.
    texts = [os.fsdecode(value).encode("utf-8", "replace").decode() for value in listed]
    for text in texts:
        if "\0" in text:  # where SQLite compares texts they end there
            raise FilterError(f"{name} has {text!r}, with a null character in it.", "Leave it out, or correct it.")
    return tuple(dict.fromkeys(texts))


def _language(code: str) -> str:
    if code.lower() not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise FilterError(f"languages has {code!r}; expected a code of ISO 639-1, such as en.", f"Known are {known}.")
    return code.lower()


def _date(name: str, value: Any) -> str:
    """Returns a date, month or year as it was given."""
    text = "" if value is None else str(value)
    if text and not _is_date(text):
        hint = "Give year, month and day in this order; month and day may be left out."
        raise FilterError(f"{name} is {text!r}; expected a date such as 2026-03-31, 2026-03 or 2026.", hint)
    return text


def _is_date(text: str) -> bool:
    with contextlib.suppress(ValueError):
        return bool(_DATE.fullmatch(text) and datetime.date.fromisoformat(text + _FIRST[len(text) :]))
    return False
