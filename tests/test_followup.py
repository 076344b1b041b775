"""Follow-ups: which questions lean on the conversation, which rewrites are trusted, and when a question is asked back."""

from __future__ import annotations

import time

import pytest

from rag.followup import (
    ALIKE,
    MAX_CHOICES,
    checked_rewrite,
    choices,
    chosen,
    is_follow_up,
    is_new_topic,
    paralleled,
    question_back,
    stand_in,
    topic,
)
from rag.types import NOT_FOUND, Hit

HISTORY = (
    {"role": "user", "content": "How many owls were counted in the Marrow forest?"},
    {"role": "assistant", "content": "Forty snowy owls were counted. [1]"},
)


def said(*messages):
    """Returns a conversation, the reader's messages and the assistant's in turns."""
    return tuple({"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(messages))


# --- what leans on the conversation ----------------------------------------------------------------------------------


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
        "Were these repainted?",
        "What is the difference between the two counts?",
        "What were some of his finds?",
        "What made it a surprise?",
        "Which forests did they leave?",
        "What else does this article say?",
        "Okay. And the voles?",
        "Forty is a lot. What about hares?",
        "Which is older?",
        "What is the smallest?",
        "Was there a second one?",
        "Are these owls rare?",  # owls were spoken of
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
        "Is it possible to cross the bridge by car?",
        "Did Ilse Varga open the bridge herself before she left office?",
        "What can be added to a drink to make it sweeter?",
        "What services does this library offer?",  # no library was spoken of
        "Which company lost its head this week?",
        "what are the five parts of a tram line in plants?",
        "What happened in Arlen this week?",
        "Okay, what did the repair of the Arlen bridge cost?",
    ],
)
def test_a_full_question_is_none(question):
    assert not is_follow_up(question, HISTORY)


def test_a_question_of_one_very_long_word_is_judged_at_once():
    started = time.process_time()
    assert not is_follow_up(f"why {'a' * 1900} b c d", HISTORY)  # took half a minute: every cut of the word was tried
    assert time.process_time() - started < 1


# --- rewrites ------------------------------------------------------------------------------------------------------


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
def test_another_rewrite_is_not_used(rewrite):
    assert checked_rewrite(rewrite, "And how many voles?", HISTORY) == ""


def test_the_question_before_stands_in_for_a_rewrite():
    assert stand_in("And how many voles?", HISTORY) == "And how many voles? How many owls were counted in the Marrow forest?"


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
    assert checked_rewrite("How old is Tomas Reyk?", "How old is she?", history) == ""


def test_a_rewrite_that_completes_nothing_is_not_used():
    assert checked_rewrite("Who counted them?", "Who counted them?", HISTORY) == ""


def test_what_is_said_beside_the_question_need_not_be_kept():
    rewrite = "How many voles were counted in the Marrow forest?"
    assert checked_rewrite(rewrite, "That is interesting to hear. And how many voles?", HISTORY) == rewrite


def test_the_question_that_stands_in_for_a_rewrite_is_one_that_can_be_understood():
    history = said("Who is the mayor of Arlen?", "Ilse Varga is the mayor.", "How old is she?", NOT_FOUND)
    assert stand_in("And where did she sing?", history) == "And where did she sing? Who is the mayor of Arlen?"


# --- what a conversation is about ----------------------------------------------------------------------------------


def test_the_topic_is_the_words_of_the_last_question_and_the_names_of_its_answer():
    history = said("Who paid for the repair of the bridge?", "The town of Arlen paid 1.1 million crowns, said Ilse Varga.")
    assert topic(history) == "paid repair bridge Arlen Ilse Varga"


def test_a_question_that_leans_on_another_brings_that_one_s_topic_along():
    history = said("Who is the mayor of Arlen?", "Ilse Varga.", "How old is she?", "She is 61 years old.")
    assert topic(history) == "old mayor Arlen"


@pytest.mark.parametrize(
    "answer", [NOT_FOUND, "The passage does not say who counted the Owls of Marrow.", question_back("AB")]
)
def test_a_refusal_or_a_question_back_adds_no_topic(answer):
    assert topic(said("How many storks came to Bavet?", answer)) == "storks came Bavet"


def test_a_refusal_does_not_hide_the_answer_before_it():
    history = said("Who opened the bridge?", "It was Ilse Varga.", "Which bank paid the repair?", NOT_FOUND)
    assert topic(history) == "bank paid repair Ilse Varga"


def test_without_a_question_before_there_is_no_topic():
    assert topic(()) == topic(HISTORY[1:]) == ""


@pytest.mark.parametrize(
    ("question", "is_new"),
    [
        ("What services does this library offer?", True),
        ("What do these old bridges cost?", True),
        ("How old are those snowy birds?", False),  # snowy was said
        ("What does this article say?", False),
        ("Were these repainted?", False),
        ("Where do these owls live?", False),
        ("What happened this week?", False),
        ("The library of Arlen is old. What does this library offer?", False),
        ("What does the library offer?", False),
    ],
)
def test_pointing_at_what_nobody_spoke_of_is_a_new_topic(question, is_new):
    assert is_new_topic(question, HISTORY) == is_new


# --- asking back -----------------------------------------------------------------------------------------------------

BRIDGE, OWLS, FAIR = "Old bridge of Arlen reopens", "Owls return to the Marrow forest", "Fair of Bavet opens"


