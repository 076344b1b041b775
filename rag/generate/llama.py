"""llama.cpp as this program uses it, through the low-level API of llama-cpp-python: tokens, sequences, logits, states."""

from __future__ import annotations

import ctypes
import hashlib
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from rag.errors import DependencyMissing, GenerationFailed, ModelCorrupt, ModelError
from rag.stopping import Stop, Stopped

_SPINS = "1000"
"""How long a thread of llama.cpp spins for the other ones before it sleeps; libgomp's own value makes answers twenty times
slower as soon as another program is busy. Source: docs/experiments.md, "Times"."""

BATCH = 512
"""Tokens decoded by one call."""

_SAMPLES, _SAMPLE_BYTES = 256, 4096  # of a model file, spread over it: they tell it from another one of its size
_HEAD_BYTES = 1 << 20  # its metadata and the list of its tensors


class Llama:
    """One model with one context. Not thread-safe, apart from `Stop`.

    Attributes:
        identity: tells this model file, build of llama.cpp and kind of memory from all others.
        context_tokens: cells of the memory, shared by all sequences.
        unjoinable: why states of sequences cannot be put side by side into one; "" if they can.
    """

    def __init__(self, path: Path, *, context_tokens: int, threads: int, sequences: int) -> None:
        """Loads the model; raises DependencyMissing, ModelCorrupt or ModelError."""
        self.api = _llama_cpp()
        self._file = MappedFile(path)
        self._model = self._load(path)
        self.vocabulary = self.api.llama_model_get_vocab(self._model)
        self.n_vocabulary = self.api.llama_vocab_n_tokens(self.vocabulary)
        self._context, kind = self._make_context(context_tokens, threads, sequences)
        self._memory = self.api.llama_get_memory(self._context)
        self.context_tokens = self.api.llama_n_ctx(self._context)
        self.identity = f"{_digest(path)} {self.api.__version__} {kind}"
        self.unjoinable = self._unjoinable()
        self._batch = self.api.llama_batch_init(BATCH, 0, sequences)
        # A callback in Python would wait for the interpreter a thousand times a token. strlen tells whether a C string is
        # empty, which is all that is asked.
        self._is_stopped = ctypes.cast(ctypes.CDLL(None).strlen, self.api.ggml_abort_callback)

    def close(self) -> None:
        """Frees everything. Nothing may be called afterwards, apart from this."""
        if self._model:
            self.api.llama_batch_free(self._batch)
            self.api.llama_free(self._context)
            self.api.llama_model_free(self._model)
            self._model = self._context = None
            self._file.close()

    def _load(self, path: Path) -> Any:
        parameters = self.api.llama_model_default_params()
        # No repacked copy of the weights: they stay mapped from the file, reading is as fast or faster (docs/experiments.md,
        # "Times"), and the AMX kernels, which crash when GCC 12 compiled them, are left out.
        parameters.use_extra_bufts = False
        model = self.api.llama_model_load_from_file(str(path).encode(), parameters)
        if not model:
            raise ModelCorrupt(f"llama.cpp cannot load {path}.", "Run: rag models verify")
        return model

    def _make_context(self, context_tokens: int, threads: int, sequences: int) -> tuple[Any, str]:
        """Returns a context and the kind of its memory: eight bits a value, or sixteen where the model cannot have that."""
        parameters = self.api.llama_context_default_params()
        parameters.n_ctx = min(context_tokens, self.api.llama_model_n_ctx_train(self._model))
        parameters.n_batch = parameters.n_ubatch = BATCH
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.n_seq_max = sequences
        parameters.kv_unified = True  # so that a cell can belong to several sequences
        parameters.no_perf = True
        for kind in ("Q8_0", "F16"):
            parameters.type_k = parameters.type_v = getattr(self.api, f"GGML_TYPE_{kind}")
            if context := self.api.llama_init_from_model(self._model, parameters):
                return context, f"{kind} {parameters.n_ctx}"
        self.api.llama_model_free(self._model)
        raise ModelError(f"llama.cpp cannot make room for {context_tokens} tokens.", "Lower context_tokens.")

    def _unjoinable(self) -> str:
        if self.api.llama_model_is_recurrent(self._model) or self.api.llama_model_is_hybrid(self._model):
            return "it is a recurrent model"
        if self.api.llama_model_n_swa(self._model) > 0:
            return "its attention has a sliding window"
        several = self.api.LLAMA_ROPE_TYPE_MROPE, self.api.LLAMA_ROPE_TYPE_VISION, self.api.LLAMA_ROPE_TYPE_IMROPE
        if self.api.llama_model_rope_type(self._model) in several:
            return "its positions have several parts"
        return ""

    # --- sequences -------------------------------------------------------------------------------------------------

    def decode(self, tokens: Sequence[tuple[int, int, Sequence[int]]], wanted: Sequence[int], stop: Stop) -> None:
        """Reads tokens into sequences.

        Args:
            tokens: token, position, and the sequences that it belongs to; at most `BATCH`.
            wanted: places in `tokens` whose logits are kept.

        Raises:
            Stopped: `stop` was set. What the sequences hold of these tokens is not known then.
            ModelCorrupt: the model's file was written to since it was loaded.
            GenerationFailed: llama.cpp could not decode them.
        """
        self._file.check()
        batch = self._batch
        batch.n_tokens = len(tokens)
        for n, (token, position, sequences) in enumerate(tokens):
            batch.token[n], batch.pos[n], batch.n_seq_id[n], batch.logits[n] = token, position, len(sequences), 0
            for k, sequence in enumerate(sequences):
                batch.seq_id[n][k] = sequence
        for n in wanted:
            batch.logits[n] = 1
        self.api.llama_set_abort_callback(self._context, self._is_stopped, stop.address)
        code = self.api.llama_decode(self._context, batch)
        if code and stop.is_set():
            raise Stopped
        if code:
            raise GenerationFailed(f"The answer model stopped: llama_decode returned {code}.", "Ask again, or restart.")

    def logits(self, place: int) -> np.ndarray:
        """Returns a view of the logits of a wanted place, float32, shape (n_vocabulary,); decoding overwrites it."""
        logits = self.api.llama_get_logits_ith(self._context, place)
        return np.ctypeslib.as_array(logits, shape=(self.n_vocabulary,))

    def forget(self, sequence: int, start: int = 0, end: int = -1) -> bool:
        """Removes positions from a sequence; False if this memory can only forget all."""
        return bool(self.api.llama_memory_seq_rm(self._memory, sequence, start, end))

    def clear(self) -> None:
        """Removes everything from all sequences."""
        self.api.llama_memory_clear(self._memory, False)

    def copy(self, source: int, target: int, end: int = -1) -> None:
        """Lets the cells of a sequence, up to a position, belong to another one too."""
        self.api.llama_memory_seq_cp(self._memory, source, target, -1, end)

    def state(self, sequence: int) -> memoryview:
        """Returns what the memory has of a sequence."""
        buffer = (ctypes.c_uint8 * self.api.llama_state_seq_get_size(self._context, sequence))()
        size = self.api.llama_state_seq_get_data(self._context, buffer, len(buffer), sequence)
        return memoryview(buffer).cast("B")[:size]

    def restore(self, state: memoryview, sequence: int) -> bool:
        """Puts a state in the place of a sequence; False if it does not fit this memory."""
        pointer = (ctypes.c_uint8 * len(state)).from_buffer(state)
        return bool(self.api.llama_state_seq_set_data(self._context, pointer, len(state), sequence))

    # --- text and tokens -------------------------------------------------------------------------------------------

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        """Returns the tokens of a text; control tokens are plain characters in it, unless they are said to be `special`."""
        data = text.encode("utf-8", "replace")
        tokens = (self.api.llama_token * (len(data) + 8))()
        n = self.api.llama_tokenize(self.vocabulary, data, len(data), tokens, len(tokens), False, special)
        return tokens[:n]

    def bytes_of(self, token: int, *, special: bool) -> bytes:
        """Returns the bytes that a token stands for, none for a control token that is not `special`."""
        size = 64
        while True:
            piece = ctypes.create_string_buffer(size)
            n = self.api.llama_token_to_piece(self.vocabulary, token, piece, size, 0, special)
            if n >= 0:
                return piece.raw[:n]
            size = -n

    def is_end(self, token: int) -> bool:
        """True if a draft ends with this token."""
        return bool(self.api.llama_vocab_is_eog(self.vocabulary, token))

    def template(self, system: str, user: str) -> str:
        """Returns a system prompt and a question in the model's own chat template."""
        from llama_cpp.llama_chat_format import Jinja2ChatFormatter

        bos = self._text_of(self.api.llama_vocab_bos(self.vocabulary))
        source = self.api.llama_model_chat_template(self._model, None)
        if source is None:
            return f"{bos if self.api.llama_vocab_get_add_bos(self.vocabulary) else ''}{system}\n\n{user}\n\nAnswer:"
        eos = self._text_of(self.api.llama_vocab_eos(self.vocabulary))
        formatter = Jinja2ChatFormatter(source.decode("utf-8", "replace"), eos_token=eos, bos_token=bos)
        rendered = ""
        try:
            messages: Any = [{"role": "system", "content": system}, {"role": "user", "content": user}]
            rendered = formatter(messages=messages, enable_thinking=False).prompt
        except Exception:  # a template raises what it likes for a role that it does not know
            rendered = ""
        if system not in rendered:
            messages = [{"role": "user", "content": f"{system}\n\n{user}"}]
            rendered = formatter(messages=messages, enable_thinking=False).prompt
        return rendered

    def _text_of(self, token: int) -> str:
        return "" if token < 0 else self.bytes_of(token, special=True).decode("utf-8", "replace")


