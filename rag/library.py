"""SQLite: the truth about documents, their versions, paragraphs and vectors.

Everything else in the index folder is derived from it. Each write is one transaction that also raises the library's
generation, by which the derived indexes and other processes see that something changed.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import sqlite3
import threading
import weakref
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rag.duplicates import bands, body, signature
from rag.errors import DocumentMissing, LibraryError, LibraryMismatch, LibraryNewer, LibraryReadOnly
from rag.types import Document, Paragraph

MIGRATIONS: tuple[str, ...] = (
    # 1: documents with their versions, paragraphs with their vectors
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    INSERT INTO meta VALUES ('generation', '0');
    CREATE TABLE documents (
        id TEXT PRIMARY KEY, version TEXT NOT NULL, source TEXT NOT NULL,
        added_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP) STRICT;
    CREATE TABLE versions (
        document TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        version TEXT NOT NULL, title TEXT NOT NULL, date TEXT NOT NULL, text TEXT NOT NULL,
        PRIMARY KEY (document, version)) STRICT;
    CREATE TABLE paragraphs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice, so that a derived index can compare ids
        document TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        number INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL, vector BLOB NOT NULL) STRICT;
    CREATE INDEX paragraphs_of_document ON paragraphs (document);
    """,
    # 2: the folders that were added, so that a rebuild finds new articles in them
    "CREATE TABLE folders (path TEXT PRIMARY KEY) STRICT;",
    # 3: questions that a document can be asked, shown as examples
    """
    CREATE TABLE examples (
        document TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        question TEXT NOT NULL, PRIMARY KEY (document, question)) STRICT;
    """,
    # 4: documents that were removed, so that a rebuild does not bring them back from a folder that was added
    "CREATE TABLE removed (document TEXT PRIMARY KEY) STRICT;",
    # 5: keys by which nearly equal documents are found; in the index on them the documents are found without the table
    """
    CREATE TABLE bands (
        document TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        key INTEGER NOT NULL, PRIMARY KEY (document, key)) STRICT, WITHOUT ROWID;
    CREATE INDEX bands_by_key ON bands (key);
    """,
)


@dataclass(frozen=True, slots=True)
class StoredParagraph:
    """A paragraph of a document's current version, by the id that the derived indexes use."""

    id: int
    document: Document
    paragraph: Paragraph

    @property
    def text(self) -> str:
        return self.document.text[self.paragraph.start : self.paragraph.end]


