"""Reading what an answer rests on, in Chromium: evidence, previews, articles, and an answer that is taken along."""

from __future__ import annotations

import json
import re
import time

import pytest

from rag.cli.asking import _saved_citations
from rag.read import make_document
from rag.server import COOKIE
from rag.types import NOT_FOUND
from tests.browser.fake import FakeAssistant
from tests.browser.test_chat import CITATION, QUESTION, answer, ask, button, in_view

pytestmark = pytest.mark.browser

TRAM = "What is the cost of the tram line?"
COSTLIER = "Tram line to cost more\n\n3 November 2025\n\nThe cost of the tram line is now put at 251 million euros.\n"
SEEN = """selector => new Promise((resolve) => {
    const look = () => document.querySelector(selector)
        ? requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.timeOrigin + performance.now())))
        : requestAnimationFrame(look);
    look();
})"""


class Timed(FakeAssistant):
    """Notes when it has found the evidence."""

    found_at = 0.0

    def _search(self, question, documents):
        hits = super()._search(question, documents)
        self.found_at = time.time()
        return hits


def preview(page):
    return page.locator("#preview")


def test_evidence_is_there_before_the_first_word_with_headline_date_and_marked_sentence(open_page, serve, seed):
    assistant = Timed([seed])
    assistant.hold("draft")
    page = open_page(serve(assistant))
    page.evaluate(f"() => {{ window.seen = ({SEEN})('#panel .card'); }}")
    ask(page)
    seen_at = page.evaluate("window.seen") / 1000
    card = page.locator("#panel .card").first
    assert card.locator("h3").inner_text().startswith("Cambodia Targets Cross-Border Crime")
    assert "19 July 2025" in card.locator(".meta").first.inner_text()
    assert "271 Indonesians" in card.locator("mark").inner_text()
    assert answer(page).inner_text().strip() == "Reading the paragraphs…"
    print(f"evidence painted after {seen_at - assistant.found_at:.3f} s")
    assert seen_at - assistant.found_at < 2
    assistant.release("draft")
    page.locator(CITATION).wait_for()


def test_a_withdrawn_draft_leaves_and_what_is_confirmed_stays(open_page, serve, assistant):
    assistant.drafts[QUESTION] = ("They arrested 271 Indonesians.", "They arrested 999 penguins.")
    page = open_page(serve(assistant))
    assistant.hold("claim")
    ask(page)
    answer(page).locator("em", has_text="271").wait_for()
    assistant.release("claim")
    page.locator('#chat a[href^="#do-copy"]').wait_for()
    said = answer(page).inner_text()
    assert "271 Indonesians" in said
    assert "999" not in said
    assert page.locator(CITATION).count() == 1


def test_a_quote_is_previewed_by_mouse_and_by_keyboard_and_escape_hides_it(open_page, serve, assistant):
    page = open_page(serve(assistant))
    ask(page)
    page.locator(CITATION).hover()
    preview(page).wait_for()
    assert "271 Indonesians" in preview(page).inner_text()
    assert "paragraph" in preview(page).inner_text()
    page.mouse.move(5, 5)
    preview(page).wait_for(state="hidden")
    page.locator('#chat a[href^="#do-copy"]').focus()
    page.keyboard.press("Shift+Tab")
    preview(page).wait_for()
    box, described = preview(page).bounding_box(), page.locator(CITATION).get_attribute("aria-describedby")
    assert described == "preview"
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 1280
    page.keyboard.press("Escape")
    preview(page).wait_for(state="hidden")
    assert page.evaluate(f"document.activeElement.matches('{CITATION}')")
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    preview(page).wait_for()
    page.keyboard.press("Tab")
    preview(page).wait_for(state="hidden")


def test_enter_on_a_mark_opens_its_sentence_beside_the_chat_and_another_mark_moves_on(open_page, serve, assistant):
    assistant.drafts[TRAM] = ("It costs 214 million euros.", "It was approved by 41 votes to 18.")
    page = open_page(serve(assistant))
    ask(page, TRAM)
    page.locator(CITATION).nth(1).wait_for()
    page.locator(CITATION).first.press("Enter")
    page.locator("#cited mark", has_text="214 million").wait_for()
    in_view(page, "#cited mark")
    page.wait_for_function("document.activeElement.matches('#panel h2')")
    assert page.locator("#panel .article .text", has_text="6,200 signatures").is_visible()  # the neighbours are to be read
    assert page.locator("#chat .message-wrap").is_visible()
    page.locator(CITATION).nth(1).press("Enter")
    page.locator("#cited mark", has_text="41 votes").wait_for()
    in_view(page, "#cited mark")
    assert page.locator("#panel mark").count() == 1


