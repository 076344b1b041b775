"""Datelines: when and by whom an article was written."""

import datetime
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import dateline
from rag.dateline import is_update, names_author, opening_dateline, parse_date, stated_date


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("Saturday, July 19, 2025", "2025-07-19"),
        ("2024-05-03", "2024-05-03"),
        ("Published: 3 May 2024", "2024-05-03"),
        ("Last updated on 3rd May, 2024 at 4:36 p.m. ET", "2024-05-03"),
        ("3.5.2024", "2024-05-03"),
        ("2024.05.03", "2024-05-03"),
        ("May 2024", ""),  # no day
        ("3 May", ""),  # no year
        ("2024", ""),
        ("The bridge was opened on 3 May 2024", ""),
        ("Chapter 12, 2024", ""),
        ("99 99 2024", ""),
        ("", ""),
    ],
)
def test_only_a_whole_date_is_a_date(text, date):
    assert parse_date(text) == date


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2. Februar 2025", "2025-02-02"),
        ("Sonntag, 2. März 2025", "2025-03-02"),
        ("Veröffentlicht am 2. Jänner 2025", "2025-01-02"),
        ("2 de febrero de 2025", "2025-02-02"),
        ("Publicado el domingo, 2 de septiembre del 2025", "2025-09-02"),
        ("dimanche 2 février 2025", "2025-02-02"),
        ("Publié le 1er août 2025", "2025-08-01"),
        ("domenica 2 febbraio 2025", "2025-02-02"),
        ("domingo, 2 de março de 2025", "2025-03-02"),
        ("zondag 2 mrt. 2025", "2025-03-02"),
        ("Chủ Nhật, ngày 2 tháng 2 năm 2025", "2025-02-02"),
        ("2 tháng 12, 2025", "2025-12-02"),
        ("11 กันยายน 2567", "2024-09-11"),
        ("วันอาทิตย์ที่ 2 กุมภาพันธ์ พ.ศ. 2568", "2025-02-02"),
        ("๑๑ ก.ย. ๒๕๖๗", "2024-09-11"),
        ("11 กันยายน 2024", "2024-09-11"),
        ("2025年2月2日", "2025-02-02"),
        ("2025年2月2日（日）", "2025-02-02"),
        ("2025년 2월 2일 일요일", "2025-02-02"),
        ("الأحد، 2 فبراير 2025", "2025-02-02"),
        ("٢ شباط ٢٠٢٥", "2025-02-02"),
        ("31. Februar 2025", ""),
        ("Februar 2025", ""),
        ("2 tháng 2025", ""),
        ("2. Februar 3025", ""),
        ("Die Brücke wurde am 2. Februar 2025 eröffnet", ""),
    ],
)
def test_a_date_of_another_language_is_a_date(text, date):
    assert parse_date(text) == date


@pytest.mark.parametrize(
    ("line", "date"),
    [
        ("Von Anna Schmidt, 2. Februar 2025, 14:30 Uhr", "2025-02-02"),
        ("Arlener Tagblatt | Sonntag, 2. Februar 2025", "2025-02-02"),
        ("Berlin, 2. Februar 2025", "2025-02-02"),
        ("Le Matin, 2 février 2025", "2025-02-02"),
        ("Die Brücke wird eröffnet, 2. Februar 2025", ""),
    ],
)
def test_a_dateline_of_another_language_has_a_date_and_names_only(line, date):
    assert stated_date(line) == date


def test_no_name_means_two_months_and_english_dates_are_read_as_before():
    months, _ = dateline._foreign_dates()
    again = {}
    for locale in dateline._LOCALES:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(dateline, "_LOCALES", [locale])
            for name, n in dateline._foreign_dates.__wrapped__()[0].items():
                assert again.setdefault(name, n) == n
    assert again == months
    for n in range(1, 13):
        day = datetime.date(2024, n, 3)
        for form in ("%A, %B %d, %Y", "Published: %d %B %Y", "%d %b. %Y at 4:36 p.m. ET", "Monday %d %B %Y | 4:12 PM"):
            assert parse_date(day.strftime(form)) == day.isoformat()


def test_a_time_zone_that_is_not_known_raises_no_warning(recwarn):
    # dateutil warned on the reader's terminal for each "4:36 p.m. ET".
    assert parse_date("May 26, 2026, 4:36 p.m. ET") == "2026-05-26"
    assert parse_date("Published: February 18, 2026 | 4:12 PM") == "2026-02-18"
    assert not recwarn.list


