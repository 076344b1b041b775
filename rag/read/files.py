"""Which files a path means, and what they are called."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from rag.errors import ReadError
from rag.read.formats import LINES, SUFFIXES, TABLES

_HOLDING = TABLES | LINES | {".zip", ".eml"}  # formats in which documents may be


def find_files(
    paths: Iterable[str | os.PathLike[str]],
    unreadable: Callable[[OSError], object] | None = None,
    other: Callable[[Path], object] = lambda path: None,
    outside: Callable[[Path], object] = lambda path: None,
) -> Iterator[Path]:
    """Yields absolute paths: files as named, folders walked in name order for files that can be read.

    Hidden files and folders below a named folder are passed over; symbolic links to folders are not followed.

    Args:
        unreadable: told of folders that cannot be read; they are passed over.
        other: told of files in folders that are of another format; likewise.
        outside: told of links in a folder to a file that is not in it; likewise: somebody else's folder could name any file.

    Raises:
        ReadError: a path does not exist, cannot be looked at, or cannot be stored as text.
    """
    for path in map(absolute, paths):
        if shown(path) != str(path):
            raise ReadError(f"The name {shown(path)} is not UTF-8.", "Rename it.")
        if _is_folder(path):
            for folder, names, files in os.walk(path, onerror=unreadable):
                names[:] = sorted(n for n in names if not n.startswith("."))
                for file in (Path(folder, name) for name in sorted(files) if not name.startswith(".")):
                    if file.suffix.lower() not in SUFFIXES:
                        other(file)
                    elif _leads_out(file, path):
                        outside(file)
                    else:
                        yield file
        elif path.exists():
            yield path
        else:
            raise ReadError(f"{shown(path)} does not exist.", "Check the path.")


def _leads_out(file: Path, folder: Path) -> bool:
    try:
        is_link = file.is_symlink() and file.exists()
    except OSError:  # a link to a name that is too long: reading it will tell
        return False
    return is_link and not Path(os.path.realpath(file)).is_relative_to(os.path.realpath(folder))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as exc:  # a name that is too long, a folder above it that may not be entered
        raise ReadError(f"{shown(path)} cannot be read: {exc.strerror}.", "Check the path.") from exc


def absolute(path: str | os.PathLike[str]) -> Path:
    """Returns the absolute path, "~" replaced; links are not followed, so that a source stays as it was named.

    Raises:
        ReadError: the path is empty, which would mean the working directory.
    """
    if not os.fspath(path):
        raise ReadError("The path is empty.", "Name a file or a folder.")
    return Path(os.path.abspath(os.path.expanduser(path)))


def shown(path: str | os.PathLike[str]) -> str:
    """Returns a path as text that can be printed and stored: bytes of its name that are not UTF-8 become "\ufffd"."""
    return os.fsencode(path).decode("utf-8", "replace")


def file_of(source: str) -> Path:
    """Returns the file that a document's source is, or is in: a member of an archive has a path below it.

    Of a file that is not there any more it cannot be told: the source itself is returned.
    """
    path = Path(source)
    return next((one for one in (path, *path.parents) if os.path.isfile(one)), path)  # no error for a name that is too long


def file_name(source: str) -> str:
    """Returns what a document's file is called; of what is in an archive, a mail or a table its path there with it."""
    parts = Path(source).parts
    inside = (n for n, part in enumerate(parts[:-1]) if Path(part).suffix.lower() in _HOLDING)
    return "/".join(parts[next(inside, len(parts) - 1) :])
