"""The library's file: connections, transactions, the lock that writers share, and SQLite's errors in our words."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import os
import re
import shutil
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rag.errors import LibraryDamaged, LibraryError, LibraryReadOnly
from rag.library.schema import MIGRATIONS, migrate

NAME = "library.sqlite"
_DERIVED = ("dense.faiss", "lexical/meta.json")  # what the stations below make from a library
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "lustre", "gfs2", "fuse.sshfs"})
_WAIT_SECONDS = 30  # for another's transaction
_ROOM = 1 << 20  # bytes; SQLite needs some 100 kB beside a library to open it
_DAMAGED = "Restore a backup (rag restore FILE), or save what can be read of it: rag repair"
_PERMISSIONS = "Give another folder with RAG_INDEX, or change its permissions."
# By a random step: a generation must mean one state only, also beside a library that was put back from a copy or begun anew.
_JOURNAL = """
INSERT INTO journal SELECT coalesce((SELECT max(n) FROM journal), 0) + 1,
    coalesce((SELECT generation FROM journal ORDER BY n DESC LIMIT 1), 0) + 1 + abs(random() % 1000000000),
    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'passages'), 0)
"""


class Store:
    """One SQLite file in a folder. Safe to use from several threads and several processes."""

    def __init__(self, folder: Path) -> None:
        """Opens the file, making or migrating it as needed. Where nothing can be written, it can be read.

        Raises:
            LibraryReadOnly: the folder cannot be made, or must be written to: a new or older library, changes in its log.
            LibraryNewer: a newer version of this program wrote it.
            LibraryDamaged: the file is not a library or is damaged.
            LibraryError: it lies on a network file system, or cannot be used for another reason.
        """
        self.folder = folder
        self.path = folder / NAME
        self._local = threading.local()
        self._held: weakref.WeakSet[_Held] = weakref.WeakSet()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if kind := network_file_system(folder):
                raise LibraryError(
                    f"The index folder {folder} lies on a network file system ({kind}), whose locks cannot be trusted.",
                    "Keep the library on a local disk (RAG_INDEX), and copy it over with: rag backup FILE",
                )
            # Readers do without the lock: a process that adds articles may hold it for minutes.
            if (version := self._schema_version()) != len(MIGRATIONS):
                with self.writing():
                    if not version:
                        self._check_new()
                    migrate(self.connection())
        except OSError as exc:
            raise _read_only(folder, exc) from exc
        except sqlite3.Error as exc:
            raise self.translated(exc) from exc

    def close(self) -> None:
        """Closes every thread's connection; the file cannot be used afterwards."""
        for held in tuple(self._held):
            held.connection.close()

    def connection(self) -> sqlite3.Connection:
        """Returns this thread's connection."""
        held: _Held | None = getattr(self._local, "held", None)
        if held is None or (self._was_replaced(held) and not held.connection.in_transaction):
            inode = _inode(self.path)  # before it is opened: if it is replaced in between, that is seen the next time
            held = _Held(_opened(self.path))
            self._held.add(held)
            if is_writable(self.folder):
                held.connection.execute("PRAGMA journal_mode = WAL")
                held.connection.execute("PRAGMA synchronous = FULL")
                held.connection.execute("PRAGMA foreign_keys = ON")
                # What is forgotten is gone from the file. FAST would leave what a long text had on pages of its own.
                held.connection.execute("PRAGMA secure_delete = ON")
            held.inode = inode or _inode(self.path)
            self._local.held = held
        return held.connection

    def rows(self, sql: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[Any]:
        """Returns the rows of a query."""
        try:
            return self.connection().execute(sql, values).fetchall()
        except sqlite3.Error as exc:
            raise self.translated(exc) from exc

    def write(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Runs a statement for each row, all in one transaction."""
        with self.transaction() as connection:
            connection.executemany(sql, rows)

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Lets all that this thread reads inside come from one state of the file, whoever writes meanwhile."""
        try:
            connection = self.connection()
            if connection.in_transaction:
                yield
                return
            connection.execute("BEGIN")
        except sqlite3.Error as exc:
            raise self.translated(exc) from exc
        try:
            yield
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commits what is done inside, or nothing of it."""
        try:
            connection = self.connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as exc:
            raise self.translated(exc) from exc

    @contextlib.contextmanager
    def writing(self, *, wait: bool = True) -> Iterator[bool]:
        """Holds the lock that all writers of all processes share; yields False if it is taken and `wait` is False.

        Raises:
            LibraryReadOnly: the folder cannot be written to.
        """
        with writing(self.folder, wait=wait) as mine:
            yield mine

    def empty_log(self) -> None:
        """Moves what the log has into the file, and gives its space back; not while others write, or read a state before.

        Nobody is waited for.
        """
        self.rows("PRAGMA busy_timeout = 0")
        try:
            self.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            self.rows(f"PRAGMA busy_timeout = {_WAIT_SECONDS * 1000}")

    def translated(self, exc: sqlite3.Error) -> LibraryError:
        """Returns SQLite's error in our words."""
        said = str(exc)
        if is_full(self.folder, exc):
            return LibraryError(f"The disk is full: {self.path} was not changed.", "Free some space and try again.")
        if "readonly" in said or "unable to open" in said:
            return LibraryReadOnly(f"The library {self.path} cannot be written to: {exc}.", _PERMISSIONS)
        if "closed database" in said:
            return LibraryError(f"The library {self.path} was closed.", "Open the assistant again.")
        if "locked" in said:
            return LibraryError(f"Another program is writing to {self.path}.", "Wait until it is done, and try again.")
        if "malformed" in said or "not a database" in said or "disk I/O error" in said:
            return LibraryDamaged(f"The library {self.path} is damaged: {exc}.", _DAMAGED)
        return LibraryError(f"The library {self.path} cannot be used: {exc}.", "Restore a backup: rag restore FILE")

    def _schema_version(self) -> int:
        """Returns the version of the file's schema, 0 if there is no file yet; makes and changes nothing."""
        if not _n_bytes(self.path):  # beside an empty file SQLite would remove its log, which may hold all of the library
            return 0
        with contextlib.closing(_opened(self.path)) as connection:
            return int(connection.execute("PRAGMA user_version").fetchone()[0])

    def _check_new(self) -> None:
        """Raises LibraryDamaged for a file without tables that had some once: as a new library it would hide what is lost.

        A file that is not there may have been taken away to begin anew.
        """
        is_empty = not _n_bytes(self.path)
        # SQLite writes a first page before it begins a log: beside one without tables, that may be of a killed migration.
        signs = [self.folder / name for name in _DERIVED] + ([_log(self.path)] if is_empty else [])
        if self.path.exists() and any(map(_n_bytes, signs)) and not self._schema_version():
            what = "is empty" if is_empty else "has no tables"
            raise LibraryDamaged(f"The library {self.path} is damaged: the file {what}, but there was a library.", _DAMAGED)

    def _was_replaced(self, held: _Held) -> bool:
        """True if a restore or repair of a damaged file has put another one in its place since it was opened.

        Also if the folder can no longer be written to, or again, or if it cannot and somebody else has changed the file.
        """
        return _inode(self.path) not in (None, held.inode)


class _Held:
    """A thread's connection, closed when the thread ends: a server has many threads in its life."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.inode: tuple[int, ...] | None = None

    def __del__(self) -> None:
        self.connection.close()


@contextlib.contextmanager
def writing(folder: Path, *, wait: bool = True) -> Iterator[bool]:
    """Holds the lock that all writers of a folder's library share; see `Store.writing`."""
    try:
        file = open(folder / ".lock", "w")  # noqa: SIM115  closed below
    except OSError as exc:
        raise _read_only(folder, exc) from exc
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True


def note_change(connection: sqlite3.Connection, *, anew: bool = False) -> None:
    """Writes a line into the journal; with `anew` it is the only one, so that every derived index is built anew."""
    if anew:
        connection.execute("DELETE FROM journal")
        connection.execute("DELETE FROM gone")
    connection.execute(_JOURNAL)


def is_full(folder: Path, exc: Exception) -> bool:
    """True if an error comes from a disk that is full, by what there is free in a folder."""
    if isinstance(exc, OSError):
        return exc.errno in (errno.ENOSPC, errno.EDQUOT)
    # Where there is no room for a file that it keeps beside its own, SQLite speaks of an I/O error, or cannot open it.
    unclear = "disk I/O error" in str(exc) or "unable to open" in str(exc)
    return "disk is full" in str(exc) or (unclear and folder.exists() and shutil.disk_usage(folder).free < _ROOM)


def put_in_place(temporary: Path, path: Path) -> None:
    """Puts a file in another's place so that after a crash one of the two is there, whole."""
    with open(temporary, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(temporary, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def is_writable(folder: Path) -> bool:
    """False on a disk that is mounted read-only, as failing ones often are, and where this user may only read."""
    return os.access(folder, os.W_OK)


def _opened(path: Path) -> sqlite3.Connection:
    """Returns a new connection; where nothing can be written, one that only reads.

    Raises:
        LibraryReadOnly: there is a log, which SQLite cannot read without writing beside it.
    """
    connect = functools.partial(sqlite3.connect, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False)
    if is_writable(path.parent):
        return connect(path)
    address = f"{path.absolute().as_uri()}?mode=ro"
    connection = connect(address, uri=True)
    try:
        connection.execute("PRAGMA schema_version")
        return connection
    except sqlite3.OperationalError as exc:
        connection.close()
        if "unable to open" not in str(exc):
            raise
    if _n_bytes(_log(path)):
        raise LibraryReadOnly(
            f"The last changes of the library {path} are in the file {_log(path).name} beside it, "
            "which can be read only where it can be written to.",
            "Copy the folder to where it can be, and name the copy with RAG_INDEX.",
        )
    # Without a log there is nothing to share with others, for which SQLite would write beside the file.
    return connect(f"{address}&immutable=1", uri=True)


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _n_bytes(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _inode(path: Path) -> tuple[int, ...] | None:
    """Returns what tells a file from another one; where it can only be read, also from what it was before."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    inode = status.st_dev, status.st_ino
    return inode if is_writable(path.parent) else (*inode, status.st_mtime_ns, _n_bytes(_log(path)))


def _read_only(folder: Path, exc: OSError) -> LibraryReadOnly:
    if isinstance(exc, FileExistsError | NotADirectoryError):
        which = "it" if isinstance(exc, FileExistsError) else "one above it"
        said = f"The index folder {folder} cannot be written to: {which} is a file, not a folder."
        return LibraryReadOnly(said, "Give another folder with RAG_INDEX.")
    return LibraryReadOnly(f"The index folder {folder} cannot be written to: {exc.strerror or exc}.", _PERMISSIONS)


def network_file_system(folder: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """Returns the kind of network file system that a folder lies on, "" for a local one or where nothing tells."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    path, best, kind = os.path.realpath(folder), "", ""
    for line in lines:
        _, where, found, *_ = line.split(" ")
        where = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), where).rstrip("/")  # a space is \040 there
        if (path == where or path.startswith(where + "/")) and len(where) >= len(best):
            best, kind = where, found
    return kind if kind in _NETWORK else ""
