"""The numbers of a text, in digits and in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.attribute import numbers
from rag.attribute.values import ordinals
from tests.hostile import texts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,362 people", [1362]),
        ("1362 people", [1362]),
        ("1\u00a0362 people", [1362]),  # a space that does not break
        ("70,000,000 pills", [70_000_000]),
        ("70 million pills", [70_000_000]),
        ("USD 40 billion", [40_000_000_000]),
        ("$1.5bn and €3m", [1_500_000_000, 3_000_000]),
        ("4.2 million crowns", [4_200_000]),
        ("two hundred thousand", [200_000]),
        ("two hundred and fifty", [250]),
        ("two hundred and fifty thousand", [250_000]),
        ("one thousand three hundred", [1300]),
        ("one thousand and two thousand", [1000, 2000]),
        ("two and three", [2, 3]),
        ("-5 degrees, and 5 to 7", [-5, 5, 7]),
        ("5m wide, 5m people", [5, 5_000_000]),
        ("1,00,000 rupees", [100_000]),
        ("twenty-five owls", [25]),
        ("Twenty owls, NINE bridges", [20, 9]),
        ("a 20-day crackdown", [20]),
        ("the 25th, the 1st and the 3rd", [25, 1, 3]),
        ("10-12", [10, 12]),
        ("10–12", [10, 12]),
        ("0.5 of it", [0.5]),
        ("It cost 3.5.", [3.5]),
        ("in 2025.", [2025]),
        ("27 June to 16 July", [27, 16]),
        ("1, 2, 3", [1, 2, 3]),
        ("one of them", [1]),
        ("no number, hundreds, someone, often, the first, tonnes", []),
        ("A380, U2", []),  # names
        ("100kg", [100]),
        ("the 1980s", [1980]),
        ("1.5x", [1.5]),
        ("5km, 5k", [5, 5000]),
        ("123,4567", [123, 4567]),
        ("", []),
    ],
)
def test_numbers_by_hand(text, expected):
    assert [value for value, _, _ in numbers(text)] == expected


@given(texts)
def test_numbers_lie_where_they_are_said_to(text):
    end = 0
    for _, first, last in numbers(text):
        assert end <= first < last <= len(text)
        end = last


@given(st.integers(0, 10**12))
def test_a_number_is_the_same_with_and_without_its_commas(n):
    assert [v for v, _, _ in numbers(f"about {n:,} crowns")] == [n]
    assert [v for v, _, _ in numbers(f"about {n} crowns")] == [n]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the third of 20", [3]),
        ("the 3rd, the 21st and the twenty-first", [3, 21, 21]),
        ("a third of it, two thirds, one-third", []),  # fractions
        ("ten seconds, a 10-second clip, 10 second delay", []),
        ("the second bridge", [2]),
        ("", []),
    ],
)
def test_ordinals_by_hand(text, expected):
    assert [value for value, _, _ in ordinals(text)] == expected
