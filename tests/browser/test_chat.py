"""The chat in Chromium: once as a whole with the real models, and each promise of the page over a fake assistant.

Every page fails its test if it logs an error, breaks its own security policy or asks another host for anything.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from rag.config import ROOT
from rag.read import make_document
from rag.types import NOT_FOUND
from tests.browser.fake import FakeAssistant

pytestmark = pytest.mark.browser

QUESTION = "How many Indonesians were arrested?"
CITATION = '#chat a[href^="#cite-"]'


def ask(page, question=QUESTION):
    page.locator("#question textarea").fill(question)
    page.keyboard.press("Enter")


def answer(page):
    return page.locator("#chat .bot-row").last


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def in_view(page, selector):
    """Waits until an element lies within the window and within the panel that scrolls it."""
    page.wait_for_function(
        """selector => {
            const box = document.querySelector(selector)?.getBoundingClientRect();
            const frame = document.querySelector('#panel').getBoundingClientRect();
            return box && box.top >= frame.top && box.bottom <= Math.min(frame.bottom, innerHeight);
        }""",
        arg=selector,
    )


def tab_to(page, selector, *, back=False):
    """Presses Tab until what is looked for has the focus."""
    for _ in range(40):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            assert page.evaluate("document.activeElement.checkVisibility()")
            return
    raise AssertionError(f"{selector} is not reached by Tab; {page.evaluate('document.activeElement.outerHTML')[:200]} is")


# --- the whole product


@contextlib.contextmanager
def product(folder, models):
    """Runs `rag serve` over an index of its own; yields its address."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}
    environ |= {"RAG_INDEX": str(folder / "index"), "RAG_MODELS": str(models), "RAG_SEEDS": str(ROOT / "seeds")}
    command = [sys.executable, "-m", "rag.cli", "serve", "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        line = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert address, f"{line!r}, exit code {process.poll()}"
        yield address[0]
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        assert (process.returncode, errors) == (0, "")
    finally:
        process.kill()
        process.communicate()


@pytest.mark.real
def test_a_question_is_answered_with_a_citation_that_opens_the_marked_sentence(open_page, models_folder, tmp_path):
    with product(tmp_path, models_folder) as address:
        page = open_page(address)
        page.set_default_timeout(60_000)
        ask(page)  # the models are still being loaded
        page.locator(CITATION).first.wait_for()
        assert "271" in answer(page).inner_text()
        page.locator(CITATION).first.click()
        marked = page.locator("#cited mark")
        marked.wait_for()
        assert "271 Indonesians" in marked.inner_text()
        in_view(page, "#cited mark")
        page.close()  # before its server, whose end it would complain of


# --- one promise each


def test_the_evidence_is_marked_on_screen_before_the_first_word(open_page, serve, assistant):
    page = open_page(serve(assistant))
    composer = page.locator("#composer").bounding_box()
    assistant.hold("draft")
    assistant.hold("claim")
    ask(page)
    card = page.locator("#panel .card").first
    card.wait_for()
    assert "271 Indonesians" in card.locator("mark").inner_text()
    in_view(page, "#panel .card mark")
    assert answer(page).inner_text().strip() == "Reading the paragraphs…"
    assistant.release("draft")
    answer(page).locator("em").get_by_text("dozens from South Korea").wait_for()
    assert page.locator(CITATION).count() == 0
    assistant.release("claim")
    page.locator(CITATION).wait_for()
    assert answer(page).locator("em").count() == 0
    card.get_by_text("[1]").wait_for()
    assert page.locator("#composer").bounding_box() == composer


def test_a_draft_that_no_paragraph_carries_is_taken_back(open_page, serve, assistant):
    assistant.drafts[QUESTION] = ("They arrested 999 Indonesians.",)
    assistant.hold("claim")
    page = open_page(serve(assistant))
    ask(page)
    answer(page).locator("em").get_by_text("999").wait_for()
    assistant.release("claim")
    answer(page).get_by_text(NOT_FOUND).wait_for()
    assert "999" not in page.locator("#chat").inner_text()


def test_a_citation_opens_by_keyboard_alone_and_back_leads_back_to_it(open_page, serve, assistant):
    page = open_page(serve(assistant))
    page.keyboard.type(QUESTION)  # the box has the focus from the start
    page.keyboard.press("Enter")
    page.locator(CITATION).wait_for()
    tab_to(page, CITATION, back=True)
    assert page.evaluate("document.activeElement.textContent") == "[1]"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    page.locator("#cited mark").wait_for()
    assert page.locator("#panel h2").inner_text().startswith("Cambodia Targets")
    in_view(page, "#cited mark")
    page.wait_for_function("document.activeElement.matches('#panel h2')")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.locator("#panel h2", has_text="Evidence").wait_for()
    page.wait_for_function(f"document.activeElement.matches('{CITATION}')")


def test_opening_the_same_citation_again_goes_back_to_its_sentence(open_page, serve, assistant):
    page = open_page(serve(assistant))
    ask(page)
    page.locator(CITATION).click()
    in_view(page, "#cited mark")
    page.locator("#panel").evaluate("panel => panel.scrollTo(0, 0)")
    page.set_viewport_size({"width": 1280, "height": 500})
    page.locator(CITATION).click()
    in_view(page, "#cited mark")


@pytest.mark.parametrize("again", ["Retry", "Ask"])
def test_stop_works_before_the_first_word_and_does_not_hit_what_is_asked_next(open_page, serve, assistant, again):
    page = open_page(serve(assistant))
    assistant.hold("draft")
    ask(page)
    page.locator("#panel .card").first.wait_for()
    button(page, "Stop").click()
    answer(page).get_by_text("Stopped.").wait_for()
    page.locator("#question textarea").fill(QUESTION if again == "Ask" else "")
    button(page, again).click()
    answer(page).get_by_text("Looking for paragraphs…").wait_for()
    assistant.release("draft")
    page.locator(CITATION).wait_for()
    button(page, "Ask").wait_for()
    assert page.locator("#chat .bot-row").count() == (1 if again == "Retry" else 2)
    assert "Stopped." not in answer(page).inner_text()
    assert (assistant.closed, len(assistant.asked)) == (1, 2)


@pytest.mark.parametrize("how", ["Stop", "New", "close", "reload"])
def test_the_model_is_free_at_once_when_nobody_waits_for_it(open_page, serve, assistant, how):
    page = open_page(serve(assistant))
    assistant.hold("draft")  # which is never released: the model reads
    ask(page)
    page.locator("#panel .card").first.wait_for()
    if how == "close":
        page.close()
    elif how == "reload":
        page.reload()
    else:
        button(page, how).click()
    until = time.monotonic() + 5
    while time.monotonic() < until and not assistant.closed:
        time.sleep(0.01)
    assert assistant.closed == 1


def test_stop_keeps_what_was_confirmed_and_writes_nothing_more(open_page, serve, assistant):
    assistant.drafts[QUESTION] = ("They arrested 271 Indonesians.", "They arrested 226 Chinese.")
    page = open_page(serve(assistant))
    assistant.hold("claim")
    ask(page)
    answer(page).get_by_text("271 Indonesians.").wait_for()
    button(page, "Stop").click()
    answer(page).get_by_text("Stopped.").wait_for()
    assistant.release("claim")
    button(page, "Ask").wait_for()
    page.wait_for_timeout(300)
    assert "271" not in answer(page).inner_text()
    assert assistant.closed == 1


def test_new_leaves_the_conversation_and_shows_the_library_and_the_examples_again(open_page, serve, assistant):
    page = open_page(serve(assistant))
    page.locator("#status", has_text="2 articles").wait_for()
    assistant.put(make_document("Owls\n\nForty snowy owls were counted this winter.\n", "/articles/owls.txt"))
    ask(page)
    page.locator(CITATION).wait_for()
    page.locator("#status", has_text="3 articles").wait_for()
    button(page, "New").click()
    page.locator("#panel .library", has_text="Owls").wait_for()
    page.get_by_role("button", name=re.compile("What is the cost of the tram line")).click()
    page.locator(CITATION).wait_for()
    assert "214 million euros" in answer(page).inner_text()
    assert page.locator("#chat .user-row").all_inner_texts() == ["What is the cost of the tram line?\xa0Edit"]
    assert [history for _, history in assistant.asked] == [[], []]


def test_the_page_is_up_while_models_load_and_a_question_waits_for_the_first_article(open_page, serve, seed):
    assistant = FakeAssistant([])
    assistant.load("Building the index from the seed articles")
    page = open_page(serve(assistant))
    page.locator("#status", has_text="Building the index from the seed articles…").wait_for()
    ask(page)
    answer(page).get_by_text("Building the index").wait_for()
    assistant.put(seed)
    page.locator(CITATION).wait_for()
    page.locator("#panel .card").first.wait_for()
    assistant.load("")
    page.locator("#status", has_text="1 article").wait_for()


def test_two_pages_keep_their_own_conversations(open_page, serve, assistant):
    address = serve(assistant)
    one, two = open_page(address), open_page(address)
    assistant.hold("draft")
    ask(one)
    one.locator("#panel .card").first.wait_for()
    ask(two, "What is the cost of the tram line?")
    answer(two).get_by_text("Looking for paragraphs…").wait_for()
    assistant.release("draft")
    for page, said in ((one, "271 Indonesians"), (two, "214 million euros")):
        page.locator(CITATION).wait_for()
        assert said in page.locator("#chat").inner_text()
        assert page.locator("#chat .user-row").count() == 1


OURS = '[href^="#cite-"], [href^="#do-"], [href^="/conversations/"], [href="#back"], .views > a'
HOSTILE = (
    '<img src=x onerror="alert(1)"> ${alert(2)} {{alert(3)}} ![p](http://evil.example/p.png) [l](http://evil.example/) '
    "<script>alert(4)</script> http://evil.example/bare www.evil.example $$\\frac{1}{2}$$ `code` **bold**"
)


def test_text_of_an_article_a_model_or_a_reader_stays_text(open_page, serve):
    raw = f"The penguins walked 12 miles to the southern harbour, {HOSTILE} and they rested there.\n"
    article = replace(make_document(raw, "/articles/penguins.txt"), title=f"Penguins {HOSTILE}")
    assert HOSTILE in article.text
    assistant = FakeAssistant([article], [f"Where did the penguins walk? {HOSTILE}"])
    question = f"How many miles did the penguins walk? {HOSTILE}"
    assistant.drafts[question] = (f"The penguins walked 12 miles. {HOSTILE}",)
    page = open_page(serve(assistant))
    page.locator("#panel", has_text=HOSTILE).wait_for()  # its title, in the library
    page.locator("#chat .example", has_text=HOSTILE).wait_for()
    assistant.hold("claim")
    ask(page, question)
    answer(page).locator("em", has_text=HOSTILE).wait_for()
    assistant.release("claim")
    page.locator(CITATION).click()
    page.locator("#cited mark", has_text=HOSTILE).wait_for()
    page.wait_for_timeout(300)
    assert page.locator("#chat .user-row").inner_text() == f"{question}\xa0Edit"
    assert f"The penguins walked 12 miles. {HOSTILE}" in answer(page).inner_text()
    for part in ("#chat .message-wrap", "#panel .prose"):
        made = page.locator(f"{part} :is(img, script, iframe, form, input, strong, code, b, svg, .katex)")
        assert made.count() == 0
        assert page.locator(f"{part} a:not({OURS})").count() == 0


@pytest.mark.parametrize("size", [(390, 844), (800, 600), (1920, 1080)])
def test_chat_sources_and_composer_are_in_sight_together(open_page, serve, assistant, size):
    width, height = size
    page = open_page(serve(assistant), viewport={"width": width, "height": height})
    ask(page)
    page.locator(CITATION).click()
    in_view(page, "#cited mark")
    for part in ("#question textarea", "#ask", "#retry", "#new", "#panel", CITATION):
        box = page.locator(part).first.bounding_box()
        assert box["x"] >= 0, part
        assert box["x"] + box["width"] <= width, part
        assert box["y"] >= 0, part
        assert box["y"] + box["height"] <= height, part
    scrolls = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert scrolls == [width, height]


CONTRASTS = """() => {
    const parts = (color) => color.match(/[\\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = (element) => {
        for (; element; element = element.parentElement) {
            const color = parts(getComputedStyle(element).backgroundColor);
            if (color.length === 3) return color;
        }
        return parts(getComputedStyle(document.body).backgroundColor);
    };
    const low = [];
    for (const element of document.querySelectorAll('#top *, #columns *')) {
        const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
        const style = getComputedStyle(element);
        const shown = element.checkVisibility({visibilityProperty: true}) && !element.closest('button:disabled, .sr-only');
        if (!own || !shown) continue;
        const [a, b] = [luminance(parts(style.color)), luminance(ground(element))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5) low.push(`${element.tagName} ${element.className} ${element.textContent.slice(0, 40)} ${ratio}`);
    }
    return low;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_enough_contrast(open_page, serve, assistant, scheme):
    page = open_page(serve(assistant), color_scheme=scheme)
    assert page.evaluate("document.body.classList.contains('dark')") == (scheme == "dark")
    page.locator("#chat .example").first.wait_for()
    assert page.evaluate(CONTRASTS) == []
    assistant.hold("claim")
    ask(page)
    answer(page).locator("em", has_text="271").wait_for()
    assert page.evaluate(CONTRASTS) == []
    assistant.release("claim")
    page.locator(CITATION).click()
    page.locator("#cited mark").wait_for()
    assert page.evaluate(CONTRASTS) == []
