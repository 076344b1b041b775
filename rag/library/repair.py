"""What can be read of a damaged library becomes a new one; the damaged file is kept aside.

Rows are read one by one, around the pages that cannot be read. A document is saved whole or not at all: its text is held
against the checksum that is its version, and its passages and vectors are kept only if none is missing. Of a conversation
every turn is saved that can be read.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import operator
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rag.errors import LibraryDamaged, LibraryError, LibraryNewer
from rag.library import DOCUMENTS, put_bands
from rag.library.grafting import grafted
from rag.library.saving import discard, read_only, replace_damaged
from rag.library.schema import MIGRATIONS, migrate
from rag.library.store import NAME, is_full, note_change, writing
from rag.read import document_id, find_files, is_layout
from rag.split import passages
from rag.types import Document, Paragraph, Passage

_TABLES = {
    "meta": "key, value",
    "documents": "id, version, source, added_at",
    "versions": "document, version, title, date, text, language, layout",
    "passages": 'id, document, number, start, "end", searched_start, searched_end',
    "vectors": "id, vector",
    "folders": "path",
    "examples": "document, question",
    "removed": "document",
    "conversations": "id, reader, title, created_at, updated_at",
    "turns": "conversation, number, content, rating, comment",
}
"""What is read, in this order. All else is derived from it or can be done without."""

_PASSAGES_FROM = 5  # the schema version that brought passages; of an older library the texts are saved
_LAYOUT_FROM = 8  # likewise what formats say of their parts
_LAYOUT = 6  # its place in the row of a version
_MAX_GAP = 100_000  # ids that are tried one after another to find the next row that can be read


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair has done.

    Attributes:
        aside: where the damaged file is; None if nothing was wrong, and nothing was done.
        problem: what was wrong first of all.
        saved: numbers of documents and of their versions.
        older: ids of documents whose newest text could not be read; the one before it is the current one now.
        unindexed: ids of documents that are not found until `rag rebuild` has embedded them again.
        lost: (id, source) of documents that could not be saved; the source is "" where it could not be read either.
        titles: (id, title) of those whose title could be read.
    """

    aside: Path | None = None
    problem: str = ""
    saved: tuple[int, int] = (0, 0)
    older: tuple[str, ...] = ()
    unindexed: tuple[str, ...] = ()
    lost: tuple[tuple[str, str], ...] = ()
    titles: tuple[tuple[str, str], ...] = ()


def repair(folder: Path) -> Repaired:
    """Saves what can be read of the library in a folder; changes nothing if nothing is wrong.

    Raises:
        LibraryNewer: a newer version of this program wrote it.
        LibraryDamaged: nothing of it can be read; it stays where it is.
        LibraryError: there is none, or the folder cannot be written to.
    """
    path, fresh = folder / NAME, folder / "repairing.sqlite"
    if not path.exists():
        raise LibraryError(f"There is no library in {folder}.", "Name another folder with RAG_INDEX, or: rag restore FILE")
    with writing(folder):
        try:
            problem = _problem(path)
            if not problem:
                return Repaired()
            report = _saved(path, fresh, problem)
            return replace(report, aside=replace_damaged(folder, fresh))
        except (OSError, sqlite3.Error) as exc:
            if is_full(folder, exc):
                room = "Free as much space as the library has, and try again."
                raise LibraryError(f"The disk is full: {path} was not changed.", room) from exc
            hint = (
                "The library is as it was. Restore a backup (rag restore FILE), or move it away and add the articles again."
            )
            raise LibraryDamaged(f"The library {path} cannot be repaired: {exc}.", hint) from exc
        finally:
            discard(fresh)


# --- what is wrong -------------------------------------------------------------------------------------------------


def _problem(path: Path) -> str:
    """Returns what is wrong with a library; "" if nothing is."""
    try:
        with contextlib.closing(read_only(path)) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > len(MIGRATIONS):
                raise LibraryNewer(
                    f"The library has schema version {version}; this program knows versions up to {len(MIGRATIONS)}.",
                    "Use the newer version of the program that wrote it.",
                )
            connection.create_function("checksum", 1, _checksum, deterministic=True)
            connection.create_function("is_layout", 2, is_layout, deterministic=True)
            said = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if said != "ok":
                return str(said).splitlines()[-1]  # the first one names the database
            checks = _CHECKS[: None if version >= _LAYOUT_FROM else -1 if version >= _PASSAGES_FROM else 2]
            return next((what for what, sql in checks if connection.execute(sql).fetchone()), "")
    except sqlite3.Error as exc:
        return str(exc)


