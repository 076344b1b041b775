"""Questions that are answered by reckoning, over the fakes: what is asked, shown, cited and left out."""

from __future__ import annotations

import pytest

from rag.assistant import asking
from rag.types import NOT_FOUND, Claim, Delta, Done, Withdrawn
from tests.fakes import FakeGenerator, FakeReranker, words

pytestmark = pytest.mark.usefixtures("plain_decision")

BIRDS = """Birds of the Sorn lake

The wardens counted 347 geese and 271 swans on the lake in March.

On the river they counted 12 herons in April.
"""
GEESE = "347 geese were counted."
SWANS = "271 swans were counted."
HERONS = "12 herons were counted."


def shown(events):
    """Returns the draft words that stand on the page after all events, as a page keeps them."""
    draft = ""
    for event in events:
        draft = draft + event.text if isinstance(event, Delta) else ""
    return draft


class Sure(FakeReranker):
    """Gives a text that has a bird of the question 2.5, else -10: enough for a draft, and here too little for a quote."""

    sure = 2.5

    def scores(self, question, texts):
        asked = set(words(question)) & {"geese", "swans", "herons"}
        return [self.sure if asked & set(words(text)) else -10.0 for text in texts]


@pytest.fixture
def ask(make_assistant, write, monkeypatch):
    """Streams the answer of an assistant that knows the birds and drafts what a table says."""

    monkeypatch.setattr(asking, "QUOTABLE", 3.0)

    def ask(question, table, otherwise="They were counted."):
        assistant = make_assistant(generator=FakeGenerator(table, otherwise=otherwise), reranker=Sure())
        assistant.add(write("birds.txt", BIRDS))
        *events, last = assistant.stream(question)
        assert isinstance(last, Done)
        return events, last.answer

    return ask


def test_the_result_stands_behind_its_parts_and_cites_every_paragraph_that_they_cite(ask):
    table = {"How many geese were": GEESE, "How many herons were": HERONS}
    events, answer = ask("How many more geese than herons were counted?", table)
    assert answer.text == f"{GEESE} [1] {HERONS} [2] That is 335 more (347 − 12). [1] [2]"
    assert [c.paragraph for c in answer.citations] == [1, 2]
    assert [e for e in events if isinstance(e, Claim)] == list(answer.claims)
    assert {hit.paragraph for hit in answer.evidence if hit.used} == {1, 2}
    assert answer.question == "How many more geese than herons were counted?"
    assert answer.probability is not None
    assert answer.notice == ""


def test_a_sum_of_one_paragraph_cites_it_once(ask):
    table = {"How many geese were": GEESE, "How many swans were": SWANS}
    _, answer = ask("How many geese and swans were counted in all?", table)
    assert answer.text == f"{GEESE} [1] {SWANS} [1] Together that is 618 (347 + 271). [1]"


def test_if_one_part_is_not_answered_none_is_shown(ask):
    events, answer = ask("How many more geese than owls were counted?", {"How many geese were": GEESE}, otherwise="40 owls.")
    assert answer.text == NOT_FOUND
    assert (answer.claims, answer.citations) == ((), ())
    assert not any(isinstance(event, Claim) for event in events)
    assert shown(events) == ""


def test_if_no_part_is_answered_the_question_is_asked_as_it_stands(ask):
    table = {"How many geese were": "Nine.", "How many swans were": "Nine.", "How many more": f"{GEESE[:-1]} and 271 swans."}
    events, answer = ask("How many more geese than swans were counted?", table)
    assert answer.text == "347 geese were counted and 271 swans. [1] The difference is 76 (347 − 271). [1]"
    assert answer.notice == ""
    assert [e.text for e in events if isinstance(e, Withdrawn)] == ["Nine."]
    assert shown(events) == ""


def test_a_sentence_that_answers_two_parts_is_shown_once(ask, monkeypatch):
    monkeypatch.setattr(Sure, "sure", 8.0)
    events, answer = ask("How many more geese than swans were counted?", {}, otherwise="Nine.")
    sentence = "The wardens counted 347 geese and 271 swans on the lake in March."
    assert answer.text == f"{sentence} [1] That is 76 more (347 − 271). [1]"
    assert [e for e in events if isinstance(e, Claim)] == list(answer.claims)


def test_a_number_that_the_passage_does_not_have_so_is_not_reckoned_with(ask):
    table = {"How many geese were": "271 geese were counted.", "How many swans were": SWANS}
    _, answer = ask("How many more geese than swans were counted?", table)
    assert "347 −" not in answer.text
    assert "271 geese" not in answer.text
