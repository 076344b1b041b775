"""Of whom and when a sentence speaks."""

import pytest

from rag.attribute.checking import check
from rag.attribute.scoping import left_office, narrowed_count, unsaid_superlative, wrong_antecedent, wrong_stage

LEFT = """The head of planning, Ilse Varga, resigned on Tuesday. She took responsibility.
Jon Reyk is the mayor. Ana Sorn, the prefect, said eight people had resigned."""


@pytest.mark.parametrize(
    ("claim", "lacking"),
    [
        ("Ilse Varga is the new head of planning.", ["the word resigned"]),
        ("Ilse Varga was the head of planning.", []),
        ("Ilse Varga resigned on Tuesday.", []),
        ("Jon Reyk is the mayor.", []),
        ("Ilse Varga is the head of planning and resigned.", []),
        ("Ana Sorn is the prefect.", []),
    ],
)
def test_who_has_left_an_office_does_not_hold_it(claim, lacking):
    assert left_office(claim, LEFT) == lacking


FORMER = """A court sentenced Ilse Varga, the former director of the Sorn port. Jon Reyk, a former banker, welcomed it.
So did the former mayor of Arlen, Ana Sorn. Ex-minister Bo Lind said nothing."""


@pytest.mark.parametrize(
    ("claim", "lacking"),
    [
        ("Ilse Varga is the director of the Sorn port.", ["office of now"]),
        ("Ilse Varga now runs the Sorn port.", ["office of now"]),
        ("The Sorn port is run by Ilse Varga.", ["office of now"]),
        ("Ilse Varga ran the Sorn port.", []),
        ("Ilse Varga is the former director of the Sorn port.", []),
        ("Jon Reyk is the director of the Sorn port.", []),  # not by this sentence: for other checks
        ("Ana Sorn is the mayor of Arlen.", ["office of now"]),
        ("Bo Lind is the minister.", ["office of now"]),
    ],
)
def test_a_former_director_does_not_direct(claim, lacking):
    assert left_office(claim, FORMER) == lacking


@pytest.mark.parametrize(
    ("claim", "passage"),
    [
        ("The mayor is Ana Sorn.", "The former mayor of Arlen, Ana Sorn, opened the fair."),
        ("Ana Sorn is mayor of Arlen.", "The former mayor of Arlen, Ana Sorn, opened the fair."),
        ("Ana Sorn is the mayor.", "Ana Sorn, who used to be mayor of Arlen, opened the fair."),
        ("Ana Sorn is the mayor.", "Ana Sorn was mayor of Arlen until 2019."),
    ],
)
def test_who_used_to_be_mayor_is_none(claim, passage):
    assert left_office(claim, passage) == ["office of now"]


@pytest.mark.parametrize(
    ("claim", "passage"),
    [
        (
            "Ana Sorn is the head of the Arlen police.",
            "Ana Sorn, a former Arlen police officer, is the head of the Arlen police.",
        ),
        ("Ana Sorn runs the bakery in Arlen.", "Ana Sorn, former mayor of Arlen, runs the bakery in Arlen."),
        ("Maria Varga is the mayor of Arlen.", "Maria Varga is the mayor of Arlen, succeeding former mayor Jon Varga."),
        (
            "Paul Reyk is the director of the museum.",
            "Paul Reyk, former deputy director of the museum, is the director of it now.",
        ),
        ("Ilse Holm leads the Labour party.", "Ilse Holm, the former Labour minister, leads the Labour party."),
        ("Elon Holm owns the paper.", "Elon Holm, a former paper boy, owns the paper."),
    ],
)
def test_who_was_something_else_may_hold_an_office(claim, passage):
    assert left_office(claim, passage) == []


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


def test_a_stage_may_be_told_more_or_less_exactly():
    assert wrong_stage("Ada scored in the final.", "Ada scored twice in the cup final.") == []
    assert wrong_stage("Ada scored in the season.", "Ada scored in the 2025 season.") == []
    assert wrong_stage("Ada was second in the first phase.", "Ada was second in the first of three phases.") == []


def test_a_company_is_no_opponent_of_its_prosecutors():
    passage = "Prosecutors of Arlen opened a case against Bears Holding. The company was fined 70,000 crowns."
    assert wrong_antecedent("Bears Holding was fined 70,000 crowns.", passage) == []


@pytest.mark.parametrize(
    ("claim", "lacking"),
    [
        ("Varga received 38 percent in the runoff.", ["the stage runoff"]),
        ("Varga received 38 percent in the first round.", []),
        ("Varga received 52 percent in the run-off.", []),
        ("Varga received 38 percent.", []),
        ("Varga received 38 percent in the town.", []),
        ("Varga received 38 percent in the second round.", ["the stage round"]),
        ("Varga received 38 percent in the first and only round.", []),
    ],
)
def test_a_value_of_one_round_is_none_of_another(claim, lacking):
    assert wrong_stage(claim, ROUNDS) == lacking


@pytest.mark.parametrize(
    ("question", "passage", "lacking"),
    [
        ("Which site is the cheapest?", "Coldbeck costs 420 million, Norrick 150.", ["asked the cheapest"]),
        ("Which site is the cheapest?", "Coldbeck costs 420 million. Norrick is the cheapest.", []),
        ("Which site is cheapest?", "Coldbeck costs 420 million. Norrick is cheaper.", []),
        ("Which site is the cheapest?", "Coldbeck costs the most.", []),
        ("Which site is the largest?", "Coldbeck is the biggest of them.", []),
        ("Which site is the largest?", "Coldbeck has a forest.", ["asked the largest"]),
        ("Which peak is the highest?", "No other peak rises above Coldbeck.", []),
        ("Which site is the cheapest?", "Coldbeck costs less than all others.", []),
        ("What was the protest about?", "Hundreds marched.", []),
        ("How high is Everest?", "The mountain has 8,849 metres.", []),
        ("What is the latest score?", "It ended 3-1.", []),
        ("Which town lost its oldest church?", "Arlen lost a church.", []),  # not what is asked
        ("What is interest?", "A fee.", []),
    ],
)
def test_the_passage_must_rank_what_is_asked_to_be_ranked(question, passage, lacking):
    assert unsaid_superlative(question, passage) == lacking


CLOSING = "Holm Markets is set to close 60 of its 2,700 stores across the country over the next 18 months."


@pytest.mark.parametrize(
    ("claim", "lacking"),
    [
        ("Holm Markets will close 60 Arlen locations.", ["the place Arlen"]),
        ("Holm Markets will close 60 stores in Arlen.", ["the place Arlen"]),
        ("Holm Markets will close 60 large stores across the Marrow Valley.", ["the place Marrow Valley"]),
        ("Holm Markets, based in Arlen, will close 60 stores.", []),
        ("Holm Markets will close 60 stores across the country, among them some in Arlen.", []),
        ("The 60 Holm stores will close.", []),
        ("Holm Markets has 12 stores in Arlen.", []),  # for other checks
    ],
)
def test_a_count_of_everywhere_is_not_one_of_a_place(claim, lacking):
    assert narrowed_count(claim, CLOSING) == lacking
    assert narrowed_count(claim, CLOSING.replace("across the country", "there")) == []
    if lacking:
        assert lacking[0] in check(
            claim, f"How many stores close in {lacking[0].removeprefix('the place ')}?", CLOSING, CLOSING
        )