_CHECKS = (
    ("a text differs from its checksum", "SELECT 1 FROM versions WHERE checksum(text) <> version LIMIT 1"),
    (
        "a document has no text",
        "SELECT 1 FROM documents d WHERE NOT EXISTS "
        "(SELECT 1 FROM versions WHERE document = d.id AND version = d.version) LIMIT 1",
    ),
    ("a passage has no vector", "SELECT 1 FROM passages WHERE id NOT IN (SELECT id FROM vectors) LIMIT 1"),
    (
        "a vector has another length",
        "SELECT 1 FROM vectors WHERE length(vector) <> (SELECT length(vector) FROM vectors LIMIT 1) LIMIT 1",
    ),
    (
        "a passage lies outside its text",
        "SELECT 1 FROM passages p JOIN documents d ON d.id = p.document JOIN versions v "
        'ON v.document = d.id AND v.version = d.version WHERE max(p."end", p.searched_end) > length(v.text) LIMIT 1',
    ),
    (
        "the parts of a text are not what they were",
        "SELECT 1 FROM versions WHERE layout <> '' AND NOT is_layout(layout, length(text)) LIMIT 1",
    ),
)


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


# --- reading -------------------------------------------------------------------------------------------------------


class _Damaged:
    """A damaged file, read around what cannot be read.

    Attributes:
        n_gaps: how often reading had to be taken up again behind something, by table.
        titles: of documents, by id, of which a text was found that is not what it was.
    """

    def __init__(self, path: Path) -> None:
        self._connection = read_only(path)
        self._connection.text_factory = lambda text: text.decode("utf-8", "replace")
        self.n_gaps: Counter[str] = Counter()
        self.titles: dict[str, str] = {}

    def close(self) -> None:
        self._connection.close()

    def columns(self, table: str) -> set[str]:
        """Returns the names of a table's columns; none if there is no such table."""
        return {name for (name,) in self._connection.execute("SELECT name FROM pragma_table_info(?)", (table,))}

    def rows(self, table: str, columns: str) -> Iterator[tuple[object, ...]]:
        """Yields what can be read of a table's rows, by rowid."""
        end = self._value(f"SELECT max(rowid) FROM {table}")
        last = 0
        while True:
            try:
                sql = f"SELECT rowid, {columns} FROM {table} WHERE rowid > ? ORDER BY rowid"
                for rowid, *values in self._connection.execute(sql, (last,)):
                    last = max(last, rowid)
                    yield tuple(values)
                return
            except sqlite3.DatabaseError:
                self.n_gaps[table] += 1
                if (found := self._behind(table, last, end)) is None:
                    return
                last = found

    def known(self) -> dict[str, str]:
        """Returns the ids of all documents that are named anywhere, also in what is no table: ids with no source yet."""
        ids: dict[str, str] = {}
        for table, column in (("documents", "id"), ("versions", "document")):
            index = f"sqlite_autoindex_{table}_1"
            with contextlib.suppress(sqlite3.DatabaseError):
                ids |= (
                    (str(row[0]), "") for row in self._connection.execute(f"SELECT {column} FROM {table} INDEXED BY {index}")
                )
        return ids

    def last_passage(self) -> int:
        """Returns the highest id that a passage ever had; 0 if it cannot be read."""
        return self._value("SELECT seq FROM sqlite_sequence WHERE name = 'passages'") or 0

    def _behind(self, table: str, last: int, end: int | None) -> int | None:
        """Returns the id behind which reading goes on after it failed behind `last`; None if there is no such."""
        for rowid in range(last + 1, (last + _MAX_GAP if end is None else end) + 1):
            found = self._value(f"SELECT rowid FROM {table} WHERE rowid >= {rowid} ORDER BY rowid LIMIT 1")
            if found is not None:
                # The very next one is found, so only what it holds cannot be read.
                return found if rowid == last + 1 else found - 1
        return None

    def _value(self, sql: str) -> int | None:
        try:
            row = self._connection.execute(sql).fetchone()
        except sqlite3.DatabaseError:
            return None
        return int(row[0]) if row and row[0] is not None else None


