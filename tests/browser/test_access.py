"""The page for those who use no mouse, a reader of screens, a phone or another script than Latin, in Chromium."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from rag.read import make_document
from rag.server import CONTENT_SECURITY_POLICY
from tests.browser.fake import FakeAssistant
from tests.browser.test_chat import CITATION, QUESTION, answer, ask, button, tab_to

pytestmark = pytest.mark.browser

TRAM = "Harbour council approves tram line to the old docks"
LISTED = "#panel .library li"


def problems(page):
    """Returns what axe calls serious or critical on the page as it is."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {node['html'][:160]} {node['any'][0]['message'] if node['any'] else ''}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_any_state(open_page, serve, assistant, size, scheme):
    width, height = size
    page = open_page(serve(assistant), viewport={"width": width, "height": height}, color_scheme=scheme)
    page.locator(LISTED).nth(1).wait_for()
    found = {"welcome and library": problems(page)}
    ask(page)
    page.locator('#chat a[href="#do-copy-1"]').wait_for()
    page.locator("#panel .card .number").first.wait_for()
    page.locator("#chat .option").wait_for()
    found["answer with evidence"] = problems(page)
    page.locator(CITATION).hover()
    page.locator("#preview").wait_for()
    found["preview"] = problems(page)
    page.locator(CITATION).click()
    page.locator("#cited mark").wait_for()
    found["article"] = problems(page)
    page.locator('#panel a[href="#back"]').click()
    page.locator("#panel h2", has_text="Evidence").wait_for()
    page.locator('#chat a[href="#do-good-1"]').click()
    page.locator('#chat a[href="#do-remark-1"]').click()
    page.locator("#comment").wait_for()
    found["comment"] = problems(page)
    page.locator('#panel a[href="#conversations"]').click()
    page.locator("#panel h2", has_text="Conversations").wait_for()
    found["conversations"] = problems(page)
    button(page, f"Rename {QUESTION}").click()
    page.get_by_label("New title").wait_for()
    found["rename"] = problems(page)
    page.locator('#panel a[href="#library"]').click()
    button(page, f"Remove {TRAM}").click()
    page.locator("#panel .report").wait_for()
    found["library with a report"] = problems(page)
    page.locator("#filter > button").click()
    page.get_by_label("Documents").wait_for()
    found["filter"] = problems(page)
    assert {state: told for state, told in found.items() if told} == {}


def at_heading(page, title):
    """Waits until a view of the panel is open, and reading goes on at its heading."""
    page.locator("#panel h2", has_text=title).wait_for()
    page.wait_for_function(
        "title => [...document.querySelectorAll('#panel h2:focus')].some((h) => h.textContent === title)", arg=title
    )


def test_all_is_done_by_keyboard_alone(open_page, serve, assistant):
    page = open_page(serve(assistant))
    page.locator(LISTED).nth(1).wait_for()
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    page.locator('#chat a[href="#do-copy-1"]').wait_for()
    page.locator("#chat .option").wait_for()
    tab_to(page, CITATION, back=True)
    page.keyboard.press("Enter")
    page.locator("#cited mark").wait_for()
    page.wait_for_function("document.activeElement.matches('#panel h2')")
    tab_to(page, 'a[href="#back"]', back=True)
    page.keyboard.press("Enter")
    page.wait_for_function(f"document.activeElement.matches('{CITATION}')")

    tab_to(page, '#panel a[href="#library"]')
    page.keyboard.press("Enter")
    at_heading(page, "Library")
    tab_to(page, f'button[aria-label="Remove {TRAM}"]')
    page.keyboard.press("Enter")
    page.locator("#panel .report", has_text="was removed").wait_for()
    page.wait_for_function("document.activeElement.closest('#panel')")
    tab_to(page, 'button[data-do="#do-undo"]')
    page.keyboard.press("Enter")
    page.locator("#panel .report", has_text="is back").wait_for()
    page.wait_for_function("document.activeElement.closest('#panel')")

    tab_to(page, '#panel a[href="#conversations"]', back=True)
    page.keyboard.press("Enter")
    at_heading(page, "Conversations")
    tab_to(page, f'button[aria-label="Rename {QUESTION}"]')
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.id === 'new-title'")
    page.keyboard.press("Control+A")
    page.keyboard.type("Arrests")
    page.keyboard.press("Enter")
    button(page, "Rename Arrests").wait_for()
    page.wait_for_function("document.activeElement.closest('#panel')")
    tab_to(page, f'{LISTED} a[href^="#do-open"]')
    page.keyboard.press("Enter")
    page.locator("#panel h2", has_text="Evidence").wait_for()
    assert "271 Indonesians" in answer(page).inner_text()


def test_the_policy_is_in_force(chromium, serve, assistant):
    address = serve(assistant)
    with chromium.new_context() as context:
        page = context.new_page()
        assert page.goto(address).headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        tried = """() => new Promise((resolve) => {
            document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective));
            document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/p.png'}));
        })"""
        assert page.evaluate(tried) == "img-src"


SCRIPTS = {
    "ar": (
        "ميناء المدينة",
        "وافق مجلس المدينة على إنشاء خط ترام جديد بتكلفة 214 مليون يورو يوم الخميس.",
        "كم تبلغ تكلفة خط ترام المدينة الجديد؟",
    ),
    "th": ("ท่าเรือเก่า", "สภาเมืองอนุมัติ รถราง สายใหม่ มูลค่า 214 ล้านยูโร เมื่อวันพฤหัสบดี", "รถราง สายใหม่ มูลค่า เท่าไร"),
    "lo": ("ທ່າເຮືອເກົ່າ", "ສະພາເມືອງອະນຸມັດ ລົດລາງ ສາຍໃໝ່ ມູນຄ່າ 214 ລ້ານເອີໂຣ ໃນວັນພະຫັດ", "ລົດລາງ ສາຍໃໝ່ ມູນຄ່າ ເທົ່າໃດ"),
    "emoji": (
        "Trams 🚋👩🏽‍🚒",
        "The council 👨‍👩‍👧‍👦 approved the tram 🚋 line for 214 million euros 💶 on Thursday 🇱🇦.",
        "What did the council 👨‍👩‍👧‍👦 approve for the tram 🚋 line?",
    ),
}


PARTS = ["#cited .text", "#panel h2", "#preview", "#chat .user-row p", "#chat .bot-row p", "#question textarea"]
LEFT_TO_RIGHT = """parts => parts.filter((part) => {
    const style = getComputedStyle(document.querySelector(part));
    return style.direction !== 'rtl' && style.unicodeBidi !== 'plaintext';
})"""


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_is_shown_as_it_is(open_page, serve, script):
    title, text, question = SCRIPTS[script]
    document = make_document(f"{title}\n\n{text}\n", "/articles/one.txt")
    page = open_page(serve(FakeAssistant([document])))
    page.locator("#status", has_text="1 article").wait_for()
    ask(page, question)
    page.locator(CITATION).wait_for()
    page.locator('#chat a[href="#do-copy-1"]').wait_for()
    assert page.locator("#chat .user-row").inner_text().startswith(question)
    assert text in answer(page).inner_text()
    page.locator(CITATION).hover()
    page.locator("#preview", has_text=text).wait_for()
    page.locator(CITATION).click()
    assert page.locator("#cited mark").inner_text() == text
    assert page.locator("#panel h2").inner_text() == document.title
    page.locator("#question textarea").fill(question)
    if script == "ar":
        assert page.evaluate(LEFT_TO_RIGHT, PARTS) == []
