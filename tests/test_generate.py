"""Asking llama.cpp, without a model: what is stopped, and what becomes of errors. With a model: tests/real."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import pytest

from rag.errors import GenerationFailed
from rag.generate import LlamaGenerator
from rag.types import Prompt

PROMPT = Prompt("Answer.", ("The bridge was opened in 1931.",), "When?")


class Unloaded(LlamaGenerator):
    """Reads every prompt as four batches; `error` is raised once one was read."""

    def __init__(self, worker, error=None):
        self._worker, self._error = worker, error
        self._closed = threading.Event()
        self._model = None
        self.context_tokens = 100
        self.read = []

    def _segments(self, prompt):
        return [[0], [1], [2], [3]]

    def _batches(self, segments):
        yield from segments

    def _decode(self, tokens):
        if self.read and self._error:
            raise self._error
        self.read += tokens


class Interrupted:
    """A worker for whose jobs nobody waits to the end: Ctrl-C comes first."""

    def submit(self, job, *args):
        self.job = partial(job, *args)
        future = Future()
        future.set_exception(KeyboardInterrupt())
        return future


def test_an_abandoned_weighing_reads_no_further():
    # It read its whole prompt once, while the next question waited.
    worker = Interrupted()
    generator = Unloaded(worker)
    with pytest.raises(KeyboardInterrupt):
        generator.weigh(PROMPT, ["yes"])
    with pytest.raises(GenerationFailed):  # which nobody sees
        worker.job()
    assert generator.read == []


@pytest.mark.parametrize("error", [ValueError("odd"), RuntimeError("odd"), OSError("odd")])
def test_an_error_while_a_prompt_is_read_is_a_failed_generation(error):
    # A RuntimeError was once told as a model that was closed, and the others as they are.
    generator = Unloaded(ThreadPoolExecutor(1), error)
    with pytest.raises(GenerationFailed, match=r"The answer model stopped: \w+\('odd'\)\. Ask again, or restart\."):
        generator.weigh(PROMPT, ["yes"])
    with pytest.raises(GenerationFailed, match=r"The answer model stopped: \w+\('odd'\)"):
        list(generator.stream(PROMPT, max_tokens=3))
    generator.close()


def test_a_closed_model_says_so_whatever_it_is_asked():
    generator = Unloaded(ThreadPoolExecutor(1))
    generator.close()
    for ask in (partial(generator.weigh, PROMPT, ["yes"]), partial(generator.count, "text")):
        with pytest.raises(GenerationFailed, match="was closed"):
            ask()
    with pytest.raises(GenerationFailed, match="was closed"):
        list(generator.stream(PROMPT, max_tokens=3))
