"""What is denied."""

from __future__ import annotations

import pytest

from rag.attribute.negating import is_denied, is_negated, is_undone, says_no


@pytest.mark.parametrize(
    ("text", "negated"),
    [
        ("Reyk was not arrested.", True),
        ("Nobody wasn’t there.", True),
        ("Not only the town paid.", False),
        ("No fewer than 9 came.", False),
        ("It did not open until Friday.", False),
        ("Reyk was arrested.", False),
    ],
)
def test_negations_by_hand(text, negated):
    assert is_negated(text) is negated


@pytest.mark.parametrize(
    ("claim", "passage", "denied"),
    [
        ("Reyk was arrested.", "Reyk was not arrested.", True),
        ("Reyk was arrested.", "Reyk was arrested, and Varga was not.", False),
        ("The embassy replied.", "The embassy refused to reply.", True),
        ("The embassy refused to reply.", "The embassy refused to reply.", False),
        ("The embassy replied.", "The embassy replied and refused to apologise.", False),
        ("The bridge is used.", "The bridge is no longer used.", True),
        ("People were hurt.", "No one of the people was hurt.", True),
        ("12 were hurt.", "No one was killed and 12 were hurt.", False),
        ("1,362 came.", "1,362 came, not all on foot.", False),  # the comma of a number ends no clause
    ],
)
def test_the_clause_nearest_to_the_claim_tells(claim, passage, denied):
    assert is_denied(claim, passage) is denied


def test_what_was_not_done_needs_no_negation():
    assert is_undone("They failed to reply.")
    assert not is_undone("They replied to the failed bank.")


@pytest.mark.parametrize(
    ("question", "sentence", "is_no"),
    [
        ("Was the captain arrested?", "Police said no arrests had been made.", True),
        ("Did Varga vote for the closure?", "Varga voted against it.", True),
        ("Was anybody killed in the fire?", "Two had broken legs; nobody was killed.", True),
        ("Was the captain arrested?", "No trams ran that day.", False),
        ("Did Varga vote against the closure?", "Varga voted against it.", False),
        ("Was anybody killed in the fire?", "Nobody saw it.", False),
        ("Did the council apply for a grant?", "It applied for the grant despite a protest against the road.", False),
        ("Is there a charge for parking?", "Parking costs 3 pounds, despite a petition against it.", False),
        ("Will the school close?", "The school will close, and no other school nearby has places.", False),
        ("Was the mayor re-elected?", "The mayor was re-elected, though no mayor had won three times.", False),
    ],
)
def test_a_no_is_an_answer_too(question, sentence, is_no):
    assert says_no(question, sentence) is is_no
