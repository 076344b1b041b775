"""Questions for yes or no: what is one, what an answer may not take from the question, and when a passage says yes or no."""

from __future__ import annotations

import pytest

from rag.attribute import asks_whether, check, with_reply, without_reply
from rag.attribute.affirming import reply


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
    ("question", "sentence", "expected"),
    [
        ("Did any boats sink?", "No one was hurt in the storm, but six boats sank.", "Yes"),
        ("Was anyone hurt in the storm?", "No one was hurt in the storm, but six boats sank.", "No"),
        ("Does the union support the fees?", "The union opposes the fees.", "No"),
        ("Does the union oppose the fees?", "The union opposes the fees.", "Yes"),
        ("Does the union support the fees?", "The union does not oppose the fees.", "Yes"),
        ("Did the mayor resign?", "The mayor refused to resign.", "No"),
        ("Did the mayor resign?", "The mayor may resign.", ""),
        ("Did the mayor steal the money?", "The mayor was accused of stealing the money.", ""),
        ("Is the breakwater finished?", "The breakwater is to be finished in 2027.", ""),
        ("Is the library open?", "The library opened in 1911.", ""),
        ("Were more owls than voles counted?", "More owls than voles were counted.", ""),
        ("Did all boats sink?", "The boats sank.", ""),
        ("Was the bridge closed?", "The bridge carries trams.", ""),
        ("Did 9 boats sink?", "Six boats sank.", ""),
        ("Who sank the boats?", "The boats sank.", ""),
    ],
)
def test_yes_and_no_are_said_only_where_a_sentence_says_so(question, sentence, expected):
    assert reply(question, sentence) == expected


def test_what_the_model_replied_is_left_out_and_put_back_as_the_passage_has_it():
    passage = "The union opposes the fees."
    claim = without_reply("Yes, the union opposes the fees.")
    assert claim == "The union opposes the fees."
    assert with_reply(claim, "Does the union support the fees?", passage) == "No, the union opposes the fees."
    assert with_reply("Brandt opposes the fees.", "Does Brandt oppose the fees?", "Brandt opposes the fees.") == (
        "Yes, Brandt opposes the fees."
    )
    assert without_reply("No.") == ""
    assert without_reply("Yesterday it rained.") == "Yesterday it rained."


def test_a_claim_may_not_take_what_was_asked_from_the_question():
    passage = "The hubs, among them Mango Park 2 in Takeo province, continue to operate."
    assert check("Mango Park 2 in Takeo province was closed.", "Was Mango Park 2 closed?", passage, passage) == (
        "word closed",
    )
    assert not check("Mango Park 2 continues to operate.", "Does Mango Park 2 operate?", passage, passage)


def test_a_claim_about_something_else_is_no_answer_to_yes_or_no():
    passage = "No one was hurt in the storm, but six boats sank."
    assert "anything of what was asked" in check("Six boats sank.", "Was anyone hurt?", passage, passage)
    assert not check("Six boats sank.", "Did any boats sink?", passage, passage)
