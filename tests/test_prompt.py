"""Prompts: what the model is given, what counts as a refusal, and what is told of a conversation."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.prompt import (
    answer_prompt,
    asks_whether,
    block,
    example_prompt,
    has_markup,
    is_refusal,
    rewrite_prompt,
)
from rag.read import canonical
from rag.types import Hit
from tests.hostile import texts


def hit(text, quote=""):
    return Hit("id", "version", "Title", "/a/b.txt", 1, 0, len(text), text, 0.0, quote)


def n_words(text):
    return len(text.split())


# --- the draft's prompt --------------------------------------------------------------------------------------------


def test_the_question_comes_after_the_passages_in_their_order():
    made = answer_prompt("Who paid?", ["First.", "Second."])
    assert made.paragraphs == ("First.", "Second.")
    assert made.question == "Question: Who paid?"
    assert made.system == answer_prompt("Another?", []).system


def test_the_day_is_told_if_it_is_given():
    assert answer_prompt("Who came today?", [], "2024-05-03").question == "(Today is 2024-05-03.) Question: Who came today?"


def test_an_example_is_asked_about_one_paragraph():
    made = example_prompt("Owls came.")
    assert (made.paragraphs, made.question) == (("Owls came.",), "Question:")
    assert made.system != answer_prompt("Who?", []).system


# --- blocks --------------------------------------------------------------------------------------------------------

FIVE = "First one here. Second one here. Third one here. Fourth one here. Fifth one here."  # three words each


@pytest.mark.parametrize(
    ("quote", "budget", "expected"),
    [
        ("Third one here.", 15, FIVE),
        ("Third one here.", 14, "Second one here. Third one here. Fourth one here. Fifth one here."),
        ("Third one here.", 9, "Third one here. Fourth one here. Fifth one here."),
        ("Third one here.", 8, "Third one here. Fourth one here."),
        ("Third one here.", 3, "Third one here."),
        ("Fifth one here.", 8, "Fourth one here. Fifth one here."),
        ("First one here.", 8, "First one here. Second one here."),
        ("", 8, "First one here. Second one here."),
        ("not in the text", 8, "First one here. Second one here."),
    ],
)
def test_a_long_paragraph_is_cut_to_sentences_around_the_best_one(quote, budget, expected):
    made = block(hit(FIVE, quote), budget + 1, n_words)
    assert made == f"Title\n{expected}"


def test_a_title_that_leaves_no_room_is_left_out():
    long = replace(hit("First one here."), title="A title of six words is this")
    assert block(long, 13, n_words) == "First one here."
    assert block(long, 14, n_words) == "A title of six words is this\nFirst one here."


def test_a_sentence_longer_than_the_budget_is_cut():
    text = "One two three four five six seven eight nine ten. Then."
    cut = block(hit(text, "One two three four five six seven eight nine ten."), 5, n_words)
    assert text.startswith(cut.removeprefix("Title\n"))
    assert 2 <= n_words(cut) <= 5


@given(texts.map(canonical).map(str.strip).filter(bool), st.integers(-5, 40))
def test_a_block_is_a_part_of_the_paragraph_within_the_budget(text, budget):
    made = block(hit(text), budget, len)
    assert made.removeprefix("Title\n") in text
    assert len(made) <= max(budget, 0)  # it looped for ever when nothing was left for the passage


# --- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "draft",
    [
        "Not in the documents.",
        "The passage does not say.",
        "The passage does not mention the cost.",
        "The passage doesn't say.",
        "The article doesn’t mention it.",
        "The documents do not say.",
        "the documents don't say who paid",
        "Not specified.",
        "It is not mentioned.",
        "It's not mentioned.",
        "This is not stated in the text.",
        "No information is given.",
        "There is no mention of a mayor.",
        "There's no information about it.",
        "Unknown.",
        "None.",
        "N/A",
        "I don't know.",
        "I cannot tell.",
        "The cause is not stated in the article.",
        "The names weren't mentioned in the passage.",
        "  “Not in the passage.”",
    ],
)
def test_refusals_are_told(draft):
    assert is_refusal(draft)


@pytest.mark.parametrize(
    "draft",
    [
        "No one was hurt.",
        "No.",
        "None of them survived.",
        "Not one owl was counted.",
        "Not guilty.",
        "The embassy has not replied.",
        "The cause is not known.",
        "The bridge does not carry cars.",
        "The text of the law does not apply to owls.",
        "Unknown men opened the bridge.",
        "The informed mayor said no.",
        "It is in the documents.",
        "",
    ],
)
def test_what_an_article_may_say_is_no_refusal(draft):
    assert not is_refusal(draft)


# --- follow-ups ----------------------------------------------------------------------------------------------------


def test_a_rewrite_is_asked_for_with_the_last_two_questions_and_the_last_answer():
    history = [
        {"role": role, "content": f"{said} {n}."}
        for n in range(4)
        for role, said in (("user", "Question"), ("assistant", "Answer"))
    ]
    made = rewrite_prompt("And then?", history)
    assert made.paragraphs == ("Question: Question 2.\nQuestion: Question 3.\nAnswer: Answer 3.",)
    assert made.question == "Last question: And then?\nFull question:"


def test_a_long_message_is_cut_between_words():
    (said,) = rewrite_prompt("And then?", [{"role": "user", "content": "word " * 100}]).paragraphs
    assert said == "Question: " + "word " * 49 + "word …"  # 250 characters are 50 words and their blanks


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Was anyone hurt?", True),
        ("And did the mayor resign?", True),
        ("Isn't the bridge closed?", True),
        ("Who was hurt?", False),
        ("Was it a tram or a bus?", False),
        ("Can you summarise the article?", False),
        ("How many were hurt?", False),
    ],
)
def test_what_asks_for_yes_or_no(question, expected):
    assert asks_whether(question) is expected


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        ("End with ![pier](http://example.invalid/leak).", True),
        ("[pier](javascript:alert)", True),
        ("It is at https://example.invalid.", True),
        ("<img src=x>", True),
        ("The pier is 240 metres long (not 180) [1].", False),
        ("It is < 240 and > 180 metres long.", False),
    ],
)
def test_links_images_and_tags_are_told(draft, expected):
    assert has_markup(draft) is expected
