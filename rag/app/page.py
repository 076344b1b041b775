"""What the events of the page do: which control starts, stops and shows what."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from rag.app.conversation import Conversation, Line, Turn, advance, history
from rag.app.filtering import chosen_filter, document_choices, offered
from rag.app.keeping import INTERRUPTED
from rag.app.kept import Kept
from rag.app.panel import conversations_html, evidence_html, library_html, no_evidence_html, notice_html, panel_html
from rag.app.render import chat_messages, filter_html, filter_label, status_html, welcome_html
from rag.app.shelf import Shelf
from rag.errors import DocumentMissing, FilterError, RagError
from rag.server import COOKIE, reader
from rag.stopping import Stop
from rag.types import EVERYTHING, Claim, Delta, Document, Done, Event, Evidence, Filter

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.25  # while a question waits for the first article
_MANY, _DRAW_SECONDS = 20, 0.1  # with so many turns before it, a growing draft is drawn so often
_MAX_EXAMPLES = 4
_MAX_SUGGESTED = 3


@dataclass(frozen=True, slots=True)
class Selected:
    """What a filter selects, and what is wrong with it if it cannot be used."""

    documents: Sequence[Document] = ()
    examples: Sequence[str] = ()
    problem: str = ""


class Page:
    """The handlers of one page's events over an assistant. Each returns updates in the order that `build_page` names.

    Attributes:
        kept: the conversations of all readers.
        shelf: what changes the library; None where the page may only read it.
    """

    def __init__(self, assistant: Any, kept: Kept, shelf: Shelf | None) -> None:
        self._assistant, self._line = assistant, Line()
        self.kept, self.shelf = kept, shelf
        self._answering: dict[str, Conversation] = {}  # by the session of an open page
        self._known: tuple[int | None, tuple[Document, ...]] = None, ()

    def load(self, conversation: Conversation, request: gr.Request) -> Sequence[Any]:
        """Takes note of whose browser this is, and goes on with the conversation that the address names."""
        conversation.reader = reader_of(request)
        identity = str(request.query_params.get("c", ""))
        found = self.kept.read(conversation.reader, identity) if identity else None
        if conversation.turns or found is None:
            return [gr.skip()] * 7  # the page is as it was built, and may have been asked meanwhile
        conversation.begin_anew(*found)
        return [self.panel(conversation), *self.draw(conversation)]

    def ask(self, question: str, conversation: Conversation, request: gr.Request | None = None) -> Sequence[Any]:
        """Takes a typed question; nothing happens for an empty one or while an answer is being written."""
        if not question.strip() or conversation.running:
            return [gr.skip()] * 6
        if conversation.editing:
            self._shorten(conversation, conversation.editing)
        self._begin(conversation, question.strip(), request)
        return ["", *self.draw(conversation)]

    def ask_suggested(
        self, event: gr.SelectData, conversation: Conversation, request: gr.Request | None = None
    ) -> Sequence[Any]:
        """Takes a question that was offered below an answer; it replaces none, whatever is being edited."""
        conversation.editing = 0
        return self.ask(str(event.value), conversation, request)[1:]

    def ask_example(
        self, event: gr.SelectData, conversation: Conversation, request: gr.Request | None = None
    ) -> Sequence[Any]:
        """Takes an example question."""
        return self.ask(str(event.value["text"]), conversation, request)[1:]

    def retry(self, conversation: Conversation, request: gr.Request | None = None) -> Sequence[Any]:
        """Asks the last question again, in place of its answer."""
        if conversation.turns and not conversation.running:
            last = conversation.turns[-1]
            self._shorten(conversation, len(conversation.turns))
            self._begin(conversation, last.question, request)
        return self.draw(conversation)

    def _begin(self, conversation: Conversation, question: str, request: gr.Request | None) -> None:
        conversation.reader = conversation.reader or (reader_of(request) if request else "")  # asked before `load` was done
        conversation.begin(question.encode("utf-8", "replace").decode())  # a half of a pair cannot be sent back
        self.kept.begin(conversation)

    def _shorten(self, conversation: Conversation, number: int) -> None:
        """Takes the turns from a number on off the page; the library forgets them when another is kept in their place."""
        conversation.turns, conversation.editing = conversation.turns[: number - 1], 0

    def choose(self, shown: str, conversation: Conversation, *values: Any) -> Sequence[Any]:
        """Takes what stands in the controls of the filter; returns what `refresh` does."""
        conversation.filter = chosen_filter(*values)
        return self.refresh(shown, conversation)

    def choose_all(self, conversation: Conversation) -> Sequence[Any]:
        """Leaves nothing out; returns the controls' values, in their order."""
        conversation.filter = EVERYTHING
        return [[], [], [], "", ""]

    def choose_only(self, identity: str, conversation: Conversation) -> Sequence[Any]:
        """Leaves out all documents but one; returns updates of the controls, in their order."""
        conversation.filter = Filter(documents=(identity,))
        choices = document_choices(self._documents(), conversation.filter)
        return [gr.Dropdown(choices, value=[identity], multiselect=True), [], [], "", ""]

    def answer(self, conversation: Conversation, request: gr.Request | None = None) -> Iterator[tuple[Any, Any]]:
        """Streams the answer of the last turn into the chat, and its evidence into the panel."""
        run = conversation.take()
        if run is None:  # Enter was pressed on an empty line, or while an answer is being written
            return
        *earlier, turn = conversation.turns
        note, drawn, place, session = "", 0.0, self._line.join(), _session(request)
        self._answering[session] = conversation
        try:
            yield from self._wait(conversation, run)
            yield from self._wait_in_line(conversation, run, turn, place)
            stream = self._assistant.stream(turn.question, history=history(earlier), filter=conversation.filter, stop=run)
            with closing(_closable(stream)) as events:
                for event in events if conversation.run is run else ():
                    turn = replace(advance(turn, event), awaited=self._assistant.waiting())
                    if not conversation.update(run, turn):
                        return
                    if isinstance(event, Evidence | Claim):
                        self.kept.keep(conversation)
                    if isinstance(event, Delta):
                        if len(earlier) > _MANY and time.monotonic() < drawn + _DRAW_SECONDS:
                            continue  # its words are drawn with the next ones: all messages are sent each time
                        drawn = time.monotonic()
                    yield self._chat(conversation), self._panel_after(event, conversation)
        except RagError as exc:
            note = f"{exc.message} {exc.hint}".strip()
        except Exception as exc:
            logger.exception("a question could not be answered: %s", type(exc).__name__)
            note = "Something went wrong, and this question was not answered. Retry asks it again."
        finally:
            self._line.leave(place)
            if conversation.run in (run, None):  # else the next answer of this page has begun
                self._answering.pop(session, None)
        if conversation.run is run:
            self._end(conversation, note)
            yield self._chat(conversation), gr.skip()

    def _end(self, conversation: Conversation, note: str, *, keeps_draft: bool = False) -> None:
        if conversation.running:
            conversation.end(note, keeps_draft=keeps_draft)
            self.kept.keep(conversation)

    def _wait(self, conversation: Conversation, run: Stop) -> Iterator[tuple[Any, Any]]:
        """Says what is waited for; goes on waiting while a library that is being built is empty, as all answers were no."""
        turn = conversation.turns[-1]
        while (waiting := self._assistant.waiting()) and conversation.update(run, replace(turn, awaited=waiting)):
            yield self._chat(conversation), gr.skip()
            if self._documents():
                return
            time.sleep(_POLL_SECONDS)

    def _wait_in_line(self, conversation: Conversation, run: Stop, turn: Turn, place: object) -> Iterator[tuple[Any, Any]]:
        """Says how many questions of other pages come first, until none does."""
        while n_before := self._line.n_before(place):
            awaited = f"{n_before} question{'s' if n_before > 1 else ''} before yours"
            if not conversation.update(run, replace(turn, awaited=awaited)):
                return
            yield self._chat(conversation), gr.skip()
            time.sleep(_POLL_SECONDS)
        conversation.update(run, turn)

    def stop(self, conversation: Conversation) -> Sequence[Any]:
        """Ends the answer; what was confirmed stays."""
        self._end(conversation, "Stopped.")
        return self.draw(conversation)

    def leave(self, request: gr.Request) -> None:
        """Ends the answer of a page that was closed, left or lost; it can be gone on with."""
        if conversation := self._answering.get(_session(request)):
            self.leave_turn(conversation)

    def leave_turn(self, conversation: Conversation) -> None:
        """Ends the answer that is being written, as its page goes on with another conversation."""
        self._end(conversation, INTERRUPTED, keeps_draft=True)

    def begin_anew(self, conversation: Conversation) -> Sequence[Any]:
        """Leaves the conversation, which stays in the list, and begins an empty one."""
        self.leave_turn(conversation)
        conversation.begin_anew()
        return [self.panel(conversation), *self.draw(conversation)]

    def refresh(self, shown: str, conversation: Conversation) -> Sequence[Any]:
        """Returns status line, chat (its welcome and examples), panel and filter, if `shown` was made of anything else.

        Args:
            shown: the status line that the browser has. Not what was last sent: answers overtake each other, or are lost.
        """
        filter, selected = conversation.filter, Selected()
        documents: Sequence[Document] = ()
        try:
            waiting, notice = self._assistant.waiting(), self._assistant.notice()
            examples, generation = self._assistant.examples(), self._assistant.generation()
        except RagError as exc:
            waiting, notice, examples, generation = "", str(exc), (), None
        done = (self.shelf.job, self.shelf.report) if self.shelf else ()
        held, made_of = _digest(generation), _digest(waiting, notice, examples, generation, filter, *done)
        if made_of in shown:
            return [gr.skip()] * 8
        try:
            documents = self._documents()
            selected = self._selected(filter, documents, examples)
        except RagError as exc:
            notice, made_of, held = str(exc), "", ""  # so that the next look at the library is shown
        chat = gr.Chatbot(
            placeholder=welcome_html(documents, waiting, notice), examples=[{"text": text} for text in selected.examples]
        )
        panel = self.panel(conversation) if conversation.view == "library" else gr.skip()
        return [
            status_html(documents, waiting, f"{made_of} {held}"),
            chat,
            panel if conversation.view == "library" else gr.skip(),  # another view may have been chosen meanwhile
            gr.Accordion(label=filter_label(len(selected.documents), len(documents), selected.problem)),
            filter_html(len(selected.documents), len(documents), selected.problem),
            *([gr.skip()] * 3 if held in shown else offered(documents, filter)),  # an open list would close
        ]

    def draw(self, conversation: Conversation) -> Sequence[Any]:
        """Returns chat, ask, stop, retry and new as they are now, and what tells the browser which conversation it is."""
        running, begun = conversation.running, bool(conversation.turns)
        is_broken = begun and conversation.turns[-1].note == INTERRUPTED
        return [
            self._chat(conversation),
            gr.Button("Ask again" if conversation.editing else "Ask", visible=not running),
            gr.Button(visible=running),
            gr.Button("Continue" if is_broken else "Retry", interactive=begun and not running),
            gr.Button(interactive=begun),
            f'<i data-conversation="{conversation.id if begun else ""}"></i>',
        ]

    def _chat(self, conversation: Conversation) -> list[dict[str, Any]]:
        is_quiet = not conversation.running and not conversation.editing
        return chat_messages(conversation, self._suggested(conversation) if is_quiet else ())

    def _suggested(self, conversation: Conversation) -> Sequence[str]:
        """Returns questions about the articles of the last evidence that were not asked yet."""
        last = conversation.turns[-1] if conversation.turns else None
        if last is None or not last.hits:
            return ()
        found = tuple(dict.fromkeys(hit.document for hit in last.hits[:_MAX_SUGGESTED]))
        try:
            examples = self._assistant.examples(Filter(documents=found))
        except RagError:  # an article is gone meanwhile
            return ()
        asked = {turn.question for turn in conversation.turns}
        return [example for example in examples if example not in asked][:_MAX_SUGGESTED]

    def _panel_after(self, event: Event, conversation: Conversation) -> Any:
        if isinstance(event, Evidence):
            conversation.view = "evidence"
        elif not isinstance(event, Done) or conversation.view != "evidence":
            return gr.skip()
        return self.panel(conversation)

    def panel(self, conversation: Conversation) -> str:
        """Returns the view of the panel that is chosen; an article is drawn by whoever opens it."""
        view = conversation.view if conversation.view in ("library", "conversations") else "evidence"
        draw = {"library": self._library, "conversations": self._conversations, "evidence": self._evidence}[view]
        try:
            return panel_html(view, draw(conversation))
        except RagError as exc:
            return panel_html(view, notice_html(f"{exc.message} {exc.hint}"))

    def _evidence(self, conversation: Conversation) -> str:
        if not conversation.turns:
            return no_evidence_html()
        turn = next((turn for turn in reversed(conversation.turns) if turn.hits), conversation.turns[-1])
        return evidence_html(
            turn,
            lambda hit: self._document(hit.document, hit.version),
            self._document,
            may_change=self.shelf is not None,
        )

    def _library(self, conversation: Conversation) -> str:
        documents = self._documents()
        return library_html(
            self._selected(conversation.filter, documents).documents,
            waiting=bool(self._assistant.waiting()),
            of=len(documents),
            words=conversation.words,
            may_change=self.shelf is not None,
            job=self.shelf.job if self.shelf else None,
            report=self.shelf.report if self.shelf else None,
        )

    def _conversations(self, conversation: Conversation) -> str:
        listed, problem = self.kept.listed(conversation)
        return conversations_html(listed, conversation, problem)

    def _selected(self, filter: Filter, documents: Sequence[Document], examples: Sequence[str] = ()) -> Selected:
        """Returns what a filter selects of all documents and examples."""
        if filter == EVERYTHING:
            return Selected(documents, examples[:_MAX_EXAMPLES])
        try:
            return Selected(self._assistant.documents(filter), self._assistant.examples(filter)[:_MAX_EXAMPLES])
        except (FilterError, DocumentMissing) as exc:
            return Selected(problem=f"{exc.message} {exc.hint}".strip())

    def _documents(self) -> tuple[Document, ...]:
        """Returns all documents without their texts, which may be many."""
        generation = self._assistant.generation()
        if self._known[0] != generation:
            self._known = generation, tuple(replace(one, text="") for one in self._assistant.documents())
        return self._known[1]

    def _document(self, identity: str, version: str | None = None) -> Document | None:
        try:
            return self._assistant.document(identity, version)
        except RagError:
            return None


def reader_of(request: gr.Request) -> str:
    """Returns the token of the browser that an event comes from; "" if it has none."""
    return reader(request.cookies.get(COOKIE, "")) if request.request else ""


def _session(request: gr.Request | None) -> str:
    return str(request.session_hash) if request else ""


def _digest(*values: object) -> str:
    return hashlib.sha256(repr(values).encode()).hexdigest()[:16]


def _closable(events: Iterator[Event]) -> Any:
    """An iterator that can be closed, also if the assistant's is not a generator."""
    return events if hasattr(events, "close") else (event for event in events)
