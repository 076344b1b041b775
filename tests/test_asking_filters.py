"""What is asked, shown and quoted under a filter, over the fakes: nothing of an article that it does not select."""

from __future__ import annotations

import pytest

import rag
from rag.errors import DocumentMissing, FilterError
from rag.types import EVERYTHING, NOT_FOUND, Done, Evidence, Filter
from tests.fakes import FakeGenerator, FakeReranker

pytestmark = pytest.mark.usefixtures("plain_decision")

MARCH = "{title}\n\n{date}\n\nSome {n} people marched through Arlen against the runway, {by} said. The march was peaceful.\n"
ARTICLES = {
    "police/march.txt": MARCH.format(title="March in Arlen", date="19 October 2026", n="12,000", by="the police"),
    "group/march.txt": MARCH.format(title="Runway in Arlen", date="20 November 2026", n="30,000", by="the marchers"),
    "group/copy.txt": MARCH.format(title="Runway in Arlen", date="1 December 2026", n="30,000", by="the marchers"),
    "undated.txt": "Runway of Arlen\n\nSome 700 people marched through Arlen against the runway, the mayor said.\n",
    "german.txt": "Landebahn in Arlen\n\n2 December 2026\n\nDie Polizei zählte am Sonntag rund 15000 Menschen, die gegen "
    "die neue Landebahn von Arlen durch die Stadt zogen, und der Bürgermeister war nicht dabei.\n",
}
QUESTIONS = (
    "How many people marched through Arlen against the runway?",
    "Summarise the article on the march through Arlen.",
    "Summarise the article.",
    "What do the articles disagree on?",
    "What do the articles disagree on about the march?",
    "How many more people marched through Arlen in Runway in Arlen than in March in Arlen?",
    "Who marched throuhg Arlen?",
    "How many?",
)
HISTORY = (
    {"role": "user", "content": "Who marched through Arlen?"},
    {"role": "assistant", "content": "Some 12,000 people marched through Arlen."},
)
FILTERS = (
    Filter(since="2026-11"),
    Filter(until="2026-10-19"),
    Filter(sources=("news/police",)),
    Filter(languages=("de",)),
    Filter(languages=("en",), since="2026", until="2026-11"),
)


@pytest.fixture
def assistant(make_assistant, write):
    for name, text in ARTICLES.items():
        write(f"news/{name}", text)
    opened = make_assistant(generator=FakeGenerator(otherwise=None), reranker=FakeReranker())
    opened.add("news")
    return opened


def names(assistant, ids):
    return {assistant.document(identity).source.partition("/news/")[2] for identity in ids}


def shown(answer):
    """Returns the ids of all documents that an answer shows, cites or names."""
    hits = {identity for hit in answer.evidence for identity in (hit.document, *hit.also)}
    return hits | {citation.document for citation in answer.citations}


@pytest.mark.parametrize("history", [(), HISTORY], ids=["first", "later"])
@pytest.mark.parametrize("filter", FILTERS, ids=str)
def test_nothing_is_shown_of_an_article_that_a_filter_does_not_select(assistant, filter, history):
    selected = {document.id for document in assistant.documents(filter)}
    left_out = [document for document in assistant.documents() if document.id not in selected]
    assert selected
    assert left_out
    said = [document.text.split("\n\n")[-1].split(",")[0] for document in left_out]
    said = [text for text in said if not any(text in document.text for document in assistant.documents(filter))]
    for question in QUESTIONS:
        for event in assistant.stream(question, history, filter=filter):
            if isinstance(event, Evidence):
                assert {hit.document for hit in event.hits} <= selected
            if isinstance(event, Done):
                assert shown(event.answer) <= selected, question
                assert not any(text in event.answer.text for text in said), question
        assert {hit.document for hit in assistant.search(question, filter=filter)} <= selected
        assert {hit.document for hit in assistant.find(question, history, filter=filter).hits} <= selected


def test_the_same_questions_show_more_without_a_filter(assistant):
    """Else the test above would see nothing either."""
    everything = {document.id for document in assistant.documents()}
    assert set().union(*(shown(assistant.ask(question)) for question in QUESTIONS)) == everything
    assert "12,000" in assistant.ask("What do the articles disagree on?").text
    assert "“March in Arlen”" in assistant.ask("Summarise the article.").text


