"""The conversations of the page in the library: what an open page remembers is written there, and read again."""

from __future__ import annotations

import contextlib
import logging
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

from rag.app.conversation import Conversation, Turn
from rag.app.keeping import from_content, title_of, to_content
from rag.errors import ConversationError, ConversationMissing, RagError
from rag.library.conversations import Conversations, Listed

logger = logging.getLogger(__name__)

_PATIENCE = 0.5  # seconds that a page waits for what it keeps
_NO_READER = "This browser takes no cookie, so its conversations are not kept."


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """What a page remembers at one moment: it may go on with another conversation before this one is written."""

    reader: str
    id: str
    title: str
    turns: tuple[Turn, ...]

    @classmethod
    def of(cls, conversation: Conversation) -> _Snapshot:
        return cls(conversation.reader, conversation.id, conversation.title, conversation.turns)


class Kept:
    """Keeps conversations of pages. What cannot be kept is answered all the same, and `Conversation.problem` says why.

    All is written by one thread, in order. Nobody waits for it for long: at the end of a rebuild the library's file is
    taken for some seconds.
    """

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="rag-keeping")

    def begin(self, conversation: Conversation) -> None:
        """Keeps a conversation whose last turn has just begun.

        Where another page has gone on with it meanwhile, this one goes on as a conversation of its own.
        """
        numbers = [len(conversation.turns)]
        if self._was_changed(conversation):
            conversation.id, numbers = uuid.uuid4().hex, [*range(1, len(conversation.turns) + 1)]
        page = _Snapshot.of(conversation)

        def write() -> None:
            for number in numbers:
                self._put(page, number)
                if (turn := page.turns[number - 1]).rating or turn.comment:
                    self._conversations.rate(page.reader, page.id, number, turn.rating, turn.comment)

        self._write(conversation, write)

    def _was_changed(self, conversation: Conversation) -> bool:
        """True if other turns are kept than those before the last one; False if that cannot be known."""
        if not conversation.reader or wait([self._writer.submit(int)], timeout=_PATIENCE).not_done:
            return False
        try:
            return self._n_turns(_Snapshot.of(conversation)) != len(conversation.turns) - 1
        except RagError:  # writing will say why
            return False

    def keep(self, conversation: Conversation) -> None:
        """Keeps the last turn as it is now."""
        page = _Snapshot.of(conversation)
        if page.turns:
            self._write(conversation, lambda: self._put(page, len(page.turns)))

    def cut(self, conversation: Conversation, number: int) -> None:
        """Forgets the turns from a number on."""
        page = _Snapshot.of(conversation)

        def write() -> None:
            if self._n_turns(page) == len(page.turns):  # else another page went on with it, and `begin` takes another id
                self._conversations.cut(page.reader, page.id, number)

        self._write(conversation, write)

    def open(self, conversation: Conversation, identity: str) -> bool:
        """Goes on with a conversation that was kept; False if this reader has none of this id."""
        if found := self.read(conversation.reader, identity):
            conversation.begin_anew(identity, *found)
        return found is not None

    def read(self, reader: str, identity: str) -> tuple[tuple[Turn, ...], str] | None:
        """Returns turns and given title; None if this reader has none of this id."""
        try:
            turns, title = self.turns(reader, identity), self.title(reader, identity)
        except RagError:
            return None
        return turns, "" if title == title_of(turns) else title

    def turns(self, reader: str, identity: str) -> tuple[Turn, ...]:
        """Returns the turns of a conversation; raises ConversationMissing."""
        if not reader:
            raise ConversationMissing("There is no conversation of a browser without a cookie.")
        kept = self._conversations.turns(reader, identity)
        return tuple(from_content(one.content, one.rating, one.comment) for one in kept)

    def title(self, reader: str, identity: str) -> str:
        """Returns the title of a conversation; raises ConversationMissing."""
        return self._conversations.title(reader, identity)

    def listed(self, conversation: Conversation) -> tuple[Sequence[Listed], str]:
        """Returns the reader's conversations that have the words that are searched for, and why there are none, or ""."""
        if not conversation.reader:
            return (), _NO_READER
        try:
            return self._conversations.listed(conversation.reader, conversation.words), conversation.problem
        except RagError as exc:
            return (), str(exc)

    def rename(self, conversation: Conversation, identity: str, title: str) -> None:
        """Gives a conversation another title."""

        def write() -> None:
            try:
                kept = self._conversations.rename(conversation.reader, identity, title)
            except (ConversationError, ConversationMissing):  # the list shows what there is
                return
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
        turn, identity = conversation.turns[number - 1], conversation.id
        self._write(
            conversation,
            lambda: self._conversations.rate(conversation.reader, identity, number, turn.rating, turn.comment),
        )

    def _write(self, conversation: Conversation, act: Callable[[], object]) -> None:
        """Lets the writer do something, if there is a reader to do it for."""
        if conversation.reader:
            wait([self._writer.submit(_noted, conversation, act)], timeout=_PATIENCE)

    def _put(self, page: _Snapshot, number: int) -> None:
        title, content = page.title or title_of(page.turns), to_content(page.turns[number - 1])
        self._conversations.put(page.reader, page.id, number, content, title)

    def _n_turns(self, page: _Snapshot) -> int:
        try:
            return len(self._conversations.turns(page.reader, page.id))
        except ConversationMissing:
            return 0


def _noted(conversation: Conversation, act: Callable[[], object]) -> None:
    """Does something, and notes in the conversation why it cannot be kept, or that it is."""
    try:
        act()
        conversation.problem = ""
    except RagError as exc:
        logger.warning("a conversation cannot be kept: %s", exc)
        conversation.problem = f"It is not kept: {exc.message} {exc.hint}".strip()
    except ValueError:  # fewer turns are kept than this page has
        conversation.problem = "It is not kept as it stands here: another window has changed it. Load the page again."
