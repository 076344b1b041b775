"""Words for comparison."""

from __future__ import annotations

import pytest

from rag.attribute import fold, has, is_same


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Manet’s", "manet"),
        ("boss'", "boss"),
        ("Señor", "senor"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("ﬁn", "fin"),
    ],
)
def test_folding_by_hand(word, expected):
    assert fold(word) == expected


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("indonesian", "indonesians", True),
        ("cambodian", "cambodia", True),
        ("city", "cities", True),
        ("police", "policing", True),
        ("arrest", "arrested", True),
        ("owl", "owl", True),
        ("day", "days", True),
        ("lao", "laos", True),
        ("man", "men", True),
        ("stole", "stealing", True),
        ("stole", "steal", True),
        ("people", "person", True),
        ("lay", "lie", False),
        ("man", "manly", False),  # too short to tell
        ("mary", "martin", False),  # "mar" again
        ("china", "chinese", False),
        ("iran", "iraq", False),
        ("austria", "australia", False),
        ("port", "portugal", False),
        ("mary", "mark", False),  # both were "mar" with an ending
        ("jane", "jans", False),
    ],
)
def test_words_that_differ_in_an_ending_are_the_same(a, b, same):
    assert is_same(a, b) is same
    assert is_same(b, a) is same
    assert has(["other", a], b) is same
    assert not has([], a)
