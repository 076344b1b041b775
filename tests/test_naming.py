"""Names in part, abbreviations, names crossed."""

from __future__ import annotations

import pytest

from rag.attribute.naming import abbreviations, crossed_names, initials, is_named, runs, unnamed_person

ARTICLE = "Mayor Ilse Varga met the World Health Organization (WHO). Her father Tor Reyk and Jon Reyk came too."


def test_names_and_what_they_are_abbreviated_to_by_hand():
    assert runs("The World Health Organization met Ilse.") == (("world", "health", "organization"), ("ilse",))
    assert abbreviations("The U.S. and the WHO signed an MoU.") == {"us", "who", "mou"}
    assert abbreviations("IN CAPITALS, NO WORD IS ONE") == frozenset()
    assert {"who", "mou", "us"} <= initials("A World Health Organization Memorandum of Understanding, by the United States")


@pytest.mark.parametrize(
    ("name", "claim", "passage", "named"),
    [
        ("ilse", "Ilse Varga won.", "Varga won.", True),
        ("mayor", "Mayor Ilse Varga won.", "Varga won.", True),
        ("lan", "Lan Varga won.", "Varga won.", False),
        ("jon", "Jon Reyk won.", "Reyk won.", False),  # there are two of that name
        ("ilse", "Ilse Varga won.", "She won.", False),
        ("who", "The WHO won.", "The World Health Organization won.", True),
        ("world", "The World Health Organization won.", "The WHO won.", True),
        ("wild", "The Wild Horse Office won.", "The WHO won.", False),  # nowhere in the document
        ("states", "The United States won.", "The U.S. won.", True),
        ("us", "The US won.", "The United States won.", True),
        ("us", "The US won.", "The United Nations won.", False),
    ],
)
def test_a_name_in_another_form_is_the_document_s_own(name, claim, passage, named):
    assert is_named(name, claim, passage, ARTICLE) is named


@pytest.mark.parametrize(
    ("claim", "passage", "crossed"),
    [
        ("Ilse Reyk won.", "Ilse Varga and Jon Reyk won.", ["ilse reyk"]),
        ("Jon Reyk won.", "Ilse Varga and Jon Reyk won.", []),
        ("Jon Varga won.", "Jon and Ilse Varga won.", []),
        ("Mayor Varga won.", "Ilse Varga is Mayor of Arlen.", []),
        ("Arlen Police won.", "Arlen Harbour Police won.", []),
    ],
)
def test_a_name_is_not_put_together_from_two(claim, passage, crossed):
    assert crossed_names(claim, passage, passage) == crossed


@pytest.mark.parametrize(
    ("claim", "question", "is_lacking"),
    [
        ("The man is a 34-year-old baker.", "What is the name of the man who was arrested?", True),
        ("The man is Jon Reyk.", "What is the name of the man who was arrested?", False),
        ("Varga was the driver.", "What was the name of the driver?", False),
        ("He is a baker.", "What is his name?", True),
        ("The dish is called larb.", "What is the name of the dish?", False),  # no person
        ("The drug was aspirin.", "What is the name of the drug given to the patient?", False),
        ("The man is a baker.", "Who was arrested?", False),
    ],
)
def test_asked_for_the_name_of_a_person_an_answer_has_one(claim, question, is_lacking):
    assert bool(unnamed_person(claim, question)) is is_lacking