# --- writing -------------------------------------------------------------------------------------------------------


def _saved(path: Path, fresh: Path, problem: str) -> Repaired:
    """Writes what can be read of a file into a new one; if nothing can be, with another first page."""
    copy = path.with_name("repairing-copy.sqlite")
    failed: sqlite3.DatabaseError | None = None
    try:
        for source in itertools.chain([path], grafted(path, copy)):
            discard(fresh)
            try:
                with contextlib.closing(_Damaged(source)) as damaged, contextlib.closing(_new(fresh)) as target:
                    return _salvage(damaged, target, problem)
            except sqlite3.DatabaseError as exc:
                failed = failed or exc
        raise failed or sqlite3.DatabaseError(problem)
    finally:
        discard(copy)


def _new(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection)
    return connection


def _salvage(damaged: _Damaged, target: sqlite3.Connection, problem: str) -> Repaired:
    """Writes all that can be read into a new library, in one transaction."""
    target.execute("BEGIN")
    known = damaged.known()
    for table, columns in _TABLES.items():
        _copy(damaged, target, table, columns)
    known |= dict(target.execute("SELECT DISTINCT document, '' FROM versions"))
    known |= dict(target.execute("SELECT id, source FROM documents"))
    older = _settle_documents(target)
    unindexed = _settle_passages(target, bool(damaged.n_gaps["passages"]))
    _settle_conversations(target)
    saved = {identity for (identity,) in target.execute("SELECT id FROM documents")}
    if not saved:
        raise sqlite3.DatabaseError(f"no document of it can be read ({problem})")
    sql = "INSERT OR REPLACE INTO sqlite_sequence SELECT 'passages', max(?, coalesce(max(id), 0)) FROM passages"
    target.execute("DELETE FROM sqlite_sequence WHERE name = 'passages'")
    target.execute(sql, (damaged.last_passage(),))
    note_change(target, anew=True)
    target.execute("COMMIT")
    return Repaired(
        problem=problem,
        saved=(len(saved), target.execute("SELECT count(*) FROM versions").fetchone()[0]),
        older=older,
        unindexed=unindexed,
        lost=tuple((identity, source) for identity, source in known.items() if identity not in saved),
        titles=tuple((identity, title) for identity, title in damaged.titles.items() if identity not in saved),
    )


def _copy(damaged: _Damaged, target: sqlite3.Connection, table: str, columns: str) -> None:
    """Copies the rows of a table that can be read and are what they should be."""
    there = damaged.columns(table)
    chosen = [name for name in columns.split(", ") if name.strip('"') in there]
    if not chosen:
        return
    sql = f"INSERT OR IGNORE INTO {table} ({', '.join(chosen)}) VALUES ({', '.join('?' * len(chosen))})"
    for row in damaged.rows(table, ", ".join(chosen)):
        if table == "versions" and _checksum(str(row[4])) != row[1]:
            damaged.titles[str(row[0])] = str(row[2])
            continue
        if table == "versions" and len(row) > _LAYOUT and not is_layout(str(row[_LAYOUT]), len(str(row[4]))):
            row = (*row[:_LAYOUT], "")  # what the text itself shows
        with contextlib.suppress(sqlite3.IntegrityError):  # a value of another kind than the column's
            target.execute(sql, row)