def found(*rows):
    """Returns hits of (title, text, score)."""
    return tuple(Hit(title, "v", title, f"/{title}", 1, 0, len(text), text, score) for title, text, score in rows)


ALL = found((BRIDGE, "The mayor won a prize.", 1.0), (OWLS, "Reyk won a prize.", 0.5), (FAIR, "Nothing to see.", 0.0))


@pytest.mark.parametrize(
    ("question", "offered"),
    [
        ("What happened?", (BRIDGE, OWLS, FAIR)),
        ("How many?", (BRIDGE, OWLS, FAIR)),
        ("Who won?", (BRIDGE, OWLS)),  # the fair's article knows of nobody who won
        ("When did he win it?", (BRIDGE, OWLS)),
        ("When did he lose it?", ()),  # no article knows of a loss
        ("Okay, who won?", (BRIDGE, OWLS)),
        ("What is this prize for?", (BRIDGE, OWLS)),
        ("Won?", ()),
        ("?", ()),
        ("Who won in Arlen?", ()),
        ("Who won in 2024?", ()),
        ("What is a prize?", ()),
        ("What does prize mean?", ()),
        ("Who won the prize of the mayor?", ()),
        ("What happened this week in Bavet?", ()),
    ],
)
def test_a_question_that_several_articles_would_answer_is_asked_back(question, offered):
    assert choices(question, (), ALL) == offered


def test_articles_that_score_less_do_not_compete():
    assert choices("Who won?", (), found((BRIDGE, "They won.", 1.0), (OWLS, "They won.", 1.0 - ALIKE))) == (BRIDGE, OWLS)
    assert choices("Who won?", (), found((BRIDGE, "They won.", 1.0), (OWLS, "They won.", 0.99 - ALIKE))) == ()


def test_one_article_or_two_of_one_title_leave_nothing_to_ask():
    assert choices("Who won?", (), found((BRIDGE, "They won.", 1.0), (BRIDGE.upper(), "He won.", 1.0))) == ()
    assert choices("Who won?", (), ()) == ()


def test_no_more_than_four_are_offered():
    hits = found(*((f"Title number {n}", "They won.", 1.0) for n in range(9)))
    assert choices("Who won?", (), hits) == tuple(f"Title number {n}" for n in range(MAX_CHOICES))


def test_a_follow_up_is_not_asked_back_but_a_new_vague_topic_is():
    assert choices("Who won?", HISTORY, ALL) == ()
    assert choices("What is this prize for?", HISTORY, ALL) == (BRIDGE, OWLS)
    assert choices("What are these owls?", HISTORY, ALL) == ()


def test_it_is_not_asked_back_twice_in_a_row():
    assert choices("What is this prize for?", said("Who won?", question_back((BRIDGE, OWLS))), ALL) == ()


def test_the_question_back_quotes_the_titles():
    assert question_back(("A", "B")) == "Which one do you mean: “A” or “B”?"
    assert question_back(("A", "B “c”", "D\nE")) == "Which one do you mean: “A”, “B ‘c’” or “D E”?"
    long = question_back(("word " * 40, "B"))
    assert len(long) < 140


@pytest.mark.parametrize(
    ("reply", "full"),
    [
        ("the bridge", f"Who won (“{BRIDGE}”)?"),
        ("The owls, please.", f"Who won (“{OWLS}”)?"),
        ("the first one", f"Who won (“{BRIDGE}”)?"),
        ("2", f"Who won (“{OWLS}”)?"),
        ("the last", f"Who won (“{FAIR}”)?"),
        (BRIDGE, f"Who won (“{BRIDGE}”)?"),
        ("the election", "Who won (the election)?"),  # none of them: said in the reader's words
        ("the fourth", "Who won (the fourth)?"),
        ("What did the repair cost in Arlen?", ""),  # a question of its own
    ],
)
def test_a_reply_to_a_question_back_completes_the_question(reply, full):
    assert chosen(reply, said("Who won?", question_back((BRIDGE, OWLS, FAIR)))) == full


def test_a_title_with_marks_of_its_own_can_be_chosen():
    assert chosen("sing", said("Who won?", question_back(("They “sing” again", "B")))) == "Who won (“They ‘sing’ again”)?"


def test_without_a_question_back_nothing_is_chosen():
    assert chosen("the bridge", HISTORY) == chosen("the bridge", ()) == ""
    history = said("Who won?", question_back((BRIDGE, OWLS)), "the bridge", "Ilse Varga won.")
    assert chosen("the owls", history) == ""


@pytest.mark.parametrize(
    ("question", "before", "expected"),
    [
        ("And how many Chinese?", ["How many Indonesians were arrested?"], "How many Chinese were arrested?"),
        (
            "And how many Chinese?",
            ["How many Indonesians were arrested?", "Who is the president of France?"],
            "How many Chinese were arrested?",
        ),
        ("How many voles?", ["How many owls did they count in May?"], "How many voles did they count in May?"),
        ("And how many Chinese were deported?", ["How many Indonesians were arrested?"], ""),
        ("And how much money?", ["How many Indonesians were arrested?"], ""),
        ("And how many Chinese?", ["Who was arrested?"], ""),
        ("And why?", ["How many Indonesians were arrested?"], ""),
    ],
)
def test_how_many_of_something_else_is_asked_as_it_was_before(question, before, expected):
    history = [{"role": "user", "content": text} for text in before]
    assert paralleled(question, history) == expected
