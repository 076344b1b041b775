"""Slips of the finger in a question."""

import pytest

from rag.assistant.spelling import respelled

TEXTS = ["A police car reached the museum only after 17 minutes.", "The government opened the new bridge, said Ilse Varga."]


@pytest.mark.parametrize(
    ("question", "fixed"),
    [
        ("When did the polcie reach the musuem?", "When did the police reach the museum?"),  # letters changed over
        ("Which brigde did the goverment open?", "Which bridge did the government open?"),  # one too few
        ("Which briddge?", "Which bridge?"),  # one too many
        ("Which musium?", ""),  # another vowel may be another word: marine, marina
        ("When did the police reach the museum?", ""),
        ("Which bridges were opened?", ""),  # another form is no slip
        ("What is the policy?", ""),  # another word
        ("Who is Varga, who is Vagra?", ""),  # a name may be another one's
        ("Was it nwe?", ""),  # too short to tell
        ("", ""),
    ],
)
def test_a_word_is_spelt_as_in_what_was_found(question, fixed):
    assert respelled(question, TEXTS) == fixed


def test_a_word_that_may_be_two_is_left_alone():
    assert respelled("Which brdges?", ["bridges and bredges"]) == ""
