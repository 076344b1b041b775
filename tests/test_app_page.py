"""The handlers of the page's events over a fake assistant: what is asked, drawn, stopped, opened and waited for."""

from __future__ import annotations

import html
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import gradio as gr
import pytest

from rag.app import build_page
from rag.app.acts import Acts
from rag.app.conversation import Conversation, Turn
from rag.app.kept import Kept
from rag.app.page import Page
from rag.app.reference import Ref, citation_ref, encode_ref, hit_ref
from rag.config import Settings
from rag.errors import LibraryError, ModelMissing, QuestionError
from rag.read import make_document
from tests.browser.fake import FakeAssistant
from tests.conftest import BRIDGES, OWLS

QUESTION = "What did the repair of the bridge cost?"
COST = "Its repair cost 4.2 million crowns, said the mayor, Ilse Varga."
PAGE = gr.Request(session_hash="page")


@pytest.fixture
def bridges():
    return make_document(BRIDGES, "/articles/bridges.txt")


@pytest.fixture
def assistant(bridges):
    return FakeAssistant([bridges, make_document(OWLS, "/articles/owls.txt")], ["How many owls were counted?"])


@pytest.fixture
def page(assistant):
    return Page(assistant, Kept(assistant.conversations), None)


def cited(assistant):
    """Returns the reference of the citation of the answer to QUESTION."""
    *_, done = assistant.stream(QUESTION)
    return citation_ref(done.answer.citations[0])


def contents(update):
    """Returns the texts of the chat, without the links of what can be done with them."""
    return [re.sub(r"(&#160;|\s)*\[[^\]]*\]\((#do-|/conv)[^)]*\)", "", message["content"]) for message in update]


def test_a_question_is_answered_evidence_first(page):
    conversation = Conversation()
    assert page.ask(f"  {QUESTION} ", conversation)[0] == ""
    steps = list(page.answer(conversation))
    chat, panel = steps[0]
    assert contents(chat) == [QUESTION, "<em>Reading the paragraphs…</em>"]
    assert f"<mark>{COST}</mark>" in panel
    chat, panel = steps[-1]
    assert "&#91;1&#93;" in contents(chat)[1]
    assert not conversation.running
    assert any("<em>Its</em>" in contents(chat)[1] for chat, _ in steps[1:-1])


def test_nothing_is_asked_twice_at_once_and_nothing_empty(page, assistant):
    conversation = Conversation()
    page.ask("  \n", conversation)
    assert not conversation.turns
    page.ask(QUESTION, conversation)
    page.ask("Another?", conversation)
    page.retry(conversation)
    assert [turn.question for turn in conversation.turns] == [QUESTION]


def test_a_question_with_half_a_surrogate_pair_is_still_sent_to_the_browser(page):
    conversation = Conversation()
    update = page.ask("What \ud800 now?", conversation)
    assert json.dumps(contents(update[1]), ensure_ascii=False).encode()


def test_later_questions_carry_the_conversation(page, assistant):
    conversation = Conversation()
    for question in (QUESTION, "How many owls were counted in the forest?"):
        page.ask(question, conversation)
        list(page.answer(conversation))
    assert assistant.asked[0] == (QUESTION, [])
    assert [message["content"] for message in assistant.asked[1][1]] == [QUESTION, COST]


def test_a_run_is_written_once_however_often_it_is_asked_for(page, assistant):
    conversation = Conversation()
    page.ask(QUESTION, conversation)
    first = page.answer(conversation)
    next(first)
    page.ask("Enter was pressed again", conversation)
    assert list(page.answer(conversation)) == []
    list(first)
    assert [question for question, _ in assistant.asked] == [QUESTION]


def test_stop_closes_the_stream_and_keeps_what_was_confirmed(page, assistant):
    assistant.drafts[QUESTION] = (COST, "The town paid 1.1 million crowns of it.")
    conversation = Conversation()
    page.ask(QUESTION, conversation)
    steps = page.answer(conversation)
    while not conversation.turns[-1].claims:
        next(steps)
    page.stop(conversation)
    assert list(steps) == []
    assert assistant.closed == 1
    turn = conversation.turns[0]
    assert ([claim.text for claim in turn.claims], turn.draft, turn.note) == ([COST], "", "Stopped.")


