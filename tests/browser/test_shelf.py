"""The library in the page, in Chromium: articles come and go while questions are answered, unless it is only read."""

from __future__ import annotations

import pytest

from tests.browser.test_chat import CITATION, QUESTION, ask, button

pytestmark = pytest.mark.browser

OWLS = "Owls in Arlen\n\n2 May 2026\n\nForty snowy owls were counted in the woods of Arlen this winter.\n"
LISTED = "#panel .library li"
TRAM = "Harbour council approves tram line to the old docks"


@pytest.fixture
def files(tmp_path):
    """Returns the paths of an article and of a file that cannot be read."""
    paths = tmp_path / "owls.txt", tmp_path / "broken.txt"
    for path in paths:
        path.write_text(OWLS, encoding="utf-8")
    return [str(path) for path in paths]


def library(page):
    """Opens the view of the library."""
    page.locator('#panel a[href="#library"]').click()
    page.locator("#panel .library").wait_for()


def send(page, files):
    page.locator("#upload input[type=file]").set_input_files(files)


def test_two_files_are_added_with_a_report_and_can_be_asked_at_once(open_page, serve, assistant, files, tmp_path):
    page = open_page(serve(assistant))
    page.locator(LISTED).nth(1).wait_for()
    send(page, files)
    report = page.locator("#panel .report")
    report.get_by_text("1 added, 1 failed.").wait_for()
    assert report.locator("li").all_inner_texts() == [
        "broken.txt: It is not text.",
        "Added “Owls in Arlen” (owls.txt): 2026-05-02, 1 paragraph.",
    ]
    page.locator(LISTED, has_text="Owls in Arlen").wait_for()
    page.locator("#status", has_text="3 articles").wait_for()
    assert [path.name for path in (tmp_path / "index/articles").iterdir()] == ["owls.txt"]
    ask(page, "How many snowy owls were counted?")
    page.locator(CITATION).wait_for()
    library(page)
    button(page, "Dismiss").click()
    report.wait_for(state="detached")
    send(page, files[:1])  # a second time: the field was emptied
    report.get_by_text("1 there already.").wait_for()
    assert page.locator(LISTED).count() == 3


def test_progress_is_shown_while_files_are_read_and_a_question_is_answered_meanwhile(open_page, serve, assistant, files):
    page = open_page(serve(assistant))
    assistant.hold("add")
    send(page, files)
    job = page.locator("#panel .job")
    job.get_by_text("Adding 2 files · owls.txt").wait_for()
    assert job.locator("progress").get_attribute("value") == "0"
    assert page.locator('#panel button[data-do^="#do-remove"]').count() == 0  # one thing at a time
    ask(page)
    page.locator(CITATION).wait_for()
    library(page)
    job.wait_for()
    assistant.release("add")
    page.locator("#panel .report", has_text="1 added, 1 failed.").wait_for()
    assert job.count() == 0


def test_an_article_is_removed_and_brought_back(open_page, serve, assistant):
    page = open_page(serve(assistant))
    button(page, f"Remove {TRAM}").click()
    page.locator("#panel .report", has_text=f"“{TRAM}” was removed.").wait_for()
    page.locator("#status", has_text="1 article").wait_for()
    assert page.locator(LISTED).count() == 1
    button(page, "Undo").click()
    page.locator("#panel .report", has_text=f"“{TRAM}” is back.").wait_for()
    page.locator(LISTED).nth(1).wait_for()
    assert button(page, "Undo").count() == 0


def test_the_library_is_searched(open_page, serve, assistant):
    page = open_page(serve(assistant))
    page.locator(LISTED).nth(1).wait_for()
    search = page.get_by_label("Search articles")
    search.press_sequentially("TRAM docks")
    page.locator(LISTED, has_text="Cambodia").wait_for(state="detached")
    assert page.locator(LISTED).count() == 1
    assert search.input_value() == "TRAM docks"
    assert page.evaluate("document.activeElement.id") == "panel-search"
    page.keyboard.type(" penguins")
    page.get_by_text("No article has these words").wait_for()
    search.fill("")
    page.locator(LISTED).nth(1).wait_for()


def test_the_library_is_rebuilt_while_a_question_is_answered(open_page, serve, assistant):
    page = open_page(serve(assistant))
    assistant.hold("rebuild")
    button(page, "Rebuild the library").click()
    page.locator("#panel .job", has_text="Rebuilding the library").wait_for()
    ask(page)
    page.locator(CITATION).wait_for()
    assistant.release("rebuild")
    library(page)
    page.locator("#panel .report", has_text="Rebuilt: 2 there already.").wait_for()
    button(page, "Rebuild the library").wait_for()


def test_a_page_that_may_only_read_offers_no_change_and_does_none(open_page, serve, assistant, files, tmp_path):
    page = open_page(serve(assistant, page_access="read"))
    page.locator(LISTED).nth(1).wait_for()
    assert page.get_by_role("button", name="Remove").count() == 0
    assert button(page, "Rebuild the library").count() == 0
    assert page.locator("#upload").count() == 0
    identity = assistant.documents()[0].id
    for ref in (f"#do-remove-{identity}", "#do-rebuild", "#do-undo"):  # as a page would ask that may change it
        page.locator("#panel .library").evaluate(
            "(list, ref) => list.insertAdjacentHTML('beforeend', `<li><button data-do='${ref}'>forged</button></li>`)", ref
        )
        with page.expect_response(lambda response: "/gradio_api/" in response.url):
            page.get_by_text("forged").last.click()
    ask(page)
    page.locator(CITATION).wait_for()
    assert len(assistant.documents()) == 2
    assert not (tmp_path / "index").exists()
    assert assistant.asked[0][0] == QUESTION
