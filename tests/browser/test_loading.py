"""What overlaps with the loading of the page, in Chromium: a slow look at the library, and a quick reader."""

from __future__ import annotations

import functools
import time

import pytest

from rag.app.page import Page
from tests.browser.fake import FakeAssistant
from tests.browser.test_chat import QUESTION, answer, ask, button
from tests.browser.test_conversations import answered, asked

pytestmark = pytest.mark.browser


class Slow(FakeAssistant):
    """Keeps the second who asks what is waited for: a look at the library that overlaps with the page's being loaded."""

    calls = 9

    def waiting(self):
        self.calls += 1
        time.sleep(1.5 if self.calls == 2 else 0)
        return super().waiting()


def test_a_reload_shows_the_evidence_also_if_the_library_comes_late(open_page, serve, seed, monkeypatch):
    assistant = Slow([seed])
    page = open_page(serve(assistant))
    asked(page, QUESTION)
    page.wait_for_function("location.search.startsWith('?c=')")
    page.goto("about:blank")
    page.wait_for_timeout(1000)  # a last look of the page that was left
    turns, assistant.calls = assistant.conversations.turns, 0
    monkeypatch.setattr(assistant.conversations, "turns", lambda *which: (time.sleep(0.5), turns(*which))[1])
    page.go_back()
    answered(page)
    page.locator("#status", has_text="1 article").wait_for()
    page.wait_for_timeout(2000)  # nothing that comes later may replace it
    assert page.locator("#panel .view").get_attribute("data-view") == "evidence"


def test_a_question_that_is_asked_while_the_page_is_loaded_can_be_stopped_and_is_kept(
    open_page, serve, assistant, monkeypatch
):
    load = Page.load

    @functools.wraps(load)
    def late(*arguments):
        loaded = load(*arguments)
        time.sleep(1.5)
        return loaded

    monkeypatch.setattr(Page, "load", late)
    page = open_page(serve(assistant), settled=False)
    assistant.hold("claim")
    ask(page)
    answer(page).locator("em", has_text="271").wait_for()
    page.wait_for_timeout(2000)  # nothing that comes later may undo it
    assert button(page, "Stop").is_visible()
    assert "?c=" in page.url
