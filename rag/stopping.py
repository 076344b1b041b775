"""A question that is given up while it is answered, from any thread: what says so, and what ends the work on it."""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Callable, Iterator


class Stopped(Exception):
    """What was asked for is not wanted any more. Not an error: whoever set the `Stop` knows."""


class Stop:
    """Asks for one thing to be given up, once and for good. All methods may be called from any thread."""

    def __init__(self) -> None:
        self._flag = ctypes.create_string_buffer(2)
        self._lock = threading.RLock()  # reentrant: a handler of signals may set it in the thread that holds the lock
        self._calls: list[Callable[[], object]] = []

    def set(self) -> None:
        with self._lock:
            self._flag[0] = b"1"
            calls, self._calls = self._calls, []
        for call in calls:
            call()

    def is_set(self) -> bool:
        return self._flag[0] != b"\0"

    def check(self) -> None:
        """Raises Stopped if it is set."""
        if self.is_set():
            raise Stopped

    @contextlib.contextmanager
    def calling(self, call: Callable[[], object]) -> Iterator[None]:
        """Calls back when it is set meanwhile, in the thread that sets it; at once if it is set already.

        Where it is set just then, by a handler of signals in this thread, it may call twice.
        """
        with self._lock:
            self._calls.append(call)  # before looking, so that it cannot be set in between unseen
        if self.is_set():
            call()
        try:
            yield
        finally:
            with self._lock, contextlib.suppress(ValueError):
                self._calls.remove(call)

    @property
    def address(self) -> ctypes.c_void_p:
        """Of a C string that is empty until it is set: llama.cpp looks at it a thousand times a token."""
        return ctypes.cast(self._flag, ctypes.c_void_p)
