"""Articles, files, questions and titles that would like to be more than text, in Chromium: nothing of them ever runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.read import make_document
from tests.browser.fake import FakeAssistant
from tests.browser.test_chat import CITATION, answer, ask, button

pytestmark = pytest.mark.browser

PWN = "__pwn=1"  # without a dot, which would end the sentence
HOSTILE = {
    "script": f"<script>{PWN}</script>",
    "closing": f"</p></div></textarea></title><script>{PWN}</script><!--",
    "image": f'<img src=x onerror="{PWN}"><svg/onload={PWN}>',
    "attribute": f'" onmouseover="{PWN}" autofocus onfocus="{PWN}" x=\'',
    "frame": "<iframe srcdoc=\"<script>top['__pwn']=1</script>\" src='http://evil.example/'></iframe>",
    "template": f"${{{PWN}}} {{{{{PWN}}}}} {{% raw %}} `${{{PWN}}}`",
    "markdown": f"![p](http://evil.example/p.png) [l](javascript:{PWN}) <http://evil.example/> [d](#do-rebuild) # h",
    "form": '<form action="http://evil.example/" id=question><input name=x autofocus><button>Go</button></form>',
    "style": "<style>*{display:none!important}</style><link rel=stylesheet href=http://evil.example/a><base href=//evil>",
    "meta": '<meta http-equiv="refresh" content="0;url=http://evil.example/"><object data=http://evil.example/></object>',
    "bidi": "\u202eevil\u202c \u2066admin\u2069 \u200f\u061c",
    "entities": "&lt;script&gt;__pwn=1&lt;/script&gt; &#60;img src=x onerror=__pwn=1&#62;",
}
MADE = ":is(script, iframe, form, svg, object, embed, style, link, meta, base, img, [onmouseover], [onfocus], [onerror])"
LISTED = "#panel .library li"


def shown(text):
    """Returns the part of a hostile text that is compared: pages show white space as they like."""
    return text[:40].strip()


def harmless(page):
    """Nothing ran, and nothing of the page's own parts was made by a text."""
    page.wait_for_function("!document.querySelector('#panel').innerText.includes('undefined')")
    assert page.evaluate("window.__pwn") is None
    for part in ("#chat .message-wrap .prose", "#panel .view", "#preview"):
        assert page.locator(f"{part} {MADE}").count() == 0, part
    assert page.locator('#chat .prose a:not([href^="#cite-"], [href^="#do-"], [href^="/conversations/"])').count() == 0
    assert page.locator("#question textarea").is_visible()


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_is_only_shown(open_page, serve, kind, tmp_path):
    hostile = HOSTILE[kind]
    raw = f"Penguins\n\nThe penguins walked 12 miles to the southern harbour {hostile} and they rested there.\n"
    source = f"/articles/penguins {hostile.replace('/', '_')}.txt"
    article = replace(make_document(raw, source), title=f"Penguins {hostile}")
    question = f"How many miles did the penguins walk? {hostile}"
    assistant = FakeAssistant([article], [f"Where did the penguins walk? {hostile}"])
    assistant.drafts[question] = (f"The penguins walked 12 miles. {hostile}",)
    page = open_page(serve(assistant))
    page.locator(LISTED, has_text=shown(hostile)).wait_for()
    page.locator("#chat .example", has_text=shown(hostile)).wait_for()
    page.get_by_label("Search articles").fill(f"Penguins {hostile}")
    page.locator(LISTED).wait_for()
    harmless(page)

    assistant.hold("claim")
    ask(page, question)
    answer(page).locator("em", has_text=shown(hostile)).wait_for()
    page.locator("#panel .card", has_text=shown(hostile)).wait_for()
    harmless(page)
    assistant.release("claim")
    page.locator('#chat a[href="#do-copy-1"]').wait_for()
    assert "Edit" in page.locator("#chat .user-row a").all_inner_texts()
    assert page.locator("#chat .user-row a").count() == 1
    page.locator("#chat .option", has_text=shown(hostile)).wait_for()
    page.locator(CITATION).hover()
    page.locator("#preview", has_text=shown(hostile)).wait_for()
    harmless(page)
    page.locator(CITATION).click()
    page.locator("#cited mark", has_text=shown(hostile)).wait_for()
    harmless(page)

    page.locator('#chat a[href="#do-good-1"]').click()
    page.locator('#chat a[href="#do-remark-1"]').click()
    page.locator("#comment").fill(f"</textarea>{hostile}")
    button(page, "Save").click()
    page.locator("#comment").wait_for(state="detached")
    page.locator('#chat a[href="#do-remark-1"]').click()
    page.locator("#comment").wait_for()
    assert page.locator("#comment").input_value() == f"</textarea>{hostile}"
    harmless(page)

    page.locator('#panel a[href="#conversations"]').click()
    page.locator(LISTED, has_text="How many miles").wait_for()
    page.locator(f"{LISTED} button", has_text="Rename").click()
    page.get_by_label("New title").fill(hostile)
    page.keyboard.press("Enter")
    page.locator(f"{LISTED} button", has_text="Rename").wait_for()
    page.locator(LISTED, has_text=shown(hostile)).wait_for()
    page.locator(f"{LISTED} button", has_text="Rename").click()
    assert page.get_by_label("New title").input_value() == hostile
    harmless(page)

    page.reload()
    answer(page).get_by_text("The penguins walked 12 miles.").wait_for()
    page.locator('#panel a[href="#library"]').click()
    page.locator(f"{LISTED} button", has_text="Remove").click()
    page.locator("#panel .report", has_text=shown(hostile)).wait_for()
    harmless(page)