def test_what_is_not_in_the_documents_shows_what_is_near_and_how_to_add_an_article(open_page, serve, assistant):
    page = open_page(serve(assistant))
    ask(page, "Who arrested the penguins?")
    answer(page).get_by_text(NOT_FOUND).wait_for()
    page.locator("#panel h2", has_text="Nearest paragraphs").wait_for()
    assert page.locator("#panel .card.near").count() > 0
    assert page.locator(CITATION).count() == 0
    page.locator("#panel").get_by_role("link", name="Add an article").click()
    page.locator("#panel h2", has_text="Library").wait_for()
    page.locator("#upload").wait_for()


def test_articles_that_differ_stand_side_by_side(open_page, serve, assistant):
    assistant.put(make_document(COSTLIER, "/articles/costlier.txt"))
    assistant.drafts[TRAM] = ("It costs 214 million euros.", "It costs 251 million euros.")
    page = open_page(serve(assistant))
    ask(page, TRAM)
    sides = page.locator("#panel .sides > div")
    sides.nth(1).wait_for()
    told = sides.all_inner_texts()
    assert [re.findall("14 August 2025|3 November 2025", text) for text in told] == [["14 August 2025"], ["3 November 2025"]]
    assert "214 million" in told[0]
    assert "251 million" in told[1]
    first, second = (sides.nth(n).bounding_box() for n in range(2))
    assert first["y"] == second["y"]
    assert first["x"] + first["width"] <= second["x"]


def test_an_answer_is_copied_with_its_sources(open_page, serve, assistant):
    page = open_page(serve(assistant), permissions=["clipboard-write"])
    ask(page)
    page.locator('#chat a[href^="#do-copy"]').click()
    preview(page).get_by_text("Copied, with its sources.").wait_for()
    page.locator("#question textarea").click()
    page.keyboard.press("Control+V")
    page.wait_for_function("document.querySelector('#question textarea').value")
    copied = page.locator("#question textarea").input_value()
    said, _, notes = copied.partition("\n\n")
    assert "271 Indonesians" in said
    assert said.endswith("[1]")
    assert notes.startswith("[1] “")
    assert "271 Indonesians" in notes
    assert re.search(r"” – Cambodia Targets .*, paragraph \d+$", notes)
    assert not re.search("Copy|Good|Edit", copied)


def test_an_answer_is_saved_as_rag_verify_reads_it(open_page, serve, assistant, tmp_path):
    page = open_page(serve(assistant))
    ask(page)
    with page.expect_download() as download:
        page.locator('#chat a[href^="/conversations/"]').click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.name == "answer-1.json"
    ((number, document, version, start, end, quote),) = _saved_citations(path)
    assert (number, assistant.document(document, version).text[start:end]) == (1, quote)
    assert json.loads(path.read_text(encoding="utf-8"))["found"] is True


def test_an_article_of_two_thousand_paragraphs_opens_at_the_cited_one(open_page, serve):
    rows = [
        f"In week {n} the harbour office counted {7 * n} ships and {3 * n} barges at the northern quay." for n in range(2000)
    ]
    rows[1700] = "The harbour master resigned after 31 complaints about the dredging contract."
    long = make_document("Chronicle of the harbour\n\n" + "\n\n".join(rows) + "\n", "/articles/chronicle.txt")
    page = open_page(serve(FakeAssistant([long])))
    ask(page, "How many complaints about the dredging contract?")
    page.locator(CITATION).wait_for()
    button(page, "Ask").wait_for()
    begun = time.monotonic()
    page.locator(CITATION).click()
    in_view(page, "#cited mark")
    took = time.monotonic() - begun
    print(f"2,000 paragraphs opened in {took:.2f} s")
    assert "31 complaints" in page.locator("#cited mark").inner_text()
    assert took < 5


def test_the_hundredth_question_of_a_conversation_is_answered_as_the_first(open_page, serve, assistant):
    page = open_page(address := serve(assistant))
    times = [answered(page)]
    token = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == COOKIE)
    (first,) = assistant.conversations.turns(token, page.url.partition("?c=")[2])
    for number in range(1, 100):
        assistant.conversations.put(token, "long", number, first.content, "A long one")
    page.goto(f"{address}/?c=long")
    page.locator("#chat .user-row").nth(98).wait_for()
    begun = time.monotonic()
    page.locator("#question textarea").press_sequentially(QUESTION)
    typed = time.monotonic() - begun
    page.locator("#question textarea").fill("")
    times.append(answered(page, 100))
    print(f"first {times[0]:.2f} s, hundredth {times[1]:.2f} s, {len(QUESTION)} letters typed in {typed:.2f} s")
    assert typed < 5
    assert times[1] < 10


def answered(page, n=1):
    """Asks and waits for the end of the answer; returns the seconds."""
    begun = time.monotonic()
    ask(page)
    page.locator(f'#chat a[href="#do-copy-{n}"]').wait_for()
    return time.monotonic() - begun
