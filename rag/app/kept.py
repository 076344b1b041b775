"""The conversations of the page in the library: what an open page remembers is written there, and read again."""

from __future__ import annotations

import contextlib
import logging
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

from rag.app.conversation import Conversation, Place, Turn
from rag.app.keeping import from_content, title_of, to_content
from rag.errors import ConversationChanged, ConversationError, ConversationMissing, RagError
from rag.library.conversations import Conversations, Listed

logger = logging.getLogger(__name__)

_PATIENCE = 0.5  # seconds that a page waits for what it keeps
_NO_READER = "This browser takes no cookie, so its conversations are not kept."


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """What a page remembers at one moment: it may go on with another conversation before this one is written."""

    reader: str
    place: Place
    title: str
    turns: tuple[Turn, ...]

    @classmethod
    def of(cls, conversation: Conversation) -> _Snapshot:
        return cls(conversation.reader, conversation.place, conversation.title, conversation.turns)


class Kept:
    """Keeps conversations of pages. What cannot be kept is answered all the same, and `Conversation.problem` says why.

    All is written by one thread, in order. Nobody waits for it for long: at the end of a rebuild the library's file is
    taken for some seconds. Where another page has changed a conversation meanwhile, this one goes on as one of its own.
    """

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="rag-keeping")

    def begin(self, conversation: Conversation) -> None:
        """Keeps the last turn, which has just begun, in the place of one of its number and all after it."""
        page = _Snapshot.of(conversation)

        def write() -> None:
            try:
                self._put(page, len(page.turns), anew=True)
            except (ConversationChanged, ConversationMissing):
                self._fork(page)
            except ValueError:  # an earlier turn could not be kept
                self._put_all(page)

        self._write(conversation, write)

    def keep(self, conversation: Conversation) -> None:
        """Keeps the last turn as it is now."""
        page = _Snapshot.of(conversation)

        def write() -> None:
            try:
                self._put(page, len(page.turns))
            except ConversationChanged:
                self._fork(page)
            except ValueError:
                self._put_all(page)

        if page.turns:
            self._write(conversation, write)

    def read(self, reader: str, identity: str) -> tuple[Place, tuple[Turn, ...], str] | None:
        """Returns place, turns and given title of a conversation; None if this reader has none of this id."""
        try:
            turns, about = self.turns(reader, identity), self._conversations.about(reader, identity)
        except RagError:
            return None
        return Place(identity, about.updated_at), turns, "" if about.title == title_of(turns) else about.title

    def turns(self, reader: str, identity: str) -> tuple[Turn, ...]:
        """Returns the turns of a conversation; raises ConversationMissing."""
        if not reader:
            raise ConversationMissing("There is no conversation of a browser without a cookie.")
        kept = self._conversations.turns(reader, identity)
        return tuple(from_content(one.content, one.rating, one.comment) for one in kept)

    def listed(self, conversation: Conversation) -> tuple[Sequence[Listed], str]:
        """Returns the reader's conversations that have the words that are searched for, and why there are none, or ""."""
        if not conversation.reader:
            return (), _NO_READER
        try:
            return self._conversations.listed(conversation.reader, conversation.words), conversation.problem
        except RagError as exc:
            return (), str(exc)

    def rename(self, conversation: Conversation, identity: str, title: str) -> None:
        """Gives a conversation another title; an empty one leaves it as it is, and so does one that is gone."""

        def write() -> None:
            with contextlib.suppress(ConversationError, ConversationMissing):  # the list shows what there is
                kept = self._conversations.rename(conversation.reader, identity, title)
                conversation.title = kept if identity == conversation.id else conversation.title

        self._write(conversation, write)

    def delete(self, conversation: Conversation, identity: str) -> None:
        """Deletes a conversation."""

        def write() -> None:
            with contextlib.suppress(ConversationMissing):  # another window has deleted it
                self._conversations.delete(conversation.reader, identity)

        self._write(conversation, write)

    def rate(self, conversation: Conversation, number: int) -> None:
        """Keeps what the reader thinks of the answer of a turn."""
        page = _Snapshot.of(conversation)

        def write() -> None:
            try:
                self._rate(page, number)
            except ConversationChanged:
                self._fork(page)

        self._write(conversation, write)

    def _write(self, conversation: Conversation, act: Callable[[], object]) -> None:
        """Lets the writer do something, if there is a reader to do it for."""
        if conversation.reader:
            wait([self._writer.submit(_noted, conversation, act)], timeout=_PATIENCE)

    def _put(self, page: _Snapshot, number: int, *, anew: bool = False) -> None:
        title, content = page.title or title_of(page.turns), to_content(page.turns[number - 1])
        page.place.revision = self._conversations.put(
            page.reader, page.place.id, number, content, title, revision=page.place.revision, anew=anew
        )

    def _rate(self, page: _Snapshot, number: int) -> None:
        turn = page.turns[number - 1]
        self._conversations.rate(page.reader, page.place.id, number, turn.rating, turn.comment, revision=page.place.revision)

    def _fork(self, page: _Snapshot) -> None:
        """Keeps all turns of a page as a conversation of their own."""
        page.place.id, page.place.revision = uuid.uuid4().hex, ""
        self._put_all(page)

    def _put_all(self, page: _Snapshot) -> None:
        for number, turn in enumerate(page.turns, 1):
            self._put(page, number)
            if turn.rating or turn.comment:
                self._rate(page, number)


def _noted(conversation: Conversation, act: Callable[[], object]) -> None:
    """Does something, and notes in the conversation why it cannot be kept, or that it is."""
    try:
        act()
        conversation.problem = ""
    except RagError as exc:
        logger.warning("a conversation cannot be kept: %s", exc)
        conversation.problem = f"It is not kept: {exc.message} {exc.hint}".strip()
    except Exception as exc:  # else nobody would hear of it
        logger.exception("a conversation cannot be kept: %s", type(exc).__name__)
        conversation.problem = "It is not kept: something went wrong."
