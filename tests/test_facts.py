"""What can be checked in a sentence."""

from __future__ import annotations

import pytest

from rag.attribute import facts, n_checkable


def test_facts_by_hand():
    found = facts("“We will never give up”, said Mayor Ilse Varga on one of the 14 days.")
    assert found.numbers == {14}  # "one" is often no number
    assert found.names == {"mayor", "ilse", "varga"}
    assert found.quoted == ("We will never give up",)
    assert found.words == {"never", "give", "said", "mayor", "ilse", "varga", "days"}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Bridges are often old.", set()),  # a capital that every sentence has
        ("Bridges.", {"bridges"}),  # in so short an answer it may be a name
        ("Bangkok.", {"bangkok"}),
        ("It was Bangkok.", {"bangkok"}),
        ("Hun Manet ordered it all.", {"hun", "manet"}),
        ("The Phnom Penh-based group left.", {"phnom", "penh", "based"}),
        ("It was on 16 July.", {"july"}),
    ],
)
def test_names_by_hand(text, names):
    assert facts(text).names == names


def test_digits_count_as_numbers_even_if_they_are_one():
    assert facts("1 owl, one vole").numbers == {1}
    assert facts("one vole").numbers == set()


def test_short_quoted_words_are_not_held_against_the_passage():
    assert facts('He called it "odd" and „eine gute Sache”.').quoted == ("eine gute Sache",)


def test_what_can_be_checked_in_a_question_is_counted():
    assert n_checkable("How many snowy owls were counted in 1987?") == 4  # snowy, owls, counted, 1987
    assert n_checkable("Who said that?") == 0
    assert n_checkable("Who paid, and who paid more?") == 1