@pytest.mark.parametrize(
    "end", [lambda page, c: page.stop(c), lambda page, c: page.begin_anew(c), lambda page, c: page.leave(PAGE)]
)
def test_an_answer_that_nobody_waits_for_ends_while_the_model_reads(page, assistant, end):
    # The model read to the end once, as a stream can only be closed between two of its pieces.
    assistant.hold("draft")
    conversation = Conversation()
    page.ask(QUESTION, conversation)
    with ThreadPoolExecutor(1) as threads:
        written = threads.submit(lambda: list(page.answer(conversation, PAGE)))
        until = time.monotonic() + 5
        while time.monotonic() < until and not (conversation.turns and conversation.turns[-1].hits):
            time.sleep(0.001)
        assert assistant.closed == 0
        end(page, conversation)
        written.result(5)  # nothing was released
    assert assistant.closed == 1
    assert not conversation.running
    assert page._answering == {}


def test_another_page_that_is_left_ends_nothing(page):
    conversation = Conversation()
    page.ask(QUESTION, conversation)
    steps = page.answer(conversation, PAGE)
    next(steps)
    page.leave(gr.Request(session_hash="another"))
    list(steps)
    assert conversation.turns[0].answer.found


def test_an_old_run_writes_nothing_into_a_new_one(page):
    conversation = Conversation()
    page.ask(QUESTION, conversation)
    old = page.answer(conversation)
    next(old)
    page.stop(conversation)
    page.ask("How many owls were counted in the forest?", conversation)
    assert list(old) == []
    assert conversation.running
    assert conversation.turns[-1] == Turn("How many owls were counted in the forest?")


def test_retry_asks_the_last_question_again_in_place_of_its_answer(page, assistant):
    conversation = Conversation()
    page.ask(QUESTION, conversation)
    list(page.answer(conversation))
    page.retry(conversation)
    assert conversation.turns == (Turn(QUESTION),)
    list(page.answer(conversation))
    assert [question for question, _ in assistant.asked] == [QUESTION, QUESTION]
    assert assistant.asked[1][1] == []


def test_new_begins_an_empty_conversation_and_shows_the_library(page):
    conversation = Conversation()
    page.ask(QUESTION, conversation)
    list(page.answer(conversation))
    old, conversation.editing = conversation.id, 1
    panel, chat, *_, place = page.begin_anew(conversation)
    assert (chat, conversation.turns, conversation.editing) == ([], (), 0)
    assert (page.draw(conversation)[1].value, place) == ("Ask", '<i data-conversation=""></i>')
    assert '<h2 tabindex="-1">Library</h2>' in panel
    page.ask(QUESTION, conversation)
    assert conversation.id != old
    assert page.draw(conversation)[-1] == f'<i data-conversation="{conversation.id}"></i>'


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ModelMissing("The model is not there.", "Run: rag models fetch"), "Run: rag models fetch"),
        (QuestionError("The question is too long.", "Ask a shorter one."), "Ask a shorter one."),
        (ZeroDivisionError("secret detail"), "Something went wrong"),
    ],
)
def test_a_failure_is_said_in_the_chat_and_the_page_goes_on(page, assistant, error, said):
    assistant.error = error
    conversation = Conversation()
    page.ask(QUESTION, conversation)
    *_, (chat, _) = page.answer(conversation)
    assert said in html.unescape(contents(chat)[-1])
    assert "secret detail" not in contents(chat)[-1]
    assert not conversation.running


def test_buttons_show_what_can_be_done(page):
    def states(conversation):
        _, ask, stop, retry, new, _ = page.draw(conversation)
        return ask.visible, stop.visible, retry.interactive, new.interactive

    conversation = Conversation()
    assert states(conversation) == (True, False, False, False)
    conversation.begin("q")
    assert states(conversation) == (False, True, False, True)
    conversation.end()
    assert states(conversation) == (True, False, True, True)


def opened(page, link, conversation=None, assistant=None):
    acts = Acts(assistant or page._assistant, page)
    return acts.act(gr.EventData(None, {"ref": link}), conversation or Conversation())[0]


def test_a_citation_opens_its_article(page, assistant):
    assert f"<mark>{COST}</mark>" in opened(page, encode_ref(cited(assistant)))


