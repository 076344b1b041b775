"""Ten pictures of the page over the fake assistant: python -m tests.browser.screenshots [FOLDER].

They go to docs/screenshots. Needs Chromium (apt-get install chromium); Pillow, which gradio brings, makes them smaller.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from rag import app, server
from rag.config import ROOT, Settings
from rag.read import make_document
from tests.browser.fake import FakeAssistant
from tests.browser.test_chat import CITATION, QUESTION, answer, ask, button, in_view, tab_to
from tests.conftest import read_one

DESKTOP, PHONE = (1280, 800), (390, 844)
TRAM = "What is the cost of the tram line?"
LATER = "Tram line to the docks will cost more\n\n3 November 2025\n\nThe cost of the tram line is now 251 million euros.\n"
OWLS = "Owls in the woods of Arlen\n\n2 May 2026\n\nForty snowy owls were counted in the woods of Arlen this winter.\n"


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[tuple[str, FakeAssistant]]:
    """Serves the page over the seed article and a short one; yields its address and the assistant."""
    tram = make_document(Path(__file__).with_name("tram.txt").read_text(encoding="utf-8"), "/articles/tram.txt")
    seed = read_one(next(ROOT.glob("seeds/*.txt")))
    assistant = FakeAssistant([seed, tram], [QUESTION, TRAM])
    settings = Settings(port=0, index=folder / "index")
    with server.bind(settings) as sock:
        running = server.Server(app.mount(server.create_app(), assistant, settings), sock, None)
        os.environ["GRADIO_TEMP_DIR"] = str(folder / "gradio")
        thread = threading.Thread(target=running.serve_until_stopped)
        thread.start()
        try:
            while not running.started:
                time.sleep(0.01)
            yield server.url(sock), assistant
        finally:
            running.should_exit = True
            thread.join(10)


def welcome(page: Page, assistant: FakeAssistant) -> None:
    page.locator("#chat .example").nth(1).wait_for()
    page.locator("#panel .library li").nth(1).wait_for()


def evidence(page: Page, assistant: FakeAssistant) -> None:
    ask(page)
    page.locator('#chat a[href="#do-copy-1"]').wait_for()
    page.locator("#panel .card .number").first.wait_for()
    page.locator("#chat .option").first.wait_for()


def preview(page: Page, assistant: FakeAssistant) -> None:
    evidence(page, assistant)
    page.locator(CITATION).hover()
    page.locator("#preview").wait_for()


def article(page: Page, assistant: FakeAssistant) -> None:
    evidence(page, assistant)
    page.locator(CITATION).click()
    in_view(page, "#cited mark")


def library(page: Page, assistant: FakeAssistant) -> None:
    welcome(page, assistant)
    files = {"owls.txt": OWLS, "broken.txt": "\0"}
    sent = [{"name": name, "mimeType": "text/plain", "buffer": text.encode()} for name, text in files.items()]
    page.locator("#upload input[type=file]").set_input_files(sent)
    page.locator("#panel .report", has_text="1 added, 1 failed.").wait_for()
    page.locator("#status", has_text="3 articles").wait_for()


def conversations(page: Page, assistant: FakeAssistant) -> None:
    for question in (TRAM, "Who collected signatures against the loss of trees?", QUESTION):
        ask(page, question)
        page.locator('#chat a[href="#do-copy-1"]').wait_for()
        if question != QUESTION:
            button(page, "New").click()
            page.get_by_text("Ask a question.").wait_for()
    page.locator('#panel a[href="#conversations"]').click()
    page.locator("#panel .library li").nth(2).wait_for()
    page.mouse.move(0, 0)


def not_found(page: Page, assistant: FakeAssistant) -> None:
    ask(page, "Who designed the avenue?")
    page.locator("#panel h2", has_text="Nearest paragraphs").wait_for()
    page.locator('#chat a[href="#do-copy-1"]').wait_for()


def differing(page: Page, assistant: FakeAssistant) -> None:
    assistant.put(make_document(LATER, "/articles/later.txt"))
    assistant.drafts[TRAM] = (
        "The council approved it at a cost of 214 million euros.",
        "A later report puts the cost at 251 million euros.",
    )
    ask(page, TRAM)
    page.locator("#panel .sides > div").nth(1).wait_for()
    page.locator('#chat a[href="#do-copy-1"]').wait_for()


def draft(page: Page, assistant: FakeAssistant) -> None:
    assistant.hold("claim")
    ask(page)
    answer(page).locator("em", has_text="South Korea").wait_for()
    page.locator("#panel .card").first.wait_for()


def keyboard(page: Page, assistant: FakeAssistant) -> None:
    evidence(page, assistant)
    tab_to(page, CITATION, back=True)
    page.locator("#preview").wait_for()


SHOTS: tuple[tuple[Any, tuple[int, int], str], ...] = (
    (welcome, DESKTOP, "light"),
    (evidence, DESKTOP, "light"),
    (preview, DESKTOP, "dark"),
    (article, DESKTOP, "light"),
    (library, DESKTOP, "dark"),
    (conversations, DESKTOP, "light"),
    (not_found, PHONE, "light"),
    (differing, DESKTOP, "light"),
    (draft, PHONE, "dark"),
    (keyboard, PHONE, "light"),
)


def shoot(browser: Browser, number: int, folder: Path) -> Path:
    """Brings a page into a state and takes its picture."""
    state, (width, height), scheme = SHOTS[number - 1]
    path = folder / f"{number:02}-{state.__name__.replace('_', '-')}.png"
    with tempfile.TemporaryDirectory() as scratch, serving(Path(scratch)) as (address, assistant):
        options: dict[str, Any] = {"color_scheme": scheme, "reduced_motion": "reduce", "device_scale_factor": 1}
        with browser.new_context(viewport={"width": width, "height": height}, **options) as context:
            page = context.new_page()
            page.set_default_timeout(15_000)
            page.goto(address)
            page.locator("#status", has_text="2 articles").wait_for()
            state(page, assistant)
            page.wait_for_timeout(500)  # until all is drawn
            page.screenshot(path=path)
    return path


def shrink(path: Path) -> None:
    """Gives a picture a palette, if Pillow is there."""
    with contextlib.suppress(ImportError):
        from PIL import Image

        with Image.open(path) as image:
            small = image.convert("RGB").quantize(128, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        small.save(path, optimize=True)


def main() -> None:
    """Takes all pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-background-networking"])
        for number in range(1, len(SHOTS) + 1):
            shot = shoot(browser, number, folder)
            shrink(shot)
            print(f"{shot}  {shot.stat().st_size // 1024} kB")
        browser.close()


if __name__ == "__main__":
    main()
