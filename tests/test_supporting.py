"""How surely passages say a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.attribute import support
from rag.attribute.supporting import _fitted, _in_order, features
from tests.hostile import texts

PASSAGE = "The stone bridge of Arlen was opened again on Friday. Its repair cost 4.2 million crowns."


def test_what_stands_there_is_supported_and_what_does_not_is_not():
    asked = "What did the repair of the bridge cost?"
    assert support("Its repair cost 4.2 million crowns. [1]", asked, [PASSAGE], [6.0]) > 0.8
    assert support("The new tunnel cost 9 million euros, and I love it. [1]", asked, [PASSAGE], [-4.0]) < 0.1
    assert support("Its repair cost 4.2 million crowns.", asked, [PASSAGE], [6.0]) > support(
        "Its repair cost 4.3 million crowns.", asked, [PASSAGE], [6.0]
    )


def test_the_passages_count_together():
    halves = PASSAGE.split(". ")
    claim = "The bridge was opened again on Friday, and its repair cost 4.2 million crowns."
    assert support(claim, "What happened?", halves, [3.0, 3.0]) > support(claim, "What happened?", halves[:1], [3.0])


def test_the_file_has_a_weight_for_each_feature_and_evidence_counts_for_the_claim():
    weights = _fitted()["weights"]
    assert set(weights) == set(features("Owls.", "What?", [PASSAGE], [1.0]))
    assert all(weights[name] > 0 for name in ("words", "pairs", "order", "score"))
    assert all(weights[name] < 0 for name in ("numbers_lacking", "names_lacking", "checks_failed", "personal", "asking"))


@pytest.mark.parametrize(
    ("one", "two", "n"), [("abcd", "abcd", 4), ("abcd", "dcba", 1), ("abcd", "xaxbx", 2), ("", "a", 0), ("abab", "bbaa", 2)]
)
def test_words_in_order_by_hand(one, two, n):
    assert _in_order(one, two) == _in_order(two, one) == n


@given(texts, texts, st.lists(texts, max_size=2))
def test_it_is_a_probability_for_any_text(claim, question, passages):
    assert 0 <= support(claim, question, passages, [0.0] * len(passages)) <= 1
