"""`rag serve`: what is slower or missing is told when the models are there, not when the page ends."""

from __future__ import annotations

import threading

from rag.cli import serving


class Assistant:
    """Is prepared for as long as its page is open."""

    def __init__(self, *notices):
        self._notices, self.ended = list(notices), threading.Event()

    def prepare(self, on_loaded):
        on_loaded()
        self.ended.wait(30)

    def notice(self):
        return self._notices.pop(0) if len(self._notices) > 1 else self._notices[0]


def told(capsys, assistant):
    """Returns what was said while the page was open, and at its end."""
    thread = threading.Thread(target=serving._prepare, args=(assistant,))
    thread.start()
    thread.join(0.2)
    assert thread.is_alive()
    first = capsys.readouterr().err
    assistant.ended.set()
    thread.join(5)
    return first, capsys.readouterr().err


def test_a_notice_is_told_once_the_models_are_there(capsys):
    assert told(capsys, Assistant("Passages are read anew.")) == ("rag: Passages are read anew.\n", "")


def test_what_went_wrong_later_is_told_in_the_end(capsys):
    assert told(capsys, Assistant("", "The disk is full.")) == ("", "rag: The disk is full.\n")


def test_nothing_is_told_if_all_is_well(capsys):
    assert told(capsys, Assistant("")) == ("", "")
