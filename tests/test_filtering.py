"""Filters: what they select, against a plain-Python model; what cannot be one; what is said of one that selects nothing."""

from __future__ import annotations

import calendar
import datetime
import itertools
import os
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.errors import DocumentMissing, FilterError
from rag.library import Library, filtering
from rag.library.filtering import checked, described
from rag.types import EVERYTHING, Document, Filter, Paragraph, Passage

SOURCES = ("/news/a.txt", "/news/north/b.txt", "/newspaper/c.txt", "/news", "/ข่าว/100%_d'.txt")
DATES = ("", "2025-12-31", "2026-01-01", "2026-02-28", "2026-03-01", "2026-12-31")
LANGUAGES = ("", "en", "th")


def documents():
    """Yields a document for each source, date and language, which is also its id."""
    for n, (source, date, language) in enumerate(itertools.product(SOURCES, DATES, LANGUAGES)):
        path = source.replace(".txt", f"{n}.txt") if source != "/news" else f"/news{n}"
        yield Document(f"id{n}", "v", f"Title {n}", path, date, "Some words.", language)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """A library of these documents, whose earlier versions had another date and language; two passages each."""
    opened = Library(tmp_path_factory.mktemp("filtering"))
    passages, vectors = [Passage(Paragraph(n, n, n + 1), n, n + 1) for n in (1, 2)], np.zeros((2, 2))
    older = [replace(one, version="old", date="2026-03-01", language="th") for one in documents()]
    for state in (older, documents()):
        opened.put([(one, passages, vectors) for one in state], "fake-embedder")
    yield opened
    opened.close()


def first_day(date):
    return datetime.date(*map(int, (date + "-01-01").split("-")[:3]))


def last_day(date):
    year, month, day = [*map(int, date.split("-")), 0, 0][:3]
    month = month or 12
    return datetime.date(year, month, day or calendar.monthrange(year, month)[1])


def is_selected(filter, document):
    """The model: each condition as one would say it."""
    day = datetime.date.fromisoformat(document.date) if document.date else None
    places = {document.source, *map(str, PurePosixPath(document.source).parents)}
    return (
        (filter.documents is None or document.id in filter.documents)
        and (filter.sources is None or any(os.path.normpath(source) in places for source in filter.sources))
        and (filter.languages is None or document.language in map(str.lower, filter.languages))
        and (not filter.since or (day is not None and day >= first_day(filter.since)))
        and (not filter.until or (day is not None and day <= last_day(filter.until)))
    )


def some(values):
    return st.none() | st.lists(st.sampled_from(values), max_size=3).map(tuple)


BOUNDS = st.sampled_from(["", *"2025 2026 2027 2025-12 2026-02 2026-03 2025-12-31 2026-01-01 2026-03-02".split()])
FILTERS = st.builds(
    Filter,
    documents=some([one.id for one in documents()][::7]),
    sources=some(["/", "/news", "/news/", "/new", "/news/north", "/news/a0.txt", "/ข่าว", "/nowhere", "/news/../newspaper"]),
    languages=some(["en", "TH", "de"]),
    since=BOUNDS,
    until=BOUNDS,
)


@given(filter=FILTERS)
@example(filter=Filter(since="2026-03", until="2026"))
@example(filter=Filter(since="2026", until="2026-02"))
def test_a_filter_selects_what_the_model_selects(library, filter):
    compare(library, filter)


@given(filter=FILTERS.filter(lambda filter: filter.sources is not None))
def test_many_sources_select_what_the_model_selects(library, filter):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(filtering, "_MAX_LENGTHS", 0)  # these count as many
        compare(library, filter)


def compare(library, filter):
    """Compares all ways to ask for what a filter selects with the model."""
    since, until = filter.since, filter.until
    if since and until and first_day(since) > last_day(until):
        with pytest.raises(FilterError, match=f"since is {since}, which is after until, {until}"):
            library.check(filter)
        return
    chosen = library.check(filter)
    expected = [one for one in documents() if is_selected(filter, one)]
    assert list(library.documents(chosen)) == expected
    assert library.versions(chosen) == {one.id: one.version for one in expected}
    assert (library.missed(chosen) == "") == bool(expected)
    ids = library.selected(chosen)
    if filter == EVERYTHING:
        assert ids is None
        return
    assert ids.dtype == np.int64
    assert ids.tolist() == sorted(library.passage_ids([one.id for one in expected]).tolist())
    assert len(ids) == 2 * len(expected)


