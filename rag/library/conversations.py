"""Conversations of the page: kept, listed, searched, rated, forgotten.

Each browser has its own. They change nothing that is searched for answers, so they leave no line in the journal; and each
change is a transaction of its own that does not wait for the writers' lock, which adding holds for minutes.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import itertools
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from rag.errors import ConversationChanged, ConversationError, ConversationMissing, LibraryError
from rag.library.store import Store

_MAX_LISTED = 500
_MAX_TITLE = 200  # characters
_MAX_COMMENT = 10_000  # characters


@dataclass(frozen=True, slots=True)
class Listed:
    """A conversation as it is listed.

    Attributes:
        updated_at: when a turn was last put, and so its revision; ISO 8601 with microseconds, in UTC.
    """

    id: str
    title: str
    updated_at: str
    n_turns: int


@dataclass(frozen=True, slots=True)
class KeptTurn:
    """A question with what was said to it.

    Attributes:
        content: JSON, whose form the page knows.
        rating: 1 for a thumb up, -1 for one down, 0 for none.
    """

    content: str
    rating: int
    comment: str


class Conversations:
    """The conversations in a library's file.

    Every method takes the reader, the random token of a browser, and sees the conversations of that one only: another's is
    as one that is not there. The file has a digest of the token, by which nobody can pass for that browser. Half characters
    are kept as question marks.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def listed(self, reader: str, words: str = "") -> tuple[Listed, ...]:
        """Returns up to 500 conversations, the newest change first.

        Args:
            words: those only that have each of these in their title or in a text of a turn; small letters or capitals.
        """
        wanted = set(words.casefold().split())
        with self._store.reading():
            rows = self._store.rows(_LISTED, (_digest(reader), -1 if wanted else _MAX_LISTED))
            found = (one for one in itertools.starmap(Listed, rows) if self._has(one, wanted))
            return tuple(itertools.islice(found, _MAX_LISTED))

    def turns(self, reader: str, id: str) -> tuple[KeptTurn, ...]:
        """Returns the turns of a conversation, the first one first.

        Raises:
            ConversationMissing: there is none with this id.
        """
        rows = self._store.rows(_TURNS, (_whole(id), _digest(reader)))
        if not rows:
            raise _missing(id)
        return tuple(itertools.starmap(KeptTurn, rows))

    def about(self, reader: str, id: str) -> Listed:
        """Returns a conversation as it is listed.

        Raises:
            ConversationMissing: there is none with this id.
        """
        rows = self._store.rows(_ABOUT, (_whole(id), _digest(reader)))
        if not rows:
            raise _missing(id)
        return Listed(*rows[0])

    def put(
        self, reader: str, id: str, number: int, content: str, title: str, *, revision: str | None = None, anew: bool = False
    ) -> str:
        """Stores a turn; one that has this number gets the content, and keeps its rating unless it is put `anew`.

        Args:
            number: from 1, at most one more than there are turns.
            content: JSON; of it the texts that a reader sees are searched.
            title: of a conversation that is begun, or whose first turn is put anew; see `rename`.
            revision: what `put` returned last, or `Listed.updated_at`; "" for a conversation that is begun. None puts it
                whatever others have put.
            anew: it is another turn: the old one's rating and all turns after it are forgotten, in the same transaction.

        Returns:
            The revision from now on.

        Raises:
            ConversationChanged: it has another revision.
            ConversationMissing: the id is another reader's, or the conversation was deleted since its first turn was stored.
            ConversationError: the title is empty.
            ValueError: there is no turn before this one.
        """
        id, now = _whole(id), _now()
        with self._store.transaction() as connection:
            _check(connection, reader, id, revision)
            begun = connection.execute(_BEGIN, (id, _digest(reader), _title(title), now, now))
            sql = "SELECT coalesce(max(number), 0) FROM turns WHERE conversation = ?"
            ((n_turns,),) = connection.execute(sql, (id,))
            if not begun.rowcount or (not n_turns and number > 1):
                raise _missing(id)
            if not 1 <= number <= n_turns + 1:
                raise ValueError(f"turn {number} cannot be stored: the conversation has {n_turns}")
            if anew:
                connection.execute("DELETE FROM turns WHERE conversation = ? AND number >= ?", (id, number))
            if anew and number == 1:
                connection.execute("UPDATE conversations SET title = ? WHERE id = ?", (_title(title), id))
            connection.execute(_PUT, (id, number, _whole(content)))
        if anew and number <= n_turns:
            self._wipe()
        return now

    def rename(self, reader: str, id: str, title: str) -> str:
        """Gives a conversation another title, in one line and cut to 200 characters; returns it as it is kept.

        Raises:
            ConversationMissing: there is none with this id.
            ConversationError: the title is empty.
        """
        kept = _title(title)
        self._change(f"UPDATE conversations SET title = ? WHERE {_OWN}", (kept,), reader, id)
        return kept

    def delete(self, reader: str, id: str) -> None:
        """Forgets a conversation; nothing of it stays in the file, or in its log if nobody reads meanwhile.

        Raises:
            ConversationMissing: there is none with this id.
        """
        self._change(f"DELETE FROM conversations WHERE {_OWN}", (), reader, id)
        self._wipe()

    def rate(
        self, reader: str, id: str, number: int, rating: int, comment: str = "", *, revision: str | None = None
    ) -> None:
        """Rates a turn; a rating and comment that it has are replaced.

        Args:
            rating: 1, -1, or 0 to take a rating back.
            revision: as of `put`.

        Raises:
            ConversationChanged: as of `put`.
            ConversationMissing: there is none with this id, or it has no such turn.
            ConversationError: the comment has more than 10,000 characters. It is not cut: whoever wrote it would not know.
            ValueError: another rating.
        """
        if rating not in (-1, 0, 1):
            raise ValueError(f"rating is {rating!r}; expected 1, 0 or -1")
        comment = _whole(comment.strip())
        if len(comment) > _MAX_COMMENT:
            said = f"The comment has {len(comment):,} characters; at most {_MAX_COMMENT:,} are kept."
            raise ConversationError(said, "Shorten it.")
        self._change(_RATE, (rating, comment, number), reader, id, number, revision)

    def _change(
        self, sql: str, values: tuple[object, ...], reader: str, id: str, number: int = 0, revision: str | None = None
    ) -> None:
        """Runs a statement whose last two values are a conversation's id and its reader's digest."""
        with self._store.transaction() as connection:
            _check(connection, reader, _whole(id), revision)
            if not connection.execute(sql, (*values, _whole(id), _digest(reader))).rowcount:
                raise _missing(id, number)

    def _wipe(self) -> None:
        """Takes what was forgotten out of the log too."""
        with contextlib.suppress(LibraryError):  # it is forgotten all the same
            self._store.empty_log()

    def _has(self, conversation: Listed, wanted: set[str]) -> bool:
        """True if each word is in a conversation's title or in a text of its turns."""
        missing = {word for word in wanted if word not in conversation.title.casefold()}
        if missing:
            for (content,) in self._store.rows("SELECT content FROM turns WHERE conversation = ?", (conversation.id,)):
                text = _texts(content)
                missing = {word for word in missing if word not in text}
        return not missing


