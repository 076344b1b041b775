"""Many pages at once, and pages that disappear, over the real server and a fake assistant; no browser."""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from rag import app, server
from rag.config import Settings
from rag.read import make_document
from tests.browser.fake import FakeAssistant
from tests.conftest import BRIDGES
from tests.visiting import Visitor

QUESTION = "What did the repair of the bridge cost?"
N_CLIENTS = 20


@pytest.fixture
def assistant():
    return FakeAssistant([make_document(BRIDGES, "/articles/bridges.txt")])


@contextlib.contextmanager
def serving(assistant, settings):
    """Serves a page in a thread; yields its address."""
    ready: list[str] = []
    sock = server.bind(settings)
    running = server.Server(app.mount(server.create_app(), assistant, settings), sock, ready.append)
    thread = threading.Thread(target=running.serve_until_stopped)
    thread.start()
    while not ready:
        time.sleep(0.01)
    yield ready[0]
    running.should_exit = True
    thread.join(10)
    sock.close()


@pytest.fixture
def address(assistant):
    with serving(assistant, Settings(port=0)) as ready:
        yield ready


def answered(address):
    """Asks in a page of its own; returns what its chat says in the end."""
    with Visitor(address) as visitor:
        for _ in visitor.ask(QUESTION):
            pass
        return visitor.chat()[1]


def test_twenty_clients_at_once_are_all_answered(address, assistant):
    with ThreadPoolExecutor(N_CLIENTS) as pool:
        answers = list(pool.map(answered, [address] * N_CLIENTS))
    assert all("4.2 million" in text for text in answers), answers
    assert len(assistant.asked) == N_CLIENTS


@pytest.mark.parametrize("step", ["evidence", "claim"])
def test_a_client_that_disappears_holds_nobody_up(address, assistant, step):
    assistant.hold(step)
    gone = Visitor(address)
    events = gone.ask(QUESTION)
    while not assistant.asked:
        next(events)
    gone.client.close()
    assistant.release(step)
    assert "4.2 million" in answered(address)
    assert assistant.closed == 1


@pytest.mark.parametrize("how", ["leaves", "stops"])
def test_a_client_that_disappears_or_stops_ends_its_answer_while_the_model_reads(address, assistant, how):
    assistant.hold("draft")
    visitor = Visitor(address)
    with contextlib.ExitStack() as page:
        page.enter_context(visitor.staying())
        events = visitor.ask(QUESTION)
        while not assistant.asked:
            next(events)
        assert assistant.closed == 0
        if how == "stops":
            visitor.stop()
        else:
            page.close()
        until = time.monotonic() + 10
        while time.monotonic() < until and not assistant.closed:
            time.sleep(0.01)
        assert assistant.closed == 1  # and nothing was released
    visitor.client.close()
    assistant.release("draft")
    assert "4.2 million" in answered(address)


def test_questions_are_answered_in_order_and_each_sees_its_place(address, assistant):
    assistant.hold("claim")
    told = [[] for _ in range(3)]

    def ask(n):
        with Visitor(address) as visitor:
            told[n].extend(str(message.get("output")) for message in visitor.ask(f"{QUESTION} {n}"))
            return visitor.chat()[1]

    with ThreadPoolExecutor(3) as pool:
        asked = []
        for n in range(3):
            asked.append(pool.submit(ask, n))
            until = time.monotonic() + 10
            while time.monotonic() < until and not (assistant.asked if n == 0 else _place(told[n], n)):
                time.sleep(0.02)
        assistant.release("claim")
        assert all("4.2 million" in one.result(20) for one in asked)
    assert _place(told[1], 1)
    assert _place(told[2], 2)
    assert [question[-1] for question, _ in assistant.asked] == ["0", "1", "2"]


def _place(told, n_before):
    return any(f"{n_before} question{'s' if n_before > 1 else ''} before yours" in text for text in told)


def test_a_page_that_disappears_is_kept_for_its_own_browser_and_for_no_other(address, assistant):
    with Visitor(address) as own, Visitor(address) as other:
        for visitor in (own, other):
            visitor.load()
        assert own.client.cookies[server.COOKIE] != other.client.cookies[server.COOKIE]
        for _ in own.ask(QUESTION):
            pass
        path = f"/conversations/{own.conversation()}.json"
        saved = own.client.get(path)
        assert saved.headers["content-disposition"].startswith("attachment")
        assert [turn["question"] for turn in saved.json()["turns"]] == [QUESTION]
        assert saved.json()["turns"][0]["found"]
        assert other.client.get(path).status_code == 404


@pytest.mark.parametrize(("access", "status"), [("change", 200), ("read", 403)])
def test_files_are_taken_only_by_a_page_that_may_change_the_library(assistant, access, status):
    with serving(assistant, Settings(port=0, page_access=access)) as address, httpx.Client(base_url=address) as client:
        sent = client.post("/gradio_api/upload", files={"files": ("owls.txt", b"Owls were seen.")})
    assert sent.status_code == status
