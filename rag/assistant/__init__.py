"""Add, remove, rebuild, ask: the only station that knows the whole story."""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rag.assistant import adding
from rag.assistant.adding import Progress
from rag.assistant.asking import Asking
from rag.assistant.loading import Models
from rag.assistant.preparing import N_EXAMPLES, Preparing
from rag.assistant.saying import Said
from rag.assistant.watching import Watch
from rag.config import Settings, load
from rag.errors import FilterError, QuestionError, RagError
from rag.generate.states import stored_states
from rag.library import Library, restore
from rag.library.conversations import Conversations
from rag.retrieve import Retriever
from rag.split import paragraphs
from rag.stopping import Stop, Stopped
from rag.types import (
    EVERYTHING,
    AddReport,
    Answer,
    Document,
    Done,
    Event,
    Evidence,
    Filter,
    Hit,
    Paragraph,
)

__all__ = ["Assistant"]


class Assistant:
    """Answers questions from one library. May be used from several threads."""

    def __init__(self, settings: Settings, models: Models | None = None) -> None:
        """Opens the library of the settings.

        Args:
            models: those of the settings if None; they start to load in the background. `close` frees only these.

        Raises:
            LibraryError: it cannot be used.
        """
        self.settings = settings
        self.library = Library(settings.index)
        self._models = models or Models.load(settings)
        self._frees_models = models is None
        self._retriever = Retriever(self.library)
        self._states = stored_states(settings.index, settings.states_mb)
        self._task = self._problem = ""
        self._preparing = Preparing(self.library, self._models, settings, self.search)

    @classmethod
    def open(cls, index: str | os.PathLike[str] | None = None, **settings: Any) -> Assistant:
        """Opens a library, which may be missing or empty, and starts to load the models in the background.

        Args:
            index: folder of the library.
            settings: any field of `Settings`.

        Raises:
            ConfigError: a setting cannot be used.
            LibraryError: the library cannot be used.
        """
        return cls(load({"index": index, **settings}))

    def close(self) -> None:
        """Stops threads, frees the models that it loaded and closes files."""
        self._preparing.close()
        if self._frees_models:
            self._models.close()
        self._preparing.wait()
        self.library.close()

    def __enter__(self) -> Assistant:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # --- documents -------------------------------------------------------------------------------------------------

    def add(self, paths: Any, *, progress: Progress | None = None) -> AddReport:
        """Adds files, and folders with all articles in them. A file that was added before replaces its old version.

        Args:
            paths: one path or several.
            progress: called with bytes done, bytes in all, and a file's name.

        Raises:
            LibraryMismatch: the library was built with another embedding model.
            LibraryError: the library cannot be written to.
            ModelError: the embedding model cannot be used.
        """
        chosen = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
        with self.library.writing():
            report = adding.add(chosen, self.library, self._models.embedder, self.settings, self._retriever.update, progress)
            self._retriever.update(at_once=True)
        return report

    def watch(self, paths: Any) -> Watch:
        """Follows files and folders from now on; add what is there first, then read `Watch.follow` in this thread.

        Args:
            paths: one path or several.

        Raises:
            ReadError: a path is empty.
        """
        chosen = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
        return Watch(chosen, self.library, self.add)

    def add_seeds(self, *, progress: Progress | None = None) -> AddReport:
        """Adds the seed articles, if nothing was ever added to this library."""
        if self.library.generation:
            return AddReport()
        self._task = "Building the index from the seed articles"
        try:
            return self.add([self.settings.seeds], progress=progress)
        finally:
            self._task = ""

    def remove(self, ids: Iterable[str]) -> None:
        """Removes documents with all their versions.

        Raises:
            DocumentMissing: there is no such document; nothing is removed.
        """
        chosen = [ids] if isinstance(ids, str) else list(ids)
        with self.library.writing():
            for identity in chosen:
                self.library.document(identity)
            self.library.remove(chosen)
            self._states.forget(chosen)
            self._retriever.update(at_once=True)

    def bring_back(self, documents: Sequence[Document]) -> None:
        """Stores documents again that were removed, as they were; their files are not read. Older versions stay gone."""
        with self.library.writing():
            adding.bring_back(documents, self.library, self._models.embedder)
            self._retriever.update(at_once=True)

    def rebuild(self, *, progress: Progress | None = None) -> AddReport:
        """Reads all files again and builds everything anew, also for another embedding model.

        New files in folders that were added are added; a document whose file is gone keeps its stored text, and one that was
        removed stays away.
        """
        with self.library.writing():
            report = adding.rebuild(self.library, self._models.embedder, self.settings, progress)
            self._retriever.update(at_once=True)
        return report

    def backup(self, file: str | os.PathLike[str], *, force: bool = False) -> int:
        """Writes the library into one file, also while others write to it; returns its number of documents.

        Args:
            force: True if a file that is there may be replaced also if it is no backup, or by a backup of no documents.

        Raises:
            LibraryError: the library cannot be read, or the file cannot be written.
        """
        return self.library.backup(Path(file), force=force)

    def restore(self, file: str | os.PathLike[str]) -> int:
        """Puts a backup in the place of the whole library, in one transaction; returns its number of documents.

        Raises:
            LibraryError: the file is no backup, or is damaged, or of a newer version; or the library cannot be written to.
        """
        n_documents, _ = restore(Path(file), self.library.folder)
        with self.library.writing():
            self._states.keep(self.library.versions())
            self._retriever.update(at_once=True)
        return n_documents

    def documents(self, filter: Filter = EVERYTHING) -> tuple[Document, ...]:
        """Returns the documents that a filter selects in their current versions, oldest first.

        Raises:
            FilterError, DocumentMissing: as of `stream`.
        """
        return self.library.documents(self.library.check(filter))

    def document(self, id: str, version: str | None = None) -> Document:
        """Returns a document in its current or an older version.

        Raises:
            DocumentMissing: it was removed, or never had this version.
        """
        return self.library.document(id, version)

    def paragraphs(self, id: str, version: str | None = None) -> tuple[Paragraph, ...]:
        """Returns the paragraphs of a document, numbered as a reader counts them."""
        return paragraphs(self.library.document(id, version))

    # --- questions -------------------------------------------------------------------------------------------------

    def search(
        self,
        question: str,
        documents: Sequence[str] | None = None,
        asked_on: str | datetime.date | None = None,
        filter: Filter = EVERYTHING,
    ) -> tuple[Hit, ...]:
        """Returns the hits for a question, reranked, best first, without an answer; see `stream`."""
        return self.find(question, (), documents, asked_on, filter).hits

    def find(
        self,
        question: str,
        history: Sequence[Mapping[str, str]] = (),
        documents: Sequence[str] | None = None,
        asked_on: str | datetime.date | None = None,
        filter: Filter = EVERYTHING,
    ) -> Evidence:
        """Returns what `stream` would yield first: the question as it is searched, and its hits."""
        asking = self._asking(question, history, documents, asked_on, filter, self._models)
        asking.follow()
        return Evidence(asking.search(), asking.question)

    def ask(
        self,
        question: str,
        history: Sequence[Mapping[str, str]] = (),
        documents: Sequence[str] | None = None,
        asked_on: str | datetime.date | None = None,
        filter: Filter = EVERYTHING,
    ) -> Answer:
        """Answers a question; see `stream`."""
        for event in self.stream(question, history, documents, asked_on, filter):
            if isinstance(event, Done):
                return event.answer
        raise AssertionError("a stream ends with Done")

    def stream(
        self,
        question: str,
        history: Sequence[Mapping[str, str]] = (),
        documents: Sequence[str] | None = None,
        asked_on: str | datetime.date | None = None,
        filter: Filter = EVERYTHING,
        *,
        stop: Stop | None = None,
    ) -> Iterator[Event]:
        """Yields Evidence first, then Deltas, Claims and Withdrawns, and Done last. Closing it stops the model.

        Args:
            history: messages with "role" ("user" or "assistant") and "content", oldest first.
            documents: ids; only these are asked if given: the same as `Filter(documents=...)`.
            asked_on: the date that "this week" means.
            filter: only what it selects is asked. If that is nothing, the answer is not found, and its notice says why.
            stop: set by another thread, it gives the question up: the model stops at once, and nothing more is yielded,
                not even Done.

        Raises:
            QuestionError: the question is empty or too long, or the history is not made of messages.
            FilterError: the filter has a value that cannot be used, or documents are given in both places.
            DocumentMissing: one of the documents is not in the library.
            LibraryMismatch: the library was built with another embedding model.
            ModelError: a search model cannot be used, or the answer model stopped.
        """
        stop = stop or Stop()
        with self._preparing.asking(), contextlib.suppress(Stopped):
            asking = self._asking(question, history, documents, asked_on, filter, self._models.until(stop))
            for event in asking.stream():
                stop.check()
                if isinstance(event, Done):
                    self._preparing.cited(event.answer)
                yield event

    def _asking(
        self,
        question: str,
        history: Sequence[Mapping[str, str]],
        documents: Sequence[str] | None,
        asked_on: str | datetime.date | None,
        filter: Filter,
        models: Models,
    ) -> Asking:
        question = self._checked(question)
        _check(history)
        chosen = self.library.check(filter)
        if documents is not None:
            chosen = self.library.check(_narrowed(chosen, documents))
        self._retriever.sync()  # first, as the embedding model may still be loading
        self.library.bind(models.embedder.name)
        on = _date(asked_on)
        return Asking(question, history, chosen, on, Said(self.library), self._retriever, models, self.settings)

    def _checked(self, question: str) -> str:
        if not isinstance(question, str):
            raise QuestionError(f"The question is {question!r}; expected a text.")
        question = " ".join(question.encode("utf-8", "replace").decode().split())  # a terminal may give half characters
        limit = self.settings.max_question_chars
        if not question:
            raise QuestionError("The question is empty.", 'Ask something, for example "Who ordered the campaign?".')
        if len(question) > limit:
            raise QuestionError(
                f"The question has {len(question)} characters; at most {limit} are read.",
                "Ask a shorter one, or raise max_question_chars.",
            )
        return question

    @property
    def conversations(self) -> Conversations:
        """The conversations that pages keep in the library."""
        return self.library.conversations

    # --- for the page ----------------------------------------------------------------------------------------------

    def generation(self) -> int:
        """Returns a number that is another one after every change of the library by any process."""
        return self.library.generation

    def waiting(self) -> str:
        """Returns what is being loaded or built; "" once questions are answered at once."""
        return self._task or self._models.waiting()

    def notice(self) -> str:
        """Returns why nothing or only quotes can be given, or why answers take longer; "" if all is or may still be well."""
        if self._problem or self._models.waiting():
            return self._problem
        try:
            self._models.check_search()
            generator, missing = self._models.generator(0)
            return generator.notice if generator else missing
        except RagError as exc:
            return str(exc)

    def examples(self, filter: Filter = EVERYTHING) -> tuple[str, ...]:
        """Returns example questions about the newest documents of those that a filter selects."""
        return self.library.questions(self.library.check(filter))[:N_EXAMPLES]

    def prepare(self, on_loaded: Callable[[], object] | None = None) -> None:
        """Builds the index from the seed articles if need be, then works ahead while nobody asks, until `close`.

        Made to run behind a page: what goes wrong is told by `notice`.

        Args:
            on_loaded: called once all models are there, or it is known that there is none to answer.
        """
        try:
            self.add_seeds()
            self._preparing.run(on_loaded)
        except RagError as exc:
            if not self._preparing.is_closing:  # else the model is closed under it, which is no problem
                self._problem = str(exc)


def _check(history: Sequence[Mapping[str, str]]) -> None:
    for message in history:
        role, content = (message.get(name) if isinstance(message, Mapping) else None for name in ("role", "content"))
        if role not in ("user", "assistant") or not isinstance(content, str):
            raise QuestionError(
                f"The history has the message {message!r}.",
                'A message is {"role": "user" or "assistant", "content": text}.',
            )


def _narrowed(filter: Filter, documents: Sequence[str]) -> Filter:
    """Returns a filter with the documents of the argument of this name."""
    if filter.documents is not None:
        raise FilterError("documents is given twice, as an argument and in the filter.", "Give it once.")
    return replace(filter, documents=tuple(documents) if not isinstance(documents, str) else (documents,))


def _date(asked_on: str | datetime.date | None) -> str:
    """Returns the day as an ISO date, "" for none."""
    try:
        return datetime.date.fromisoformat(str(asked_on)[:10]).isoformat() if asked_on else ""
    except ValueError:
        hint = "Give a datetime.date, or a text of this form."
        raise QuestionError(f"asked_on is {asked_on!r}; expected a date such as 2025-07-19.", hint) from None
