"""Prompts: what the model is given, what counts as a refusal, and which rewrites of a follow-up are trusted."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.prompt import (
    answer_prompt,
    block,
    checked_rewrite,
    example_prompt,
    is_follow_up,
    is_refusal,
    rewrite_prompt,
)
from rag.read import canonical
from rag.types import Hit
from tests.hostile import texts

HISTORY = (
    {"role": "user", "content": "How many owls were counted in the Marrow forest?"},
    {"role": "assistant", "content": "Forty snowy owls were counted. [1]"},
)


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
    assert block(hit(FIVE, quote), budget, n_words) == expected


def test_a_sentence_longer_than_the_budget_is_cut():
    text = "One two three four five six seven eight nine ten. Then."
    cut = block(hit(text, "One two three four five six seven eight nine ten."), 5, n_words)
    assert text.startswith(cut)
    assert 1 <= n_words(cut) <= 5


@given(texts.map(canonical).map(str.strip).filter(bool), st.integers(-5, 40))
def test_a_block_is_a_part_of_the_paragraph_within_the_budget(text, budget):
    made = block(hit(text), budget, len)
    assert made in text
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


@pytest.mark.parametrize(
    "question",
    [
        "And the voles?",
        "Why?",
        "Who counted them?",
        "What about 1987?",
        "How many of those?",
        "How many voles?",
        "How many Chinese?",
        "When was it?",
        "who paid?",
        "Who lives there?",
        "How old is that bridge?",
        "Which one is older?",
        "Who said that?",
    ],
)
def test_a_question_that_leans_on_the_history_is_a_follow_up(question):
    assert is_follow_up(question, HISTORY)
    assert not is_follow_up(question, ())
    assert not is_follow_up(question, HISTORY[1:])  # nothing was asked before


@pytest.mark.parametrize(
    "question",
    [
        "What did the repair of the Arlen bridge cost?",
        "Which mayor opened the Arlen bridge?",
        "Where did Ilse Varga open a bridge?",
        "Who ordered the campaign?",
        "Where is Bavet?",
        "What is inflation?",
        "Who is Hun Manet?",
        "How many scam compounds are there in Cambodia?",
        "Which team won the cup this week?",
        "What is the largest bridge that was opened in 1931?",
    ],
)
def test_a_full_question_is_none(question):
    assert not is_follow_up(question, HISTORY)


def test_a_question_of_one_very_long_word_is_judged_at_once():
    started = time.process_time()
    assert not is_follow_up(f"why {'a' * 1900} b c d", HISTORY)  # took half a minute: every cut of the word was tried
    assert time.process_time() - started < 1


def test_a_rewrite_is_asked_for_with_the_last_four_messages():
    history = [{"role": "user", "content": f"Question {n}?"} for n in range(5)]
    made = rewrite_prompt("And then?", [*history, {"role": "assistant", "content": "Said."}])
    assert made.paragraphs[-1] == "Question: Question 2?\nQuestion: Question 3?\nQuestion: Question 4?\nAnswer: Said."
    assert made.question == "Last question: And then?\nFull question:"


def test_a_long_message_is_cut_between_words():
    (said,) = rewrite_prompt("And then?", [{"role": "user", "content": "word " * 100}]).paragraphs
    assert said == "Question: " + "word " * 79 + "word …"  # 400 characters are 80 words and their blanks


# --- rewrites ------------------------------------------------------------------------------------------------------

FALLBACK = "And how many voles? How many owls were counted in the Marrow forest?"


@pytest.mark.parametrize(
    "rewrite",
    [
        "How many voles were counted in the Marrow forest?",
        ' "How many voles were counted in the Marrow forest?" \nIt is a question.',
    ],
)
def test_a_rewrite_of_what_was_said_is_used(rewrite):
    assert checked_rewrite(rewrite, "And how many voles?", HISTORY) == "How many voles were counted in the Marrow forest?"


@pytest.mark.parametrize(
    "rewrite",
    [
        "How many voles were counted in the Arlen forest?",  # nobody said Arlen
        "How many voles were counted in the Marrow forest in 2019?",  # nor 2019
        "How many owls were counted in the Marrow forest?",  # the voles are lost
        "Twelve voles were counted in the Marrow forest.",  # no question
        "How many voles were counted in the Marrow forest? " * 7,  # longer than any question
        "\nHow many",
        "",
        " \n ",
    ],
)
def test_else_the_question_before_is_kept_and_the_follow_up_put_behind_it(rewrite):
    assert checked_rewrite(rewrite, "And how many voles?", HISTORY) == FALLBACK


@pytest.mark.parametrize("question", ["Did he also count owls?", "Did the former count owls?", "Who else did count owls?"])
def test_words_that_only_refer_are_not_missed(question):
    history = ({"role": "user", "content": "Who paid?"}, {"role": "assistant", "content": "Tomas Reyk paid. [1]"})
    rewrite = "Did Tomas Reyk count owls?"
    assert checked_rewrite(rewrite, question, history) == rewrite


def test_a_rewrite_may_bring_a_word_of_asking_along():
    history = ({"role": "user", "content": "How many books does the library hold?"},)
    rewrite = "How many solar panels does the library have?"
    assert checked_rewrite(rewrite, "And how many solar panels?", history) == rewrite


def test_words_of_reference_and_asking_need_not_be_kept():
    rewrite = "Who counted the snowy owls?"
    assert checked_rewrite(rewrite, "Who counted those others there?", HISTORY) == rewrite


def test_the_answer_s_words_were_said_too():
    history = ({"role": "user", "content": "Who is the mayor?"}, {"role": "assistant", "content": "Ilse Varga. [1]"})
    assert checked_rewrite("How old is Ilse Varga?", "How old is she?", history) == "How old is Ilse Varga?"
    assert checked_rewrite("How old is Tomas Reyk?", "How old is she?", history) == "How old is she? Who is the mayor?"
