"""Loads the models side by side in the background, so that a page can be up meanwhile."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from typing import Any, TypeVar

from rag import language, models
from rag.config import Settings
from rag.embed import TextEmbedder
from rag.errors import ModelError
from rag.generate import LlamaGenerator
from rag.generate.states import stored_states
from rag.rerank import CrossReranker
from rag.stopping import Stop
from rag.types import Embedder, Generator, Prompt, Reranker

T = TypeVar("T")

NO_MODEL = "none"
"""The value of `answer_model` that means: quotes only."""

_LOOK_SECONDS = 0.1  # a question that waits for a model looks so often whether it was stopped


class Models:
    """The three models of an assistant; each is waited for where it is asked for."""

    def __init__(
        self,
        embedder: Future[Embedder],
        reranker: Future[Reranker],
        generator: Future[Generator | None],
        stop: Stop | None = None,
    ) -> None:
        self._embedder, self._reranker, self._generator, self._stop = embedder, reranker, generator, stop

    @classmethod
    def load(cls, settings: Settings) -> Models:
        """Starts to load the models of the settings."""
        embedder: Future[Embedder] = Future()
        reranker: Future[Reranker] = Future()
        generator: Future[Generator | None] = Future()
        # Both encoders import torch and sentence-transformers, so one thread; llama.cpp is ready long before them.
        _in_background((embedder, lambda: load_embedder(settings)), (reranker, lambda: load_reranker(settings)))
        _in_background((generator, lambda: load_generator(settings)), (Future(), language.load))
        return cls(embedder, reranker, generator)

    @classmethod
    def of(cls, embedder: Embedder, reranker: Reranker, generator: Generator | None) -> Models:
        """Returns models that are there already."""
        return cls(_done(embedder), _done(reranker), _done(generator))

    def until(self, stop: Stop) -> Models:
        """Returns the same models for one question: once `stop` is set, they stop, and whoever asks for one gets Stopped."""
        return Models(self._embedder, self._reranker, self._generator, stop)

    @property
    def embedder(self) -> Embedder:
        """Waits for the embedding model; raises the `ModelError` with which loading ended."""
        return self._result(self._embedder)

    @property
    def reranker(self) -> Reranker:
        """Waits for the reranking model; raises the `ModelError` with which loading ended."""
        return self._result(self._reranker)

    def check_search(self) -> None:
        """Waits for the search models; raises the `ModelError` with which loading one of them ended."""
        self._embedder.result()
        self._reranker.result()

    def generator(self, seconds: float | None) -> tuple[Generator | None, str]:
        """Waits for the answer model.

        Args:
            seconds: to wait at most; None without an end.

        Returns:
            The model and ""; or None and why there is none.
        """
        try:
            generator = self._result(self._generator, seconds)
        except TimeoutError:
            return None, "The answer model is still loading."
        except ModelError as exc:
            return None, str(exc)
        if generator and self._stop:
            generator = _Stopping(generator, self._stop)
        return generator, "" if generator else "No answer model is set."

    def waiting(self) -> str:
        """Returns what is being loaded; "" once all is there or has failed."""
        if not (self._embedder.done() and self._reranker.done()):
            return "Loading the search models"
        return "" if self._generator.done() else "Loading the answer model"

    def close(self) -> None:
        """Frees the answer model, after waiting until it is loaded; search models that still load end by themselves."""
        if not self._generator.exception() and isinstance(generator := self._generator.result(), LlamaGenerator):
            generator.close()

    def _result(self, model: Future[T], seconds: float | None = None) -> T:
        """Waits for a model; raises Stopped, TimeoutError, or the error with which loading ended."""
        if self._stop:
            until = math.inf if seconds is None else time.monotonic() + seconds
            while not model.done() and time.monotonic() < until:
                self._stop.check()
                wait([model], timeout=min(_LOOK_SECONDS, until - time.monotonic()))
            self._stop.check()
            seconds = 0
        return model.result(seconds)


class _Stopping:
    """A `Generator` that is stopped by one `Stop`, whatever it is asked."""

    def __init__(self, generator: Generator, stop: Stop) -> None:
        self._generator, self._stop = generator, stop
        self.name, self.context_tokens = generator.name, generator.context_tokens

    @property
    def notice(self) -> str:
        return self._generator.notice

    def count(self, text: str) -> int:
        return self._generator.count(text)

    def stream(self, prompt: Prompt, *, max_tokens: int, stop: Stop | None = None) -> Iterator[str]:
        return self._generator.stream(prompt, max_tokens=max_tokens, stop=stop or self._stop)

    def begin(self, prompt: Prompt, *, stop: Stop | None = None) -> str:
        return self._generator.begin(prompt, stop=stop or self._stop)

    def prepare(self, prompt: Prompt, *, stop: Stop | None = None) -> bool:
        return self._generator.prepare(prompt, stop=stop or self._stop)

    def weigh(self, prompt: Prompt, words: Sequence[str], *, stop: Stop | None = None) -> tuple[float, ...]:
        return self._generator.weigh(prompt, words, stop=stop or self._stop)


def load_embedder(settings: Settings) -> Embedder:
    """Loads the embedding model of the settings; raises a `ModelError`."""
    folder = models.locate(settings.embedding_model, "embedding", settings.models)
    languages = models.languages(settings.embedding_model)
    return TextEmbedder(folder, settings.embedding_model, threads=settings.threads, languages=languages)


def load_reranker(settings: Settings) -> Reranker:
    """Loads the reranking model of the settings; raises a `ModelError`."""
    folder = models.locate(settings.reranking_model, "reranking", settings.models)
    languages = models.languages(settings.reranking_model)
    return CrossReranker(folder, threads=settings.threads, languages=languages)


def load_generator(settings: Settings) -> Generator | None:
    """Loads the answer model of the settings, if one is set; raises a `ModelError`."""
    if settings.answer_model == NO_MODEL:
        return None
    path = models.locate(settings.answer_model, "answers", settings.models)
    states = stored_states(settings.index, settings.states_mb)
    return LlamaGenerator(path, context_tokens=settings.context_tokens, threads=settings.threads, states=states)


def _in_background(*jobs: tuple[Future[Any], Callable[[], Any]]) -> None:
    def work() -> None:
        for future, load in jobs:
            try:
                future.set_result(load())
            except BaseException as exc:  # whatever it is, it belongs to who waits
                future.set_exception(exc)

    # No daemon: a library that is imported while the interpreter ends aborts it. `rag` itself leaves without waiting.
    threading.Thread(target=work, name="rag-loading").start()


def _done(value: T) -> Future[T]:
    future: Future[T] = Future()
    future.set_result(value)
    return future
