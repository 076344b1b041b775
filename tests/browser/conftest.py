"""Chromium, a page per test that notes what went wrong in it, and the real server of the page over a fake assistant.

Without Chromium these tests are skipped by name; with RAG_REQUIRE_BROWSER=1 in the environment they fail instead.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from rag import app, server
from rag.config import ROOT, Settings
from rag.read import make_document
from tests.browser.fake import FakeAssistant
from tests.conftest import read_one
from tests.real.conftest import models_folder

__all__ = ["models_folder"]  # the real models, skipped or required as in tests/real

WAIT_MS = 15_000  # two shared cores: slow is not wrong
# What Gradio logs in a page that is left while an answer is written, and for want of a bar of its own while files are sent.
GRADIO = ("AbortError", "errored out", "Method not implemented.")


@pytest.fixture(scope="session")
def chromium():
    """Starts Debian's Chromium once."""
    path = shutil.which("chromium")
    if path is None:
        reason = "Chromium is not installed: sudo apt-get install chromium"
        (pytest.fail if os.environ.get("RAG_REQUIRE_BROWSER") == "1" else pytest.skip)(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def seed():
    """Returns the seed article."""
    return read_one(next(ROOT.glob("seeds/*.txt")))


@pytest.fixture
def serve(tmp_path, monkeypatch):
    """Serves the page over an assistant in a thread; returns its address. Its files are the test's own."""
    stops = []
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))

    def serve(assistant, **options):
        settings = Settings(**{"port": 0, "index": tmp_path / "index"} | options)
        sock = server.bind(settings)
        running = server.Server(app.mount(server.create_app(), assistant, settings), sock, None)
        thread = threading.Thread(target=running.serve_until_stopped)
        thread.start()
        stops.append((running, thread, sock))
        while not running.started:
            time.sleep(0.01)
        return server.url(sock)

    yield serve
    for running, thread, sock in stops:
        running.should_exit = True
        thread.join(10)
        sock.close()
        assert not thread.is_alive()


@pytest.fixture
def open_page(chromium, serve):  # after it, so that pages are closed before their server is
    """Opens pages; fails if one of them complained or asked another host for something.

    Each has a browser context of its own, unless it is opened beside another page: as a second tab of the same browser.
    """
    contexts, complaints = [], []

    def complain(kind, text):
        if not any(own in str(text) for own in GRADIO):
            complaints.append(f"{kind}: {text}")

    def open_page(address, *, beside=None, path="/", settled=True, **options):
        options = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"} | options
        context = beside.context if beside else chromium.new_context(**options)
        if beside is None:
            contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("console", lambda message: message.type in ("error", "warning") and complain("console", message.text))
        page.on("pageerror", lambda error: complain("error", error))
        page.on("dialog", lambda dialog: (complain("dialog", dialog.message), dialog.dismiss()))
        page.on("request", lambda r: r.url.startswith((address, "data:", "blob:")) or complain("request", r.url))
        page.goto(address + path)
        page.locator("#question textarea").wait_for()
        if settled:  # the library was looked at; else tests act more quickly than people do
            page.locator("#status", has_text="Starting").wait_for(state="detached")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def assistant(seed):
    """A fake assistant over the seed article and a short one."""
    tram = make_document(Path(__file__).with_name("tram.txt").read_text(encoding="utf-8"), "/articles/tram.txt")
    return FakeAssistant([seed, tram], ["How many Indonesians were arrested?", "What is the cost of the tram line?"])
