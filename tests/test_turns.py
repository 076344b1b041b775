"""Whose turn it is: in order, and kept for what follows."""

from __future__ import annotations

import threading
import time

import pytest

from rag.generate import turns
from rag.generate.turns import Turns
from rag.stopping import Stop, Stopped


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def take(turn, name, order, done=None):
    def run():
        with turn.taken(name, Stop()):
            order.append(name)
            if done:
                assert done.wait(10)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_turns_are_taken_in_the_order_in_which_they_were_asked_for():
    turn, order, done = Turns(), [], threading.Event()
    threads = [take(turn, "a", order, done)]
    wait_for(lambda: order == ["a"])
    for n, name in enumerate("bcd", 1):
        threads.append(take(turn, name, order))
        wait_for(lambda n=n: len(turn._waiting) == n)
    done.set()
    for thread in threads:
        thread.join(10)
    assert order == ["a", "b", "c", "d"]


def test_a_turn_is_kept_for_what_follows_until_it_is_ended(monkeypatch):
    monkeypatch.setattr(turns, "_KEPT_SECONDS", 60)
    turn, order = Turns(), []
    take(turn, "a", order).join(10)
    other = take(turn, "b", order)
    wait_for(lambda: turn._waiting)
    turn.end("b")  # it is not b's
    time.sleep(0.05)
    assert order == ["a"]
    turn.end("a")
    other.join(10)
    assert order == ["a", "b"]


def test_the_same_holder_need_not_wait_and_a_turn_that_is_not_used_runs_out():
    turn, order = Turns(), []
    for _ in range(2):
        take(turn, "a", order).join(10)
    take(turn, "b", order).join(10)
    assert order == ["a", "a", "b"]


def test_who_is_stopped_while_waiting_waits_no_longer_and_keeps_nobody_up():
    turn, order, done, stop = Turns(), [], threading.Event(), Stop()
    first = take(turn, "a", order, done)
    wait_for(lambda: order == ["a"])
    threading.Timer(0.05, stop.set).start()
    with pytest.raises(Stopped), turn.taken("b", stop):
        raise AssertionError("it was not b's turn")
    done.set()
    first.join(10)
    take(turn, "c", order).join(10)
    assert order == ["a", "c"]
