"""A number counts what was asked for."""

from __future__ import annotations

import pytest

from rag.attribute import is_bound, numbers
from rag.attribute.binding import far_values, unit, wrong_units

ARRESTS = (
    "Authorities arrested suspects of various nationalities, including 347 Vietnamese, 271 Indonesians, 226 Chinese, "
    "and dozens from South Korea."
)


@pytest.mark.parametrize(
    ("claim", "question", "bound"),
    [
        ("271 Indonesians were arrested.", "How many Indonesians were arrested?", True),
        ("347 Indonesians were arrested.", "How many Indonesians were arrested?", False),
        ("226 Indonesians were arrested.", "How many Indonesians were arrested?", False),
        ("347 were arrested.", "How many Indonesians were arrested?", False),
        ("347.", "What was the number of Indonesians?", False),
        ("271.", "What was the number of Indonesians?", True),
        ("347 Indonesians were arrested.", "Who was arrested?", False),  # the claim itself says what it counts
        ("347 Vietnamese were arrested.", "Who was arrested?", True),
        ("347 suspects were arrested.", "How many suspects were arrested?", True),  # no other number counts suspects
        ("9 Indonesians were arrested.", "How many Indonesians were arrested?", True),  # lacks, but that is `missing`'s
    ],
)
def test_a_number_counts_what_was_asked_for(claim, question, bound):
    assert is_bound(claim, question, ARRESTS) is bound


@pytest.mark.parametrize(
    ("claim", "question", "passage", "bound"),
    [
        ("16,000.", "How many species of trees grow there?", "Some 390 billion trees of 16,000 species grow there.", True),
        ("390 billion.", "How many species of trees grow there?", "Some 390 billion trees of 16,000 species grow.", False),
        ("16,000 trees.", "How many species are there?", "Some 390 billion trees of 16,000 species grow there.", False),
        # the same length in another unit
        ("1,600 miles (2,600 km).", "How many miles is it?", "It has 1,600 miles (2,600 km), 12 miles of them dry.", True),
        # nothing stands after 15, so nothing can be told
        ("15 owls.", "How many owls were there?", "The count was 15. Later 20 owls came.", True),
        # one of two equal numbers counts owls
        ("15 owls.", "How many owls?", "It saw 15 voles, 15 owls and 3 owls more.", True),
        ("No number here.", "How many owls?", "It saw 15 voles.", True),
    ],
)
def test_numbers_are_bound_by_the_words_after_them(claim, question, passage, bound):
    assert is_bound(claim, question, passage) is bound


def test_a_number_counts_what_stands_behind_its_of():
    passage = "347 of the Vietnamese, 271 of the Indonesians"
    assert not is_bound("347 Indonesians", "How many Indonesians?", passage)
    assert is_bound("271 Indonesians", "How many Indonesians?", passage)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$40", "dollar"),
        ("USD 40 billion", "dollar"),
        ("40 US dollars", "dollar"),
        ("40 %", "percent"),
        ("forty per cent", "percent"),
        ("40 percentage points", "point"),
        ("40 km", "km"),
        ("40 km/h", "kmh"),
        ("40 miles per hour", "mph"),
        ("a 40-mile walk", "mile"),
        ("40 square kilometres", "square km"),
        ("40 owls", None),
        ("40 kmart owls", None),
    ],
)
def test_units_by_hand(text, expected):
    ((_, start, end),) = numbers(text)
    assert unit(text, start, end) == expected


@pytest.mark.parametrize(
    ("claim", "passage", "wrong"),
    [
        ("It seized 70 million dollars.", "It seized 70 million pills.", True),
        ("It seized 70 million pills.", "It seized pills for $70 million.", True),
        ("It seized $70 million.", "It seized 70 million dollars.", False),
        ("It costs 40 billion annually.", "It costs USD 40 billion every year.", False),
        ("It is 5 miles long.", "It is 5 km long.", True),
        ("It is 3 miles long.", "It is 5 km (3 miles) long.", False),
        ("It is 5 km long.", "It is 5 to 10 km long.", False),
        ("It is 5 km long.", "It is 5 long.", False),  # nothing can be told
        ("It grew by 40 percent.", "It grew by 40 points.", True),
        ("A $70 million prize.", "A prize of 70 million dollars.", False),
        ("It took 20 days.", "It took 20 weeks in 20 towns.", True),
        ("A 20-day search in 20 towns.", "It took 20 days in 20 towns.", False),
    ],
)
def test_a_number_keeps_its_unit(claim, passage, wrong):
    assert bool(wrong_units(claim, passage)) is wrong


HOUSES = "The stone library of Arlen was opened to readers in 1990. The blue tram came in 1911. It had 12 rooms and 3 owls."


@pytest.mark.parametrize(
    ("claim", "question", "far"),
    [
        ("1990.", "When was the library of Arlen opened?", False),
        ("1911.", "When was the library of Arlen opened?", True),
        ("In 1911 it was opened.", "When was the library of Arlen opened?", True),
        ("1911.", "When did the tram come?", False),
        ("1911.", "When did the library come?", False),  # one word more is too little
        ("12 rooms.", "How many rooms has the library of Arlen, opened in 1990?", False),  # no other value is of its kind
        ("The red tram came in 1911.", "When was the library of Arlen opened?", True),
        ("The blue tram came in 1911.", "When was the library of Arlen opened?", False),
        ("1911 and 1990.", "When was the library of Arlen opened?", False),
    ],
)
def test_a_value_is_not_taken_from_far_off_if_a_nearer_sentence_has_one(claim, question, far):
    assert bool(far_values(claim, question, HOUSES)) is far