class Library:
    """The documents of one index folder. Safe to use from several threads and several processes."""

    def __init__(self, folder: Path) -> None:
        """Opens the library, making or migrating it as needed.

        Raises:
            LibraryReadOnly: the folder cannot be made or written to.
            LibraryNewer: a newer version of this program wrote it.
            LibraryError: the file is not a library or is damaged.
        """
        self.folder = folder
        self._path = folder / "library.sqlite"
        self._local = threading.local()
        self._held: weakref.WeakSet[_Held] = weakref.WeakSet()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # Readers do without the lock: a process that adds articles may hold it for minutes.
            if self._schema_version() != len(MIGRATIONS):
                with self.writing():
                    migrate(self._connection())
        except OSError as exc:
            raise self._read_only(exc) from exc
        except sqlite3.Error as exc:
            raise self._translated(exc) from exc

    def close(self) -> None:
        """Closes every thread's connection; the library cannot be used afterwards."""
        for held in tuple(self._held):
            held.connection.close()

    # --- reading ---------------------------------------------------------------------------------------------------

    @property
    def generation(self) -> int:
        """Raised by every write of any process."""
        return int(self._meta("generation") or 0)

    @property
    def indexed(self) -> int | None:
        """The generation whose paragraphs the word index took over last; None if it never did."""
        stored = self._meta("indexed")
        return int(stored) if stored else None

    @property
    def embedding_model(self) -> str:
        """The model whose vectors are stored; "" before the first document."""
        return self._meta("embedding_model") or ""

    def documents(self) -> tuple[Document, ...]:
        """Returns all documents in their current versions, oldest first."""
        rows = self._rows(_DOCUMENTS + " AND v.version = d.version ORDER BY d.added_at, d.rowid")
        return tuple(Document(*row) for row in rows)

    def versions(self) -> dict[str, str]:
        """Returns the current version of each document by its id, oldest document first."""
        return dict(self._rows("SELECT id, version FROM documents ORDER BY rowid"))

    def count(self) -> tuple[int, int]:
        """Returns the numbers of documents and paragraphs."""
        sql = "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM paragraphs)"
        ((n_documents, n_paragraphs),) = self._rows(sql)
        return n_documents, n_paragraphs

    def document(self, document: str, version: str | None = None) -> Document:
        """Returns a document in its current version, or in an older one.

        Raises:
            DocumentMissing: it was removed, or never had this version.
        """
        rows = self._rows(_DOCUMENTS + " AND d.id = ? AND v.version = coalesce(?, d.version)", (document, version))
        if not rows:
            which = f"document {document!r}" + (f" in version {version[:12]}" if version else "")
            raise DocumentMissing(f"The library does not hold {which}.", "It was removed, or never added: rag list")
        return Document(*rows[0])

    def stored_paragraphs(self, ids: Sequence[int] | None = None) -> Iterator[StoredParagraph]:
        """Yields the paragraphs with these ids, or all, in an order of its own; ids that are gone are left out."""
        sql = _PARAGRAPHS if ids is None else f"{_PARAGRAPHS} AND p.id IN {_LISTED}"
        rows = self._rows(sql + " ORDER BY p.id", () if ids is None else (json.dumps([int(i) for i in ids]),))
        document = None
        for identity, number, start, end, *key in rows:
            # A text is read once for all its paragraphs; that of a version never changes, it can only be gone.
            if document is None or [document.id, document.version] != key:
                try:
                    document = self.document(*key)
                except DocumentMissing:
                    continue
            yield StoredParagraph(identity, document, Paragraph(number, start, end))

    def vectors(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns the ids (int64, shape (n,)) and vectors (float32, shape (n, d)) of all paragraphs."""
        rows = self._rows("SELECT id, vector FROM paragraphs ORDER BY id")
        ids = np.fromiter((row[0] for row in rows), np.int64, len(rows))
        vectors = np.frombuffer(b"".join(row[1] for row in rows), np.float32)
        return ids, vectors.reshape(len(rows), -1) if len(rows) else vectors.reshape(0, 0)

    def paragraph_ids(self, documents: Iterable[str] | None = None) -> np.ndarray:
        """Returns the ids (int64) of the paragraphs of these documents, or of all."""
        if documents is None:
            rows = self._rows("SELECT id FROM paragraphs")
        else:
            rows = self._rows(f"SELECT id FROM paragraphs WHERE document IN {_LISTED}", (json.dumps(list(documents)),))
        return np.array([row[0] for row in rows], np.int64)

    def alike(self, document: str) -> tuple[str, ...]:
        """Returns the ids of older documents that may tell the same story, the likeliest first; at most 8."""
        counts: Counter[str] = Counter()
        for (key,) in self._rows("SELECT key FROM bands WHERE document = ?", (document,)):
            counts.update(other for (other,) in self._rows(_OLDER_IN_BAND, (key, document)))
        return tuple(other for other, _ in counts.most_common(_MAX_ALIKE))

    def body(self, document: str) -> str:
        """Returns the paragraphs of a document's current version as one text, without its furniture."""
        rows = self._rows('SELECT number, start, "end" FROM paragraphs WHERE document = ? ORDER BY number', (document,))
        return body(self.document(document), (Paragraph(*row) for row in rows))

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

    # --- writing ---------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def writing(self, *, wait: bool = True) -> Iterator[bool]:
        """Holds the lock that all writers of all processes share; yields False if it is taken and `wait` is False.

        Raises:
            LibraryReadOnly: the folder cannot be written to.
        """
        try:
            file = open(self.folder / ".lock", "w")  # noqa: SIM115  closed below
        except OSError as exc:
            raise self._read_only(exc) from exc
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
            else:
                yield True

    def bind(self, embedding_model: str) -> None:
        """Checks that vectors of this model may be stored and searched here.

        Raises:
            LibraryMismatch: the stored vectors are another model's.
        """
        stored = self.embedding_model
        if stored and stored != embedding_model and self.count()[0]:
            raise LibraryMismatch(
                f"The library in {self.folder} was built with the embedding model {stored!r}, "
                f"but the settings say {embedding_model!r}.",
                f"Set embedding_model to {stored!r}, or run: rag rebuild",
            )

    def put(self, items: Sequence[tuple[Document, Sequence[Paragraph], np.ndarray]], embedding_model: str) -> None:
        """Stores documents in one transaction; a document that is there already gets these as its current version.

        Args:
            items: documents with their paragraphs and a float32 array of shape (n_paragraphs, d).
            embedding_model: the model of the vectors.
        """
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('embedding_model', ?)", (embedding_model,))
            for document, paragraphs, vectors in items:
                connection.execute("DELETE FROM removed WHERE document = ?", (document.id,))
                connection.execute(
                    "INSERT INTO documents (id, version, source) VALUES (?, ?, ?) "
                    "ON CONFLICT (id) DO UPDATE SET version = excluded.version",
                    (document.id, document.version, document.source),
                )
                connection.execute(
                    "INSERT OR REPLACE INTO versions VALUES (?, ?, ?, ?, ?)",
                    (document.id, document.version, document.title, document.date, document.text),
                )
                connection.execute("DELETE FROM paragraphs WHERE document = ?", (document.id,))
                connection.execute("DELETE FROM examples WHERE document = ?", (document.id,))
                _put_bands(connection, document, paragraphs)
                connection.executemany(
                    'INSERT INTO paragraphs (document, number, start, "end", vector) VALUES (?, ?, ?, ?, ?)',
                    (
                        (document.id, p.number, p.start, p.end, np.ascontiguousarray(v, np.float32).tobytes())
                        for p, v in zip(paragraphs, vectors, strict=True)
                    ),
                )

    def remove(self, ids: Iterable[str]) -> None:
        """Removes documents with all their versions, paragraphs and vectors, in one transaction."""
        rows = [(identity,) for identity in ids]
        with self._transaction() as connection:
            connection.executemany("DELETE FROM documents WHERE id = ?", rows)
            connection.executemany("INSERT OR IGNORE INTO removed VALUES (?)", rows)

    def add_folders(self, paths: Iterable[str]) -> None:
        """Remembers folders that were added. Those that are known already change nothing."""
        if new := set(paths) - set(self.folders()):
            with self._transaction() as connection:
                connection.executemany("INSERT OR IGNORE INTO folders VALUES (?)", ((p,) for p in sorted(new)))

    def set_examples(self, document: str, questions: Iterable[str]) -> None:
        """Stores example questions for a document; does not raise the generation. A removed document is passed over."""
        sql = "INSERT OR IGNORE INTO examples SELECT id, ? FROM documents WHERE id = ?"
        self._write(sql, [(question, document) for question in questions])

    def set_indexed(self, generation: int) -> None:
        """Notes the generation that the word index has taken over; does not raise the generation."""
        self._write("INSERT OR REPLACE INTO meta VALUES ('indexed', ?)", [(str(generation),)])

    # --- inside ----------------------------------------------------------------------------------------------------

    def _schema_version(self) -> int:
        """Returns the version of the file's schema, 0 if there is no file yet; makes and changes nothing."""
        if not self._path.exists():
            return 0
        with contextlib.closing(sqlite3.connect(self._path, timeout=30)) as connection:
            return int(connection.execute("PRAGMA user_version").fetchone()[0])

    def _connection(self) -> sqlite3.Connection:
        held: _Held | None = getattr(self._local, "held", None)
        if held is None:
            held = _Held(sqlite3.connect(self._path, timeout=30, isolation_level=None, check_same_thread=False))
            self._held.add(held)
            held.connection.execute("PRAGMA journal_mode = WAL")
            held.connection.execute("PRAGMA synchronous = FULL")
            held.connection.execute("PRAGMA foreign_keys = ON")
            self._local.held = held
        return held.connection

    def _rows(self, sql: str, values: Sequence[object] = ()) -> list[Any]:
        try:
            return self._connection().execute(sql, values).fetchall()
        except sqlite3.Error as exc:
            raise self._translated(exc) from exc

    def _write(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        try:
            self._connection().executemany(sql, rows)
        except sqlite3.Error as exc:
            raise self._translated(exc) from exc

    def _meta(self, key: str) -> str | None:
        rows = self._rows("SELECT value FROM meta WHERE key = ?", (key,))
        return rows[0][0] if rows else None

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute(_NEXT_GENERATION)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as exc:
            raise self._translated(exc) from exc

    def _translated(self, exc: sqlite3.Error) -> LibraryError:
        if "readonly" in str(exc) or "unable to open" in str(exc):
            return LibraryReadOnly(f"The library {self._path} cannot be written to: {exc}.", _PERMISSIONS)
        if "full" in str(exc):
            return LibraryError(f"The disk is full: {self._path} was not changed.", "Free some space and try again.")
        if "closed database" in str(exc):
            return LibraryError(f"The library {self._path} was closed.", "Open the assistant again.")
        if "locked" in str(exc):
            return LibraryError(f"Another program is writing to {self._path}.", "Wait until it is done, and try again.")
        return LibraryError(f"The library {self._path} cannot be used: {exc}.", "Restore it, or move it away and add again.")

    def _read_only(self, exc: OSError) -> LibraryReadOnly:
        return LibraryReadOnly(f"The index folder {self.folder} cannot be written to: {exc.strerror or exc}.", _PERMISSIONS)


class _Held:
    """A thread's connection, closed when the thread ends: a server has many threads in its life."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.close()


def _put_bands(connection: sqlite3.Connection, document: Document, paragraphs: Sequence[Paragraph]) -> None:
    keys = bands(signature(body(document, paragraphs)))
    connection.execute("DELETE FROM bands WHERE document = ?", (document.id,))
    connection.executemany("INSERT OR IGNORE INTO bands VALUES (?, ?)", ((document.id, key) for key in keys))


_MAX_ALIKE = 8
_PERMISSIONS = "Give another folder with RAG_INDEX, or change its permissions."
_DOCUMENTS = (
    "SELECT d.id, v.version, v.title, d.source, v.date, v.text FROM documents d JOIN versions v ON v.document = d.id WHERE 1"
)
_PARAGRAPHS = (
    'SELECT p.id, p.number, p.start, p."end", d.id, d.version '
    "FROM paragraphs p JOIN documents d ON d.id = p.document WHERE 1"
)
# One value in place of a list of them, whose number SQLite limits to 32,766.
_LISTED = "(SELECT value FROM json_each(?))"
# A key that more documents have is one of a form that is filled in anew each day: what tells them apart are the other keys.
_OLDER_IN_BAND = (
    "SELECT b.document FROM bands b JOIN documents d ON d.id = b.document "
    "WHERE b.key = ? AND d.rowid < (SELECT rowid FROM documents WHERE id = ?) LIMIT 200"
)
# By a random step: the numbers that derived indexes bear mean nothing to a library that was put back from a copy, or begun
# anew beside them, and it must not come to one of them by counting.
_NEXT_GENERATION = "UPDATE meta SET value = value + 1 + abs(random() % 1000000000) WHERE key = 'generation'"


def migrate(connection: sqlite3.Connection, migrations: Sequence[str] = MIGRATIONS) -> None:
    """Brings a database to the newest schema, each step in a transaction of its own.

    Raises:
        LibraryNewer: its schema version is above the last step.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(migrations):
        raise LibraryNewer(
            f"The library has schema version {version}; this program knows versions up to {len(migrations)}.",
            "Use the newer version of the program that wrote it.",
        )
    for number, script in enumerate(migrations[version:], version + 1):
        try:
            connection.executescript(f"BEGIN IMMEDIATE;\n{script};\nPRAGMA user_version = {number};\nCOMMIT;")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
