"""How quickly Footnote starts here. Not a test: run it by hand.

    python -m tests.bench.starting [--rounds N]

The models of RAG_MODELS over a new library of the seed articles. A line has the median of N rounds (5 if not said), the
lowest and the highest; a first round that is not counted brings the files into the page cache.

    page up            from the start of `rag serve` until GET / gives a page
    ready to answer    until the page's status line waits for nothing more
    first evidence     of `rag ask`: until paragraphs are found; then the first word that the model writes
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import httpx

from rag.config import Settings
from rag.server import bind
from tests.visiting import Visitor

QUESTION = "How many Indonesians were arrested?"
RAG = (sys.executable, "-m", "rag.cli")
MOST_SECONDS = 120
GOALS = {"import rag": 0.2, "rag --help": 0.5, "rag serve: page up": 4.0, "rag serve: ready to answer": 10.0}
"""Seconds that are wanted at most."""

ASK = """
from rag import config
from rag.cli.opening import opened
from rag.types import Delta, Evidence
with opened(config.load()) as assistant:
    told = set()
    for event in assistant.stream({question!r}):
        if isinstance(event, Evidence | Delta) and type(event) not in told:
            told.add(type(event))
            print(type(event).__name__, flush=True)
"""
"""What `rag ask` does, telling how far it is."""


def ended(command: Sequence[str]) -> float:
    """Returns the seconds until a command has ended."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def asked() -> Iterator[tuple[str, float]]:
    """Yields when `rag ask` has paragraphs and the first word of the draft."""
    started = time.perf_counter()
    names = {"Evidence": "first evidence", "Delta": "first word"}
    command = [sys.executable, "-c", ASK.format(question=QUESTION)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        for line in process.stdout or ():
            yield f"rag ask: {names[line.strip()]}", time.perf_counter() - started


def served() -> Iterator[tuple[str, float]]:
    """Yields when `rag serve` gives its page, and when it answers."""
    with bind(Settings(port=0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    started = time.perf_counter()
    with subprocess.Popen([*RAG, "serve", "--port", str(port)], stdout=subprocess.DEVNULL) as process:
        try:
            for name, is_there in (
                ("page up", lambda: bool(httpx.get(address, timeout=MOST_SECONDS).status_code == 200)),
                ("ready to answer", lambda: is_ready(address)),
            ):
                wait_for(is_there)
                yield f"rag serve: {name}", time.perf_counter() - started
            yield "rag serve: processor time so far", processor_seconds(process.pid)
        finally:
            process.terminate()


def is_ready(address: str) -> bool:
    with Visitor(address) as visitor:
        return "waiting" not in visitor.status()


def wait_for(is_there: Callable[[], bool]) -> None:
    """Looks twenty times a second, until it is there."""
    latest = time.monotonic() + MOST_SECONDS
    while time.monotonic() < latest:
        with suppress(httpx.TransportError):
            if is_there():
                return
        time.sleep(0.05)
    raise SystemExit("The server did not start.")


def processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure() -> Iterator[tuple[str, float]]:
    """Yields each figure of one round."""
    yield "import rag", ended([sys.executable, "-c", "import rag"])
    yield "rag --help", ended([*RAG, "--help"])
    yield "rag status", ended([*RAG, "status"])
    yield from served()
    yield from asked()
    yield "rag ask: all of it", ended([*RAG, "ask", QUESTION])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    figures: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as index:
        os.environ["RAG_INDEX"] = index
        subprocess.run([*RAG, "ask", QUESTION], check=True, stdout=subprocess.DEVNULL)  # builds the library
        for n in range(options.rounds + 1):
            for name, seconds in measure():
                if n:
                    figures[name].append(seconds)
    print(f"{'':34} median   lowest  highest  wanted   (s, {options.rounds} rounds)")
    for name, values in figures.items():
        wanted = f"{GOALS[name]:7.1f}" if name in GOALS else ""
        print(f"{name:34}{statistics.median(values):7.2f}  {min(values):7.2f}  {max(values):7.2f} {wanted}".rstrip())


if __name__ == "__main__":
    main()
