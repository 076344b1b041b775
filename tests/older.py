"""Libraries as older schema versions wrote them."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np

from rag.library import MIGRATIONS, migrate
from rag.read import make_document
from rag.split import index_text, paragraphs
from rag.types import Document, Embedder
from tests.conftest import BRIDGES, OWLS


def make_old(folder: Path, version: int, embedder: Embedder | None = None) -> tuple[Document, Document]:
    """Writes a library of a schema version, with one document of two versions in it; returns both, the older one first.

    From version 7 on it also has a conversation "c" of the browser "a browser", of one turn that was rated.
    The vectors are the embedder's, or else all ones in four dimensions.
    """
    folder.mkdir(parents=True)
    connection = sqlite3.connect(folder / "library.sqlite", isolation_level=None)
    migrate(connection, MIGRATIONS[:version])
    connection.isolation_level = ""
    # These versions knew no languages.
    old, new = (replace(make_document(text, "/a/b.txt"), language="") for text in (BRIDGES, OWLS))
    connection.execute("INSERT INTO meta VALUES ('embedding_model', 'fake-embedder')")
    connection.execute("INSERT INTO documents (id, version, source) VALUES (?, ?, ?)", (new.id, new.version, new.source))
    for d in (old, new):
        row = (d.id, d.version, d.title, d.date, d.text)
        connection.execute("INSERT INTO versions (document, version, title, date, text) VALUES (?, ?, ?, ?, ?)", row)
    found = paragraphs(new)
    texts = [index_text(new.title, new.text[p.start : p.end]) for p in found]
    vectors = embedder.embed_paragraphs(texts) if embedder else np.ones((len(found), 4), np.float32)
    if version < 5:
        for p, vector in zip(found, vectors, strict=True):
            values = (new.id, p.number, p.start, p.end, vector.tobytes())
            sql = 'INSERT INTO paragraphs (document, number, start, "end", vector) VALUES (?, ?, ?, ?, ?)'
            connection.execute(sql, values)
        connection.execute("UPDATE meta SET value = '7' WHERE key = 'generation'")
    else:
        for n, (p, vector) in enumerate(zip(found, vectors, strict=True), 1):
            connection.execute(
                'INSERT INTO passages (id, document, number, start, "end", searched_start, searched_end) '
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (n, new.id, p.number, p.start, p.end, p.start, p.end),
            )
            connection.execute("INSERT INTO vectors VALUES (?, ?)", (n, vector.astype(np.float16).tobytes()))
        connection.execute("INSERT INTO journal VALUES (1, 7, 2)")
    if version >= 7:
        digest = hashlib.sha256(b"a browser").hexdigest()
        times = ("2026-03-31T12:00:00.000000+00:00",) * 2
        connection.execute("INSERT INTO conversations VALUES ('c', ?, 'Owls', ?, ?)", (digest, *times))
        connection.execute("INSERT INTO turns VALUES ('c', 1, '{}', -1, 'No.')")
    connection.commit()
    connection.close()
    return old, new
