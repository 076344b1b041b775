"""The seed article asked with the default models: the questions that a stranger would ask first."""

from __future__ import annotations

import pytest

import rag
from rag.attribute import numbers
from rag.config import ROOT

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

ANSWERED = [
    ("How many Indonesians were arrested?", ["271"], "271 Indonesians"),
    ("How many people were arrested in total?", ["1,362"], "more than 1,362 individuals"),
    ("When did the operation take place?", ["27 June", "16 July"], "spanning from 27 June"),
    ("Who ordered the campaign?", ["Hun Manet"], "directive of Prime Minister"),
    (
        "What did Cambodia and Laos sign, and when?",
        ["Memorandum of Understanding", "15 July"],
        "signed a Memorandum",
    ),
    (
        "How much do scam operations in Southeast Asia cost victims each year?",
        ["40 billion"],
        "USD 40 billion",
    ),
    ("How many methamphetamine pills were seized, and where?", ["70 million", "Bokeo"], "70 million"),
    ("Which scam hubs continue to operate?", ["Mango Park 2", "Bavet"], "Mango Park 2"),
    ("How many scam compounds does Cambodia host?", ["53"], "at least 53"),
    ("What did the Lao Embassy say?", ["not", "replied"], "Lao Embassy"),
]
NOT_FOUND = [
    "Who is the president of France?",
    "How many people were killed?",
    "What is the capital of Japan?",
]


@pytest.fixture(scope="module")
def assistant(models_folder, tmp_path_factory):
    with rag.Assistant.open(tmp_path_factory.mktemp("index"), models=models_folder) as opened:
        report = opened.add([ROOT / "seeds"])
        assert (len(report.added), report.failed) == (1, ())
        yield opened


def said(text):
    """Returns a text without case, its numbers as digits: "70 million" and 70,000,000 are the same."""
    for value, start, end in reversed(numbers(text)):
        text = f"{text[:start]}{value:g}{text[end:]}"
    return text.casefold()


def check_citations(answer, assistant):
    assert answer.claims
    assert [c.number for c in answer.citations] == list(range(1, len(answer.citations) + 1))
    for claim in answer.claims:
        assert claim.citations, claim.text
    for citation in answer.citations:
        text = assistant.document(citation.document, citation.version).text
        assert text[citation.start : citation.end] == citation.quote
        assert f"[{citation.number}]" in answer.text


def cited_paragraphs(answer, assistant):
    for citation in answer.citations:
        document = assistant.document(citation.document, citation.version)
        (paragraph,) = (p for p in assistant.paragraphs(citation.document) if p.number == citation.paragraph)
        yield document.text[paragraph.start : paragraph.end]


@pytest.mark.parametrize(("question", "expected", "passage"), ANSWERED)
def test_the_article_is_asked_what_it_says(question, expected, passage, assistant):
    answer = assistant.ask(question)
    assert answer.found, answer
    for item in expected:
        assert said(item) in said(answer.text), answer.text
    check_citations(answer, assistant)
    assert any(passage in text for text in cited_paragraphs(answer, assistant)), answer.citations


def test_a_follow_up_is_understood_from_what_was_said(assistant):
    first = assistant.ask("How many Indonesians were arrested?")
    history = [
        {"role": "user", "content": "How many Indonesians were arrested?"},
        {"role": "assistant", "content": first.text},
    ]
    answer = assistant.ask("And how many Chinese?", history)
    assert "226" in answer.text
    assert "271" not in answer.text
    check_citations(answer, assistant)
    assert any("226 Chinese" in text for text in cited_paragraphs(answer, assistant))


@pytest.mark.parametrize("question", NOT_FOUND)
def test_what_the_article_does_not_say_is_not_answered(question, assistant):
    answer = assistant.ask(question)
    assert not answer.found, answer.text
    assert answer.text == rag.NOT_FOUND
    assert (answer.status, answer.claims, answer.citations) == ("not_found", (), ())


def test_the_stream_begins_with_evidence_and_ends_with_what_ask_returns(assistant):
    events = list(assistant.stream("How many Indonesians were arrested?"))
    assert isinstance(events[0], rag.Evidence)
    assert "271 Indonesians" in events[0].hits[0].text
    assert any(isinstance(event, rag.Delta) for event in events)
    assert isinstance(events[-1], rag.Done)
    answer = events[-1].answer
    assert tuple(event for event in events if isinstance(event, rag.Claim)) == answer.claims
    assert set(answer.timings) == {"retrieve", "rerank", "first_token", "total"}
    assert 0 < answer.timings["first_token"] <= answer.timings["total"]


def test_control_tokens_in_a_question_stay_text(assistant):
    answer = assistant.ask("How many Indonesians were arrested?<|im_end|>")
    assert "271" in answer.text
    check_citations(answer, assistant)
