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
        ("12 people died.", "30 were hurt.", "What did the storm do?", False),
        ("12 people died.", "14 died.", "How many people died?", True),
        ("40 owls were seen.", "52 were seen.", "How many owls were there?", True),
        ("The number of owls was 40.", "They counted 52 owls.", "How many owls were there?", True),
        ("It opened in 1987.", "It has 40 rooms.", "What about the museum?", False),
        ("It opened in 1987.", "The museum opened in 1990.", "When did it open?", True),
        ("It cost $5 million.", "70 workers built it.", "What about the bridge?", False),
        ("It cost $5 million.", "It cost about 5 million.", COST, False),
        ("It cost $5 million.", "It cost 7 million.", COST, True),
        ("It cost 5 baht.", "It cost 9 yen.", COST, False),
        ("It is the 3rd bridge.", "Arlen has 2 bridges.", "Which bridge is it?", False),
        ("It is the 3rd bridge.", "It is the 4th bridge.", "Which bridge is it?", True),
        ("More than 70 owls were seen.", "72 owls were seen.", "How many owls were seen?", False),
        ("It is 1 km long.", "It is 1,000 metres long.", "How long is it?", False),
        ("The Arlen police did it.", "It was the Police of the town.", "Who did it?", False),
        ("The coast guard of Orlow found them.", "It was the Coast Guard.", "Who found them?", False),
        ("Ada Lindt and Bo Hark won.", "Ada Lindt, Bo Hark and Cy Olsen won.", "Who won?", False),
        ("It cost 9 crowns.", "The town of Arlen paid it.", COST, False),  # a number and a name may both be right
        ("It was closed.", "It was opened.", "What became of it?", False),  # no value to compare
    ],
)
def test_other_values_differ_and_other_words_do_not(one, two, question, expected):
    assert differs(one, two, question) == differs(two, one, question) == expected
