"""The answer model: llama.cpp in this process, through the low-level API of llama-cpp-python.

Only the chat template's own pieces may become control tokens. Articles and questions are turned into tokens apart from
it, as plain characters, so that a `<|im_end|>` in an article stays text.
"""

from __future__ import annotations

import codecs
import ctypes
import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

import numpy as np

from rag.errors import DependencyMissing, GenerationFailed, ModelCorrupt, ModelError, RagError
from rag.types import Prompt

T = TypeVar("T")

_SYSTEM, _USER = "\ue000system\ue001", "\ue000user\ue001"
_SPINS = "1000"
"""How long a thread of llama.cpp spins for the other ones before it sleeps; libgomp's own value makes answers twenty times
slower as soon as another program is busy. Source: docs/experiments.md, "Times"."""
_BATCH = 256  # tokens decoded by one call, which cannot be interrupted: some 2 s of the default model on two cores


class LlamaGenerator:
    """A `Generator` over one GGUF file. One draft at a time; others wait in order.

    A prompt is decoded segment by segment: system, each paragraph, question. Segments at the beginning that the memory
    still holds are not decoded again; as they are always decoded alone, the draft is the same either way.
    """

    def __init__(self, path: Path, *, context_tokens: int, threads: int) -> None:
        """Loads the model.

        Args:
            path: a GGUF file.
            context_tokens: room for prompt and draft; about 28 KB of memory each with the default model.
            threads: cores to use.

        Raises:
            DependencyMissing: llama-cpp-python is not installed.
            ModelCorrupt: llama.cpp cannot load the file.
            ModelError: there is too little memory for the context.
        """
        self._api = _llama_cpp()
        self.name = path.stem
        self._closed = threading.Event()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="rag-answering")  # the only one that drives the model
        self._model = self._load(path)
        self._vocabulary = self._api.llama_model_get_vocab(self._model)
        self._n_vocabulary = self._api.llama_vocab_n_tokens(self._vocabulary)
        self._context = self._make_context(context_tokens, threads)
        self._memory = self._api.llama_get_memory(self._context)
        self.context_tokens = self._api.llama_n_ctx(self._context)
        self._decoded: list[list[int]] = []  # segments of a prompt in the memory, from position 0; a draft may follow
        self._template = self._render_template()

    def close(self) -> None:
        """Stops the draft that is being written, and frees the model."""
        self._closed.set()
        self._worker.shutdown()
        if self._model:
            self._api.llama_free(self._context)
            self._api.llama_model_free(self._model)
            self._model = self._context = None

    def count(self, text: str) -> int:
        """Returns the number of tokens of a text; raises GenerationFailed if the model was closed."""
        return self._submit(lambda: len(self._tokenize(text))).result()

    def stream(self, prompt: Prompt, *, max_tokens: int) -> Iterator[str]:
        """Yields pieces of the draft, the likeliest token each time. Closing the iterator stops the model.

        A draft that is no longer read is written to its end all the same, so that it holds nobody up for long.

        Raises:
            GenerationFailed: the prompt does not fit, llama.cpp stopped with an error, or the model was closed.
        """
        pieces: SimpleQueue[str | RagError | None] = SimpleQueue()
        stopped = threading.Event()
        self._submit(self._write, prompt, max_tokens, pieces, stopped)
        try:
            while (piece := pieces.get()) is not None:
                if isinstance(piece, RagError):
                    raise piece
                yield piece
        finally:
            stopped.set()

    def weigh(self, prompt: Prompt, words: Sequence[str]) -> tuple[float, ...]:
        """Returns for each word the natural log-probability that the draft begins with the first of its tokens.

        Read from the logits of the prompt's last token, so it costs no more than reading what of the prompt is new. Where
        whoever waits is interrupted, the model stops reading.

        Raises:
            GenerationFailed: the prompt does not fit, llama.cpp stopped with an error, or the model was closed.
        """
        stopped = threading.Event()
        job = self._submit(self._weighed, prompt, words, stopped)
        try:
            return job.result()
        except RagError:
            raise
        except Exception as exc:
            raise _failed(exc) from exc
        finally:
            stopped.set()

    def _submit(self, job: Callable[..., T], *args: Any) -> Future[T]:
        try:
            return self._worker.submit(job, *args)
        except RuntimeError as exc:  # of an executor that was shut down
            raise _closed_error() from exc

    def _weighed(self, prompt: Prompt, words: Sequence[str], stopped: threading.Event) -> tuple[float, ...]:
        if not self._read(prompt, stopped):
            raise _closed_error()  # or nobody waits for it any more
        logits = self._logits().astype(np.float64)
        normaliser = logits.max() + np.log(np.exp(logits - logits.max()).sum())
        return tuple(float(logits[self._tokenize(word)[0]] - normaliser) for word in words)

    def _write(
        self, prompt: Prompt, max_tokens: int, pieces: SimpleQueue[str | RagError | None], stopped: threading.Event
    ) -> None:
        """Puts the pieces of a draft, then None or an error, into a queue; runs in the thread that owns the model."""
        try:
            for piece in self._pieces(prompt, max_tokens, stopped):
                pieces.put(piece)
            pieces.put(_closed_error() if self._closed.is_set() else None)
        except RagError as exc:
            pieces.put(exc)
        except Exception as exc:  # whoever reads the queue waits for an end of it
            pieces.put(_failed(exc))

    def _pieces(self, prompt: Prompt, max_tokens: int, stopped: threading.Event) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        room = self._read(prompt, stopped)
        for _ in range(min(max_tokens, room)):
            token = self._likeliest()
            if stopped.is_set() or self._closed.is_set() or self._api.llama_vocab_is_eog(self._vocabulary, token):
                return
            if piece := decoder.decode(self._bytes_of(token, special=False)):
                yield piece
            self._decode([token])

    def _read(self, prompt: Prompt, stopped: threading.Event) -> int:
        """Decodes what of a prompt the memory does not hold; returns the tokens of room left, 0 if it was stopped."""
        segments = self._segments(prompt)
        n_tokens = sum(map(len, segments))
        room = self.context_tokens - n_tokens
        if room < 1:
            raise GenerationFailed(
                f"The prompt has {n_tokens} tokens, the model's context {self.context_tokens}.", "Raise context_tokens."
            )
        for batch in self._batches(segments):
            if self._closed.is_set() or stopped.is_set():
                return 0
            self._decode(batch)
        self._decoded = segments
        return room

    # --- llama.cpp -------------------------------------------------------------------------------------------------

    def _load(self, path: Path) -> Any:
        parameters = self._api.llama_model_default_params()
        # No repacked copy of the weights: they stay mapped from the file, reading is as fast or faster (docs/experiments.md,
        # "Times"), and the AMX kernels, which crash when GCC 12 compiled them, are left out.
        parameters.use_extra_bufts = False
        model = self._api.llama_model_load_from_file(str(path).encode(), parameters)
        if not model:
            raise ModelCorrupt(f"llama.cpp cannot load {path}.", "Run: rag models verify")
        return model

    def _make_context(self, context_tokens: int, threads: int) -> Any:
        parameters = self._api.llama_context_default_params()
        parameters.n_ctx = min(context_tokens, self._api.llama_model_n_ctx_train(self._model))
        parameters.n_batch = parameters.n_ubatch = _BATCH
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.no_perf = True
        context = self._api.llama_init_from_model(self._model, parameters)
        if not context:
            self._api.llama_model_free(self._model)
            raise ModelError(
                f"llama.cpp cannot make room for {context_tokens} tokens of {self.name}.", "Lower context_tokens."
            )
        return context

    def _batches(self, segments: Sequence[list[int]]) -> Iterator[list[int]]:
        """Forgets what the memory has beyond the segments that it shares with these; yields what is to be decoded."""
        n_shared = 0
        while n_shared < len(segments) - 1 and segments[: n_shared + 1] == self._decoded[: n_shared + 1]:
            n_shared += 1
        kept = sum(map(len, segments[:n_shared]))
        if not self._api.llama_memory_seq_rm(self._memory, 0, kept, -1):  # some architectures only forget all
            self._api.llama_memory_clear(self._memory, True)
            n_shared = 0
        self._decoded = list(segments[:n_shared])
        for segment in segments[n_shared:]:
            for start in range(0, len(segment), _BATCH):
                yield segment[start : start + _BATCH]

    def _decode(self, tokens: Sequence[int]) -> None:
        array = (self._api.llama_token * len(tokens))(*tokens)  # the batch only points to it
        code = self._api.llama_decode(self._context, self._api.llama_batch_get_one(array, len(tokens)))
        if code:
            self._api.llama_memory_clear(self._memory, True)
            self._decoded = []
            raise GenerationFailed(f"The answer model stopped: llama_decode returned {code}.", "Ask again, or restart.")

    def _logits(self) -> np.ndarray:
        """Returns a view of the last token's logits, float32, shape (n_vocabulary,); the next decoding overwrites it."""
        logits = self._api.llama_get_logits_ith(self._context, -1)
        return np.ctypeslib.as_array(logits, shape=(self._n_vocabulary,))

    def _likeliest(self) -> int:
        return int(self._logits().argmax())

    # --- text and tokens -------------------------------------------------------------------------------------------

    def _tokenize(self, text: str, *, special: bool = False) -> list[int]:
        data = text.encode("utf-8", "replace")
        tokens = (self._api.llama_token * (len(data) + 8))()
        n = self._api.llama_tokenize(self._vocabulary, data, len(data), tokens, len(tokens), False, special)
        return tokens[:n]

    def _bytes_of(self, token: int, *, special: bool) -> bytes:
        size = 64
        while True:
            piece = ctypes.create_string_buffer(size)
            n = self._api.llama_token_to_piece(self._vocabulary, token, piece, size, 0, special)
            if n >= 0:
                return piece.raw[:n]
            size = -n

    def _segments(self, prompt: Prompt) -> list[list[int]]:
        """Returns the tokens of a prompt, cut before and after each paragraph; none of the segments is empty."""
        segments: list[list[int]] = [[]]
        for piece in self._template:
            if piece == _SYSTEM:
                segments[-1] += self._tokenize(prompt.system)
            elif piece == _USER:
                segments += [self._tokenize(f"{paragraph}\n\n") for paragraph in prompt.paragraphs]
                segments.append(self._tokenize(prompt.question))
            elif piece:
                segments[-1] += self._tokenize(piece, special=True)
        return [segment for segment in segments if segment]

    def _render_template(self) -> list[str]:
        """Renders the model's own chat template around two marks, and cuts it there."""
        from llama_cpp.llama_chat_format import Jinja2ChatFormatter

        api, vocabulary = self._api, self._vocabulary
        bos = self._text_of(api.llama_vocab_bos(vocabulary))
        source = api.llama_model_chat_template(self._model, None)
        if source is None:
            return [bos if api.llama_vocab_get_add_bos(vocabulary) else "", _SYSTEM, "\n\n", _USER, "\n\nAnswer:"]
        eos = self._text_of(api.llama_vocab_eos(vocabulary))
        formatter = Jinja2ChatFormatter(source.decode("utf-8", "replace"), eos_token=eos, bos_token=bos)
        rendered = ""
        try:
            messages: Any = [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": _USER}]
            rendered = formatter(messages=messages, enable_thinking=False).prompt
        except Exception:  # a template raises what it likes for a role that it does not know
            rendered = ""
        if _SYSTEM not in rendered:
            messages = [{"role": "user", "content": f"{_SYSTEM}\n\n{_USER}"}]
            rendered = formatter(messages=messages, enable_thinking=False).prompt
        return re.split(f"({_SYSTEM}|{_USER})", rendered)

    def _text_of(self, token: int) -> str:
        return "" if token < 0 else self._bytes_of(token, special=True).decode("utf-8", "replace")


def _closed_error() -> GenerationFailed:
    return GenerationFailed("The answer model was closed.", "Open the assistant again.")


def _failed(exc: Exception) -> GenerationFailed:
    return GenerationFailed(f"The answer model stopped: {exc!r}.", "Ask again, or restart.")


@cache
def _llama_cpp() -> Any:
    """Imports llama.cpp and keeps it from printing."""
    os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)
    try:
        import llama_cpp
    except ImportError as exc:
        raise DependencyMissing("The package llama-cpp-python is not installed.", "pip install llama-cpp-python") from exc
    llama_cpp.llama_log_set(_silence(llama_cpp), None)
    llama_cpp.llama_backend_init()
    return llama_cpp


@cache  # llama.cpp keeps no reference to it, and may log until the process ends
def _silence(llama_cpp: Any) -> Any:
    return llama_cpp.llama_log_callback(lambda level, text, data: None)
