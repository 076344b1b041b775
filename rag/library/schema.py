"""The schema of the library's file, and every step that led to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import numpy as np

from rag.errors import LibraryNewer

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
    # 5: what is searched are passages: a paragraph, a window of a long one, a short one with its neighbours. Their vectors
    # in half precision, in a table of their own. A journal of changes, by which derived indexes and other processes learn
    # what came and went; vectors that are computed and not yet stored with their document; the language of a text.
    """
    CREATE TABLE journal (
        n INTEGER PRIMARY KEY, generation INTEGER NOT NULL UNIQUE,
        last INTEGER NOT NULL  -- the highest id of a passage so far
    ) STRICT;
    INSERT INTO journal SELECT 1, CAST(value AS INTEGER), (SELECT coalesce(max(id), 0) FROM paragraphs)
        FROM meta WHERE key = 'generation' AND value <> '0';
    DELETE FROM meta WHERE key IN ('generation', 'indexed');
    CREATE TABLE gone (passage INTEGER PRIMARY KEY, n INTEGER NOT NULL) STRICT;
    CREATE INDEX gone_in ON gone (n);
    CREATE TABLE vectors (id INTEGER PRIMARY KEY, vector BLOB NOT NULL) STRICT;
    INSERT INTO vectors SELECT id, half(vector) FROM paragraphs;
    CREATE TABLE passages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice, so that a derived index can compare ids
        document TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        number INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,  -- of the paragraph
        searched_start INTEGER NOT NULL, searched_end INTEGER NOT NULL) STRICT;
    INSERT INTO passages SELECT id, document, number, start, "end", start, "end" FROM paragraphs;
    INSERT OR IGNORE INTO sqlite_sequence SELECT 'passages', 0 WHERE NOT EXISTS
        (SELECT 1 FROM sqlite_sequence WHERE name = 'passages');
    UPDATE sqlite_sequence SET seq = max(seq, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'paragraphs'), 0))
        WHERE name = 'passages';
    DROP TABLE paragraphs;
    CREATE INDEX passages_of_document ON passages (document);
    CREATE TRIGGER passage_gone AFTER DELETE ON passages BEGIN
        INSERT INTO gone VALUES (old.id, (SELECT coalesce(max(n), 0) + 1 FROM journal));
        DELETE FROM vectors WHERE id = old.id;
    END;
    CREATE TABLE staged (key BLOB PRIMARY KEY, vector BLOB NOT NULL) STRICT, WITHOUT ROWID;
    ALTER TABLE versions ADD COLUMN language TEXT NOT NULL DEFAULT '';
    """,
    # 6: keys by which nearly equal documents are found; in the index on them the documents are found without the table
    """
    CREATE TABLE bands (
        document TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        key INTEGER NOT NULL, PRIMARY KEY (document, key)) STRICT, WITHOUT ROWID;
    CREATE INDEX bands_by_key ON bands (key);
    """,
    # 7: conversations of the page, each of one browser, with their ratings
    """
    CREATE TABLE conversations (
        id TEXT PRIMARY KEY,
        reader TEXT NOT NULL,  -- a digest of the browser's token, with which nobody can pass for it
        title TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL) STRICT;
    CREATE INDEX conversations_of_reader ON conversations (reader, updated_at);
    CREATE TABLE turns (
        conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
        number INTEGER NOT NULL CHECK (number > 0), content TEXT NOT NULL,
        rating INTEGER NOT NULL DEFAULT 0 CHECK (rating IN (-1, 0, 1)), comment TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (conversation, number)) STRICT;
    """,
    # 8: what a format says of a text's parts; "" where the text itself shows it
    "ALTER TABLE versions ADD COLUMN layout TEXT NOT NULL DEFAULT '';",
)


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
    connection.create_function("half", 1, lambda vector: np.frombuffer(vector, np.float32).astype(np.float16).tobytes())
    for number, script in enumerate(migrations[version:], version + 1):
        try:
            connection.executescript(f"BEGIN IMMEDIATE;\n{script};\nPRAGMA user_version = {number};\nCOMMIT;")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
