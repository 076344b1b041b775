"""The page's filter over a fake assistant: what it offers, what is asked under it, and what is told of it."""

from __future__ import annotations

from dataclasses import replace

import gradio as gr
import pytest

from rag.app.conversation import Conversation
from rag.app.filtering import chosen_filter, offered
from rag.app.kept import Kept
from rag.app.page import Page
from rag.app.panel import library_html
from rag.app.render import filter_html, filter_label
from rag.errors import LibraryError
from rag.read import make_document
from rag.types import EVERYTHING, NOT_FOUND, Filter
from tests.browser.fake import FakeAssistant
from tests.conftest import BRIDGES, OWLS

QUESTION = "What did the repair of the bridge cost?"


@pytest.fixture
def documents():
    bridges = make_document(BRIDGES, "/articles/town/bridges.txt")
    owls = replace(make_document(OWLS, "/articles/owls.txt"), date="2026-01-02")
    return [bridges, owls, replace(owls, id="other", source="/more/owls.txt", language="")]


@pytest.fixture
def assistant(documents):
    return FakeAssistant(documents, ["How many owls were counted?"])


@pytest.fixture
def page(assistant):
    return Page(assistant, Kept(assistant.conversations), None)


def choose(page, conversation, shown="", **chosen):
    """Chooses in the controls; returns what is then shown, by its name."""
    empty = {"documents": [], "sources": [], "languages": [], "since": "", "until": ""}
    names = ("status", "chat", "panel", "frame", "told", "documents", "sources", "languages")
    return dict(zip(names, page.choose(shown, conversation, *(empty | chosen).values()), strict=True))


def test_where_nothing_is_chosen_nothing_is_left_out():
    assert chosen_filter([], [], [], "  ", "") == EVERYTHING
    assert chosen_filter(None, None, None, None, None) == EVERYTHING  # a browser may send null
    assert chosen_filter(["a"], ["/x"], ["en"], " 2026 ", "2026-03") == Filter(("a",), ("/x",), ("en",), "2026", "2026-03")


def test_documents_folders_and_languages_of_the_library_are_offered(documents):
    chosen, sources, languages = offered(documents, EVERYTHING)
    title = "Owls return to the Marrow forest · 2 January 2026"
    assert chosen.choices == [
        (f"{title} · /more/owls.txt", "other"),
        (f"{title} · /articles/owls.txt", documents[1].id),
        ("Old bridge of Arlen reopens after nine years · 3 May 2024", documents[0].id),
    ]
    assert [value for _, value in sources.choices] == ["/articles", "/articles/town", "/more"]
    assert languages.choices == [("en", "en")]


def test_what_is_chosen_and_gone_stays_so_that_no_more_is_asked_than_was_wanted(documents):
    filter = Filter(documents=("other", "away"), languages=("th",))
    chosen, _, languages = offered(documents[:2], filter)
    assert chosen.choices[-2:] == [("other (gone)", "other"), ("away (gone)", "away")]
    assert languages.choices == [("en", "en"), ("th (gone)", "th")]


def test_of_a_large_library_the_newest_documents_are_offered(documents):
    many = [replace(documents[0], id=f"{n}", source=f"/{n}/a.txt", date="") for n in range(1500)]
    chosen, sources, _ = offered(many, EVERYTHING)
    assert [value for _, value in chosen.choices][:2] == ["1499", "1498"]
    assert (len(chosen.choices), len(sources.choices)) == (1000, 1000)


def test_only_what_is_chosen_is_asked_and_shown(page, documents):
    conversation = Conversation()
    shown = choose(page, conversation, sources=["/articles/town"])
    assert conversation.filter == Filter(sources=("/articles/town",))
    assert shown["frame"].label == "Filter: 1 of 3 articles"
    assert "1 of 3 articles are asked" in shown["told"]
    assert "3 articles" in shown["status"]
    assert "Old bridge" in shown["panel"]
    assert "Owls" not in shown["panel"]
    page.ask(QUESTION, conversation)
    list(page.answer(conversation))
    assert {hit.document for hit in conversation.turns[-1].hits} == {documents[0].id}
    panel, *_ = page.begin_anew(conversation)
    assert "Owls" not in panel
    assert page.choose_all(conversation) == [[], [], [], "", ""]
    assert conversation.filter == EVERYTHING
    assert "Owls" in page.refresh("", conversation)[2]


def test_a_filter_that_selects_nothing_is_told_and_answered(page):
    conversation = Conversation()
    shown = choose(page, conversation, since="2031")
    assert shown["chat"].examples == []
    assert "0 of 3 articles, by the filter" in shown["panel"]
    page.ask(QUESTION, conversation)
    *_, (chat, _) = page.answer(conversation)
    assert NOT_FOUND in chat[-1]["content"]
    assert "selects no document" in chat[-1]["content"]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"since": "soon"}, "since is &#x27;soon&#x27;; expected a date such as"),
        ({"since": "2026", "until": "2025"}, "since is 2026, which is after until, 2025. Exchange them"),
        ({"languages": ["<b>"]}, "languages has &#x27;&lt;b&gt;&#x27;; expected a code"),  # the browser may send anything
        ({"documents": ["away"]}, "There is no document away."),
    ],
)
def test_what_cannot_be_a_filter_is_told_beside_it_and_to_who_asks(page, chosen, message):
    conversation = Conversation()
    shown = choose(page, conversation, **chosen)
    assert shown["frame"].label == "Filter: cannot be used"
    assert message in shown["told"]
    page.ask(QUESTION, conversation)
    list(page.answer(conversation))
    assert conversation.turns[-1].answer is None
    assert conversation.turns[-1].note[:12] in message.replace("&#x27;", "'")


def test_an_open_list_is_left_alone_until_the_library_changes(page, assistant):
    conversation = Conversation()
    status, *_ = page.refresh("", conversation)
    shown = choose(page, conversation, status, since="2025")
    assert not any(isinstance(shown[name], gr.Dropdown) for name in ("documents", "sources", "languages"))
    assert all(not isinstance(update, str) for update in page.refresh(shown["status"], conversation))
    assistant.put(make_document(OWLS.replace("Marrow", "Sorn"), "/sorn/owls.txt"))
    *_, sources, _ = page.refresh(shown["status"], conversation)
    assert ("/sorn", "/sorn") in sources.choices


def test_examples_are_asked_for_once_each_time_the_page_is_drawn(page, assistant, monkeypatch):
    asked, real = [], assistant.examples
    monkeypatch.setattr(assistant, "examples", lambda *filter: asked.append(filter) or real(*filter))
    _, chat, *_ = page.refresh("", Conversation())
    assert chat.examples == [{"text": "How many owls were counted?"}]
    assert asked == [()]


def test_a_library_that_cannot_be_read_for_a_moment_is_offered_afterwards(page, assistant, monkeypatch):
    def locked(*_):
        raise LibraryError("Another program is writing.", "Wait.")

    conversation = Conversation()
    with monkeypatch.context() as patched:
        patched.setattr(assistant, "documents", locked)
        status, *_, languages = page.refresh("", conversation)
        assert not isinstance(languages, gr.Dropdown)
    *_, languages = page.refresh(status, conversation)
    assert languages.choices == [("en", "en")]


def test_the_lines_of_the_filter():
    assert filter_label(3, 3, "") == "Filter"
    assert filter_label(0, 1, "") == "Filter: 0 of 1 article"
    assert filter_html(3, 3, "") == '<p role="status">All articles are asked</p>'
    assert filter_html(0, 0, "<i>") == '<p role="status" class="problem">&lt;i&gt;</p>'
    assert "by the filter" not in library_html([], waiting=False, of=0)
