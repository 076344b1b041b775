"""The answer model: llama.cpp in this process.

Only the chat template's own pieces may become control tokens. Articles and questions are turned into tokens apart from
it, as plain characters, so that a `<|im_end|>` in an article stays text.

    llama      tokens, sequences and logits of llama.cpp
    states     the files in which it is kept what the model has read
    turns      whose turn it is, where several ask
    reading    a prompt into the model's memory, from states where there are any; and drafts
    repeating  drafts that say the same again, cut there
"""

from __future__ import annotations

import codecs
import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from rag.errors import GenerationFailed, RagError
from rag.generate.llama import Llama
from rag.generate.reading import SEQUENCES, Reader
from rag.generate.repeating import without_repeats
from rag.generate.states import StateStore
from rag.generate.turns import Turns
from rag.stopping import Stop, Stopped
from rag.types import Prompt

T = TypeVar("T")


class LlamaGenerator:
    """A `Generator` over one GGUF file. One draft at a time; others wait in order."""

    def __init__(self, path: Path, *, context_tokens: int, threads: int, states: StateStore | None = None) -> None:
        """Loads the model.

        Args:
            path: a GGUF file.
            context_tokens: room for prompt and draft; about 15 KB of memory each with the default model.
            threads: cores to use.
            states: where the states of passages are kept; None keeps none.

        Raises:
            DependencyMissing: llama-cpp-python is not installed.
            ModelCorrupt: llama.cpp cannot load the file.
            ModelError: there is too little memory for the context.
        """
        self.name = path.stem
        self._llama = Llama(path, context_tokens=context_tokens, threads=threads, sequences=SEQUENCES)
        self._reader = Reader(self._llama, states)
        self.context_tokens = self._llama.context_tokens
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="rag-answering")  # the only one that drives the model
        self._turns = Turns()
        self._closed = threading.Event()
        self._lock = threading.RLock()  # a handler of signals may stop a question in the thread that holds it
        self._jobs: set[Stop] = set()  # that wait or run
        self._idle: set[Stop] = set()  # those of them that give way to any other

    def close(self) -> None:
        """Stops the draft that is being written, and frees the model."""
        with self._lock:
            self._closed.set()
            for stop in list(self._jobs):
                stop.set()
        self._worker.shutdown()
        self._llama.close()

    @property
    def notice(self) -> str:
        """Tells why passages are read anew for each question, or are not stored; "" if all is well."""
        return self._reader.notice

    def count(self, text: str) -> int:
        """Returns the number of tokens of a text; raises GenerationFailed if the model was closed."""
        with self._lock:  # not in the worker's thread, where a draft may be going on
            if self._closed.is_set():
                raise _closed_error()
            return len(self._llama.tokenize(text))

    def stream(self, prompt: Prompt, *, max_tokens: int, stop: Stop | None = None) -> Iterator[str]:
        """Yields pieces of the draft, the likeliest token each time. Closing the iterator stops the model at once.

        A draft that is no longer read is written to its end all the same, so that it holds nobody up for long.

        Raises:
            Stopped: `stop` was set; the model stops at once, also while it reads.
            GenerationFailed: the prompt does not fit, llama.cpp stopped with an error, or the model was closed.
        """
        pieces: SimpleQueue[str | RagError | None] = SimpleQueue()
        asker, stop = stop or prompt, stop or Stop()
        with self._submitted(lambda own: self._write(prompt, max_tokens, pieces, own), stop) as written:
            self._turns.end(asker)  # others queue behind the draft from here on
            written.add_done_callback(lambda _: pieces.put(None))  # it may have been cancelled
            while (piece := pieces.get()) is not None and not stop.is_set():
                if isinstance(piece, RagError):
                    raise piece
                yield piece
        stop.check()

    def begin(self, prompt: Prompt, *, stop: Stop | None = None) -> str:
        """Returns the first piece of a draft, "" if it has no whole character; `weigh` and `stream` go on behind it.

        Raises:
            Stopped, GenerationFailed: as of `weigh`.
        """
        asker, stop = stop or prompt, stop or Stop()
        with self._turns.taken(asker, stop):
            return self._run(lambda own: self._first_piece(prompt, own), stop)

    def weigh(self, prompt: Prompt, words: Sequence[str], *, stop: Stop | None = None) -> tuple[float, ...]:
        """Returns for each word the natural log-probability that the answer to the aside begins with its first token.

        Prompt and aside are read together, so that a draft of the same prompt begins at once; only the aside if the draft
        was begun. Where whoever waits is interrupted, the model stops reading.

        Raises:
            Stopped: `stop` was set; the model stops at once.
            GenerationFailed: the prompt does not fit, llama.cpp stopped with an error, or the model was closed.
        """
        asker, stop = stop or prompt, stop or Stop()  # a question has one `Stop`, whichever of its passages is asked
        with self._turns.taken(asker, stop):
            return self._run(lambda own: self._reader.weigh(prompt, words, own), stop)

    def prepare(self, prompt: Prompt, *, stop: Stop | None = None) -> bool:
        """Reads the paragraphs of a prompt and keeps their states, unless something else is asked meanwhile.

        Returns:
            False if it gave way to something else, or `stop` was set.

        Raises:
            GenerationFailed: as of `weigh`.
        """
        try:
            self._run(lambda own: self._reader.prepare(prompt, own), stop, is_idle=True)
        except Stopped:
            return False
        return True

    def _run(self, job: Callable[[Stop], T], stop: Stop | None, *, is_idle: bool = False) -> T:
        """Waits for a job in the worker's thread."""
        try:
            with self._submitted(job, stop or Stop(), is_idle=is_idle) as done:
                return done.result()
        except (Stopped, CancelledError):
            if self._closed.is_set():
                raise _closed_error() from None
            raise Stopped from None
        except RagError:
            raise
        except Exception as exc:
            raise _failed(exc) from exc

    @contextlib.contextmanager
    def _submitted(self, job: Callable[[Stop], T], stop: Stop, *, is_idle: bool = False) -> Iterator[Future[T]]:
        """Gives a job to the worker's thread; it is stopped when `stop` is set, and when nobody waits for it any more.

        Args:
            job: called with what stops it alone.
            is_idle: the job gives way to any other.

        Raises:
            Stopped: `stop` was set before, or an idle job has to wait.
        """
        own = Stop()
        with self._lock:
            if self._closed.is_set():
                raise _closed_error()
            if stop.is_set() or (is_idle and self._jobs):
                raise Stopped
            for idle in self._idle:
                idle.set()
            self._jobs.add(own)
            self._idle |= {own} if is_idle else set()
            future = self._worker.submit(self._work, job, own)

        def give_up() -> None:
            own.set()
            if future.cancel():  # it had not begun: whoever waits need not wait for the jobs before it
                self._forget(own)

        try:
            with stop.calling(give_up):
                yield future
        finally:
            own.set()

    def _work(self, job: Callable[[Stop], T], stop: Stop) -> T:
        try:
            return job(stop)
        finally:
            self._forget(stop)

    def _forget(self, stop: Stop) -> None:
        with self._lock:
            self._jobs.discard(stop)
            self._idle.discard(stop)

    def _write(self, prompt: Prompt, max_tokens: int, pieces: SimpleQueue[str | RagError | None], stop: Stop) -> None:
        """Puts the pieces of a draft, then None or an error, into a queue."""
        try:
            for piece in without_repeats(self._pieces(prompt, max_tokens, stop)):
                pieces.put(piece)
            pieces.put(None)
        except Stopped:
            pieces.put(_closed_error() if self._closed.is_set() else None)
        except RagError as exc:
            pieces.put(exc)
        except Exception as exc:  # whoever reads the queue waits for an end of it
            pieces.put(_failed(exc))

    def _first_piece(self, prompt: Prompt, stop: Stop) -> str:
        return self._llama.bytes_of(self._reader.begin(prompt, stop), special=False).decode("utf-8", "ignore")

    def _pieces(self, prompt: Prompt, max_tokens: int, stop: Stop) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        for token in self._reader.write(prompt, max_tokens, stop):
            if piece := decoder.decode(self._llama.bytes_of(token, special=False)):
                yield piece


def _closed_error() -> GenerationFailed:
    return GenerationFailed("The answer model was closed.", "Open the assistant again.")


def _failed(exc: Exception) -> GenerationFailed:
    return GenerationFailed(f"The answer model stopped: {exc!r}.", "Ask again, or restart.")
