"""A library as one file: written while it is in use, and put back in one transaction."""

from __future__ import annotations

import contextlib
import datetime
import glob
import os
import shutil
import sqlite3
import tempfile
import time
from pathlib import Path

from rag.errors import LibraryDamaged, LibraryError, LibraryNewer
from rag.library.schema import MIGRATIONS, migrate
from rag.library.store import NAME, Store, is_full, note_change, put_in_place, writing

_ABANDONED_SECONDS = 24 * 3600  # after which a file that nobody writes to any more is no backup in the making
_PAGES = 1000  # copied at a time when a library is put back: 4 MB

AGAIN = "Take another backup, or look for a copy of this one."


def backup(store: Store, file: Path, *, force: bool = False) -> int:
    """Writes the library into one file, all from one state, while others read and write; returns its number of documents.

    Args:
        force: True if any file that is there may be replaced. Else only a backup may, and not by one without documents.

    Raises:
        LibraryDamaged: the library cannot be read throughout; a backup that is there stays.
        LibraryError: the file cannot be written, or is there and may not be replaced.
    """
    target = Path(os.path.realpath(file))
    n_replaced = _check_target(store, target, force)
    _clear(target)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
        os.close(handle)
    except OSError as exc:
        raise _unwritable(target, exc.strerror) from exc
    try:
        # Row by row into a file without gaps: what cannot be read is noticed, and what was removed is not copied.
        store.connection().execute("VACUUM INTO ?", (name,))
        n_documents = inspect(Path(name))
        if n_replaced and not n_documents:
            raise LibraryError(
                f"The library in {store.folder} has 0 documents, the backup {target} has {n_replaced}: it was not replaced.",
                "Put it back (rag restore FILE), name another file, or replace it with --force.",
            )
        put_in_place(Path(name), target)
    except OSError as exc:
        raise _unwritable(target, exc.strerror) from exc
    except sqlite3.Error as exc:
        if is_full(target.parent, exc):
            raise _unwritable(target, "the disk is full") from exc
        raise store.translated(exc) from exc
    finally:
        Path(name).unlink(missing_ok=True)
    return n_documents


def inspect(file: Path) -> int:
    """Reads a backup through; returns its number of documents.

    Raises:
        LibraryNewer: a newer version of this program wrote it.
        LibraryDamaged: it is damaged.
        LibraryError: it is not there, or no library.
    """
    try:
        with contextlib.closing(read_only(file)) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            if not version or not {"meta", "documents", "versions"} <= names:
                raise LibraryError(f"{file} is no backup: it is the database of another program.", "Name another file.")
            if version > len(MIGRATIONS):
                raise LibraryNewer(
                    f"The backup {file} has schema version {version}; this program knows versions up to {len(MIGRATIONS)}.",
                    "Use the newer version of the program that wrote it.",
                )
            said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if said != "ok":
                raise LibraryDamaged(f"The backup {file} is damaged: {said}.", AGAIN)
            return int(connection.execute("SELECT count(*) FROM documents").fetchone()[0])
    except FileNotFoundError as exc:
        raise LibraryError(f"There is no file {file}.", "Check the path.") from exc
    except OSError as exc:
        raise LibraryError(f"{file} cannot be read: {exc.strerror}.", "Check its permissions.") from exc
    except sqlite3.Error as exc:
        if "not a database" in str(exc):
            raise LibraryError(f"{file} is no backup: {exc}.", "Name a file that rag backup wrote.") from exc
        raise LibraryDamaged(f"The backup {file} is damaged: {exc}.", AGAIN) from exc


def restore(file: Path, folder: Path) -> tuple[int, Path | None]:
    """Puts a backup in the place of the library in a folder, in one transaction; a damaged library is kept aside.

    Every process sees it with its next question; the derived indexes are built anew.

    Returns:
        The number of documents, and where a damaged library was put.

    Raises:
        LibraryNewer: a newer version of this program wrote the backup, or the library.
        LibraryDamaged: the backup is damaged.
        LibraryError: it is no backup, or the library cannot be written to.
    """
    n_documents = inspect(file)
    copy = folder / "restoring.sqlite"  # one name: the writers' lock is held, and a crash leaves no others
    store: Store | None = None
    with contextlib.suppress(LibraryDamaged):
        store = Store(folder)
    try:
        with writing(folder):
            last = _last_id(store)
            if store and not _is_whole(store):
                store.close()
                store = None
            _prepare(file, copy, last)
            if store:
                _take_over(copy, store)
                return n_documents, None
            return n_documents, replace_damaged(folder, copy)
    except (OSError, sqlite3.Error) as exc:
        hint = "The library is as it was. Free some space, or change the folder's permissions, and try again."
        raise LibraryError(f"The library in {folder} cannot be written to: {exc}.", hint) from exc
    finally:
        if store:
            store.close()
        with contextlib.suppress(OSError):  # where nothing can be written there is none
            discard(copy)


