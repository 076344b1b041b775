"""What belongs together in enumerations and appositions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.attribute.pairing import crossed_items, wrong_office

MEDALS = "Ada won gold, Bo silver and Cy bronze."
DEATHS = "30 people died in Arlen, 20 in Belmar."
YEARS = "The museum opened in 1990, the library in 2001."
OFFICES = "Ilse Varga, the mayor of Arlen, met Jon Reyk, the governor of the province."


@pytest.mark.parametrize(
    ("claim", "question", "passage"),
    [
        ("Ada won gold.", "Who won gold?", MEDALS),
        ("Bo won silver.", "Who won silver?", MEDALS),
        ("Silver.", "What did Bo win?", MEDALS),
        ("Ada.", "Who won gold?", MEDALS),
        ("Ada won gold and Bo won silver.", "Who won?", MEDALS),
        ("Ada and Bo won gold and silver.", "Who won?", MEDALS),
        ("20 people died in Belmar.", "How many died in Belmar?", DEATHS),
        ("30.", "How many died in Arlen?", DEATHS),
        ("2001.", "When did the library open?", YEARS),
        ("The museum opened in 1990.", "When did the museum open?", YEARS),
        ("Ada.", "Did Ada or Bo win gold?", MEDALS),
        # no enumeration, though there are names and numbers in several parts
        ("Varga was born on 3 May 1950.", "When?", "Born in Arlen on 3 May 1950, Varga moved to Belmar in 1970."),
        ("The repair lasted 9 years.", "How long?", "The repair cost 4 crowns and took 9 years."),
        ("Owls departed in 2001.", "When?", "Owls came in 1990 and left in 2001."),
        ("In 2020 the owls departed.", "When?", "In 2019 the town paid 4 crowns, and in 2020 the owls left."),
        # said of both somewhere
        ("Bo won gold.", "Who won?", f"{MEDALS} A year later Bo won gold."),
    ],
)
def test_what_stands_together_may_be_said_together(claim, question, passage):
    assert crossed_items(claim, question, passage) == []


@pytest.mark.parametrize(
    ("claim", "question", "passage"),
    [
        ("Bo won gold.", "Who won gold?", MEDALS),
        ("Ada won bronze.", "What did she win?", MEDALS),
        ("Gold.", "What did Bo win?", MEDALS),
        ("Cy.", "Who won gold?", MEDALS),
        ("Ada won silver and Bo won gold.", "Who won?", MEDALS),
        ("20 people died in Arlen.", "How many died?", DEATHS),
        ("20.", "How many died in Arlen?", DEATHS),
        ("The library opened in 1990.", "When?", YEARS),
        ("1990.", "When did the library open?", YEARS),
        ("Varga visited Belmar.", "What?", "Varga visited Arlen while Reyk visited Belmar."),
        ("347 Indonesians.", "How many?", "They caught many, including 347 Vietnamese, 271 Indonesians."),
    ],
)
def test_what_belongs_to_another_item_is_not_said_of_this_one(claim, question, passage):
    assert crossed_items(claim, question, passage) != []


@given(st.lists(st.integers(2, 900), min_size=2, max_size=5, unique=True), st.data())
def test_of_any_list_each_number_belongs_to_its_own_name(values, data):
    names = ["Arlens", "Belmars", "Cadmars", "Dunlins", "Egrets"][: len(values)]
    passage = "There came " + ", ".join(f"{v} {name}" for v, name in zip(values, names, strict=True)) + "."
    one, other = data.draw(st.permutations(range(len(values))))[:2]
    assert crossed_items(f"{values[one]}.", f"How many {names[one]} came?", passage) == []
    assert crossed_items(f"{values[other]}.", f"How many {names[one]} came?", passage) != []


@pytest.mark.parametrize(
    ("claim", "question", "wrong"),
    [
        ("Ilse Varga is the mayor of Arlen.", "Who is Varga?", False),
        ("Jon Reyk is the mayor of Arlen.", "Who is Reyk?", True),
        ("The governor is Ilse Varga.", "Who governs?", True),
        ("The governor is Jon Reyk.", "Who governs?", False),
        ("Reyk.", "Who is the mayor of Arlen?", True),
        ("Varga.", "Who is the mayor of Arlen?", False),
        ("Jon Reyk met the mayor of Arlen.", "Whom did he meet?", False),
        ("Jon Reyk is the owner of a boat.", "Who is Reyk?", False),  # not in the passage: other checks tell
    ],
)
def test_an_office_is_its_holder_s(claim, question, wrong):
    assert bool(wrong_office(claim, question, OFFICES)) is wrong


@pytest.mark.parametrize(
    ("claim", "passage", "wrong"),
    [
        ("Jon Reyk was the referee.", "Arlen coach Jon Reyk complained about the referee, who had sent off a player.", True),
        ("Jon Reyk was the coach.", "Arlen coach Jon Reyk complained about the referee.", False),
        ("Jon Reyk was the referee.", "Jon Reyk, the referee, complained about the referee of the first half.", False),
        ("Jon Reyk was the referee.", "The coach complained about the referee, Jon Reyk.", False),
        ("Jon Reyk was the referee.", "Jon Reyk was chosen by the league as referee in May.", False),
        ("Jon Reyk was the referee.", "Jon Reyk was appointed by the league's board head referee.", False),
    ],
)
def test_who_complains_about_a_referee_is_none(claim, passage, wrong):
    assert bool(wrong_office(claim, "Who was the referee?", passage)) is wrong