def test_each_condition_selects_what_it_says(assistant):
    def asked(**values):
        answer = assistant.ask(QUESTIONS[0], filter=Filter(**values))
        return names(assistant, shown(answer))

    assert asked(since="2026-12") == {"group/copy.txt", "german.txt"}
    assert asked(until="2026-10") == {"police/march.txt"}
    assert asked(since="2026-10-19", until="2026-10-19") == {"police/march.txt"}
    assert asked(sources=("news/group",)) == {"group/march.txt", "group/copy.txt"}
    assert asked(sources=("news/group/copy.txt", "news/undated.txt")) == {"group/copy.txt", "undated.txt"}
    assert asked(languages=("de",)) == {"german.txt"}


def test_a_difference_is_told_only_between_articles_that_are_selected(assistant):
    question = "What do the articles disagree on?"
    assert assistant.ask(question).found
    one = assistant.ask(question, filter=Filter(sources=("news/police", "news/german.txt")))
    assert one.text == NOT_FOUND


def test_a_filter_that_selects_nothing_is_not_found_and_said(assistant):
    first, last = assistant.stream(QUESTIONS[0], filter=Filter(since="2031"))
    assert first == Evidence((), QUESTIONS[0])
    answer = last.answer
    assert (answer.text, answer.status, answer.evidence) == (NOT_FOUND, "not_found", ())
    assert answer.notice == "The filter “since 2031” selects no document."
    both = assistant.ask(QUESTIONS[0], filter=Filter(languages=("de",), until="2026-11"))
    assert (
        both.notice == "The filter “languages de; until 2026-11” selects no document, although each part of it selects some."
    )
    assert assistant.ask(QUESTIONS[0], documents=[]).notice == "The filter “documents none” selects no document."


def test_without_a_filter_and_without_articles_nothing_is_said_of_filters(make_assistant):
    assert make_assistant().ask("How many?").notice == ""


def test_a_filter_that_cannot_be_is_an_error_before_anything_is_searched(assistant):
    with pytest.raises(FilterError, match="since is 'tomorrow'"):
        assistant.ask(QUESTIONS[0], filter=Filter(since="tomorrow"))
    with pytest.raises(FilterError, match="languages has 'klingon'"):
        assistant.search(QUESTIONS[0], filter=Filter(languages=("klingon",)))
    with pytest.raises(DocumentMissing, match="'nobody'"):
        assistant.find(QUESTIONS[0], filter=Filter(documents=("nobody",)))
    with pytest.raises(FilterError, match=r"expected a rag\.Filter"):
        assistant.ask(QUESTIONS[0], documents=[], filter={"since": "2026"})
    with pytest.raises(FilterError, match="until is 'x'"):
        assistant.documents(Filter(until="x"))


def test_documents_are_given_in_one_place(assistant):
    german = next(one.id for one in assistant.documents() if one.language == "de")
    with pytest.raises(FilterError, match=r"documents is given twice, as an argument and in the filter\. Give it once\."):
        assistant.ask(QUESTIONS[0], documents=[german], filter=Filter(documents=(german,)))
    assert shown(assistant.ask(QUESTIONS[0], documents=[german], filter=Filter(since="2026-12"))) == {german}
    assert shown(assistant.ask(QUESTIONS[0], documents=german, filter=Filter(until="2026-11"))) == set()


def test_examples_are_of_the_documents_that_are_selected(assistant):
    police, *_, german = (document.id for document in sorted(assistant.documents(), key=lambda one: one.date or "3"))
    assistant.library.set_examples(police, ["Who marched?"])
    assistant.library.set_examples(german, ["Wer zog durch die Stadt?"])
    assert set(assistant.examples()) == {"Who marched?", "Wer zog durch die Stadt?"}
    assert assistant.examples(Filter(documents=(police,))) == ("Who marched?",)


def test_a_page_that_looks_for_examples_each_second_reads_no_list_of_all_documents(assistant, monkeypatch):
    first, *_ = assistant.documents()
    assistant.library.set_examples(first.id, ["Who marched?", "When was it?"])
    for read in ("versions", "examples", "documents"):
        monkeypatch.setattr(assistant.library, read, lambda *_: pytest.fail("all were read"))
    assert assistant.examples() == ("When was it?",)  # one of each document


def test_the_default_index_is_asked_with_a_filter(fake_models, write):
    rag._close()
    for name in ("police/march.txt", "group/march.txt"):
        write(f"seeds/{name}", ARTICLES[name])
    answer = rag.answer(QUESTIONS[0], filter=rag.Filter(until="2026-10"))
    assert [hit.title for hit in answer.evidence] == ["March in Arlen"]
    assert rag.answer(QUESTIONS[0], filter=EVERYTHING).evidence != answer.evidence
    rag._close()
