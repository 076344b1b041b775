"""What a command leaves in a terminal: lines, progress bars, and its exit code."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator

DONE, FAILED, BAD_USE, NOT_FOUND, INTERRUPTED = 0, 1, 2, 3, 130

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, other ends of a line, marks that change the direction of what follows, half characters."""

EMPTY = "The library is empty. Add articles with: rag add PATH"


def say(message: str) -> None:
    """Prints to stderr; that nobody reads it is no error."""
    with contextlib.suppress(OSError):
        print(message, file=sys.stderr, flush=True)


def printable(text: object) -> str:
    """Returns a name, path or title as one line; what a terminal would obey, or turn around, becomes "\ufffd"."""
    return _UNPRINTABLE.sub("\ufffd", str(text))


def counted(n: int, noun: str) -> str:
    """`1 document`, `2 documents`."""
    return f"{n} {noun}" + ("" if n == 1 else "s")


@contextlib.contextmanager
def progress_bar(unit: str) -> Iterator[Callable[[int, int, str], object]]:
    """Shows a progress bar on stderr, if that is a terminal, from the first call of what it gives."""
    from tqdm import tqdm

    bars: list[tqdm] = []

    def progress(done: int, total: int, label: str) -> None:
        if not total:  # of nothing there is no progress
            return
        if not bars:
            scaled = {"unit_scale": True, "unit_divisor": 1000} if unit == "B" else {}
            bars.append(
                tqdm(
                    total=total,
                    unit=unit if unit == "B" else f" {unit}",
                    leave=True,
                    dynamic_ncols=True,
                    disable=None,
                    **scaled,
                )
            )
        bar = bars[0]
        bar.total = total
        bar.set_description_str(printable(label[:40]), refresh=False)
        bar.n = done
        bar.refresh()

    try:
        yield progress
    finally:
        for bar in bars:
            bar.close()


def quieten() -> None:
    """Keeps libraries from printing and from phoning home; what the user set stays."""
    quiet = {
        "TOKENIZERS_PARALLELISM": "false",
        "TRANSFORMERS_VERBOSITY": "error",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "GRADIO_ANALYTICS_ENABLED": "False",
        "TQDM_MONITOR_INTERVAL": "0",
    }
    for name, value in quiet.items():
        os.environ.setdefault(name, value)
    logging.basicConfig(level=logging.DEBUG if os.environ.get("RAG_DEBUG") == "2" else logging.ERROR)
