"""Conversations in Chromium: kept over a reload, a restart and a second tab, listed, changed, and nobody else's."""

from __future__ import annotations

import json
import re

import pytest

from rag.library.conversations import Conversations
from rag.library.store import Store
from tests.browser.fake import FakeAssistant
from tests.browser.test_chat import CITATION, QUESTION, answer, ask, button

pytestmark = pytest.mark.browser

TRAM = "What is the cost of the tram line?"
LISTED = "#panel .library li"


def do(page, name, number=1):
    """Follows a link under an answer or beside a question."""
    page.locator(f'#chat a[href="#do-{name}-{number}"]').click()


def answered(page, number=1):
    """Waits until a turn is answered and can be acted on."""
    page.locator(f'#chat a[href="#do-copy-{number}"]').wait_for()


def asked(page, *questions):
    """Asks a new conversation's questions, one after the other."""
    for number, question in enumerate(questions, 1):
        ask(page, question)
        answered(page, number)


def list_of(page):
    """Opens the list of conversations; returns its entries."""
    page.locator('#panel a[href="#conversations"]').click()
    page.locator("#panel h2", has_text="Conversations").wait_for()
    return page.locator(LISTED)


def test_a_reload_keeps_the_conversation_and_its_evidence(open_page, serve, assistant):
    page = open_page(serve(assistant))
    asked(page, QUESTION, TRAM)
    page.wait_for_function("location.search.startsWith('?c=')")
    page.reload()
    answered(page, 2)
    assert page.locator("#chat .bot-row").count() == 2
    assert "271 Indonesians" in page.locator("#chat .bot-row").first.inner_text()
    page.locator("#panel .card", has_text="214 million").wait_for()
    page.locator(CITATION).first.click()
    page.locator("#cited mark", has_text="271 Indonesians").wait_for()
    ask(page, "Who collected signatures against the loss of trees?")
    answered(page, 3)
    assert len(assistant.asked[-1][1]) == 4  # the history of two turns


def test_a_reload_in_the_middle_of_an_answer_can_be_continued(open_page, serve, assistant):
    assistant.drafts[QUESTION] = ("They arrested 271 Indonesians.", "They arrested 226 Chinese.")
    page = open_page(serve(assistant))
    assistant.hold("claim")
    ask(page)
    answer(page).locator("em", has_text="271").wait_for()
    page.reload()
    answer(page).get_by_text("Interrupted").wait_for()
    assert page.locator("#chat .user-row").inner_text().startswith(QUESTION)
    page.locator("#panel .card mark", has_text="271 Indonesians").wait_for()
    assert "They arrested 271 Indonesians." in answer(page).inner_text()
    assistant.release("claim")
    button(page, "Continue").click()
    page.locator(CITATION).nth(1).wait_for()
    answered(page)
    assert "226 Chinese" in answer(page).inner_text()
    assert "Interrupted" not in answer(page).inner_text()
    button(page, "Retry").wait_for()
    assert page.locator("#chat .bot-row").count() == 1


def test_new_begins_an_empty_conversation_and_the_old_one_is_opened_from_the_list(open_page, serve, assistant):
    page = open_page(serve(assistant))
    asked(page, QUESTION)
    button(page, "New").click()
    page.get_by_text("Ask a question.").wait_for()
    assert "?c=" not in page.url
    asked(page, TRAM)
    assert list_of(page).locator("a").first.inner_text() == TRAM  # the newest first
    assert page.locator(f"{LISTED} a[aria-current=true]").inner_text() == TRAM
    page.locator(LISTED).get_by_role("link", name=QUESTION).press("Enter")
    answer(page).get_by_text("271 Indonesians").wait_for()
    page.locator("#panel h2", has_text="Evidence").wait_for()
    assert page.locator("#chat .user-row").count() == 1
    assert page.locator("#chat .user-row").inner_text().startswith(QUESTION)


