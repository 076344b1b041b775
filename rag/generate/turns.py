"""Whose turn it is, where several ask one model: a draft follows the question that it was weighed by, before any other."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Hashable, Iterator

from rag.stopping import Stop

_KEPT_SECONDS = 0.05  # after a question was weighed, until its draft is begun: deciding takes a few milliseconds
_LOOK_SECONDS = 0.02  # between two looks whether a turn ran out, or whoever waits was stopped


class Turns:
    """Turns in the order in which they were asked for. Any thread may take one.

    What was read for a question is gone as soon as the model reads for another: two questions that took turns at each step
    would both be read twice.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        self._holder: Hashable | None = None
        self._until = 0.0  # time.monotonic, when the turn runs out

    @contextlib.contextmanager
    def taken(self, holder: Hashable, stop: Stop) -> Iterator[None]:
        """Waits for the turn, and keeps it a moment beyond the end for what follows with the same holder.

        Raises:
            Stopped: `stop` was set meanwhile.
        """
        place = object()
        with self._changed:
            self._waiting.append(place)
            try:
                while not (self._is_free(holder) and self._waiting[0] is place):
                    stop.check()
                    self._changed.wait(_LOOK_SECONDS)
                self._holder, self._until = holder, float("inf")
            finally:
                self._waiting.remove(place)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._until = time.monotonic() + _KEPT_SECONDS
                self._changed.notify_all()

    def end(self, holder: Hashable) -> None:
        """Ends the turn of a holder, if it still has it."""
        with self._changed:
            if self._holder == holder and self._until < float("inf"):
                self._until = 0.0
                self._changed.notify_all()

    def _is_free(self, holder: Hashable) -> bool:
        return (self._holder == holder and self._until < float("inf")) or time.monotonic() >= self._until
