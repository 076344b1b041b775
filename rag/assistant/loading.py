"""Loads the models side by side in the background, so that a page can be up meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from rag import language, models
from rag.config import Settings
from rag.embed import TextEmbedder
from rag.errors import ModelError
from rag.generate import LlamaGenerator
from rag.generate.states import stored_states
from rag.rerank import CrossReranker
from rag.types import Embedder, Generator, Reranker

T = TypeVar("T")

NO_MODEL = "none"
"""The value of `answer_model` that means: quotes only."""


class Models:
    """The three models of an assistant; each is waited for where it is asked for."""

    def __init__(self, embedder: Future[Embedder], reranker: Future[Reranker], generator: Future[Generator | None]) -> None:
        self._embedder, self._reranker, self._generator = embedder, reranker, generator

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

    @property
    def embedder(self) -> Embedder:
        """Waits for the embedding model; raises the `ModelError` with which loading ended."""
        return self._embedder.result()

    @property
    def reranker(self) -> Reranker:
        """Waits for the reranking model; raises the `ModelError` with which loading ended."""
        return self._reranker.result()

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
            generator = self._generator.result(timeout=seconds)
        except TimeoutError:
            return None, "The answer model is still loading."
        except ModelError as exc:
            return None, str(exc)
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
