"""What runs in a process that reads files: `python -m rag.read.worker MEGABYTES`.

Reads a request a line from its input, {"path": ..., "max_bytes": ...}, and answers in lines: any number of {"tick": [done,
total]}, {"document": [...]} and {"unread": [...]}, then {"end": reason}, which is "" unless nothing could be read. JSON, as
what comes from a process that a hostile file may have taken over must not be able to run anything here.
"""

from __future__ import annotations

import dataclasses
import gc
import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rag.errors import ReadError
from rag.read import read_parts
from rag.read.formats import unforeseen
from rag.types import Document

NO_MEMORY = "It takes more memory than a file may take while it is read. Split it."
_FORBIDDEN = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request")
_TICK_SECONDS = 0.2


def main(megabytes: int) -> None:
    """Answers requests until the input ends, or the process that asks is gone."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = megabytes << 20 if hard == resource.RLIM_INFINITY else min(megabytes << 20, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.addaudithook(_forbid)
    threading.Thread(target=_leave_with, args=(os.getppid(),), daemon=True).start()
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="surrogatepass")
    os.dup2(2, 1)  # what a library prints is no answer

    def say(kind: str, value: Any) -> None:
        out.write(f"{json.dumps({kind: value})}\n")
        out.flush()

    sys.setrecursionlimit(10_000)  # pages may be nested deeply
    sys.modules["py3langid"] = None  # type: ignore[assignment]  # trafilatura would load it, and numpy, to tell no language
    gc.set_threshold(50_000)  # a tenth of the time went into looking for garbage
    for line in sys.stdin:
        request = json.loads(line)
        say("end", _answer(Path(request["path"]), request["max_bytes"], say))


def _answer(path: Path, max_bytes: int, say: Callable[[str, Any], None]) -> str:
    """Reads a file; returns why nothing could be read, "" if something was."""
    told = 0.0

    def tick(done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() > told + _TICK_SECONDS:
            told = time.monotonic()
            say("tick", [done, total])

    try:
        for found in read_parts(path, max_bytes=max_bytes, tick=tick):
            values = [getattr(found, field.name) for field in dataclasses.fields(found)]
            say("document" if isinstance(found, Document) else "unread", values)
    except ReadError as exc:
        return str(exc)
    except MemoryError:
        return NO_MEMORY
    except Exception as exc:  # of a library, for bytes that it does not expect
        return unforeseen(exc)
    return ""


def _forbid(event: str, _: Any) -> None:
    if event in _FORBIDDEN:
        raise PermissionError("nothing is fetched while a file is read")


def _leave_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]))
