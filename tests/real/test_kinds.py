"""Kinds of questions, asked of a made-up article and the seed article with the default models."""

from __future__ import annotations

from pathlib import Path

import pytest

import rag
from rag.config import ROOT

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

PIER = Path(__file__).with_name("pier.txt")

ONE_SENTENCE = {
    "count": ("How many boats sank?", ["Six"], []),
    "date": ("When did the new pier open?", ["Tuesday"], []),
    "list": ("Where do the ferries go?", ["Ostra", "Little Karn", "Seval", "Brom"], []),
    "change": ("By how much do the fees rise?", ["12", "19"], ["by 19", "by 12"]),
    "definition": ("What is a breakwater?", ["wall of stone"], []),
    "who said": ("What did Tomas Brandt call the fees?", ["a tax on small boats"], []),
    "who is": ("Who is the harbour master?", ["Ana Reyk"], []),
    "yes": ("Did any boats sink?", ["six boats sank"], []),
    "no one": ("Was anyone injured in the storm?", ["No one was injured"], ["Yes"]),
    "not replied": ("Did the Lao Embassy comment?", ["not immediately replied"], ["Yes"]),
    "suspected": ("Were two boats left unmoored?", ["suspect"], ["Yes"]),
    "asked what is suspected": ("What do the police suspect?", ["suspect that two of them"], []),
}
RECKONED = {
    "difference": (
        "How many more passengers used the ferries in January than in February?",
        ["3,100", "2,650", "450", "(3,100 − 2,650)"],
    ),
    "sum": (
        "How many Vietnamese, Indonesians and Chinese were arrested in all?",
        ["347 Vietnamese", "271 Indonesians", "226 Chinese", "844 (347 + 271 + 226)"],
    ),
    "more": (
        "Were more Chinese than Indonesians arrested?",
        ["226 Chinese", "271 Indonesians", "226 is fewer than 271"],
    ),
    "money": ("How much more did the state pay than the town?", ["11 million", "7.4 million", "3.6 million"]),
}


@pytest.fixture(scope="module")
def assistant(models_folder, tmp_path_factory):
    with rag.Assistant.open(tmp_path_factory.mktemp("index"), models=models_folder) as opened:
        opened.add([PIER, ROOT / "seeds"])
        yield opened


def check(answer, assistant, expected, unwanted=()):
    assert answer.found, answer
    assert all(text in answer.text for text in expected), answer.text
    assert not any(text in answer.text for text in unwanted), answer.text
    assert all(claim.citations for claim in answer.claims)
    for c in answer.citations:
        assert assistant.document(c.document, c.version).text[c.start : c.end] == c.quote


@pytest.mark.parametrize("kind", ONE_SENTENCE)
def test_one_sentence_answers(kind, assistant):
    question, expected, unwanted = ONE_SENTENCE[kind]
    check(assistant.ask(question), assistant, expected, unwanted)


@pytest.mark.parametrize("kind", RECKONED)
def test_what_is_reckoned_shows_its_numbers_and_cites_them(kind, assistant):
    question, expected = RECKONED[kind]
    answer = assistant.ask(question)
    check(answer, assistant, expected)
    assert set(answer.claims[-1].citations) == set(answer.citations)


@pytest.mark.parametrize(
    "question",
    [
        "Was Mango Park 2 closed?",
        "Is the pier made of steel?",
        "Was the mayor injured in the storm?",
        "Did Ana Reyk write a book?",
    ],
)
def test_yes_is_not_said_to_what_the_articles_do_not_say(question, assistant):
    answer = assistant.ask(question)
    assert not answer.text.lower().startswith("yes"), answer.text
    assert all(claim.text == claim.citations[0].quote for claim in answer.claims), answer.text


@pytest.mark.parametrize(
    "question", ["Summarise the article on the pier.", "What is the article on scams in Cambodia about?"]
)
def test_a_summary_cites_several_paragraphs_of_one_article(question, assistant):
    answer = assistant.ask(question)
    check(answer, assistant, ["Velmora" if "pier" in question else "arrested"])
    assert len({c.paragraph for c in answer.citations}) >= 3
    assert len({c.document for c in answer.citations}) == 1
