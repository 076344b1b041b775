"""SQLite: the truth about documents, their versions, passages and vectors.

Everything else in the index folder is derived from it. Each change is one transaction, with a line in a journal: by its
generations the derived indexes and other processes see what came and went since they looked last. Only conversations, which
are kept in the same file, change nothing of that.
(conversations: those of the page, each of one browser; filtering: which documents are meant; schema: the tables and every
step to them; store: connections, transactions, locks; saving: the library as one file; repair: what can be saved of a
damaged one; grafting: a first page for one that lost it.)
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rag.duplicates import bands, body, signature
from rag.errors import DocumentMissing, LibraryMismatch
from rag.library.conversations import Conversations
from rag.library.filtering import checked, condition, described, parts, selection
from rag.library.saving import backup, restore
from rag.library.schema import MIGRATIONS, migrate
from rag.library.store import Store, is_writable, note_change, put_in_place
from rag.types import EVERYTHING, Document, Filter, Paragraph, Passage

__all__ = [
    "MIGRATIONS",
    "Changes",
    "Item",
    "Library",
    "StoredPassage",
    "is_writable",
    "migrate",
    "put_bands",
    "put_in_place",
    "restore",
]

Item = tuple[Document, Sequence[Passage], np.ndarray]
"""A document with its passages, and their vectors as an array of floats, shape (n_passages, d)."""


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage of a document's current version, by the id that the derived indexes use."""

    id: int
    document: Document
    passage: Passage

    @property
    def text(self) -> str:
        """Of the paragraph."""
        return self.document.text[self.passage.paragraph.start : self.passage.paragraph.end]

    @property
    def searched(self) -> str:
        """What the indexes read."""
        return self.document.text[self.passage.start : self.passage.end]


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened to the passages since a generation.

    Attributes:
        generation: the present one.
        last: the highest passage id of the earlier generation; passages that were added since have higher ones.
        gone: ids of passages that are gone, among those up to `last` (int64).
    """

    generation: int
    last: int
    gone: np.ndarray


class Library:
    """The documents of one index folder. Safe to use from several threads and several processes."""

    def __init__(self, folder: Path) -> None:
        """Opens the library, making or migrating it as needed; see `Store` for what is raised."""
        self.folder = folder
        self._store = Store(folder)
        self._rows = self._store.rows
        self.reading, self.writing = self._store.reading, self._store.writing
        self.conversations = Conversations(self._store)

    def close(self) -> None:
        """Closes every thread's connection; the library cannot be used afterwards."""
        self._store.close()

    # --- reading ---------------------------------------------------------------------------------------------------

    @property
    def generation(self) -> int:
        """Another number after every change by any process; 0 before the first."""
        rows = self._rows("SELECT generation FROM journal ORDER BY n DESC LIMIT 1")
        return int(rows[0][0]) if rows else 0

    def changes(self, since: int) -> Changes | None:
        """Returns what happened since a generation; None if it was never one of this library, or is forgotten."""
        with self.reading():
            rows = self._rows("SELECT n, last FROM journal WHERE generation = ?", (since,))
            if not rows:
                return None
            n, last = rows[0]
            gone = self._rows("SELECT passage FROM gone WHERE n > ? AND passage <= ?", (n, last))
            return Changes(self.generation, last, _ids(gone))

    @property
    def embedding_model(self) -> str:
        """The model whose vectors are stored; "" before the first document."""
        rows = self._rows("SELECT value FROM meta WHERE key = 'embedding_model'")
        return rows[0][0] if rows else ""

    def documents(self, filter: Filter = EVERYTHING) -> tuple[Document, ...]:
        """Returns the documents that a filter selects in their current versions, oldest first."""
        selected, values = condition(filter, "d.id")
        rows = self._rows(f"{DOCUMENTS} AND v.version = d.version AND {selected} ORDER BY d.added_at, d.rowid", values)
        return tuple(Document(*row) for row in rows)

    def versions(self, filter: Filter = EVERYTHING) -> dict[str, str]:
        """Returns the current version of each document that a filter selects by its id, oldest document first."""
        selected, values = condition(filter, "id")
        return dict(self._rows(f"SELECT id, version FROM documents WHERE {selected} ORDER BY rowid", values))

    def sources(self) -> dict[str, str]:
        """Returns the id of each document by its source."""
        return dict(self._rows("SELECT source, id FROM documents"))

    def count(self) -> tuple[int, int]:
        """Returns the numbers of documents and of their paragraphs."""
        # Of a document the last passage belongs to the last paragraph.
        last = "(SELECT number FROM passages WHERE document = d.id ORDER BY id DESC LIMIT 1)"
        ((n_documents, n_paragraphs),) = self._rows(f"SELECT count(*), coalesce(sum({last}), 0) FROM documents d")
        return n_documents, n_paragraphs

    def document(self, document: str, version: str | None = None) -> Document:
        """Returns a document in its current version, or in an older one.

        Raises:
            DocumentMissing: it was removed, or never had this version.
        """
        rows = self._rows(DOCUMENTS + " AND d.id = ? AND v.version = coalesce(?, d.version)", (document, version))
        if not rows:
            which = f"document {document!r}" + (f" in version {version[:12]}" if version else "")
            raise DocumentMissing(f"The library does not hold {which}.", "It was removed, or never added: rag list")
        return Document(*rows[0])

    def passages(self, ids: Sequence[int]) -> Iterator[StoredPassage]:
        """Yields the passages with these ids, by id; those that are gone are left out."""
        with self.reading():
            rows = self._rows(f"{_PASSAGES} WHERE p.id IN {_LISTED} ORDER BY p.id", (json.dumps([int(i) for i in ids]),))
            # In one query: a search reads some ninety documents.
            listed = json.dumps(list({document for *_, document in rows}))
            texts = self._rows(f"{DOCUMENTS} AND v.version = d.version AND d.id IN {_LISTED}", (listed,))
        documents = {text[0]: Document(*text) for text in texts}
        yield from (_stored(row, documents[row[-1]]) for row in rows if row[-1] in documents)

    def passages_after(self, last: int = 0) -> Iterator[StoredPassage]:
        """Yields all passages with a higher id, by id; to be read to its end within `reading`."""
        while rows := self._rows(f"{_PASSAGES} WHERE p.id > ? ORDER BY p.id LIMIT {_CHUNK}", (last,)):
            yield from self._read(rows)
            last = rows[-1][0]

    def vectors(self, ids: Sequence[int]) -> dict[int, np.ndarray]:
        """Returns the vectors (float32, shape (d,)) of the passages with these ids that are there."""
        rows = self._rows(f"SELECT id, vector FROM vectors WHERE id IN {_LISTED}", (json.dumps([int(i) for i in ids]),))
        return {identity: _half(vector).astype(np.float32) for identity, vector in rows}

    def vectors_after(self, last: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yields ids (int64, shape (n,)) and vectors (float32, shape (n, d)) of all passages with a higher id, by id.

        In pieces of some ten thousand; to be read to its end within `reading`.
        """
        while rows := self._rows(f"SELECT id, vector FROM vectors WHERE id > ? ORDER BY id LIMIT {_CHUNK}", (last,)):
            vectors = _half(b"".join(vector for _, vector in rows)).reshape(len(rows), -1)
            yield _ids(rows), vectors.astype(np.float32)
            last = rows[-1][0]

    def passage_ids(self, documents: Iterable[str]) -> np.ndarray:
        """Returns the ids (int64) of the passages of these documents."""
        return _ids(self._rows(f"SELECT id FROM passages WHERE document IN {_LISTED}", (json.dumps(list(documents)),)))

    def selected(self, filter: Filter) -> np.ndarray | None:
        """Returns the ids (int64, ascending) of the passages of what a filter selects; None for all."""
        if filter == EVERYTHING:
            return None
        selected, values = condition(filter, "document")
        # As one text: of 60,000 ids as rows of their own, the query took twice as long.
        ((ids,),) = self._rows(f"SELECT json_group_array(id) FROM passages WHERE {selected}", values)
        return np.sort(np.array(json.loads(ids), np.int64))

    def check(self, filter: Filter) -> Filter:
        """Returns a filter in the form in which the other methods take it.

        Raises:
            FilterError: it has a value that cannot be used.
            DocumentMissing: one of its documents is not in the library.
        """
        filter = checked(filter)
        missing = "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT id FROM documents) LIMIT 1"
        for (identity,) in self._rows(missing, (json.dumps(filter.documents or ()),)):
            self.document(identity)  # which is missing
        return filter

    def missed(self, filter: Filter) -> str:
        """Returns what is to be said of a filter that selects no document; "" if it selects one."""
        if filter == EVERYTHING or self._selects(filter):
            return ""
        empty = [described(part) for part in parts(filter) if not self._selects(part)]
        if empty:
            return f"The filter “{'; '.join(empty)}” selects no document."
        return f"The filter “{described(filter)}” selects no document, although each part of it selects some."

    def _selects(self, filter: Filter) -> bool:
        sql, values = selection(filter)
        return bool(self._rows(f"{sql} LIMIT 1", values))

    def n_passages(self) -> int:
        """Returns how many passages there are."""
        return int(self._rows("SELECT count(*) FROM passages")[0][0])

    def alike(self, document: str) -> tuple[str, ...]:
        """Returns the ids of older documents that may tell the same story, the likeliest first; at most 8."""
        counts: Counter[str] = Counter()
        for (key,) in self._rows("SELECT key FROM bands WHERE document = ?", (document,)):
            counts.update(other for (other,) in self._rows(_OLDER_IN_BAND, (key, document)))
        return tuple(other for other, _ in counts.most_common(_MAX_ALIKE))

    def body(self, document: str) -> str:
        """Returns the paragraphs of a document's current version as one text, without its furniture."""
        sql = 'SELECT DISTINCT number, start, "end" FROM passages WHERE document = ? ORDER BY number'
        return body(self.document(document), (Paragraph(*row) for row in self._rows(sql, (document,))))

    def folders(self) -> tuple[str, ...]:
        """Returns the folders that were added."""
        return tuple(row[0] for row in self._rows("SELECT path FROM folders ORDER BY path"))

    def removed(self) -> frozenset[str]:
        """Returns the ids of documents that were removed and not added again."""
        return frozenset(row[0] for row in self._rows("SELECT document FROM removed"))

    def examples(self) -> dict[str, tuple[str, ...]]:
        """Returns example questions by document id, newest document first."""
        sql = "SELECT d.id, e.question FROM documents d LEFT JOIN examples e ON e.document = d.id ORDER BY d.rowid DESC"
        found: dict[str, tuple[str, ...]] = {}
        for document, question in self._rows(sql):
            found[document] = (*found.get(document, ()), *([question] if question else []))
        return found

    def questions(self, filter: Filter = EVERYTHING) -> tuple[str, ...]:
        """Returns an example question for each document that a filter selects and that has one, newest document first."""
        selected, values = condition(filter, "d.id")
        # From the few that there are: a page asks each second, and most documents have none.
        rows = self._rows(
            "SELECT min(e.question) FROM examples e CROSS JOIN documents d ON d.id = e.document "
            f"WHERE {selected} GROUP BY d.rowid ORDER BY d.rowid DESC",
            values,
        )
        return tuple(question for (question,) in rows)

    # --- writing ---------------------------------------------------------------------------------------------------

    def bind(self, embedding_model: str) -> None:
        """Checks that vectors of this model may be stored and searched here.

        Raises:
            LibraryMismatch: the stored vectors are another model's.
        """
        stored = self.embedding_model
        if stored and stored != embedding_model and self._rows("SELECT 1 FROM documents LIMIT 1"):
            raise LibraryMismatch(
                f"The library in {self.folder} was built with the embedding model {stored!r}, "
                f"but the settings say {embedding_model!r}.",
                f"Set embedding_model to {stored!r}, or run: rag rebuild",
            )

    def put(self, items: Iterable[Item], embedding_model: str, *, anew: bool = False, staged: Iterable[bytes] = ()) -> None:
        """Stores documents in one transaction; a document that is there already gets these as its current version.

        Args:
            embedding_model: the model of the vectors.
            anew: True if these are all documents, so that every derived index is to be built anew; the stage is empty then.
            staged: keys of the vectors that leave the stage. Others stay: a rebuild that was stopped may still need them.
        """
        with self._change(anew) as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('embedding_model', ?)", (embedding_model,))
            for document, passages, vectors in items:
                _put_document(connection, document)
                connection.execute("DELETE FROM passages WHERE document = ?", (document.id,))
                connection.execute("DELETE FROM examples WHERE document = ?", (document.id,))
                put_bands(connection, document, passages)
                _put_passages(connection, document.id, passages, vectors)
            if anew:
                connection.execute("DELETE FROM staged")
            connection.executemany("DELETE FROM staged WHERE key = ?", ((key,) for key in staged))
            connection.execute(f"{_UNMARK} AND NOT EXISTS (SELECT 1 FROM staged)")

    def remove(self, ids: Iterable[str]) -> None:
        """Removes documents with all their versions, passages and vectors, in one transaction."""
        rows = [(identity,) for identity in ids]
        with self._change() as connection:
            connection.executemany("DELETE FROM documents WHERE id = ?", rows)
            connection.executemany("INSERT OR IGNORE INTO removed VALUES (?)", rows)

    def move(self, sources: Mapping[str, str]) -> None:
        """Gives documents, by id, new sources: their files were renamed. Their passages stay as they are."""
        with self._change() as connection:
            connection.executemany("UPDATE documents SET source = ? WHERE id = ?", [(to, i) for i, to in sources.items()])

    def add_folders(self, paths: Iterable[str]) -> None:
        """Remembers folders that were added. Those that are known already change nothing."""
        if new := set(paths) - set(self.folders()):
            with self._change() as connection:
                connection.executemany("INSERT OR IGNORE INTO folders VALUES (?)", ((p,) for p in sorted(new)))

    def set_examples(self, document: str, questions: Iterable[str]) -> None:
        """Stores example questions for a document; no change of generation. A removed document is passed over."""
        sql = "INSERT OR IGNORE INTO examples SELECT id, ? FROM documents WHERE id = ?"
        self._store.write(sql, [(question, document) for question in questions])

    def stage(self, vectors: Mapping[bytes, np.ndarray]) -> None:
        """Keeps vectors until their documents are put, so that after a crash they need not be computed again.

        Args:
            vectors: by a key that tells text and model.
        """
        rows = [(key, vector.astype(np.float16).tobytes()) for key, vector in vectors.items()]
        with self._store.transaction() as connection:
            connection.executemany("INSERT OR IGNORE INTO staged VALUES (?, ?)", rows)
            connection.execute("INSERT OR IGNORE INTO meta VALUES ('staged_since', strftime('%s', 'now'))")

    def drop_stale(self) -> None:
        """Empties the stage if it has not been empty for a week: what is left there may never be wanted again."""
        stale = f"abs(strftime('%s', 'now') - CAST(value AS INTEGER)) > {_STALE_SECONDS}"  # a clock may have been wrong once
        if self._rows(f"SELECT 1 FROM meta WHERE key = 'staged_since' AND {stale}"):
            with self._store.transaction() as connection:
                connection.execute("DELETE FROM staged")
                connection.execute(_UNMARK)

    def staged(self, keys: Iterable[bytes]) -> dict[bytes, np.ndarray]:
        """Returns the staged vectors (float32, shape (d,)) that are there for these keys."""
        listed = json.dumps([key.hex() for key in keys])
        rows = self._rows("SELECT key, vector FROM staged WHERE lower(hex(key)) IN " + _LISTED, (listed,))
        return {key: _half(vector).astype(np.float32) for key, vector in rows}

    def backup(self, file: Path, *, force: bool = False) -> int:
        """Writes the library into one file; see `rag.library.saving.backup`."""
        return backup(self._store, file, force=force)

    # --- inside ----------------------------------------------------------------------------------------------------

    def _read(self, rows: Iterable[_Row]) -> Iterator[StoredPassage]:
        """Yields passages one after another; a text is read once for all its passages, and only one is held."""
        document = None
        for row in rows:
            *_, identity = row
            if document is None or document.id != identity:
                try:
                    document = self.document(identity)
                except DocumentMissing:
                    continue
            yield _stored(row, document)

    @contextlib.contextmanager
    def _change(self, anew: bool = False) -> Iterator[sqlite3.Connection]:
        """A transaction that ends with a line in the journal."""
        with self._store.transaction() as connection:
            yield connection
            note_change(connection, anew=anew)


_Row = tuple[int, int, int, int, int, int, str]  # as _PASSAGES has it


def _stored(row: _Row, document: Document) -> StoredPassage:
    identity, number, start, end, searched_start, searched_end, _ = row
    return StoredPassage(identity, document, Passage(Paragraph(number, start, end), searched_start, searched_end))


def _put_document(connection: sqlite3.Connection, document: Document) -> None:
    connection.execute("DELETE FROM removed WHERE document = ?", (document.id,))
    connection.execute(
        "INSERT INTO documents (id, version, source) VALUES (?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET version = excluded.version",
        (document.id, document.version, document.source),
    )
    connection.execute(
        f"INSERT OR REPLACE INTO versions (document, {', '.join(_OF_VERSION)}) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (document.id, *(getattr(document, name) for name in _OF_VERSION)),
    )


def put_bands(connection: sqlite3.Connection, document: Document, passages: Sequence[Passage]) -> None:
    """Stores the keys by which a document is found among those alike."""
    keys = bands(signature(body(document, dict.fromkeys(passage.paragraph for passage in passages))))
    connection.execute("DELETE FROM bands WHERE document = ?", (document.id,))
    connection.executemany("INSERT OR IGNORE INTO bands VALUES (?, ?)", ((document.id, key) for key in keys))


def _put_passages(connection: sqlite3.Connection, document: str, passages: Sequence[Passage], vectors: np.ndarray) -> None:
    for passage, vector in zip(passages, vectors, strict=True):
        paragraph = passage.paragraph
        added = connection.execute(
            'INSERT INTO passages (document, number, start, "end", searched_start, searched_end) VALUES (?, ?, ?, ?, ?, ?)',
            (document, paragraph.number, paragraph.start, paragraph.end, passage.start, passage.end),
        )
        connection.execute("INSERT INTO vectors VALUES (?, ?)", (added.lastrowid, vector.astype(np.float16).tobytes()))


def _ids(rows: Sequence[Sequence[object]]) -> np.ndarray:
    return np.array([row[0] for row in rows], np.int64)


def _half(stored: bytes) -> np.ndarray:
    return np.frombuffer(stored, np.float16)


_STALE_SECONDS = 7 * 24 * 3600
_UNMARK = "DELETE FROM meta WHERE key = 'staged_since'"
_MAX_ALIKE = 8
_OF_VERSION = ("version", "title", "date", "text", "language", "layout")
_CHUNK = 20_000  # rows that are read at a time
DOCUMENTS = (
    "SELECT d.id, v.version, v.title, d.source, v.date, v.text, v.language, v.layout "
    "FROM documents d JOIN versions v ON v.document = d.id WHERE 1"
)
_PASSAGES = 'SELECT p.id, p.number, p.start, p."end", p.searched_start, p.searched_end, p.document FROM passages p'
# One value in place of a list of them, whose number SQLite limits to 32,766.
_LISTED = "(SELECT value FROM json_each(?))"
# A key that more documents have is one of a form that is filled in anew each day: what tells them apart are the other keys.
_OLDER_IN_BAND = (
    "SELECT b.document FROM bands b JOIN documents d ON d.id = b.document "
    "WHERE b.key = ? AND d.rowid < (SELECT rowid FROM documents WHERE id = ?) LIMIT 200"
)
