"""Do two sentences give different values for what was asked?"""

from __future__ import annotations

import pytest

from rag.attribute import differs

COST = "What did the repair cost?"


@pytest.mark.parametrize(
    ("one", "two", "question", "expected"),
    [
        ("The repair cost 4.2 million crowns.", "The repair cost 5 million crowns.", COST, True),
        ("The repair cost 4.2 million crowns.", "It cost 4,200,000 crowns.", COST, False),
        ("Some 40 owls were seen in 1987.", "In 1987 some 52 owls were seen.", "How many owls were seen in 1987?", True),
        ("Ilse Varga is the mayor.", "Tomas Reyk is the mayor.", "Who is the mayor?", True),
        ("Ilse Varga is the mayor.", "The mayor is Varga.", "Who is the mayor?", False),
        ("It opens on 3 May.", "It opens on 4 May.", "When does it open?", True),
        ("It opens on 3 May.", "It opens on May 3, 2024.", "When does it open?", False),
        ("Twelve people died.", "Thirty people were hurt.", "How many people?", True),
        ("12 people died.", "30 houses burnt.", "What did the fire do?", False),
        ("It cost $5 million.", "It rose by 5 per cent.", COST, False),
        ("It took 3 hours.", "It is 180 km long.", "How long is it?", False),
        ("It cost $5 million.", "It cost $7 million.", COST, True),
        ("About 1,360 owls were seen.", "1,362 owls were seen.", "How many owls were seen?", False),
        ("About 1,360 owls were seen.", "1,500 owls were seen.", "How many owls were seen?", True),
        ("The owls, the voles and 12 geese were seen.", "12 geese were seen.", "What was seen?", False),
        ("It cost 9 crowns.", "The town of Arlen paid it.", COST, False),  # a number and a name may both be right
        ("It was closed.", "It was opened.", "What became of it?", False),  # no value to compare
    ],
)
def test_other_values_differ_and_other_words_do_not(one, two, question, expected):
    assert differs(one, two, question) == differs(two, one, question) == expected
