"""What is done behind a page while nobody asks: example questions, and states of passages that may be asked about next."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from rag import prompt
from rag.assistant.loading import Models
from rag.assistant.saying import hits_in
from rag.config import Settings
from rag.errors import DocumentMissing, RagError
from rag.generate.states import stored_states
from rag.library import Library
from rag.split import paragraphs
from rag.stopping import Stop, Stopped
from rag.types import Answer, Generator, Hit

logger = logging.getLogger(__name__)

N_EXAMPLES = 4
"""Example questions that are shown; made from so many articles, the newest first."""

N_NEWEST = 20
"""Articles, the newest first, whose passages the answer model reads before anyone asks."""

_N_CITED = 20  # articles, those cited last: the next question is often about another paragraph of one of them
_MAX_PASSAGES = 25  # of an article: more would push what is used out of the store
_MAX_EXAMPLE_CHARS = 1500  # of a paragraph that a question is made from
_WAIT_SECONDS = 2  # after a question interrupted, and between two looks whether there is something to do


class Preparing:
    """Uses the time between questions. `run` is called by one thread, the others by any."""

    def __init__(self, library: Library, models: Models, settings: Settings, search: Callable[[str], Sequence[Hit]]) -> None:
        """Takes the search that an example question is tried with."""
        self._library, self._models, self._settings, self._search = library, models, settings, search
        self._states = stored_states(settings.index, settings.states_mb)
        self._generation: int | None = None  # of the library when it was last looked at
        self._versions: dict[str, str] = {}  # of its documents then, oldest first
        self._cited: deque[str] = deque(maxlen=_N_CITED)
        self._done: set[tuple[str, str]] = set()  # documents with their versions whose passages were read
        self._closing = threading.Event()
        self._lock, self._working = threading.Lock(), threading.Lock()
        self._n_asked = 0
        self._stop = Stop()  # of what the model does for us now; another one after each question

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        """Stops what the model reads or writes for us, and lets nothing be begun while a question is answered."""
        with self._lock:
            self._n_asked += 1
            stop = self._stop
        stop.set()  # at once: the search for the question wants the cores too
        try:
            yield
        finally:
            with self._lock:
                self._n_asked -= 1
                if not self._n_asked and not self._closing.is_set():
                    self._stop = Stop()

    def cited(self, answer: Answer) -> None:
        """Takes note of the articles that an answer cites."""
        for citation in answer.citations:
            with contextlib.suppress(ValueError):
                self._cited.remove(citation.document)
            self._cited.append(citation.document)

    def close(self) -> None:
        """Lets `run` return, once it has the models; what the model does for it stops."""
        with self._lock:
            self._closing.set()
            stop = self._stop
        stop.set()

    def wait(self) -> None:
        """Returns when `run` uses neither model nor library any more; call `close` first, and stop what the model does."""
        with self._working:
            pass

    @property
    def is_closing(self) -> bool:
        return self._closing.is_set()

    def run(self, on_loaded: Callable[[], object] | None = None) -> None:
        """Lets the model work while nobody asks, until `close`.

        Args:
            on_loaded: called once all models are there.

        Raises:
            RagError: a model or the library cannot be used.
        """
        self._models.check_search()  # a model that writes would keep them from the cores, and the first question waiting
        generator, _ = self._models.generator(None)
        if on_loaded:
            on_loaded()
        with self._working:
            if generator and not self._closing.is_set():
                self._work(generator)

    def _work(self, generator: Generator) -> None:
        """Goes on after an error, which may be gone by the next look: a full disk, a library that is being written to."""
        has_examples = False
        while not self._closing.is_set():
            is_idle = True
            try:
                self._look()
                has_examples = has_examples or self.make_examples(generator)
                if chosen := self._next():
                    is_idle = not self._read(generator, chosen)
            except RagError as exc:
                logger.info("nothing is prepared for now: %s", exc)
            self._closing.wait(_WAIT_SECONDS if is_idle else 0)

    def _look(self) -> None:
        """Takes note of a changed library; deletes the states of documents that were removed, also while they were read."""
        if (generation := self._library.generation) != self._generation:
            self._versions = self._library.versions()
            self._states.keep(self._versions)
            self._generation = generation

    def make_examples(self, generator: Generator) -> bool:
        """Lets the model write an example question for each of the newest documents; True, as all have one then."""
        for identity, questions in list(self._library.examples().items())[:N_EXAMPLES]:
            if not questions:
                with contextlib.suppress(DocumentMissing):  # it was removed meanwhile
                    while not self._closing.is_set() and not self._make_example(generator, identity):
                        self._closing.wait(_WAIT_SECONDS)
        return True

    def _make_example(self, generator: Generator, identity: str) -> bool:
        """Stores a question if a search for it finds the paragraph that it was made from; False if it was interrupted."""
        document = self._library.document(identity)
        fitting = [p for p in paragraphs(document) if p.end - p.start <= _MAX_EXAMPLE_CHARS]
        for paragraph in fitting[:N_EXAMPLES]:
            text = document.text[paragraph.start : paragraph.end]
            try:
                written = "".join(generator.stream(prompt.example_prompt(text), max_tokens=40, stop=self._stop))
            except Stopped:
                return False
            question = written.strip().partition("\n")[0]
            if not (question.endswith("?") and 15 <= len(question) <= 120):
                continue
            hits = self._search(question)
            if hits and (hits[0].document, hits[0].paragraph) == (identity, paragraph.number):
                self._library.set_examples(identity, [question])
                return True
        return True

    def _next(self) -> tuple[str, str] | None:
        """Returns the next document to be read, with its version; None if all are."""
        versions = self._versions
        newest = list(versions)[: -N_NEWEST - 1 : -1]
        wanted = dict.fromkeys([*reversed(self._cited), *newest])
        unread = ((d, versions[d]) for d in wanted if d in versions and (d, versions[d]) not in self._done)
        return next(unread, None)

    def _read(self, generator: Generator, chosen: tuple[str, str]) -> bool:
        """Lets the model read the first passages of a document; False if a question interrupted."""
        try:
            hits = list(hits_in(self._library.document(*chosen)))[:_MAX_PASSAGES]
        except DocumentMissing:
            return True
        budget = generator.context_tokens - self._settings.answer_tokens - prompt.BLOCK_OVERHEAD
        for hit in hits:
            stop = self._stop
            if stop.is_set():
                return False
            block = prompt.block(hit, budget, generator.count)
            if not generator.prepare(prompt.answer_prompt("", [block], documents=[hit.document]), stop=stop):
                return False
        self._done.add(chosen)
        return True