def _check(connection: sqlite3.Connection, reader: str, id: str, revision: str | None) -> None:
    """Raises ConversationChanged or ConversationMissing if a conversation has not this revision."""
    if revision is None:
        return
    rows = connection.execute(f"SELECT updated_at FROM conversations WHERE {_OWN}", (id, _digest(reader))).fetchall()
    if revision and not rows:
        raise _missing(id)
    if rows and rows[0][0] != revision:
        said = f"The conversation {id!r} was changed in another window."
        raise ConversationChanged(said, "Open it again to see what was asked there.")


def _texts(content: str) -> str:
    """Returns the texts in a turn's content, in small letters: without the names of its fields, which each turn has."""
    try:
        return "\n".join(_walk(json.loads(content))).casefold()
    except ValueError:  # of a damaged file
        return content.casefold()


def _walk(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        parts = [value[name] for name in value if name not in _UNSEEN] if isinstance(value, dict) else value
        for part in parts:
            yield from _walk(part)


def _digest(reader: str) -> str:
    if not reader:
        raise ValueError("the reader is empty: all browsers without a token would share their conversations")
    return hashlib.sha256(reader.encode("utf-8", "surrogatepass")).hexdigest()


def _title(title: str) -> str:
    kept = " ".join(_whole(title).split())[:_MAX_TITLE].rstrip()
    if not kept:
        raise ConversationError("The title is empty.", "Give the conversation one of at least one letter.")
    return kept


def _whole(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")


def _missing(id: str, number: int = 0) -> ConversationMissing:
    what = f"turn {number} in a conversation {id!r}" if number else f"conversation {id!r}"
    return ConversationMissing(f"There is no {what}.", "It was deleted, perhaps in another window: begin a new one.")


_UNSEEN = frozenset({"hits", "evidence", "citations", "status", "signals", "timings"})
"""Fields of a turn with what nobody asked or was answered: else the name of every cited file would be found."""

_OWN = "id = ? AND reader = ?"
_SELECT = "SELECT id, title, updated_at, (SELECT count(*) FROM turns WHERE conversation = c.id) FROM conversations c"
_LISTED = f"{_SELECT} WHERE reader = ? ORDER BY updated_at DESC, rowid DESC LIMIT ?"
_ABOUT = f"{_SELECT} WHERE {_OWN}"
_TURNS = (
    "SELECT t.content, t.rating, t.comment FROM conversations c JOIN turns t ON t.conversation = c.id "
    f"WHERE {_OWN} ORDER BY t.number"
)
# Of another reader's conversation no row is changed.
_BEGIN = (
    "INSERT INTO conversations (id, reader, title, created_at, updated_at) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (id) DO UPDATE SET updated_at = excluded.updated_at WHERE reader = excluded.reader"
)
_PUT = (
    "INSERT INTO turns (conversation, number, content) VALUES (?, ?, ?) "
    "ON CONFLICT (conversation, number) DO UPDATE SET content = excluded.content"
)
_RATE = (
    "UPDATE turns SET rating = ?, comment = ? WHERE number = ? "
    f"AND conversation = (SELECT id FROM conversations WHERE {_OWN})"
)
