"""The page of an evaluation: what is wrong is on it, nothing of a set can become markup, nothing is loaded."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser

import pytest

from rag.evaluate import Report, as_page, compare, outcomes
from rag.evaluate.figures import figures_by_kind, figures_by_pack
from rag.evaluate.page import faults
from rag.evaluate.rows import Seen
from tests.sets import claim, refused, row

VOID = {"meta", "line", "circle", "path", "polyline"}


class Reader(HTMLParser):
    """Keeps the tags and the text, and sees that all tags are closed in their order."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text, self.open = [], "", []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def page(*rows, comparison=None, answers=True):
    return as_page(Report(rows, (), answers, figures_by_pack(rows, answers), figures_by_kind(rows, answers)), comparison)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (row(right=True, citations=1, supporting=1), ()),
        (row(right=False, citations=2, supporting=1), ("wrong text", "unsupported citation")),
        (row(right=False, free_text=True), ()),
        (row(right=False, named_fake=True), ()),
        (refused(right=False), ("false refusal",)),
        (row(status="clarify", right=False), ("asked back",)),
        (row(answerable=False), ("false answer",)),
        (row(answerable=False, counted=False), ()),
        (refused(answerable=False), ()),
        (row(right=True, changed=True), ("changed by the attack",)),
        (refused(right=False, error="too long"), ("not asked",)),
        (claim("1", True, 0.2), ("support not seen",)),
        (claim("1", False, 0.9), ("claim taken for supported",)),
        (claim("1", False, 0.1), ()),
    ],
)
def test_faults(given, expected):
    assert faults(given) == expected


def test_a_wrong_answer_is_shown_with_all_that_it_was_made_of():
    seen = (Seen("A title", 3, 4.25, "a paragraph", False), Seen("Another", 1, 1.0, "the gold one", True))
    wrong = row("x7", kind="hard", right=False, asked="And who?", question="Who paid?", rewritten=True, text="Varga. [1]")
    wrong = dataclasses.replace(
        wrong, expected=("Reyk", "T. Reyk"), quotes=("Varga paid.",), evidence=seen, probability=0.625
    )
    read = Reader(page(wrong, row("fine", asked="All right?", right=True)))
    for text in ("wrong text", "And who?", "x7 hard", "Who paid?", "Varga. [1]", "Reyk", "T. Reyk", "Varga paid.", "0.62"):
        assert text in read.text, text
    assert "4.25  A title, paragraph 3\na paragraph" in read.text
    assert "1.00  Another, paragraph 1, gold\nthe gold one" in read.text
    assert "All right?" not in read.text
    assert [a for tag, a in read.tags if tag == "dd" and a.get("class") == "gold"] == [{"class": "gold"}]


@pytest.mark.parametrize(("rank", "where"), [(None, "not found"), (7, "found at rank 7")])
def test_the_gold_paragraph_is_shown_if_it_is_not_among_the_first(rank, where):
    text = Reader(page(refused(right=False, rank=rank, has_gold=True, gold="where it says so"))).text
    assert f"Gold paragraph, {where}where it says so" in text


def test_a_refusal_that_was_right_to_expect_and_a_claim_are_shown():
    assert "a refusal" in Reader(page(row(answerable=False, text="Nonsense. [1]"))).text
    text = Reader(
        page(claim("1", True, 0.25, question="Varga paid.", evidence=(Seen("", 1, -2.0, "Nobody paid.", False),)))
    ).text
    assert "ClaimVarga paid." in text
    assert "Support0.25" in text
    assert "-2.00  , paragraph 1\nNobody paid." in text


def test_probabilities_are_drawn_where_there_are_some():
    rows = [row(str(n), right=n > 3, probability=n / 10) for n in range(10)]
    tags = [tag for tag, _ in Reader(page(*rows)).tags]
    assert (tags.count("svg"), tags.count("polyline")) == (2, 1)
    assert "svg" not in [tag for tag, _ in Reader(page(row(right=True))).tags]
    (line,) = [a["points"] for tag, a in Reader(page(*rows)).tags if tag == "polyline"]
    first, *_, last = [tuple(map(float, point.split(","))) for point in line.split()]
    assert first == (40 + 26, 300)  # a tenth of the questions, none of them wrong
    assert last == (300, 300 - 0.4 * 260)  # all questions, four of ten wrong


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "</dd></details><img src=x onerror=alert(1)>", "\" onclick='x' <!--", "a &lt;b&gt; ]]>"],
)
def test_texts_of_a_set_stay_texts(text):
    seen = (Seen(text, 1, 0.0, text, False),)
    hostile = row(text, kind=text, pack=text, right=False, asked=text, question=text, rewritten=True, text=text, gold=text)
    hostile = dataclasses.replace(hostile, expected=(text,), quotes=(text,), evidence=seen, error="")
    before = outcomes([dataclasses.replace(hostile, right=True)], True)
    made = as_page(
        Report(
            (hostile,),
            ((text, text),),
            True,
            figures_by_pack([hostile], True),
            figures_by_kind([hostile], True),
            {"a": text},
        ),
        compare(before, outcomes([hostile], True)),
    )
    plain = page(row("x", right=False))
    allowed = {tag for tag, _ in Reader(plain).tags} | {"p", "pre", "h2"}
    assert {tag for tag, _ in Reader(made).tags} <= allowed
    assert not [a for _, a in Reader(made).tags if any(name.startswith("on") for name in a)]


def test_nothing_is_loaded_and_no_script_runs():
    made = page(row(right=False, probability=0.5))
    assert not re.search(r"<(script|link|img|iframe|object)\b|url\(|@import|\bsrc=|\bhref=", made)
    assert "default-src 'none'; style-src 'unsafe-inline'" in made


def test_a_search_alone_lists_no_answers():
    assert "what went wrong" not in page(refused(has_gold=True, rank=2), answers=False)