def test_a_citation_of_an_older_version_says_so(page, assistant, bridges):
    older = replace(bridges, version="older", text=bridges.text)
    both = FakeAssistant([bridges, older])
    both = Page(both, Kept(both.conversations), None)
    assert "has changed since" in opened(both, encode_ref(Ref(older.id, "older")))
    assert "has changed since" not in opened(both, encode_ref(Ref(bridges.id, bridges.version)))


def test_a_citation_of_an_article_that_is_gone_says_so(page):
    assert "no longer in the library" in opened(page, encode_ref(Ref("gone", "v")))


def test_a_forged_link_opens_nothing(page):
    conversation = Conversation()
    assert "This reference cannot be read." in opened(page, "#cite-x", conversation)
    conversation.view = "library"
    for data in ({"ref": None}, {"ref": "#other"}, {"ref": 7}, {}, None, "text"):
        updates = Acts(page._assistant, page).act(gr.EventData(None, data), conversation)
        assert len(updates) == 13
        assert all(isinstance(update, dict) and "value" not in update for update in updates), data
    assert conversation.view == "library"


def test_back_leads_to_the_evidence_or_to_the_library(page):
    conversation = Conversation()
    assert '<h2 tabindex="-1">Library</h2>' in opened(page, "#back", conversation)
    assert "are shown here" in opened(page, "#evidence", conversation)
    page.ask(QUESTION, conversation)
    list(page.answer(conversation))
    link = encode_ref(citation_ref(conversation.turns[0].claims[0].citations[0]))
    assert "Back to the evidence" in opened(page, link, conversation)
    for link in ("#back", "#evidence"):
        conversation.view = "article"
        assert '<h2 tabindex="-1">Evidence</h2>' in opened(page, link, conversation)


def test_an_open_article_is_not_taken_away_when_the_answer_ends(page, assistant):
    conversation = Conversation()
    page.ask(QUESTION, conversation)
    steps = page.answer(conversation)
    next(steps)
    opened(page, encode_ref(hit_ref(conversation.turns[0].hits[0])), conversation)
    assert all(isinstance(panel, dict) and "value" not in panel for _, panel in steps)


def test_the_page_says_what_it_waits_for_until_all_is_there(page, assistant):
    conversation = Conversation()
    assistant.load("Loading the answer model")
    status, chat, *_ = page.refresh("", conversation)
    assert "Loading the answer model…" in status
    assert chat.examples == [{"text": "How many owls were counted?"}]
    assert all("value" not in update for update in page.refresh(status, conversation))
    assistant.load("")
    late, status = status, page.refresh(status, conversation)[0]
    assert "2 articles" in status
    assert "2 articles" in page.refresh(late, conversation)[0]  # one that was overtaken on its way is put right


def test_the_page_shows_an_article_that_another_process_added(page, assistant):
    conversation = Conversation()
    status = page.refresh("", conversation)[0]
    assert all("value" not in update for update in page.refresh(status, conversation))
    assistant.put(make_document("Storks arrive\n\nTwo storks came to the town this spring.\n", "/articles/storks.txt"))
    status, _, panel, *_ = page.refresh(status, conversation)
    assert "3 articles" in status
    assert "Storks arrive" in panel


def test_the_page_offers_nothing_to_other_programs():
    """An event that is not private would be listed, and Gradio's own run history would keep what was asked."""
    assistant = FakeAssistant([])
    blocks = build_page(assistant, Settings(), Kept(assistant.conversations))
    listed = [f for f in blocks.config["dependencies"] if f["api_visibility"] != "private"]
    assert listed == []


def test_a_library_that_cannot_be_read_for_a_moment_is_shown_afterwards(page, assistant, monkeypatch):
    # What was shown was noted before it was read: the page stayed as it was until the next change.
    def locked():
        raise LibraryError("Another program is writing.", "Wait.")

    conversation = Conversation()
    with monkeypatch.context() as patched:
        patched.setattr(assistant, "documents", locked)
        status, chat, *_ = page.refresh("", conversation)
        assert "Another program is writing." in chat.placeholder
    assert "2 articles" in page.refresh(status, conversation)[0]
