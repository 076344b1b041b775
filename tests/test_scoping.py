"""Of whom and when a sentence speaks."""

import pytest

from rag.attribute.scoping import left_office, wrong_antecedent, wrong_stage

LEFT = "The head of planning, Ilse Varga, resigned on Tuesday. She took responsibility. Jon Reyk is the mayor."


@pytest.mark.parametrize(
    ("claim", "lacking"),
    [
        ("Ilse Varga is the new head of planning.", ["the word resigned"]),
        ("Ilse Varga was the head of planning.", []),
        ("Ilse Varga resigned on Tuesday.", []),
        ("Jon Reyk is the mayor.", []),
        ("Ilse Varga is the head of planning and resigned.", []),
    ],
)
def test_who_has_left_an_office_does_not_hold_it(claim, lacking):
    assert left_office(claim, LEFT) == lacking


LOST = "Sorn Rovers dismissed their coach after a defeat at Arlen Town. The club has nine points from 12 matches."


@pytest.mark.parametrize(
    ("claim", "passage", "lacking"),
    [
        ("Arlen Town has 9 points.", LOST, ["subject arlen town"]),
        ("Sorn Rovers has 9 points.", LOST, []),
        ("The club has 9 points.", LOST, []),
        ("Arlen Town has 7 points.", LOST, []),  # for other checks
        ("Arlen paid 3 million.", "The mayor opened a bridge in Arlen. The town paid 3 million.", []),
        ("Arlen Town has 9 points.", "Sorn lost at Arlen Town. Arlen Town has nine points.", []),
    ],
)
def test_what_is_said_of_a_club_is_not_said_of_its_opponent(claim, passage, lacking):
    assert wrong_antecedent(claim, passage) == lacking


ROUNDS = "In the first round, Varga received 38 percent. In the run-off, she received 52 percent."


@pytest.mark.parametrize(
    ("claim", "lacking"),
    [
        ("Varga received 38 percent in the runoff.", ["the stage runoff"]),
        ("Varga received 38 percent in the first round.", []),
        ("Varga received 52 percent in the run-off.", []),
        ("Varga received 38 percent.", []),
        ("Varga received 38 percent in the town.", []),
    ],
)
def test_a_value_of_one_round_is_none_of_another(claim, lacking):
    assert wrong_stage(claim, ROUNDS) == lacking
