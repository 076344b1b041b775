"""Who does it and where, as the passage says it."""

from __future__ import annotations

import pytest

from rag.attribute import check
from rag.attribute.agents import other_place, unsaid_role, wrong_agent

LED = (
    "The minister, Ilse Varga, said an inquiry would be led by the judge Jon Reyk, and that the port was built by Sorn & Co."
)


@pytest.mark.parametrize(
    ("claim", "lacking"),
    [
        ("Ilse Varga will lead the inquiry.", True),
        ("Ilse Varga leads the inquiry.", True),
        ("Jon Reyk will lead the inquiry.", False),
        ("Jon Reyk leads it.", False),
        ("Sorn said it.", False),
        ("Ilse Varga built the port.", True),
        ("Sorn & Co. built the port.", False),
        ("The inquiry will be led by Ilse Varga.", False),  # in the passive itself: for other checks
        ("Ilse Varga said it.", False),
    ],
)
def test_who_is_said_to_do_it_must_be_who_does_it_in_the_passive(claim, lacking):
    assert bool(wrong_agent(claim, LED)) is lacking


@pytest.mark.parametrize(
    ("claim", "passage"),
    [
        ("Reyk was killed on Monday.", "Reyk was killed by a falling tree on Monday."),
        ("Varga was appointed in 2019.", "Varga was appointed by the council in 2019."),
        ("Prices rose 12 per cent.", "Prices rose by 12 per cent in March."),
        ("The report found losses.", "A report by auditors found losses of 4 million."),
        ("An attack killed 12 people.", "An attack by gunmen killed 12 people."),
        ("Ms Lee succeeded him.", "He was succeeded by his deputy, Ms Lee."),
        ("Reyk designed the hall.", "The hall was designed by the architect J. Reyk."),
        ("Police arrested two men.", "Two men were arrested by officers."),
        ("Rovers won 3-0.", "It was won by three goals."),
    ],
)
def test_ordinary_sentences_have_the_right_agent(claim, passage):
    assert wrong_agent(claim, passage) == []


def test_only_the_sentence_nearest_to_the_claim_tells():
    passage = "Ilse Varga leads the council in Arlen. The choir is led by Jon Reyk."
    assert wrong_agent("Ilse Varga leads the council in Arlen.", passage) == []


OPERATES = "The operator Sorn Lines said the ferry was built in 1998."


@pytest.mark.parametrize(
    ("claim", "passage", "lacking"),
    [
        ("Sorn Lines is owned by the operator.", OPERATES, ["role owner"]),
        ("It is the operator.", OPERATES, ["role owner"]),
        ("Ilse Varga is the owner of Sorn Lines.", OPERATES, []),  # a name, which other checks look for
        ("It belongs to the town, which owns it.", f"{OPERATES} The town owns it.", []),
    ],
)
def test_a_role_that_nothing_is_said_of_is_nobody_s(claim, passage, lacking):
    assert unsaid_role(claim, "Who is the owner of Sorn Lines?", passage) == lacking


def test_a_question_for_no_role_lacks_none():
    assert unsaid_role("The operator said so.", "Who said that the ferry was built in 1998?", OPERATES) == []


SITES = """The first site, at Coldbeck, would cost 420 million. The second, at Norrick, would cost 150 million. The engineer
said Coldbeck was the better one, although 43 homes would go. At Norrick the rock is soft."""


@pytest.mark.parametrize(
    ("question", "claim", "lacking"),
    [
        ("How many homes would go at Norrick?", "43 homes would go at Norrick.", ["place norrick"]),
        ("How many homes would go at Norrick?", "43", ["place norrick"]),
        ("How many homes would go at Coldbeck?", "43 homes would go at Coldbeck.", []),
        ("What would the site at Norrick cost?", "It would cost 150 million.", []),
        ("What would the site at Coldbeck cost?", "It would cost 420 million.", []),
        ("How many homes would go?", "43 homes would go.", []),
    ],
)
def test_a_number_of_one_place_is_not_that_of_another(question, claim, lacking):
    assert other_place(claim, question, SITES) == lacking
    assert any(lack.startswith("place ") for lack in check(claim, question, SITES, SITES)) is bool(lacking)


@pytest.mark.parametrize(
    ("claim", "question", "passage"),
    [
        ("A man.", "Who was the victim?", "A 34-year-old man died in the crash."),
        ("The home side.", "Who was the winner of the cup?", "The home side won the cup."),
        ("A judge.", "Who is the author of the report?", "It was written by a retired judge."),
        ("The parish.", "Who is the owner of the field?", "The field belongs to the parish."),
        ("A bank.", "Who is the new owner of the field?", "A bank owns the field now."),
    ],
)
def test_a_role_may_be_said_in_other_words(claim, question, passage):
    assert unsaid_role(claim, question, passage) == []


@pytest.mark.parametrize(
    ("passage", "number"),
    [
        (
            "The plant in Arlen opened in 1990. It is profitable. Unlike the works in Norrick, it employs 300.",
            300,
        ),
        ("The plant in Arlen opened in 1990. The firm, based in Norrick, employs 300 there and 40 at home.", 300),
        ("The match in Arlen was in 1990. It drew 5,000, more than the one in Norrick.", 5000),
    ],
)
def test_another_place_may_stand_beside_the_value(passage, number):
    assert other_place(f"{number} in Arlen.", "How many in Arlen?", passage) == []


def test_a_place_that_is_named_in_the_sentence_before_is_still_meant():
    passage = "At Norrick 20 men met. They had 43 homes there. At Coldbeck 12 men met."
    assert other_place("43 homes are at Norrick.", "How many homes are at Norrick?", passage) == []