class MappedFile:
    """The file of which llama.cpp has the weights mapped: written to in place, it changes them; cut short, it kills us.

    A file that takes its place by a rename, or its removal, does not matter: the mapped one lives on.
    """

    def __init__(self, path: Path) -> None:
        """Raises ModelCorrupt if it cannot be opened."""
        self._path = path
        try:
            self._file = path.open("rb")
        except OSError as exc:
            raise ModelCorrupt(f"{path} cannot be read: {exc.strerror}.", "Run: rag models verify") from exc
        self._state = self._stat()

    def check(self) -> None:
        """Raises ModelCorrupt if it was written to since it was opened."""
        if self._stat() != self._state:
            hint = "Run: rag models verify, then restart."
            raise ModelCorrupt(f"{self._path} was overwritten while the answer model in it was in use.", hint)

    def close(self) -> None:
        self._file.close()

    def _stat(self) -> tuple[int, int]:
        about = os.fstat(self._file.fileno())  # of the mapped file, whatever has its name now
        return about.st_size, about.st_mtime_ns


def _digest(path: Path) -> str:
    """Returns a digest of a model file by its size, its head and samples of its weights; reading it all takes seconds."""
    digest = hashlib.sha256()
    size = path.stat().st_size
    digest.update(str(size).encode())
    with path.open("rb") as file:
        digest.update(file.read(_HEAD_BYTES))
        for n in range(_SAMPLES):
            file.seek(size * n // _SAMPLES)
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()


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
