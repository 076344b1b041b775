"""ZIP archives, without ever writing what is in them to a disk: each member is read by itself, and within a limit."""

from __future__ import annotations

import contextlib
import io
import stat
import zipfile
import zlib
from collections.abc import Iterator

from rag.errors import ReadError

_MAX_MEMBERS = 20_000
_MAX_TIMES = 20  # of the limit for one file: what all members of an archive may have together
_PIECE = 1 << 20


@contextlib.contextmanager
def opened(data: bytes, max_bytes: int) -> Iterator[zipfile.ZipFile]:
    """Opens an archive.

    Raises:
        ReadError: it is damaged, or would grow beyond reason.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as exc:
        raise ReadError(f"The archive is damaged: {exc}.", "Pack it again.") from exc
    with archive:
        if len(members) > _MAX_MEMBERS:
            raise ReadError(
                f"The archive has {len(members):,} files, at most {_MAX_MEMBERS:,}.", "Unpack it, and add the folder."
            )
        size = sum(member.file_size for member in members)
        if size > _MAX_TIMES * max_bytes:
            raise ReadError(
                f"The archive would unpack to {size / 1e6:,.0f} MB, at most {_MAX_TIMES * max_bytes / 1e6:,.0f} MB.",
                "Unpack it, and add the folder, if you trust it.",
            )
        yield archive


def taken(archive: zipfile.ZipFile, name: str, max_bytes: int) -> bytes:
    """Returns the bytes of a member.

    Raises:
        ReadError: it is damaged, locked or too large, whatever the archive says of its size.
    """
    pieces, size = [], 0
    try:
        with archive.open(name) as member:
            while piece := member.read(_PIECE):
                size += len(piece)
                if size > max_bytes:
                    raise ReadError(
                        f"It is too large: more than {max_bytes / 1e6:.0f} MB.", "Split it, or raise max_file_mb."
                    )
                pieces.append(piece)
    except RuntimeError as exc:  # zipfile's way to say that a password is needed
        raise ReadError("It is protected with a password.", "Unpack it, and add the folder.") from exc
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, KeyError) as exc:
        raise ReadError(f"It is damaged: {exc}.", "Pack it again.") from exc
    return b"".join(pieces)


def members(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Yields the name of each file in an archive, and why it is not read, "" if it may be; hidden files are passed over."""
    seen: set[str] = set()
    for member in archive.infolist():
        name = member.filename.replace("\\", "/")
        steps = name.split("/")
        if member.is_dir() or any(step.startswith(".") and step != ".." for step in steps) or steps[0] == "__MACOSX":
            continue
        if name.startswith("/") or ".." in steps or ":" in steps[0]:
            yield member.filename, "Its name leads out of the archive."
        elif stat.S_ISLNK(member.external_attr >> 16):
            yield member.filename, "It is a link."
        elif name in seen:
            yield member.filename, "The archive has another file of this name."
        else:
            seen.add(name)
            yield member.filename, ""
