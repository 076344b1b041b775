"""What one open page remembers: its turns, and which answer is being written. Knows nothing of how it looks."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from rag.stopping import Stop
from rag.types import EVERYTHING, Answer, Claim, Delta, Done, Event, Evidence, Hit, Withdrawn

View = Literal["evidence", "library", "conversations", "article", "comment"]
"""What the panel shows."""

_writing = threading.Lock()  # of the module: gradio copies a conversation for each page, and a lock cannot be copied


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and what is known of its answer so far.

    Attributes:
        searched: the question as it was searched; another one for a follow-up.
        awaited: what must be loaded, built or answered first; "" if nothing.
        note: a line of ours at the end: stopped, or what went wrong.
        rating: what the reader thinks of the answer: 1, -1, or 0 for nothing said.
    """

    question: str
    hits: tuple[Hit, ...] = ()
    claims: tuple[Claim, ...] = ()
    draft: str = ""
    answer: Answer | None = None
    searched: str = ""
    awaited: str = ""
    note: str = ""
    rating: int = 0
    comment: str = ""


class Line:
    """Questions of all pages, in the order in which they were asked: one is answered at a time."""

    def __init__(self) -> None:
        self._places: dict[object, None] = {}

    def join(self) -> object:
        """Returns a place at the end of the line."""
        with _writing:
            place = object()
            self._places[place] = None
            return place

    def n_before(self, place: object) -> int:
        """Returns how many places come before one."""
        with _writing:
            return list(self._places).index(place)

    def leave(self, place: object) -> None:
        """Gives a place up."""
        with _writing:
            del self._places[place]


def advance(turn: Turn, event: Event) -> Turn:
    """Returns the turn after an event of the assistant's stream."""
    match event:
        case Evidence(hits=hits, question=question):
            return replace(turn, hits=hits, searched=question)
        case Delta(text=text):
            return replace(turn, draft=turn.draft + text)
        case Claim():
            return replace(turn, claims=(*turn.claims, event), draft="")
        case Withdrawn():
            return replace(turn, draft="")
        case Done(answer=answer):
            return replace(turn, answer=answer, claims=answer.claims, hits=answer.evidence or turn.hits, draft="")
    return turn


def history(turns: Iterable[Turn]) -> list[dict[str, str]]:
    """Returns the turns that were answered as plain messages, oldest first: confirmed text without marks."""
    messages = []
    for turn in turns:
        text = " ".join(claim.text for claim in turn.claims) or (turn.answer.text if turn.answer else "")
        if text:
            messages.append({"role": "user", "content": turn.question})
            messages.append({"role": "assistant", "content": text})
    return messages


@dataclass(slots=True)
class Place:
    """Where a conversation is kept. Written to by whoever keeps it, also when its page is with another one by now.

    Attributes:
        id: "" before the first question.
        revision: what the library returned when it was kept last; "" before that.
    """

    id: str = ""
    revision: str = ""


class Conversation:
    """What one open page remembers. The events of a page run in threads; only the run that is current may write.

    Attributes:
        place: where it is kept.
        title: that it was given; "" if it is listed by its first question.
        reader: the token of the browser, "" if it has none: then nothing is kept.
        problem: why it is not kept; "" if it is.
        editing: number of the turn whose question is being changed, from 1; 0 if none is.
        words: what the list in the panel is searched for.
        chosen: the conversation of the list that is about to be renamed or deleted, and which of the two.
    """

    def __init__(self) -> None:
        self.reader = self.problem = ""
        self.run: Stop | None = None  # of the answer that is being written; what stops it
        self._begun: Stop | None = None  # the run that nobody writes yet
        self.filter = EVERYTHING  # which documents are asked
        self.begin_anew()

    def begin_anew(self, place: Place | None = None, turns: tuple[Turn, ...] = (), title: str = "") -> None:
        """Leaves this conversation, and begins an empty one or goes on with one that was kept."""
        self.place, self.title, self.turns = place or Place(), title, turns
        self.view: View = "evidence" if turns else "library"
        self.editing, self.words, self.chosen = 0, "", ("", "")

    @property
    def id(self) -> str:
        """Under which it is kept; "" before the first question."""
        return self.place.id

    @property
    def running(self) -> bool:
        """True while an answer is being written."""
        return self.run is not None

    def begin(self, question: str) -> None:
        """Starts a turn."""
        with _writing:
            self.place.id = self.place.id or uuid.uuid4().hex
            self.turns = (*self.turns, Turn(question))
            self.run = self._begun = Stop()

    def take(self) -> Stop | None:
        """Returns the run that was begun, to whoever asks first; None if there is none to write."""
        with _writing:
            taken, self._begun = self._begun, None
            return taken if taken is self.run else None

    def update(self, run: Stop, turn: Turn) -> bool:
        """Replaces the last turn, if the run is still the current one; returns whether it is."""
        with _writing:
            if self.run is run:
                self.turns = (*self.turns[:-1], turn)
            return self.run is run

    def end(self, note: str = "", *, keeps_draft: bool = False) -> None:
        """Ends the run, if there is one, and stops what is done for it; what was confirmed stays."""
        with _writing:
            if run := self.run:
                self.run = None
                last = self.turns[-1]
                self.turns = (*self.turns[:-1], replace(last, draft=last.draft if keeps_draft else "", note=note))
        if run:
            run.set()
