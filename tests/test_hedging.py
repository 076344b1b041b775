"""Hedges stay hedges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.attribute import check, restore_hedges
from rag.attribute.hedging import missing_hedges, value_hedges
from tests.hostile import texts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("at least 53 owls", [(53, "least")]),
        ("No fewer than 53 owls", [(53, "least")]),
        ("more than 1,362 owls, some 400 voles", [(1362, "more"), (400, "about")]),
        ("up to USD 40 billion", [(40_000_000_000, "most")]),
        ("an estimated $5m", [(5_000_000, "about")]),
        ("nearly twelve of about 20", [(12, "nearly"), (20, "about")]),
        ("53 owls, at least", [(53, None)]),
        ("over three days", [(3, None)]),  # so long
        ("over 300 owls", [(300, "more")]),
        ("players under 18", [(18, None)]),  # an age
        ("some two of them", [(2, None)]),
        ("about 15 July", []),  # a date
    ],
)
def test_hedges_before_numbers_by_hand(text, expected):
    assert [(h.value, h.kind) for h in value_hedges(text)] == expected


@pytest.mark.parametrize(
    ("claim", "question", "passage", "lacking"),
    [
        ("There are 53 owls.", "How many?", "There are at least 53 owls.", ["hedge at least 53"]),
        ("There are at least 53 owls.", "How many?", "There are no fewer than 53 owls.", []),
        ("53.", "At least how many?", "There are at least 53 owls.", []),
        ("There are at least 53 owls.", "How many?", "There are more than 53 owls.", []),  # said more weakly
        ("There are more than 53 owls.", "How many?", "There are at least 53 owls.", ["number more than 53"]),
        ("There are up to 53 owls.", "How many?", "There are at least 53 owls.", ["number up to 53"]),
        ("There are more than 53 owls.", "How many?", "There are 53 owls.", ["number more than 53"]),
        ("There are about 53 owls.", "How many?", "There are 53 owls.", []),
        ("There are 53 owls.", "How many?", "At least 53 owls came. Of the 53 owls some left.", []),
        ("53 thieves came.", "How many?", "53 suspected thieves came.", ["hedge suspected thieves"]),
        ("53 came.", "How many suspected thieves came?", "53 suspected thieves came.", []),
        ("53 thieves came.", "How many?", "Of the thieves 53 came, all suspected thieves.", []),
        ("It will open in May.", "When?", "It may open in May.", ["hedge may open"]),
        ("It opened in May.", "When?", "It was expected to open in May.", ["hedge was expected to open"]),
        ("It could open in May.", "When?", "It may open in May.", []),
        ("In May.", "When is it expected to open?", "It is expected to open in May.", []),
        ("It will open in May.", "When?", "It may rain. It will open in May.", []),
    ],
)
def test_what_the_passage_hedges_the_claim_must(claim, question, passage, lacking):
    assert missing_hedges(claim, question, passage) == lacking


@pytest.mark.parametrize(
    ("claim", "sentence", "restored"),
    [
        ("The country hosts 53 camps.", "The country hosts at least 53 camps.", "The country hosts at least 53 camps."),
        ("53 camps were raided.", "At least 53 camps were raided.", "At least 53 camps were raided."),
        ("Twelve people came.", "Up to twelve people came.", "Up to twelve people came."),
        ("It cost $40 billion.", "It cost up to USD 40 billion.", "It cost up to $40 billion."),
        ("At least 53 camps.", "At least 53 camps were raided.", "At least 53 camps."),
        ("It hosts 53 camps.", "It is estimated to host at least 53 camps.", "It is estimated to host at least 53 camps."),
        ("Police caught 53 thieves.", "Police caught 53 suspected thieves.", "Police caught 53 suspected thieves."),
        ("Thieves came.", "Suspected thieves came.", "Thieves came."),  # only small letters are sure to be no name
        ("Thieves came.", "Some suspected thieves came.", "Suspected thieves came."),
        ("A total of 53 came.", "At least 53 came.", "A total of at least 53 came."),
        ("It will open in May.", "It may open in May.", "It may open in May."),
        ("It will open in May.", "It is expected to open in May.", "It is expected to open in May."),
        ("It was delayed.", "It may have been delayed.", "It may have been delayed."),
        # left alone, so that the check withdraws them: the article, the range, the tense would be wrong
        ("The 53 camps were raided.", "At least 53 camps were raided.", "The 53 camps were raided."),
        ("From 5 to 10 owls.", "Up to 5 owls, up to 10 owls.", "From 5 to 10 owls."),
        ("It opened in May.", "It was expected to open in May.", "It opened in May."),
        ("53 owls.", "At least 53 owls, more than 53 owls.", "53 owls."),
        ("", "At least 53 owls.", ""),
    ],
)
def test_hedges_are_put_back_in_the_sentence_s_own_words(claim, sentence, restored):
    assert restore_hedges(claim, sentence) == restored
    assert restore_hedges(restored, sentence) == restored


@given(st.integers(11, 10**9), st.sampled_from(["at least", "more than", "up to", "nearly", "about", "fewer than"]))
def test_a_restored_claim_is_carried_and_the_bare_one_is_not(n, hedge):
    passage = f"That year {hedge} {n:,} owls came to Arlen."
    claim = f"{n} owls came to Arlen."
    assert check(claim, "How many owls came?", passage, passage) != ()
    assert check(restore_hedges(claim, passage), "How many owls came?", passage, passage) == ()


@given(texts, texts)
def test_no_text_breaks_the_repair_and_a_sentence_lacks_no_hedge_of_its_own(claim, sentence):
    restore_hedges(claim, sentence)
    assert missing_hedges(sentence, "", sentence) == []
