"""What gives a question up from another thread: once and for good, and everyone who works on it is called."""

from __future__ import annotations

import ctypes

import pytest

from rag.stopping import Stop, Stopped


def test_it_is_set_once_and_for_good():
    stop = Stop()
    stop.check()
    assert not stop.is_set()
    stop.set()
    stop.set()
    assert stop.is_set()
    with pytest.raises(Stopped):
        stop.check()


def test_whoever_works_is_called_once_and_at_once_if_it_is_late():
    stop, called = Stop(), []
    with stop.calling(lambda: called.append("early")):
        assert called == []
        stop.set()
        stop.set()
        assert called == ["early"]
    with stop.calling(lambda: called.append("late")):
        assert called == ["early", "late"]


def test_whoever_has_finished_is_not_called():
    stop, called = Stop(), []
    with stop.calling(lambda: called.append("finished")):
        pass
    stop.set()
    assert called == []


def test_it_may_be_set_by_whoever_is_called():
    # As a handler of signals does, which may come while the lock is held.
    stop = Stop()
    with stop.calling(stop.set):
        stop.set()
    assert stop.is_set()


def test_llama_cpp_sees_an_empty_text_until_it_is_set():
    stop = Stop()
    assert ctypes.string_at(stop.address) == b""
    stop.set()
    assert ctypes.string_at(stop.address) == b"1"


def test_a_handler_that_sets_it_while_somebody_registers_is_not_lost():
    class Interrupted(Stop):
        def is_set(self):
            was = super().is_set()
            if not was:
                self.set()  # as a handler of signals may, just behind the look
            return was

    called = []
    with Interrupted().calling(lambda: called.append("set")):
        assert called == ["set"]