def _settle_documents(target: sqlite3.Connection) -> tuple[str, ...]:
    """Gives each document a text that was saved, and each text its document; returns the ids with an older text."""
    paths = _paths(target)
    # A version that is put gets the highest rowid, so the newest is the current one.
    newest = "SELECT document, version FROM versions WHERE rowid IN (SELECT max(rowid) FROM versions GROUP BY document)"
    for identity, version in target.execute(f"{newest} AND document NOT IN (SELECT id FROM documents)").fetchall():
        # Once a file with this text is added, it is taken for the document's own that was renamed.
        source = paths.get(identity, f"/lost-path/{identity}.txt")
        target.execute("INSERT INTO documents (id, version, source) VALUES (?, ?, ?)", (identity, version, source))
    without = "NOT EXISTS (SELECT 1 FROM versions v WHERE v.document = documents.id AND v.version = documents.version)"
    older = tuple(
        identity
        for (identity,) in target.execute(
            f"SELECT id FROM documents WHERE {without} AND id IN (SELECT document FROM versions)"
        )
    )
    for identity in older:
        # Its passages are those of the text that is lost.
        target.execute("DELETE FROM passages WHERE document = ?", (identity,))
        last = "SELECT version FROM versions WHERE document = documents.id ORDER BY rowid DESC LIMIT 1"
        target.execute(f"UPDATE documents SET version = ({last}) WHERE id = ?", (identity,))
    target.execute(f"DELETE FROM documents WHERE {without}")
    target.execute("DELETE FROM passages WHERE document NOT IN (SELECT id FROM documents)")
    target.execute("DELETE FROM examples WHERE document NOT IN (SELECT id FROM documents)")
    return older


def _paths(target: sqlite3.Connection) -> dict[str, str]:
    """Returns the paths of all articles in the folders that were added, by the id that each of them has as a document."""
    folders = [folder for (folder,) in target.execute("SELECT path FROM folders") if Path(folder).is_dir()]
    return {document_id(str(file)): str(file) for file in find_files(folders, lambda _: None)}


def _settle_passages(target: sqlite3.Connection, gaps: bool) -> tuple[str, ...]:
    """Takes out the passages of documents that lack one, or a vector; returns the ids of documents without passages.

    Args:
        gaps: True if passages may be missing; a document's must then be those that its text is split into.
    """
    target.execute("DELETE FROM vectors WHERE id NOT IN (SELECT id FROM passages)")
    lengths = target.execute("SELECT length(vector) FROM vectors GROUP BY 1 ORDER BY count(*) DESC LIMIT 1").fetchone()
    unindexed = []
    for (identity,) in target.execute("SELECT id FROM documents ORDER BY rowid").fetchall():
        document = Document(*target.execute(_DOCUMENT, (identity,)).fetchone())
        stored = target.execute(_PASSAGES_OF, (identity,)).fetchall()
        spans = [Passage(Paragraph(*values[:3]), *values[3:5]) for values in stored]
        if (
            not spans
            or any((length,) != lengths for *_, length in stored)
            or any(not 0 <= span.start < span.end <= len(document.text) for span in spans)
            or (gaps and spans != [_bare(passage) for passage in passages(document)])
        ):
            target.execute("DELETE FROM passages WHERE document = ?", (identity,))
            unindexed.append(identity)
        else:
            put_bands(target, document, spans)
    return tuple(unindexed)


def _bare(passage: Passage) -> Passage:
    """Returns a passage with what is stored of its paragraph."""
    paragraph = passage.paragraph
    return replace(passage, paragraph=Paragraph(paragraph.number, paragraph.start, paragraph.end))


def _settle_conversations(target: sqlite3.Connection) -> None:
    """Takes out turns of which nobody can tell whose they are, and numbers those behind a lost one anew, without a gap."""
    target.execute("DELETE FROM turns WHERE conversation NOT IN (SELECT id FROM conversations)")
    target.execute("DELETE FROM conversations WHERE id NOT IN (SELECT conversation FROM turns)")
    found = target.execute("SELECT rowid, conversation FROM turns ORDER BY conversation, number").fetchall()
    for _, turns in itertools.groupby(found, key=operator.itemgetter(1)):
        # In this order none gets the number of one that is still to come.
        target.executemany("UPDATE turns SET number = ? WHERE rowid = ?", ((n, row[0]) for n, row in enumerate(turns, 1)))


_DOCUMENT = f"{DOCUMENTS} AND v.version = d.version AND d.id = ?"
_PASSAGES_OF = (
    'SELECT number, start, "end", searched_start, searched_end, length(vector) '
    "FROM passages p LEFT JOIN vectors v ON v.id = p.id WHERE document = ? ORDER BY p.id"
)
