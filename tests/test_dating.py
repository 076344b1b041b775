"""Dates in all their forms."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.attribute.dating import dates, missing_dates, past_days, undated
from tests.hostile import pieces, texts

ARTICLE = "Arlen reopens its bridge\n2025-07-18\nThe fair on Monday, 21 July, was a success."  # that 18 July was a Friday


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15 July 2025", [(15, 7, 2025)]),
        ("July 15, 2025", [(15, 7, 2025)]),
        ("the 15th of July", [(15, 7, None)]),
        ("the fifteenth of July", [(15, 7, None)]),
        ("2025-07-15", [(15, 7, 2025)]),
        ("15/07/2025", [(15, 7, 2025)]),
        ("07/15/2025", [(15, 7, 2025)]),
        ("5.5.2025", [(5, 5, 2025)]),
        ("3/4/2025", []),  # two dates in two countries
        ("Sept. 3", [(3, 9, None)]),
        ("10–12 May 1968", [(10, 5, 1968), (12, 5, 1968)]),
        ("July 14, 15 and 16", [(14, 7, None), (15, 7, None), (16, 7, None)]),
        ("27 June to 16 July", [(27, 6, None), (16, 7, None)]),
        ("July 2025", [(None, 7, 2025)]),
        ("in May", [(None, 5, None)]),
        ("It may. They march on. May 5 million come.", []),
        ("2025-13-40", []),
        ("40 July", []),
        ("in 2025", []),  # a number
        ("", []),
    ],
)
def test_dates_by_hand(text, expected):
    assert [(d.day, d.month, d.year) for d in dates(text)] == expected


@given(st.dates(date(1000, 1, 1), date(2999, 12, 31)))
def test_a_date_is_the_same_in_every_form(day):
    forms = ("%d %B %Y", "%B %d, %Y", "%Y-%m-%d", "%A, %d %B %Y", "the %dth of %B %Y", "%d %b %Y")
    read = [dates(f"{day:{form}}") for form in forms]
    assert {(d.day, d.month, d.year) for (d,) in read} == {(day.day, day.month, day.year)}
    assert read[3][0].weekday == day.weekday()


@given(texts)
def test_dates_lie_where_they_are_said_to_and_nothing_else_is_blanked(text):
    blanked = undated(text)
    assert len(blanked) == len(text)
    inside = {n for d in dates(text) for n in range(d.start, d.end)}
    assert all(a == b for n, (a, b) in enumerate(zip(text, blanked, strict=True)) if n not in inside)


_WORDS = """yesterday today tomorrow last next this Monday Sunday May Sept. July 15 31 99 0 00 2nd twenty-first thirty-second
    the of and or - , 2025 9999 0001 0001-01-01 9999-12-31 2025-02-30 29/02/2023 13.13.2025 ٣١ ² 10:30
    15% 31st million in on"""
_DATED = st.lists(st.one_of(st.sampled_from(_WORDS.split()), pieces), max_size=30).map(" ".join)
_DAYS = st.one_of(st.sampled_from(["0001-01-01", "0001-01-07", "9999-12-25", "9999-12-31"]), st.dates().map(str), _DATED)


@given(_DATED, _DATED, _DATED, _DAYS)
@example("On 1 January.", "When?", "It opened yesterday, on Sunday and last Monday.", "0001-01-01")
@example("On 1 January.", "When?", "It opens tomorrow and next Monday.", "9999-12-31")
def test_no_text_and_no_day_is_an_error(claim, question, passage, day):
    # The day before the first one was once an OverflowError.
    lacking = missing_dates(claim, question, passage, f"Owls\n{day}\n{passage}")
    assert len(lacking) <= len(dates(claim))


@pytest.mark.parametrize(
    ("claim", "passage", "lacking"),
    [
        ("It opened on July 15.", "It opened on the 15th of July.", []),
        ("It opened on July 15, 2025.", "It opened on 15 July.", []),  # the year of the article
        ("It opened on July 15, 2025.", "In 2025 it opened on 15 July.", []),
        ("It opened on July 15, 2024.", "It opened on 15 July.", ["date July 15, 2024"]),
        ("It opened on July 15, 2025.", "It opened on 15 July 2024.", ["date July 15, 2025"]),
        ("It opened on 27 July.", "It was open from 27 June to 16 July.", ["date 27 July"]),
        ("It opened in July.", "It opened on 15 July.", []),
        ("It opened on 15 July.", "It opened in July.", ["date 15 July"]),
        ("It opened on Tuesday, 15 July.", "It opened on 15 July.", ["date Tuesday, 15 July"]),  # though it was one
        ("It opened on Monday, 21 July.", "It opened on 21 July.", []),  # the article says so
        ("It opened on Tuesday.", "It opened on Monday.", ["date Tuesday"]),
        ("It opened on 15 July.", "It opened on Tuesday.", []),
        ("It opened on 15 July.", "It opened last Tuesday.", []),
        ("It opened on 8 July.", "It opened last Tuesday.", ["date 8 July"]),
        ("It opens on 22 July.", "It opens next Tuesday.", []),
        ("It opened on 17 July.", "It opened yesterday.", []),
        ("It opened last Tuesday.", "It opened on Tuesday.", ["date last Tuesday"]),
        ("It opened on Tuesday.", "It opened last Tuesday.", []),
        ("It opened yesterday.", "It opened yesterday.", []),
        ("It opened yesterday.", "It opened on Monday.", ["date yesterday"]),
    ],
)
def test_a_date_of_a_claim_must_be_the_passage_s(claim, passage, lacking):
    assert missing_dates(claim, "When did it open?", passage, f"{ARTICLE}\n{passage}") == lacking


def test_without_the_document_s_date_no_weekday_is_a_day():
    assert missing_dates("It opened on 15 July.", "When?", "It opened on Tuesday.", "Arlen\n\nIt opened.") == [
        "date 15 July"
    ]


def test_a_date_that_was_asked_about_may_be_elsewhere_in_the_document():
    claim, question = "On 21 July 40 owls came.", "How many owls came on July 21?"
    assert missing_dates(claim, question, "Then 40 owls came.", ARTICLE) == []
    assert missing_dates(claim, question, "Then 40 owls came.", "Owls\n\n") == ["date 21 July"]


def test_a_number_of_thousands_after_a_month_is_no_day():
    assert "3,100 people" in undated("In January 3,100 people came.")
    assert dates("On January 3, 100 people came.")[0].day == 3


@pytest.mark.parametrize(
    ("claim", "passage", "is_past"),
    [
        ("Trams will run on Thursday.", "The council voted on Thursday to build a tram line.", True),
        ("Trams will run on Thursday.", "Trams run from Thursday.", False),
        ("Trams will run on Thursday.", "The trams are to run on Thursday.", False),
        ("Trams will run next Thursday.", "The council voted on Thursday to build a tram line.", False),
        ("The council voted on Thursday.", "The council voted on Thursday to build a tram line.", False),
        ("Trams will run on Thursday.", "The council voted on Monday.", False),  # for `missing_dates`
        ("The council will vote on Thursday.", "The council votes on Thursday on a tram line.", False),
        ("The meeting will be on Thursday.", "The meeting is on Thursday at 7 pm.", False),
        ("The hearing will be on Thursday.", "Hearing: Thursday, 10 a.m.", False),
        ("Schools will close on Thursday.", "Schools close on Thursday because of the heat.", False),
    ],
)
def test_what_was_on_thursday_will_not_be_on_thursday(claim, passage, is_past):
    assert bool(past_days(claim, passage)) is is_past
