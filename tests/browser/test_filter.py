"""The filter of the page in Chromium, over a fake assistant: chosen and emptied by keyboard, and told where it fails."""

from __future__ import annotations

import re

import pytest

from rag.read import make_document
from rag.types import NOT_FOUND
from tests.browser.test_chat import CITATION, CONTRASTS, answer, ask, button

pytestmark = pytest.mark.browser

OWLS = "Owls in Arlen\n\n2 May 2026\n\nForty snowy owls were counted in the woods of Arlen this winter.\n"


def opened_by_keyboard(page):
    """Goes from the question to the filter and opens it; returns its button."""
    page.locator("#status", has_text="2 articles").wait_for()
    toggle = page.get_by_role("button", name=re.compile("^Filter"))
    page.locator('#filter > button[aria-expanded="false"]').wait_for()
    page.locator("#question textarea").focus()
    for _ in range(2):  # past Ask; Retry and New can do nothing yet
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").startswith("Filter")
    page.keyboard.press("Enter")
    page.get_by_label("Documents").wait_for()
    page.locator('#filter > button[aria-expanded="true"]').wait_for()
    return toggle


def test_a_document_is_chosen_by_keyboard_and_only_it_is_asked(open_page, serve, assistant):
    page = open_page(serve(assistant))
    toggle = opened_by_keyboard(page)
    page.keyboard.press("Tab")
    page.keyboard.type("tram")
    page.keyboard.press("Enter")
    page.locator("#filter-told", has_text="1 of 2 articles are asked").wait_for()
    assert toggle.inner_text().startswith("Filter: 1 of 2 articles")
    page.locator("#panel", has_text="1 of 2 articles, by the filter").wait_for()
    assert page.locator("#panel .library li").count() == 1
    ask(page)
    answer(page).get_by_text(NOT_FOUND).wait_for()
    assert page.locator("#panel", has_text="Cambodia").count() == 0
    ask(page, "What is the cost of the tram line?")
    page.locator(CITATION).wait_for()

    assistant.put(make_document(OWLS, "/owls/owls.txt"))  # what there is to choose follows the library, what is chosen stays
    page.locator("#filter-told", has_text="1 of 3 articles are asked").wait_for()
    page.get_by_role("combobox", name="Sources").click()
    page.get_by_role("option", name="/owls").click()
    page.locator("#filter-told", has_text="0 of 3 articles are asked").wait_for()
    ask(page)
    answer(page).get_by_text("The filter selects no document.").wait_for()

    button(page, "Clear filter").press("Enter")
    page.locator("#filter-told", has_text="All articles are asked").wait_for()
    ask(page)
    answer(page).get_by_text("271 Indonesians").wait_for()


def test_a_date_that_is_none_is_said_at_once_and_to_who_asks_all_the_same(open_page, serve, assistant):
    page = open_page(serve(assistant))
    opened_by_keyboard(page)
    page.get_by_role("textbox", name="Since").fill("soon")
    page.keyboard.press("Tab")
    page.locator("#filter-told", has_text="since is 'soon'; expected a date such as 2026-03-31, 2026-03 or 2026.").wait_for()
    ask(page)
    answer(page).get_by_text("since is 'soon'; expected a date").wait_for()
    page.get_by_role("textbox", name="Since").fill("2025-08")
    page.keyboard.press("Enter")
    page.locator("#filter-told", has_text="1 of 2 articles are asked").wait_for()
    page.get_by_role("textbox", name="Until").fill("2025-07")
    page.keyboard.press("Enter")
    page.locator("#filter-told", has_text="since is 2025-08, which is after until, 2025-07. Exchange them").wait_for()


def test_an_article_is_asked_alone_from_the_library_and_then_all_are(open_page, serve, assistant):
    page = open_page(serve(assistant))
    page.locator("#status", has_text="2 articles").wait_for()
    page.locator("#panel .library li", has_text="tram").get_by_text("Ask only this").click()
    page.locator("#panel", has_text="1 of 2 articles, by the filter").wait_for()
    page.get_by_role("button", name=re.compile("^Filter: 1 of 2 articles")).click()
    assert "tram" in page.locator("#filter-documents").inner_text()
    ask(page)
    answer(page).get_by_text(NOT_FOUND).wait_for()
    page.locator("#panel .views").get_by_text("Library").click()
    button(page, "Ask all articles").click()
    page.locator("#panel .library li").nth(1).wait_for()
    page.locator("#filter-told", has_text="All articles are asked").wait_for()
    assert "tram" not in page.locator("#filter-documents").inner_text()
    ask(page)
    answer(page).get_by_text("271 Indonesians").wait_for()


@pytest.mark.parametrize("size", [(390, 844), (800, 600), (1920, 1080)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_open_filter_and_the_question_are_in_sight_and_can_be_read(open_page, serve, assistant, size, scheme):
    width, height = size
    page = open_page(serve(assistant), viewport={"width": width, "height": height}, color_scheme=scheme)
    opened_by_keyboard(page)
    page.get_by_label("Documents").fill("tram")
    page.keyboard.press("Enter")
    page.get_by_role("textbox", name="Until").fill("never")
    page.keyboard.press("Enter")
    page.locator("#filter-told .problem").wait_for()
    assert page.evaluate(CONTRASTS) == []
    for part in ("#question textarea", "#ask", "#new", "#filter > button", "#filter-documents"):
        box = page.locator(part).bounding_box()
        assert box["x"] >= 0, part
        assert box["x"] + box["width"] <= width, part
        assert box["y"] + box["height"] <= height, part
    scrolls = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert scrolls == [width, height]


def test_two_pages_have_filters_of_their_own(open_page, serve, assistant):
    address = serve(assistant)
    one, two = open_page(address), open_page(address)
    opened_by_keyboard(one)
    one.get_by_label("Since").fill("2025-08")
    one.keyboard.press("Enter")
    one.locator("#filter-told", has_text="1 of 2").wait_for()
    ask(two)
    two.locator(CITATION).wait_for()
    assert two.get_by_role("button", name="Filter", exact=False).inner_text().startswith("Filter")
    assert "of 2" not in two.locator("#filter").inner_text()
