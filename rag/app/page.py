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
from rag.app.filtering import chosen_filter, offered
from rag.app.reference import decode_ref
from rag.app.render import (
    article_html,
    chat_messages,
    evidence_html,
    filter_html,
    filter_label,
    library_html,
    problem_html,
    status_html,
    welcome_html,
)
from rag.errors import DocumentMissing, FilterError, RagError
from rag.stopping import Stop
from rag.types import EVERYTHING, Document, Done, Event, Evidence, Filter

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.25  # while a question waits for the first article
_MAX_EXAMPLES = 4


@dataclass(frozen=True, slots=True)
class Selected:
    """What a filter selects, and what is wrong with it if it cannot be used."""

    documents: Sequence[Document] = ()
    examples: Sequence[str] = ()
    problem: str = ""


class Page:
    """The handlers of one page's events over an assistant. Each returns updates in the order that `build_page` names."""

    def __init__(self, assistant: Any) -> None:
        self._assistant, self._line = assistant, Line()
        self._answering: dict[str, Conversation] = {}  # by the session of an open page

    def ask(self, question: str, conversation: Conversation) -> Sequence[Any]:
        """Takes a typed question; nothing happens for an empty one or while an answer is being written."""
        if not question.strip() or conversation.running:
            return [gr.skip()] * 6
        conversation.begin(question.strip().encode("utf-8", "replace").decode())  # a half of a pair cannot be sent back
        return ["", *self.draw(conversation)]

    def ask_example(self, event: gr.SelectData, conversation: Conversation) -> Sequence[Any]:
        """Takes an example question."""
        return self.ask(str(event.value["text"]), conversation)[1:]

    def retry(self, conversation: Conversation) -> Sequence[Any]:
        """Asks the last question again, in place of its answer."""
        if conversation.turns and not conversation.running:
            *earlier, last = conversation.turns
            conversation.turns = tuple(earlier)
            conversation.begin(last.question)
        return self.draw(conversation)

    def choose(self, shown: str, conversation: Conversation, *values: Any) -> Sequence[Any]:
        """Takes what stands in the controls of the filter; returns what `refresh` does."""
        conversation.filter = chosen_filter(*values)
        return self.refresh(shown, conversation)

    def choose_all(self, conversation: Conversation) -> Sequence[Any]:
        """Leaves nothing out; returns the controls' values, in their order."""
        conversation.filter = EVERYTHING
        return [[], [], [], "", ""]

    def answer(self, conversation: Conversation, request: gr.Request | None = None) -> Iterator[tuple[Any, Any]]:
        """Streams the answer of the last turn into the chat, and its evidence into the panel."""
        run = conversation.take()
        if run is None:  # Enter was pressed on an empty line, or while an answer is being written
            return
        *earlier, turn = conversation.turns
        note, place, session = "", self._line.join(), _session(request)
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
            conversation.end(note)
            yield self._chat(conversation), gr.skip()

    def _wait(self, conversation: Conversation, run: Stop) -> Iterator[tuple[Any, Any]]:
        """Says what is waited for; goes on waiting while a library that is being built is empty, as all answers were no."""
        turn = conversation.turns[-1]
        while (waiting := self._assistant.waiting()) and conversation.update(run, replace(turn, awaited=waiting)):
            yield self._chat(conversation), gr.skip()
            if self._assistant.documents():
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
        conversation.end("Stopped.")
        return self.draw(conversation)

    def leave(self, request: gr.Request) -> None:
        """Ends the answer of a page that was closed, left or lost."""
        if conversation := self._answering.get(_session(request)):
            conversation.end("Stopped.")

    def clear(self, conversation: Conversation) -> Sequence[Any]:
        """Forgets the conversation."""
        conversation.end()
        conversation.turns, conversation.view = (), "library"
        return [self._panel(conversation), *self.draw(conversation)]

    def open(self, event: gr.EventData, conversation: Conversation) -> str:
        """Opens what a link of the page refers to in the panel. The link comes from the browser and is checked."""
        link = event._data.get("ref") if isinstance(event._data, dict) else None
        home = "evidence" if any(turn.hits for turn in conversation.turns) else "library"
        if link == "#evidence":
            conversation.view = home
            return self._panel(conversation)
        conversation.view, back = "article", f"Back to the {home}"
        ref = decode_ref(link)
        if ref is None:
            return problem_html("This reference cannot be read.", back=back)
        try:
            document = self._assistant.document(ref.document, ref.version)
            paragraphs = self._assistant.paragraphs(ref.document, ref.version)
            current = self._assistant.document(ref.document).version
        except DocumentMissing:
            return problem_html("This article is no longer in the library.", back=back)
        except RagError as exc:
            return problem_html(f"{exc.message} {exc.hint}", back=back)
        note = "" if current == ref.version else "The article has changed since; this is the version that was cited."
        return article_html(document, paragraphs, ref, note=note, back=back)

    def refresh(self, shown: str, conversation: Conversation) -> Sequence[Any]:
        """Returns status line, chat (its welcome and examples), panel and filter, if `shown` was made of anything else.

        Args:
            shown: the status line that the browser has. Not what was last sent: answers overtake each other, or are lost.
        """
        filter, documents, selected = conversation.filter, (), Selected()
        try:
            waiting, notice = self._assistant.waiting(), self._assistant.notice()
            examples, generation = self._assistant.examples(), self._assistant.generation()
        except RagError as exc:
            waiting, notice, examples, generation = "", str(exc), (), None
        held, made_of = _digest(generation), _digest(waiting, notice, examples, generation, filter)
        if made_of in shown:
            return [gr.skip()] * 8
        try:
            documents = self._assistant.documents()
            selected = self._selected(filter, documents, examples)
        except RagError as exc:
            notice, made_of, held = str(exc), "", ""  # so that the next look at the library is shown
        chat = gr.Chatbot(
            placeholder=welcome_html(documents, waiting, notice), examples=[{"text": text} for text in selected.examples]
        )
        in_view = conversation.view == "library"
        return [
            status_html(documents, waiting, f"{made_of} {held}"),
            chat,
            library_html(selected.documents, waiting=bool(waiting), of=len(documents)) if in_view else gr.skip(),
            gr.Accordion(label=filter_label(len(selected.documents), len(documents), selected.problem)),
            filter_html(len(selected.documents), len(documents), selected.problem),
            *([gr.skip()] * 3 if held in shown else offered(documents, filter)),  # an open list would close
        ]

    def draw(self, conversation: Conversation) -> Sequence[Any]:
        """Returns chat, ask, stop, retry and clear as they are now."""
        running, begun = conversation.running, bool(conversation.turns)
        return [
            self._chat(conversation),
            gr.Button(visible=not running),
            gr.Button(visible=running),
            gr.Button(interactive=begun and not running),
            gr.Button(interactive=begun),
        ]

    def _chat(self, conversation: Conversation) -> list[dict[str, str]]:
        return chat_messages(conversation.turns, running=conversation.running)

    def _panel_after(self, event: Event, conversation: Conversation) -> Any:
        if isinstance(event, Evidence):
            conversation.view = "evidence"
        elif not isinstance(event, Done) or conversation.view != "evidence":
            return gr.skip()
        return self._panel(conversation)

    def _panel(self, conversation: Conversation) -> str:
        if conversation.view == "evidence":
            turn = next((turn for turn in reversed(conversation.turns) if turn.hits), conversation.turns[-1])
            return evidence_html(turn, lambda hit: self._document(hit.document, hit.version), self._document)
        documents = self._assistant.documents()
        selected = self._selected(conversation.filter, documents).documents
        return library_html(selected, waiting=bool(self._assistant.waiting()), of=len(documents))

    def _selected(self, filter: Filter, documents: Sequence[Document], examples: Sequence[str] = ()) -> Selected:
        """Returns what a filter selects of all documents and examples."""
        if filter == EVERYTHING:
            return Selected(documents, examples[:_MAX_EXAMPLES])
        try:
            return Selected(self._assistant.documents(filter), self._assistant.examples(filter)[:_MAX_EXAMPLES])
        except (FilterError, DocumentMissing) as exc:
            return Selected(problem=f"{exc.message} {exc.hint}".strip())

    def _document(self, identity: str, version: str | None = None) -> Document | None:
        try:
            return self._assistant.document(identity, version)
        except RagError:
            return None


def _session(request: gr.Request | None) -> str:
    return str(request.session_hash) if request else ""


def _digest(*values: object) -> str:
    return hashlib.sha256(repr(values).encode()).hexdigest()[:16]


def _closable(events: Iterator[Event]) -> Any:
    """An iterator that can be closed, also if the assistant's is not a generator."""
    return events if hasattr(events, "close") else (event for event in events)
