"""Copies: signatures and shingles held against sets computed in the plain way, and what may not be called a copy."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.duplicates import COPY, bands, body, copied, distinct, gist, resemblance, signature
from rag.types import Document, Hit, Paragraph

WORDS = [f"w{'abcdefghij'[n % 10]}{'klmnopqrst'[n // 10 % 10]}{'uvwxyzabcd'[n // 100]}" for n in range(900)]
STORY = """The stone bridge of Arlen was opened again on Friday, nine years after a flood had closed it to all traffic.

Its repair cost 4.2 million crowns, said the mayor, Ilse Varga, and 1.1 million of it came from the town itself.

Some 12,000 people crossed the bridge on its first day, and half of them came twice to hear the brass band of Marrow play.

The engineers of Lindqvist & Sons found in 2019 that two of the seven arches could be kept while five had to be built anew.

A toll will not be asked, although the council had thought about 2 crowns a car in its session of 14 March."""

STORED = (-1803379143495995062, 1268128257229699214)


def text_of(*numbers):
    return " ".join(WORDS[n] for n in numbers)


def plain_shingles(text):
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[n : n + 4]) for n in range(len(words) - 3)}


# --- signatures


numbers = st.lists(st.integers(0, 99), min_size=0, max_size=80)


@given(numbers, numbers)
def test_resemblance_is_the_share_of_runs_of_four_words_of_the_shorter_text(one, two):
    a, b = text_of(*one), text_of(*two)
    sets = plain_shingles(a), plain_shingles(b)
    shorter = min(map(len, sets))
    assert resemblance(a, b) == resemblance(b, a) == (len(sets[0] & sets[1]) / shorter if shorter else 0)


@given(st.text(max_size=300))
def test_every_text_has_a_signature_and_keys_that_a_database_can_hold(text):
    signed = signature(text)
    assert signed.shape in ((0,), (64,))
    keys = bands(signed)
    assert len(keys) == (32 if len(signed) else 0)
    assert all(-(2**63) <= key < 2**63 for key in keys)
    assert resemblance(text, text) in (0, 1)


def test_a_signature_is_the_same_in_every_process_and_version():
    # Stored keys are compared with those of later versions of this program: a change of these needs a migration.
    assert bands(signature(STORY))[:2] == STORED


def test_a_long_text_is_signed_in_parts():
    words = [f"{n:x}" for n in range(20_000)]
    parts = [signature(" ".join(words[n : n + 2503])) for n in range(0, 20_000, 2500)]
    assert (signature(" ".join(words)) == np.min(parts, axis=0)).all()


def test_case_punctuation_and_white_space_make_no_difference():
    other = STORY.upper().replace(".\n\n", " –\n").replace(",", "")
    assert resemblance(STORY.replace("12,000", "12000"), other) == 1


def test_a_text_of_a_few_words_has_no_keys():
    assert bands(signature("This article is for subscribers. Sign in to read it.")) == ()


@pytest.mark.parametrize("share", [0.25, 0.5, 0.8])
def test_equal_places_of_signatures_estimate_the_share_of_common_shingles(share):
    # The mean of 40 estimates of 64 places: four standard deviations are less than .04.
    chance = random.Random(1)
    estimates, shares = [], []
    for _ in range(40):
        words = chance.sample(range(900), 200)
        n = int(200 / (1 + share))  # words of each: 200 in all, and `share` of them in both
        a, b = text_of(*words[:n]), text_of(*words[200 - n : 200])
        sets = plain_shingles(a), plain_shingles(b)
        shares.append(len(sets[0] & sets[1]) / len(sets[0] | sets[1]))
        estimates.append(np.mean(signature(a) == signature(b)))
    assert np.mean(estimates) == pytest.approx(np.mean(shares), abs=0.04)


@pytest.mark.parametrize(("kept", "at_least", "at_most"), [(200, 1, 1), (100, 0.98, 1), (50, 0.75, 0.96), (3, 0, 0.08)])
def test_cut_texts_share_a_key_as_often_as_is_said(kept, at_least, at_most):
    chance = random.Random(2)
    found = []
    for _ in range(100):
        words = chance.sample(range(900), 200)
        keys = [set(bands(signature(text_of(*part)))) for part in (words, [*words[:kept], *chance.sample(range(900), 20)])]
        found.append(bool(keys[0] & keys[1]))
    assert at_least <= np.mean(found) <= at_most


def test_characters_are_compared_where_words_have_no_spaces():
    chinese = "阿伦的石桥在星期五重新开放，九年前的一场洪水使它关闭。市长伊尔莎·瓦尔加说，修复费用为四百二十万克朗。"
    thai = "สะพานหินของอาร์เลนเปิดอีกครั้งเมื่อวันศุกร์ เก้าปีหลังจากน้ำท่วมทำให้ต้องปิด ค่าซ่อมแซมสี่ล้านสองแสนโครน"
    for text in (chinese, thai):
        assert resemblance(text, f"{text}{text[:9]}") > 0.9
        assert resemblance(text, text[:5] + text[len(text) // 2 :] + text[5 : len(text) // 2]) > 0.5
        assert set(bands(signature(text))) & set(bands(signature(text[:-6])))
        assert resemblance(text, text[::-1]) == 0


# --- articles


def test_the_body_of_an_article_is_its_paragraphs():
    document = Document("id", "v", "Owls", "/a.txt", "", "Menu\n\nForty owls.\n\nVoles.")
    assert body(document, [Paragraph(1, 6, 17), Paragraph(2, 19, 25)]) == "Forty owls.\n\nVoles."


def test_a_story_that_was_cut_or_has_a_paragraph_more_is_a_copy():
    parts = STORY.split("\n\n")
    assert copied(STORY, "\n\n".join(parts[:3])) == 1
    assert copied("\n\n".join(parts[2:]), STORY) == 1
    longer = f"Read more news in our letter.\n\n{STORY}\n\nThis text is from the agency and may not be copied."
    assert copied(longer, STORY) == 1
    edited = STORY.replace("nine years after a flood", "nine years since a flood").replace("half of them", "many of them")
    assert COPY <= copied(STORY, edited) < 1


def test_other_stories_are_none():
    assert copied(STORY, " ".join(reversed(STORY.split()))) == 0
    assert copied(STORY, "") == copied("", "") == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"\d+", lambda match: str(int(match[0]) + 7)),
        (r"Arlen|Marrow|Ilse Varga|Lindqvist|March|Friday", lambda match: match[0][::-1].title()),
    ],
    ids=["numbers", "names"],
)
def test_a_form_with_other_numbers_or_names_is_no_copy(old, new):
    filler = " ".join(WORDS[:200])  # what a form always says
    one, two = f"{STORY} {filler}.", f"{re.sub(old, new, STORY)} {filler}."
    assert resemblance(one, two) >= COPY
    assert copied(one, two) == copied(two, one) == 0


def test_one_figure_of_many_may_have_been_corrected():
    figures = " ".join(f"the {word} had {n} owls," for n, word in enumerate(WORDS[:30], 100))
    assert copied(figures, figures.replace("112", "211")) > 0.7


# --- paragraphs


OPENED = "The stone bridge of Arlen was opened again on Friday, nine years after a flood had closed it to all 7 lines."


def hit(document, text, paragraph=1, *, score=1.0, title="Bridge"):
    return Hit(document, "v", title, f"/{document}.txt", paragraph, 0, len(text), text, score)


def test_hits_that_say_the_same_become_one_that_names_the_others():
    copy = "ARLEN (Reuters) — The stone bridge of “Arlen” was opened again on Friday, nine years after a flood had closed"
    hits = [
        hit("a", OPENED, score=3.0),
        hit("b", "Something else."),
        hit("c", f"{copy} it to all 7 lines!"),
        hit("d", OPENED),
    ]
    kept = distinct(hits)
    assert [(h.document, h.also) for h in kept] == [("a", ("c", "d")), ("b", ())]
    assert replace(kept[0], also=()) == hits[0]


@pytest.mark.parametrize(
    "other",
    [
        OPENED.replace("nine", "eight"),
        OPENED.replace("7", "17"),
        OPENED.replace("7", "-7"),
        OPENED.replace("7", ".7"),
        OPENED.replace("Arlen", "Marrow"),
        OPENED.replace("was opened", "was not opened"),
        OPENED.replace("opened", "closed"),
        OPENED.replace("nine", "about nine"),
        OPENED.replace("on Friday", "on Thursday"),
        OPENED.replace("all 7 lines", "7 lines of all"),
        f"{OPENED} A toll will be asked.",
    ],
)
def test_paragraphs_that_differ_in_one_thing_are_both_kept(other):
    hits = (hit("a", OPENED), hit("b", other))
    assert distinct(hits) == hits


def test_thousands_dashes_and_apostrophes_are_written_in_several_ways():
    assert gist("It’s 1,362 – “all” – of 3–1.") == gist("it's 1362 - 'all' - of 3-1") == "it's 1362 all of 3-1"
    assert gist("1,36") != gist("136")
    assert gist("की") != gist("का")
    assert gist("US$5") != gist("€5")


def test_a_short_paragraph_is_a_copy_only_under_the_same_title():
    hours = "It opens at nine and closes at five."
    hits = (hit("a", hours, title="Museum of Arlen"), hit("b", hours, title="Baths of Arlen"))
    assert distinct(hits) == hits
    (kept,) = distinct([replace(h, title="Museum of Arlen") for h in hits])
    assert kept.also == ("b",)


def test_the_preferred_copy_is_kept_at_the_place_and_with_the_score_of_the_first():
    hits = [hit("a", OPENED, score=3.0), hit("b", "Else.", score=2.0), hit("c", OPENED, 4, score=1.0)]
    first, second = distinct(hits, preferred=lambda h: float(h.document == "c"))
    assert (first.document, first.paragraph, first.score, first.also) == ("c", 4, 3.0, ("a",))
    assert second == hits[1]


def test_of_two_copies_of_an_article_all_is_kept_from_the_one_that_was_found_first():
    more = f"{OPENED} It has seven arches."
    hits = [hit("a", OPENED), hit("b", more, 2), hit("b", OPENED), hit("a", more, 2)]
    assert [(h.document, h.paragraph, h.also) for h in distinct(hits)] == [("a", 1, ("b",)), ("a", 2, ("b",))]


def test_what_a_document_says_twice_stays():
    hits = (hit("a", OPENED, 1), hit("a", "Else.", 2), hit("a", OPENED, 3))
    assert distinct(hits) == hits
    kept = distinct((*hits, hit("b", OPENED)))
    assert [(h.paragraph, h.also) for h in kept] == [(1, ("b",)), (2, ()), (3, ())]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 4), st.sampled_from([OPENED, STORY, "Short.", ""]))))
def test_nothing_that_was_said_is_lost_and_nothing_is_added(rows):
    unique = {(document, number): hit(document, text, number) for document, number, text in rows}
    hits = tuple(unique.values())
    kept = distinct(hits)
    assert {h.text for h in kept} == {h.text for h in hits}
    assert {replace(h, also=()) for h in kept} <= set(hits)
    assert distinct(kept) == kept
    for h in kept:
        assert h.document not in h.also
        assert all(any(o.document == other and o.text == h.text for o in hits) for other in h.also)