def test_conversations_are_searched_renamed_by_mouse_and_keyboard_and_deleted_when_confirmed(open_page, serve, assistant):
    page = open_page(serve(assistant))
    asked(page, QUESTION)
    button(page, "New").click()
    page.get_by_text("Ask a question.").wait_for()
    asked(page, TRAM)
    list_of(page).nth(1).wait_for()
    page.get_by_label("Search conversations").fill("indonesians")
    page.locator(LISTED, has_text=TRAM).wait_for(state="detached")
    assert page.locator(LISTED).count() == 1
    button(page, f"Rename {QUESTION}").click()
    page.get_by_label("New title").fill("Arrests of Indonesians")
    button(page, "Save").click()
    page.locator(LISTED, has_text="Arrests of Indonesians").wait_for()
    page.get_by_label("Search conversations").fill("")
    page.locator(LISTED).nth(1).wait_for()

    button(page, f"Rename {TRAM}").press("Enter")
    page.wait_for_function("document.activeElement.id === 'new-title'")
    page.keyboard.press("Control+A")
    page.keyboard.type("Trams")
    page.keyboard.press("Enter")
    button(page, "Rename Trams").wait_for()

    button(page, "Delete Arrests of Indonesians").click()
    button(page, "Keep").click()
    button(page, "Delete Arrests of Indonesians").click()
    button(page, "Delete").click()
    page.locator(LISTED, has_text="Arrests").wait_for(state="detached")
    assert page.locator(LISTED).count() == 1
    button(page, "Delete Trams").click()
    button(page, "Delete").click()  # the one that is open: an empty one is begun
    page.get_by_text("Ask a question.").wait_for()
    assert page.locator(LISTED).count() == 0


def test_what_is_deleted_while_its_answer_is_written_does_not_come_back(open_page, serve, assistant):
    page = open_page(serve(assistant))
    assistant.hold("draft")
    ask(page)
    page.locator("#panel .card").first.wait_for()
    list_of(page).first.wait_for()
    button(page, f"Delete {QUESTION}").click()
    button(page, "Delete").click()
    page.get_by_text("Ask a question.").wait_for()
    assert list_of(page).count() == 0


def test_a_conversation_is_exported_as_markdown_and_json(open_page, serve, assistant):
    page = open_page(serve(assistant))
    asked(page, QUESTION, TRAM)
    files = {}
    entry = list_of(page).first
    for name in ("Markdown", "JSON"):
        with page.expect_download() as download:
            entry.get_by_role("link", name=name).click()
        files[download.value.suggested_filename] = download.value.path().read_text(encoding="utf-8")
    text, data = files["conversation.md"], json.loads(files["conversation.json"])
    assert text.startswith(f"# {QUESTION}\n\n## {QUESTION}\n")
    assert re.search(r"271 Indonesians.*\[\^1-1\]", text)
    assert "\n[^2-1]: “Construction of the tram line" in text
    assert [turn["question"] for turn in data["turns"]] == [QUESTION, TRAM]
    assert data["turns"][0]["answer"]["citations"][0]["quote"] in files["conversation.md"]


def test_ratings_and_a_comment_are_kept(open_page, serve, assistant):
    page = open_page(serve(assistant))
    asked(page, QUESTION, TRAM)
    do(page, "good", 1)
    answered(page)
    page.locator("#chat a", has_text="✓ Good").wait_for()
    do(page, "bad", 2)
    page.locator("#chat a", has_text="✓ Bad").wait_for()
    do(page, "remark", 2)
    page.wait_for_function("document.activeElement.id === 'comment'")
    page.keyboard.type("It leaves out the state's share.")
    button(page, "Save").click()
    page.locator("#panel h2", has_text="Evidence").wait_for()
    page.reload()
    page.locator("#chat a", has_text="✓ Bad").wait_for()
    rows = page.locator("#chat .bot-row")
    assert [re.findall("✓ (Good|Bad)", row) for row in rows.all_inner_texts()] == [["Good"], ["Bad"]]
    do(page, "remark", 2)
    page.locator("#comment").wait_for()
    assert page.locator("#comment").input_value() == "It leaves out the state's share."
    do(page, "bad", 2)  # takes it back
    page.locator("#chat a", has_text="✓ Bad").wait_for(state="detached")


