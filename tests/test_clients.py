"""Many pages at once, and pages that disappear, over the real server and a fake assistant; no browser."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

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


@pytest.fixture
def address(assistant):
    ready: list[str] = []
    sock = server.bind(Settings(port=0))
    running = server.Server(app.mount(server.create_app(), assistant, Settings()), sock, ready.append)
    thread = threading.Thread(target=running.serve_until_stopped)
    thread.start()
    while not ready:
        time.sleep(0.01)
    yield ready[0]
    running.should_exit = True
    thread.join(10)
    sock.close()


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
