"""What a notice of correction takes back."""

from __future__ import annotations

import pytest

from rag.attribute import corrected_by, correction

NOTICE = """An article of March 3 said that 14 people were hurt on the ferry Gull. The coastguard has revised the figure: 16
people were hurt. The article also wrongly gave the year of the Gull's construction as 1998. It was built in 1996."""
TITLE = "Correction: ferry Gull"


def taken(span, text=NOTICE):
    return text[slice(*span)] if span else None


def test_what_was_wrong_is_told_with_what_is_right():
    assert taken(correction("14 people were hurt", NOTICE, TITLE)) == NOTICE.partition(" The article also")[0]


@pytest.mark.parametrize(
    ("quote", "text", "title"),
    [
        ("16\npeople were hurt", NOTICE, TITLE),  # that is what is right
        ("It was built in 1996.", NOTICE, TITLE),
        (
            "14 people",
            "The article said that 14 people were hurt. It was the third accident of the year.",
            "Ferry",
        ),  # no notice
        (
            "Hale was wrongly convicted",
            "Prosecutors accept that Mr Hale was wrongly convicted in 1998. He is living in Arlen.",
            "Hale",
        ),
        ("Police mistakenly shot", "Police mistakenly shot a farmer on Monday. He is in hospital.", "Farmer shot"),
        ("charged 4,000", "The bank wrongly charged 4,000 customers. It is to repay 3 million pounds.", "Bank"),
        (
            "40 officers",
            "The union's report said 40 officers had left. It is the largest loss in years.",
            "Corrections officers strike",
        ),
        ("14 people", "The article wrongly said that 14 people were hurt. It was sad.", TITLE),  # nothing in its place
        ("14 people", "We wrongly said that 14 people were hurt.", TITLE),  # nothing is said to be right
    ],
)
def test_what_is_not_corrected_is_not_taken_back(quote, text, title):
    assert correction(quote, text, title) is None


@pytest.mark.parametrize(
    ("claim", "question", "wanted"),
    [
        ("The Gull was built in 1998.", "When was the Gull built?", "The article also wrongly gave the year"),
        ("14 people were hurt on the Gull.", "How many people were hurt on the Gull?", "An article of March 3"),
        ("The Gull was built in 1996.", "When was the Gull built?", None),
        ("16 people were hurt on the Gull.", "How many people were hurt on the Gull?", None),
        ("The Heron was built in 1998.", "When was the Heron built?", None),  # another ship
        ("The Gull was built in Arlen.", "Where was the Gull built?", None),
    ],
)
def test_a_claim_of_another_article_is_taken_back_by_its_value(claim, question, wanted):
    span = corrected_by(claim, question, NOTICE, TITLE)
    assert span is None if wanted is None else taken(span).startswith(wanted)
    assert span is None or "1996" in taken(span) or "16" in taken(span)
