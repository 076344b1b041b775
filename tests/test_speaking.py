"""Who says it, and whether it is alleged."""

from __future__ import annotations

import pytest

from rag.attribute.speaking import unmarked_allegation, unmarked_demand, wrong_speaker


@pytest.mark.parametrize(
    ("claim", "question", "passage"),
    [
        ("The law will harm farmers.", "What will it do?", "Critics say the law will harm farmers."),
        ("Reyk stole owls.", "What did Reyk steal?", "Police accused Reyk of stealing owls."),
        ("Reyk stole owls.", "What did Reyk steal?", "Reyk was charged with stealing owls."),
        ("The mayor took bribes.", "What did she take?", "The mayor denied that she took bribes."),
        ("The vote was rigged.", "Was it rigged?", "The opposition claimed the vote was rigged, but it was counted."),
        ("The vote was rigged.", "Was it rigged?", "The vote was rigged, the opposition claimed."),
        ("Reyk paid the guards.", "Whom did he pay?", "Reyk allegedly paid the guards."),
        # the sentence that says most of it is not the one that says who
        (
            "A pupil wrote the ransom note.",
            "Who wrote the ransom note?",
            "A ransom note came. Allegedly a pupil wrote it.",
        ),
    ],
)
def test_what_is_alleged_is_not_stated(claim, question, passage):
    assert unmarked_allegation(claim, question, passage) != []


@pytest.mark.parametrize(
    ("claim", "question", "passage"),
    [
        ("Critics say the law will harm farmers.", "What will it do?", "Critics say the law will harm farmers."),
        ("The law will harm farmers.", "What do critics say?", "Critics say the law will harm farmers."),
        ("Reyk was accused of stealing owls.", "What of Reyk?", "Police accused Reyk of stealing owls."),
        ("Reyk resigned on Friday.", "When?", "Reyk, accused of fraud, resigned on Friday."),
        (
            "The vote was counted on Friday.",
            "When?",
            "The opposition claimed it was rigged, but the vote was counted on Friday.",
        ),
        ("The flood killed 12 people.", "How many?", "The flood claimed the lives of 12 people."),
        ("He was refused bail.", "What?", "He was denied bail."),
        (
            "The company ousted him over a breach of its code.",
            "Why?",
            "Over his alleged theft the company ousted him for a breach.",
        ),
        ("Suspects of all ages were arrested.", "Who?", "Police arrested suspects of all ages."),
        ("The town paid 4 crowns.", "Who paid?", "The town paid 4 crowns, said Varga."),  # said, not alleged
    ],
)
def test_what_is_marked_asked_for_or_not_alleged_may_be_said(claim, question, passage):
    assert unmarked_allegation(claim, question, passage) == []


@pytest.mark.parametrize(
    ("claim", "passage", "wrong"),
    [
        ("Reyk said the repair cost 4 crowns.", "The repair cost 4 crowns, said Governor Reyk. Varga agreed.", False),
        ("Varga said the repair cost 4 crowns.", "The repair cost 4 crowns, said Governor Reyk. Varga agreed.", True),
        ("According to Varga, the repair cost 4 crowns.", "The repair cost 4 crowns. Varga came.", True),
        ("According to Reyk, the repair cost 4 crowns.", "Reyk said that the repair cost 4 crowns.", False),
        ("Varga said it cost 4 crowns.", "Varga opened it. “It cost 4 crowns,” she said.", False),
        ("The mayor said it cost 4 crowns.", "Ilse Varga, the mayor, said it cost 4 crowns.", False),
        ("Police said Reyk stole owls.", "Reyk stole owls, prosecutors said.", True),
        ("It is said that owls came.", "Owls came.", False),  # nobody in particular
        ("They said that owls came.", "Reyk said that owls came.", False),  # may be he
    ],
)
def test_a_speaker_is_the_sentence_s_own(claim, passage, wrong):
    assert bool(wrong_speaker(claim, "What did it cost?", passage)) is wrong


@pytest.mark.parametrize(
    ("claim", "passage", "is_lacking"),
    [
        ("The prosecution wanted six years.", "A court sentenced the baker to six years.", True),
        ("Prosecutors asked for six years.", "A court of Arlen sentenced him to six years, the Herald wrote.", True),
        ("The prosecution wanted six years.", "Prosecutors asked for nine years, the court chose six.", False),
        ("The union demanded 9 percent.", "The union is on strike for 9 percent.", False),
        ("Doctors recommended rest.", "Doctors advised rest.", False),
        ("Police sought a man in red.", "Police were looking for a man in red.", False),
        ("The court chose six years.", "A court sentenced the baker to six years.", False),
    ],
)
def test_what_the_prosecution_wanted_is_not_what_a_court_did(claim, passage, is_lacking):
    assert bool(unmarked_demand(claim, passage)) is is_lacking
