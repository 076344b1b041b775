"""Open pages over the handlers of their events, without a browser: whose they are, and what was asked in them.

A test file that imports `patience` waits for what is kept.
"""

from __future__ import annotations

import pytest

from rag.app import kept as kept_module
from rag.app.conversation import Conversation
from rag.read import make_document
from tests.browser.fake import FakeAssistant
from tests.conftest import BRIDGES, OWLS

ME, OTHER = "m" * 43, "o" * 43  # tokens of two browsers


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """However slow the machine is, what is kept is there when a handler returns."""
    monkeypatch.setattr(kept_module, "_PATIENCE", 30)


def assistant_of_two():
    """Returns an assistant over the articles on bridges and owls."""
    documents = [make_document(BRIDGES, "/articles/bridges.txt"), make_document(OWLS, "/articles/owls.txt")]
    return FakeAssistant(documents)


def visit(reader=ME):
    """Returns a page of a browser."""
    conversation = Conversation()
    conversation.reader = reader
    return conversation


def ask(page, conversation, *questions):
    """Asks one question after the other; returns the conversation."""
    for question in questions:
        page.ask(question, conversation)
        list(page.answer(conversation))
    return conversation
