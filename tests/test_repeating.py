"""Drafts that say the same again and again: cut there, and what was cut is not shown."""

from __future__ import annotations

import itertools
import re

import pytest

from rag.generate.repeating import without_repeats
from rag.prompt import is_looping, is_refusal

COST = "The repair cost 4.2 million crowns."


def pieces(text):
    return iter(re.findall(r"\s*\S{1,4}", text))


def kept(text):
    return "".join(without_repeats(pieces(text)))


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        (" ".join([COST] * 5), COST),
        (f"{COST} The town paid 1.1 million. {COST} It is open.", f"{COST} The town paid 1.1 million."),
        (f"{COST} The repair cost", COST),  # cut amid what it says again
    ],
)
def test_a_sentence_that_was_said_ends_a_draft(draft, expected):
    assert kept(draft) == expected


@pytest.mark.parametrize(
    "draft",
    [
        COST,
        f"{COST} The repair cost 4.5 million crowns in the end.",
        "It was led by Mr. Smith. It was led by Mr. Jones.",
        "Yes. Yes, it did.",
        "Owls, owls, owls: forty of them.",
        "It cost 1 000 000 000 000 crowns.",
        "",
    ],
)
def test_what_only_begins_alike_is_kept_piece_by_piece(draft):
    assert kept(draft) == draft


def test_no_piece_waits_that_begins_nothing_that_was_said():
    read = []
    source = (read.append(piece) or piece for piece in pieces(f"{COST} It is open again."))
    for n, _ in enumerate(without_repeats(source), 1):
        assert len(read) == n


@pytest.mark.parametrize("phrase", ["the town paid ", "the town paid 4 crowns and ", "桥梁重新开放了，"])
def test_a_phrase_that_goes_round_is_cut_early_and_taken_back(phrase):
    # It went on for 120 tokens, and was confirmed: all its words are in the paragraph.
    draft = "".join(without_repeats(pieces(f"In 2024 {''.join(itertools.repeat(phrase, 60))}")))
    assert len(draft) < 6 * len(phrase)
    assert is_refusal(draft.strip())


@pytest.mark.parametrize(
    "draft", [COST, "No, no, no, no!", "1,000,000,000,000,000,000", "------------------------------", ""]
)
def test_what_may_be_meant_is_no_loop(draft):
    assert not is_looping(draft)
    assert not is_refusal(draft)