def test_many_sources_are_not_compared_with_each_document(tmp_path):
    opened = Library(tmp_path / "index")
    one = [Passage(Paragraph(1, 0, 1), 0, 1)]
    sources = [f"/news/{n % 9}/{'x' * (n % 40)}{n}.txt" for n in range(1000)]
    opened.put(
        [(Document(f"{n}", "v", "T", path, "", "x"), one, np.zeros((1, 2))) for n, path in enumerate(sources)],
        "fake-embedder",
    )
    steps = []
    opened._store.connection().set_progress_handler(lambda: steps.append(1000), 1000)  # of SQLite's machine
    assert len(opened.selected(checked(Filter(sources=sources[:500])))) == 500
    assert sum(steps) < 300_000
    opened.close()


def test_a_filter_has_one_form_however_it_is_written(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    day = datetime.date(2026, 3, 1)
    written = Filter(documents=["b", "a", "b"], sources="x/../y", languages="EN", since=day, until=None)
    assert checked(written) == Filter(("b", "a"), (str(tmp_path / "y"),), ("en",), "2026-03-01", "")
    assert checked(checked(written)) == checked(written)
    assert checked(Filter(sources="~")).sources == (os.path.expanduser("~"),)
    assert checked(EVERYTHING) == EVERYTHING
    assert checked(Filter(languages=("EN", "de", "en"))).languages == ("de", "en")
    assert checked(Filter(sources=BytesPath())).sources == ("/x",)
    assert checked(Filter(sources="half \ud800")).sources == (str(tmp_path / "half ?"),)


class BytesPath(os.PathLike):
    def __fspath__(self):
        return b"/x"


@pytest.mark.parametrize(
    ("filter", "message"),
    [
        (Filter(since="yesterday"), "since is 'yesterday'; expected a date such as 2026-03-31, 2026-03 or 2026. Give year,"),
        (Filter(until="2026-02-30"), "until is '2026-02-30'; expected a date"),
        (Filter(until="2026-13"), "until is '2026-13'; expected a date"),
        (Filter(since="0000"), "since is '0000'; expected a date"),
        (Filter(since="26"), "since is '26'; expected a date"),
        (Filter(since="2026-3-1"), "since is '2026-3-1'; expected a date"),
        (Filter(since="٢٠٢٦"), "since is '٢٠٢٦'; expected a date"),
        (Filter(since="2026-04", until="2026-03"), "since is 2026-04, which is after until, 2026-03. Exchange them"),
        (
            Filter(languages=("en", "english")),
            "languages has 'english'; expected a code of ISO 639-1, such as en. Known are ar, ",
        ),
        (Filter(languages=""), "languages has ''; expected texts that are not empty. Leave it out"),
        (Filter(sources=("",)), "sources has ''; expected texts"),
        (Filter(documents=7), "documents has 7; expected texts"),
        (Filter(documents="id1\0"), r"documents has 'id1\x00', with a null character in it. Leave it out"),
        (Filter(sources="/news\0"), r"sources has '/news\x00', with a null"),
        ({"since": "2026"}, "The filter is {'since': '2026'}; expected a rag.Filter. For example"),
    ],
)
def test_what_cannot_be_a_filter_is_refused_with_its_value_and_what_to_do(library, filter, message):
    with pytest.raises(FilterError) as raised:
        library.check(filter)
    assert str(raised.value).startswith(message)


def test_a_document_that_is_not_there_is_named(library):
    with pytest.raises(DocumentMissing, match=r"does not hold document 'nobody'\. It was removed, or never added: rag list"):
        library.check(Filter(documents=("id1", "nobody")))


def test_of_a_filter_that_selects_nothing_is_said_which_part_of_it_does(library):
    def said(**values):
        return library.missed(library.check(Filter(**values)))

    assert said(since="2031") == "The filter “since 2031” selects no document."
    assert said(languages="de", since="2026") == "The filter “languages de” selects no document."
    assert said(languages="de", until="1999") == "The filter “languages de; until 1999” selects no document."
    assert said(documents=()) == "The filter “documents none” selects no document."
    together = "The filter “sources /news/north; since 2026-03-02; until 2026-04” selects no document, although"
    assert said(sources="/news/north", since="2026-03-02", until="2026-04").startswith(together)
    assert said(since="2026") == ""


def test_a_long_list_is_told_by_its_beginning():
    assert described(Filter(documents=tuple("abcde"))) == "documents a, b, c and 2 more"
    assert described(EVERYTHING) == ""


def test_more_documents_than_sqlite_takes_variables(library):
    every = tuple(one.id for one in documents())
    assert len(library.selected(library.check(Filter(documents=every * 500)))) == 2 * len(every)
    many = tuple(f"{n:012x}" for n in range(40_000))
    assert library.selected(Filter(documents=(*many, "id1"))).tolist() == sorted(library.passage_ids(["id1"]).tolist())