def replace_damaged(folder: Path, copy: Path) -> Path:
    """Keeps a folder's damaged library under another name and puts a whole one in its place; for who holds the lock.

    At each step there is a library. What has the old file open goes on with it until it sees that another one is there.
    """
    path = folder / NAME
    now = datetime.datetime.now().strftime("%Y-%m-%d-%H%M%S")
    aside = folder / f"library.damaged-{now}.sqlite"
    n = 1
    while aside.exists():
        aside, n = folder / f"library.damaged-{now}-{n}.sqlite", n + 1
    for suffix in ("", "-wal"):
        if (beside := folder / (NAME + suffix)).exists():
            _also_as(beside, folder / (aside.name + suffix))
    for suffix in ("-wal", "-shm"):  # else SQLite would play the old file's log into the new one
        (folder / (NAME + suffix)).unlink(missing_ok=True)
    put_in_place(copy, path)
    return aside


def read_only(file: Path) -> sqlite3.Connection:
    """Opens a database that is there, to be read only.

    Raises:
        OSError: there is no such file, or it cannot be read.
    """
    with open(file, "rb"):
        return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)


def discard(copy: Path) -> None:
    """Removes a temporary database with what SQLite keeps beside it."""
    for suffix in ("", "-journal", "-wal", "-shm"):
        copy.with_name(copy.name + suffix).unlink(missing_ok=True)


def _check_target(store: Store, target: Path, force: bool) -> int:
    """Returns the number of documents of the backup that would be replaced; 0 for what need not be kept."""
    if target.is_dir():
        raise LibraryError(f"{target} is a folder.", "Name a file in it.")
    if target.parent == store.path.parent.resolve() and target.name.startswith(NAME):
        raise LibraryError(f"{target} is the library itself.", "Name another file, best on another disk.")
    if target.exists() and target.stat().st_size and not force:
        try:
            return inspect(target)
        except LibraryDamaged:  # a backup that is worth nothing
            return 0
        except LibraryError as exc:
            raise LibraryError(
                f"{target} is there already, and is no backup.", "Name another file, or replace it with --force."
            ) from exc
    return 0


def _clear(target: Path) -> None:
    """Removes what backups that were killed have left beside theirs; one that is being written is younger."""
    for left in target.parent.glob(f".{glob.escape(target.name)}.*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                left.unlink()


def _unwritable(target: Path, reason: object) -> LibraryError:
    if not target.parent.is_dir():
        where = f"there is no folder {target.parent}"
        return LibraryError(f"The backup {target} cannot be written: {where}.", "Make it, or name a file in another folder.")
    return LibraryError(
        f"The backup {target} cannot be written: {reason}.", "Free some space, or name a file in another folder."
    )


def _is_whole(store: Store) -> bool:
    try:
        return bool(store.rows("PRAGMA quick_check(1)") == [("ok",)])
    except LibraryError:
        return False


def _last_id(store: Store | None) -> int:
    """Returns the highest passage id that a library ever had; 0 if that cannot be told."""
    with contextlib.suppress(LibraryError):
        rows = store.rows("SELECT seq FROM sqlite_sequence WHERE name = 'passages'") if store else []
        return int(rows[0][0]) if rows else 0
    return 0


def _prepare(file: Path, copy: Path, last: int) -> None:
    """Writes a backup to `copy` as it is to become the library: of the newest schema, and with no passage id up to `last`.

    No id is used twice: an index of the library that was replaced finds nothing then, and never another passage.
    """
    discard(copy)
    with contextlib.closing(read_only(file)) as source, contextlib.closing(_connect(copy)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")
        migrate(target)
        target.execute("BEGIN")
        if last:
            ((own,),) = target.execute("SELECT seq FROM sqlite_sequence WHERE name = 'passages'").fetchall() or [(0,)]
            by = max(last, own)  # so much that no id meets one that is not moved yet
            target.execute("UPDATE passages SET id = id + ?", (by,))
            target.execute("UPDATE vectors SET id = id + ?", (by,))
            target.execute("UPDATE sqlite_sequence SET seq = seq + ? WHERE name = 'passages'", (by,))
            target.execute("INSERT INTO sqlite_sequence SELECT 'passages', ? WHERE NOT changes()", (by,))
        note_change(target, anew=True)
        target.execute("COMMIT")


def _take_over(copy: Path, store: Store) -> None:
    """Copies a database into the living one, page by page in one transaction; readers go on with what they see."""
    with contextlib.closing(_connect(copy)) as source:
        source.backup(store.connection(), pages=_PAGES)
    store.empty_log()  # which has all of it


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def _also_as(path: Path, name: Path) -> None:
    try:
        os.link(path, name)
    except OSError:  # a file system without links
        shutil.copy2(path, name)