NAMES = (
    f"<img src=x onerror={PWN}>.txt",
    "${__pwn=1}{{__pwn=1}}.txt",
    "..\\..\\broken <script>__pwn=1<\\script>.txt",
    "\u202etxt.evil.txt",
)


def test_files_with_hostile_names_are_added_as_files(open_page, serve, assistant, tmp_path):
    page = open_page(serve(assistant))
    page.locator(LISTED).nth(1).wait_for()
    files = [
        {"name": name, "mimeType": "text/plain", "buffer": f"{n} owls were counted.\n".encode()}
        for n, name in enumerate(NAMES)
    ]
    page.locator("#upload input[type=file]").set_input_files(files)
    page.locator("#panel .report", has_text="3 added, 1 failed.").wait_for()
    page.locator(LISTED).nth(4).wait_for()
    harmless(page)
    assert len(list((tmp_path / "index/articles").iterdir())) == 3
    assert sorted(path.name for path in tmp_path.iterdir() if "gradio" not in path.name) == ["index"]


def test_a_nul_and_a_paragraph_of_a_megabyte_leave_the_page_usable(open_page, serve, seed):
    huge = "The penguins walked 12 miles to the harbour. " + "They rested <b>there</b> & slept\x00 well. " * 26_000
    article = make_document(f"Penguins\x00\n\n{huge}\n", "/articles/penguins.txt")
    page = open_page(serve(FakeAssistant([article, seed])))
    ask(page, "How many miles did the\x00 penguins walk?")
    page.locator(CITATION).wait_for()
    page.locator("#panel .card", has_text="12 miles").wait_for()
    assert len(page.locator("#panel .card").first.inner_text()) < 3000
    page.locator(CITATION).click()
    page.locator("#cited mark", has_text="12 miles").wait_for()
    assert 7_000 < len(page.locator("#cited").inner_text()) < 9_000  # nobody reads more as one paragraph
    assert len(page.locator("#panel .article").inner_text()) > 900_000
    ask(page, "How many Indonesians were arrested?")
    answer(page).get_by_text("271 Indonesians").wait_for()
    harmless(page)
