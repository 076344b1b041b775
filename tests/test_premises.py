"""What a question takes for granted."""

from __future__ import annotations

import pytest

from rag.attribute import opposed, unknown

COST = "Its repair cost 4.2 million crowns, said the mayor, Ilse Varga. The town paid 1.1 million crowns of it."


@pytest.mark.parametrize(
    ("question", "lacking"),
    [
        ("What did Ilse Varga say?", ()),
        ("What did Varga’s mayor say?", ()),
        ("What did Ilse Reyk say?", ("name reyk",)),
        ("What did the Reyk-Varga office say?", ("name reyk",)),
        ("Reyk said what?", ()),  # the first word has a capital anyway
        ("WHO PAID FOR IT, OLGA?", ()),  # no sign of a name
        ("Who Paid For The Repair?", ()),
        ("What did the US and the EU pay on Monday in March?", ()),  # short names, and dates
        ("What was paid in 2019?", ("number 2019",)),
        ("What cost 4.2 million crowns?", ()),
        ("Which three things were paid?", ()),  # counts what is asked for
        ("Which four things were paid?", ("number 4",)),
        ("What did Reyk pay in 2019?", ("number 2019", "name reyk")),
    ],
)
def test_names_and_numbers_that_a_document_lacks_are_unknown(question, lacking):
    assert unknown(question, COST) == lacking


@pytest.mark.parametrize(
    ("question", "sentence", "words"),
    [
        ("Which is the smallest bridge?", "It is the largest bridge of the town.", ("smallest",)),
        ("Which is the largest bridge?", "It is the smallest bridge of the town.", ("largest",)),
        ("Which is the largest bridge?", "It is the largest bridge, not the smallest.", ()),
        ("Which is the largest, which the smallest bridge?", "It is the largest bridge.", ("smallest",)),
        ("What is visible?", "The owls are invisible.", ("visible",)),
        ("What is invisible?", "The owls are visible.", ("invisible",)),
        ("Who was unarmed?", "The guards were armed.", ("unarmed",)),
        ("Who was armed?", "The guards were unarmed.", ("armed",)),
        ("Who was armed?", "The armed guards were not the unarmed ones.", ()),
        ("How many Lao nationals were caught?", "A few Lao nationals were caught.", ()),
        ("Who paid?", "The town paid.", ()),
        ("Why was Reyk convicted?", "Reyk was acquitted.", ("convicted",)),
        ("Is it in?", "It is unin.", ()),  # short words have no opposite
    ],
)
def test_an_opposite_in_the_sentence_is_told(question, sentence, words):
    assert opposed(question, sentence) == words


def test_a_prefix_makes_an_opposite_only_of_a_word_of_some_length():
    assert opposed("Which impact was seen?", "The pact was seen.") == ()
    assert opposed("Which signal was insignificant?", "The signal was significant.") == ("insignificant",)
