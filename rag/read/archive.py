"""ZIP archives, without ever writing what is in them to a disk: each member is read by itself, and within a limit."""

from __future__ import annotations

import contextlib
import io
import lzma
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator

from rag.errors import ReadError

_MAX_MEMBERS = 20_000
_MAX_TIMES = 20  # of the limit for one file: what all members of an archive may have together
_PIECE = 1 << 20


class Budget:
    """What may be taken out of a file, with all archives in archives that are in it."""

    def __init__(self, max_bytes: int) -> None:
        self._all = self._left = _MAX_TIMES * max_bytes

    def take(self, n_bytes: int) -> None:
        """Counts bytes.

        Raises:
            ReadError: it is more than may be taken.
        """
        self._left -= n_bytes
        if self._left < 0:
            told = f"The archive unpacks to more than {self._all / 1e6:,.0f} MB."
            raise ReadError(told, "Unpack it, and add the folder, if you trust it.")


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


def taken(archive: zipfile.ZipFile, member: str | zipfile.ZipInfo, max_bytes: int, budget: Budget | None = None) -> bytes:
    """Returns the bytes of a member.

    Raises:
        ReadError: it is damaged, locked or too large, whatever the archive says of its size; or the budget is used up.
    """
    pieces, size = [], 0
    try:
        with archive.open(member) as file:
            while piece := file.read(_PIECE):
                size += len(piece)
                if budget:
                    budget.take(len(piece))
                if size > max_bytes:
                    told = f"It is too large: more than {max_bytes / 1e6:.0f} MB."
                    raise ReadError(told, "Split it, or raise max_file_mb.")
                pieces.append(piece)
    except NotImplementedError as exc:  # a RuntimeError too
        raise ReadError(f"It is packed in a way that is not known: {exc}.", "Pack it again.") from exc
    except RuntimeError as exc:  # zipfile's way to say that a password is needed
        raise ReadError("It is protected with a password.", "Unpack it, and add the folder.") from exc
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, KeyError, ValueError) as exc:
        raise ReadError(f"It is damaged: {exc}.", "Pack it again.") from exc
    return b"".join(pieces)


def members(archive: zipfile.ZipFile) -> Iterator[tuple[zipfile.ZipInfo, str, str]]:
    """Yields each file in an archive with its path there, and why it is not read, "" if it may be; no hidden ones."""
    seen: set[str] = set()
    for member in archive.infolist():
        steps = [step for step in member.filename.replace("\\", "/").split("/") if step != "."]
        name = "/".join(steps)
        if member.is_dir() or any(step.startswith(".") and step != ".." for step in steps) or steps[0] == "__MACOSX":
            continue
        if name.startswith("/") or ".." in steps or re.match("[A-Za-z]:", name):
            yield member, name, "Its name leads out of the archive."
        elif stat.S_ISLNK(member.external_attr >> 16):
            yield member, name, "It is a link."
        elif name in seen:
            yield member, name, "The archive has another file of this name, which was read."
        else:
            seen.add(name)
            yield member, name, ""
