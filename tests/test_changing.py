"""By how much: a number in a sentence is no difference, and "from 12 to 19" is no change by 19."""

from __future__ import annotations

import pytest

from rag.attribute.changing import invented_differences

PAID = "The state paid 11 million crowns and the town 7.4 million."


@pytest.mark.parametrize(
    ("claim", "passage", "expected"),
    [
        ("The state paid 11 million crowns more than the town.", PAID, ["difference 1.1e+07"]),
        ("The state paid 11 million crowns, which is more than the town paid.", PAID, []),
        ("The state paid more than 7.4 million crowns.", PAID, []),
        ("The pier is 60 metres longer than the old one.", "The pier is 60 metres longer than the old one was.", []),
        ("The pier is 60 metres longer than the old one.", "The pier, 60 metres longer, is white.", []),
        ("The pier is 240 metres longer than the old one.", "The pier is 240 metres long.", ["difference 240"]),
        ("The fees rose by 19 crowns.", "The fees rose from 12 to 19 crowns.", ["change by 19"]),
        ("The fees rose by 12 crowns.", "The fees rose from 12 to 19 crowns.", ["change by 12"]),
        ("The fees rose to 19 crowns.", "The fees rose from 12 to 19 crowns.", []),
        ("The fees rose by 7 crowns.", "The fees rose by 7 crowns to 19.", []),
        ("The town paid 3.6 million.", "The state paid 3.6 million more than the town.", ["no difference 3.6e+06"]),
        ("Forty people died.", "Forty people later died.", []),
        ("Prices fell by 5 per cent.", "A fall of 5 per cent was seen.", []),
    ],
)
def test_a_difference_must_be_one_in_the_passage(claim, passage, expected):
    assert invented_differences(claim, passage) == expected