@given(
    st.lists(st.sampled_from("2024 1999 20th May Jan. Tuesday , / - . : T Z +07 31 99999999999 1e99 ٣ nan AM ET".split()))
)
def test_a_date_is_iso_or_nothing(words):
    for text in (" ".join(words), "".join(words)):
        assert re.fullmatch(r"(\d{4}-\d\d-\d\d)?", parse_date(text))


@pytest.mark.parametrize(
    ("line", "date"),
    [
        ("Region Today, 19 October 2026", "2026-10-19"),
        ("The Morrow Herald, Monday 19 October 2026", "2026-10-19"),
        ("By Ann Smith, 9 November 2026", "2026-11-09"),
        ("Published 9 November 2026 by Ann Smith", "2026-11-09"),
        ("Published 9 November 2026, updated 10 November 2026", "2026-11-09"),
        ("Ann Smith – November 9, 2026 – 10:30 a.m.", "2026-11-09"),
        ("*25 November 2026*", "2026-11-25"),
        ("London (Reuters), 9 November 2026", "2026-11-09"),
        ("The bridge opened, 9 November 2026", ""),  # no name
        ("Bridge to open on 9 November 2026", ""),
        ("Work began on 9 November 2026, 40 years late", ""),
        ("Photo: Ann Smith, 9 November 2026", ""),
        ("Region Today, November 2026", ""),  # no day
        ("Was It Murder?, 9 November 2026", ""),
    ],
)
def test_a_dateline_has_a_date_and_names_only(line, date):
    assert stated_date(line) == date


@pytest.mark.parametrize(
    ("dateline", "mark"),
    [
        ("CASTELL, March 14, 2026 (Region Press)", " — "),
        ("CASTELL, Sept. 14, 2026 (Region Press)", " – "),
        ("LORNE BAY (RPA), Tuesday, 14 March 2026", ": "),
        ("CASTELL, 14 March 2026", " - "),
        ("Castell (Herald) - 14 March 2026", " - "),
        ("**CASTELL — 14 March 2026", ".** "),
        ("CASTELL, N.L., March 14, 2026 /PRNews/", " -- "),
        ("CASTELL, 14 March 2026", ". "),
        ("Castell (RPA), Tuesday, 14 March 2026", ": "),
    ],
)
def test_a_dateline_may_open_the_first_paragraph(dateline, mark):
    body = "A new bridge was opened on Saturday."
    end, start = opening_dateline(dateline + mark + body)
    assert (dateline + mark + body)[start:] == body
    assert (dateline + mark + body)[:end] == dateline


@pytest.mark.parametrize(
    "text",
    [
        "14 March 2026: A new bridge was opened in Castell.",  # of a timeline: the date is what it is about
        "CASTELL — A new bridge was opened on Saturday.",  # no date
        "CASTELL, March 14 — A new bridge was opened on Saturday.",  # no year
        "The bridge was opened on 14 March 2026: a band played all day.",
        "Castell, 14 March 2026 - and yet it was not finished.",
        "CASTELL, 14 March 2026 - A bridge.",  # a line of its own
        # no sign of the press
        "Titanic, 15 April 1912: The ship sinks with 1,500 people on board.",
        "CASTELL, 15 April 1912: The ship sinks with 1,500 people on board.",
        "Anna Berg, 3 May 1950 – 4 June 2010, was a painter from Castell.",
        "Anna Berg (3 May 1950 – 4 June 2010) was a painter from Castell.",
        "Anna Berg — 3 May 1950 — She was a painter from Castell.",
        "Castell, 3 May 1998. Today we walked to the sea and nobody spoke.",
        "Summer Fair, 3 May 2026: The gates open at ten and close at six.",
        "Grandma's Cake — 3 May 1998 — Mix the flour with the eggs.",
        "CASTELL, 3 May 2026 – 5 May 2026: The festival has three stages.",
    ],
)
def test_not_every_date_at_the_beginning_is_a_dateline(text):
    assert opening_dateline(text) == (0, 0)


def test_bylines_and_updates():
    assert names_author("By Ann Smith")
    assert names_author("**Written by Ann Smith and Jo van Reyk, Castell**")
    assert not names_author("By the river the owls are back")
    assert not names_author("By Ann Smith, who has been writing on owls for years")
    assert is_update("Last updated: 9 November 2026")
    assert not is_update("Published 9 November 2026")