def test_edit_replaces_a_question_and_all_after_it_and_keep_leaves_it(open_page, serve, assistant):
    page = open_page(serve(assistant))
    asked(page, QUESTION, TRAM)
    do(page, "edit", 1)
    button(page, "Ask again").wait_for()
    assert page.locator("#question textarea").input_value() == QUESTION
    page.locator('#chat a[href="#do-keep"]').click()
    button(page, "Ask").wait_for()
    assert page.locator("#question textarea").input_value() == ""
    assert page.locator("#chat .user-row").count() == 2
    do(page, "edit", 1)
    button(page, "Ask again").wait_for()
    ask(page, "Who collected signatures against the loss of trees?")
    answer(page).get_by_text("6,200 signatures").wait_for()
    answered(page)
    assert page.locator("#chat .user-row").count() == 1
    page.reload()
    answer(page).get_by_text("6,200 signatures").wait_for()
    assert page.locator("#chat .user-row").count() == 1


def test_a_suggestion_asks(open_page, serve, assistant):
    page = open_page(serve(assistant))
    asked(page, QUESTION)
    offered = page.locator("#chat .option")
    offered.first.wait_for()
    assert offered.all_inner_texts() == [TRAM]  # what was asked is not offered again
    offered.first.click()
    answer(page).get_by_text("214 million euros").wait_for()
    answered(page, 2)
    assert offered.count() == 0


def test_another_browser_sees_nothing_of_it_and_a_second_tab_sees_it_all(open_page, serve, assistant):
    address = serve(assistant)
    page = open_page(address)
    asked(page, QUESTION)
    page.wait_for_function("location.search.startsWith('?c=')")
    identity = page.url.partition("?c=")[2]

    other = open_page(address, path=f"/?c={identity}")
    other.get_by_text("Ask a question.").wait_for()
    assert list_of(other).count() == 0
    for path in (f"{identity}.json", f"{identity}.md", f"{identity}/1.json"):
        assert other.request.get(f"{address}/conversations/{path}").status == 404
        assert page.request.get(f"{address}/conversations/{path}").status == 200
    ask(other, TRAM)
    answered(other)
    assert f"?c={identity}" not in other.url
    assert list_of(other).count() == 1

    tab = open_page(address, beside=page)
    assert list_of(tab).all_inner_texts()[0].startswith(QUESTION)
    tab.locator(LISTED).get_by_role("link", name=QUESTION).click()
    answer(tab).get_by_text("271 Indonesians").wait_for()
    ask(tab, TRAM)
    answered(tab, 2)
    ask(page, TRAM)  # which has not seen it: it goes on by itself, and neither is lost
    answered(page, 2)
    assert sorted(re.search(r"\d question", text)[0] for text in list_of(page).all_inner_texts()) == ["2 question"] * 2


def test_a_restart_of_the_server_shows_the_conversation_again(open_page, serve, seed):
    assistant = FakeAssistant([seed])
    page = open_page(serve(assistant))
    asked(page, QUESTION)
    page.wait_for_function("location.search.startsWith('?c=')")
    again = FakeAssistant([seed])
    again.conversations = Conversations(Store(assistant.folder))
    later = open_page(serve(again), beside=page, path="/?" + page.url.partition("?")[2])
    answer(later).get_by_text("271 Indonesians").wait_for()
    later.locator("#panel .card").first.wait_for()
    button(later, "New").click()
    later.get_by_text("Ask a question.").wait_for()
    assert list_of(later).all_inner_texts()[0].startswith(QUESTION)
