"""Processes that read files side by side, each within limits of memory and time; one that breaks is replaced."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rag.read.formats import Unread, unforeseen
from rag.read.parts import Tick
from rag.types import Document

Found = Document | Unread
OnTick = Callable[[Path, int, int], object]
"""Called with a file, and how many of its parts are done of how many; from any thread."""

MEGABYTES = 2048
"""Of address space for a process: a PDF of 900 pages takes a tenth of it."""

_AT_ONCE = 8  # files that a process is told of at once: a quarter of its time went into waiting for the next one
_AHEAD = 4  # times as many that are read before they are taken, beside those of each process
_WAITING = 64  # documents of a file that wait to be taken
_PIECE = 1 << 16
_LOOK_MILLISECONDS = 200  # in which one that is not waited for any more is ended


class Workers:
    """Reads files in up to `n` processes, which are started when they are needed and end with `close`."""

    def __init__(self, n: int, *, seconds: float, megabytes: int = MEGABYTES) -> None:
        """Starts nothing yet.

        Args:
            seconds: without a sign of life after which a file is given up.
            megabytes: of address space for a process.
        """
        self._n, self._seconds, self._megabytes = n, seconds, megabytes
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        for _ in range(n):
            self._idle.put(_Worker(seconds, megabytes))

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the processes; no file may be being read."""
        for worker in [self._idle.get() for _ in range(self._n)]:
            worker.kill()  # they hold nothing, and to end by themselves takes them a third of a second

    def read(
        self, files: Iterable[Path], max_bytes: int, on_tick: OnTick = lambda file, done, total: None
    ) -> Generator[tuple[Path, Iterator[Found]], None, None]:
        """Yields each file with what is found in it, in the order of the files; a file that cannot be read is one `Unread`.

        Documents have no language yet, see `with_language`. What is found in a file must be taken before the next file is.
        """
        waiting = list(files)
        n = max(1, min(_AT_ONCE, len(waiting) // (4 * self._n)))
        stopped = threading.Event()
        with ThreadPoolExecutor(self._n, thread_name_prefix="rag-reading") as threads:
            begun: deque[tuple[Path, queue.Queue[Found | None]]] = deque()
            try:
                for at in range(0, len(waiting), n):
                    some = [(file, queue.Queue[Found | None](_WAITING)) for file in waiting[at : at + n]]
                    threads.submit(self._read_all, some, max_bytes, on_tick, stopped)
                    begun += some
                    while len(begun) > n * (self._n + _AHEAD):
                        yield _next(begun)
                while begun:
                    yield _next(begun)
            finally:
                stopped.set()
                threads.shutdown(wait=False, cancel_futures=True)

    def _read_all(
        self,
        some: Sequence[tuple[Path, queue.Queue[Found | None]]],
        max_bytes: int,
        on_tick: OnTick,
        stopped: threading.Event,
    ) -> None:
        """Reads some files one after the other in one process, which knows the next ones before it is done with one."""
        worker = self._idle.get()
        try:
            for n, (file, found) in enumerate(some):
                _read(worker, [file, *(other for other, _ in some[n + 1 :])], max_bytes, found, on_tick, stopped)
        finally:
            self._idle.put(worker)


def _read(
    worker: _Worker,
    files: Sequence[Path],
    max_bytes: int,
    found: queue.Queue[Found | None],
    on_tick: OnTick,
    stopped: threading.Event,
) -> None:
    """Reads the first one of some files."""
    file = files[0]
    try:
        for one in worker.read(files, max_bytes, lambda done, total: on_tick(file, done, total), stopped):
            if not _put(found, one, stopped):
                worker.kill()
                return
    except OSError as exc:  # no process can be started
        _put(found, Unread(str(file), f"It cannot be read now: {exc.strerror or exc}. Try again."), stopped)
    except Exception as exc:  # what the process says of this file must not be taken for what it says of the next one
        worker.kill()
        _put(found, Unread(str(file), unforeseen(exc)), stopped)
    finally:
        _put(found, None, stopped)


def _put(found: queue.Queue[Found | None], one: Found | None, stopped: threading.Event) -> bool:
    """Puts one thing in; False if nobody takes it any more."""
    while not stopped.is_set():
        with contextlib.suppress(queue.Full):
            found.put(one, timeout=0.1)
            return True
    return False


def _next(begun: deque[tuple[Path, queue.Queue[Found | None]]]) -> tuple[Path, Iterator[Found]]:
    file, found = begun.popleft()
    return file, iter(found.get, None)


class _Worker:
    """One process, started anew after it was ended or has ended."""

    def __init__(self, seconds: float, megabytes: int) -> None:
        self._seconds, self._megabytes = seconds, megabytes
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""
        self._asked: deque[Path] = deque()  # of this process, and not answered yet

    def read(self, files: Sequence[Path], max_bytes: int, tick: Tick, stopped: threading.Event) -> Iterator[Found]:
        """Yields what is found in the first file; an `Unread` at last if that takes too long or the process breaks.

        Args:
            files: those behind the first one are read next, so that the process need not wait until they are asked for.
        """
        process, file = self._started(), files[0]
        assert process.stdin is not None
        try:
            for asked in files[len(self._asked) :]:
                process.stdin.write(json.dumps({"path": str(asked), "max_bytes": max_bytes}).encode() + b"\n")
                self._asked.append(asked)
            process.stdin.flush()
            while True:
                ((kind, value),) = json.loads(self._line(process, stopped)).items()
                match kind:
                    case "tick":
                        tick(*value)
                    case "document":
                        yield Document(*value)
                    case "unread":
                        yield Unread(*value)
                    case "end":
                        self._asked.popleft()
                        if value:
                            yield Unread(str(file), value)
                        return
        except TimeoutError:
            yield Unread(str(file), f"It takes longer than {self._seconds:.0f} s to read. Split it, or raise read_seconds.")
        except (
            BrokenPipeError,
            EOFError,
            ValueError,
            TypeError,
            AttributeError,
        ):  # ended, or says other things
            yield Unread(str(file), "The file cannot be read: the program that reads it broke. Save it in another format.")
        self.kill()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.kill()
            paths = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "rag.read.worker", str(self._megabytes)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
                start_new_session=True,  # so that Ctrl-C ends adding in its order, not the process amid a file
            )
        return self._process

    def _line(self, process: subprocess.Popen[bytes], stopped: threading.Event) -> bytes:
        """Returns the next line.

        Raises:
            TimeoutError: nothing came.
            EOFError: the process has ended, or nobody waits for it any more.
        """
        assert process.stdout is not None
        poll = select.poll()  # and not select(), which knows only 1,024 open files
        poll.register(process.stdout, select.POLLIN | select.POLLHUP)
        pieces = [self._rest]
        until = time.monotonic() + self._seconds
        while b"\n" not in pieces[-1]:
            ready = poll.poll(_LOOK_MILLISECONDS)
            if not ready and time.monotonic() > until:
                raise TimeoutError
            if stopped.is_set():
                raise EOFError
            if not ready:
                continue
            piece = os.read(process.stdout.fileno(), _PIECE)
            if not piece:
                raise EOFError
            pieces.append(piece)
        line, _, self._rest = b"".join(pieces).partition(b"\n")
        return line

    def kill(self) -> None:
        """Ends the process at once."""
        if (process := self._process) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # and what it has started
            self._end(process)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process, self._rest = None, b""
        self._asked.clear()
