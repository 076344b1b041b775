"""The answer model: llama.cpp in this process.

Only the chat template's own pieces may become control tokens. Articles and questions are turned into tokens apart from
it, as plain characters, so that a `<|im_end|>` in an article stays text.
"""

from __future__ import annotations

import codecs
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag.errors import DependencyMissing, GenerationFailed, ModelCorrupt
from rag.types import Prompt

_SYSTEM, _USER = "\ue000system\ue001", "\ue000user\ue001"


class LlamaGenerator:
    """A `Generator` over one GGUF file. One draft at a time; others wait."""

    def __init__(self, path: Path, *, context_tokens: int, threads: int) -> None:
        """Loads the model.

        Args:
            path: a GGUF file.
            context_tokens: room for prompt and draft; about 28 KB of memory each with the default model.
            threads: cores to use.

        Raises:
            DependencyMissing: llama-cpp-python is not installed.
            ModelCorrupt: llama.cpp cannot load the file.
        """
        try:
            import llama_cpp
        except ImportError as exc:
            raise DependencyMissing(
                "The package llama-cpp-python is not installed.", "pip install llama-cpp-python"
            ) from exc
        try:
            self._llama = llama_cpp.Llama(
                str(path), n_ctx=context_tokens, n_threads=threads, n_threads_batch=threads, verbose=False
            )
        except (ValueError, RuntimeError, AssertionError) as exc:
            raise ModelCorrupt(f"llama.cpp cannot load {path}: {exc}.", "Run: rag models verify") from exc
        self.name = path.stem
        self.context_tokens = context_tokens
        self._lock = threading.Lock()
        vocabulary = llama_cpp.llama_model_get_vocab(self._llama.model)
        self._is_end = lambda token: llama_cpp.llama_vocab_is_eog(vocabulary, token)
        self._template = self._render_template()

    def close(self) -> None:
        """Waits for the draft that is being written, and frees the model."""
        with self._lock:
            self._llama.close()

    def count(self, text: str) -> int:
        """Returns the number of tokens of a text."""
        return len(self._plain(text))

    def stream(self, prompt: Prompt, *, max_tokens: int) -> Iterator[str]:
        """Yields pieces of the draft, the likeliest token each time. Closing the iterator stops the model.

        Raises:
            GenerationFailed: the prompt does not fit, or llama.cpp stopped with an error.
        """
        tokens = self._tokens(prompt)
        room = self.context_tokens - len(tokens)
        if room < 1:
            raise GenerationFailed(
                f"The prompt has {len(tokens)} tokens, the model's context {self.context_tokens}.",
                "Raise context_tokens.",
            )
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        with self._lock:
            try:
                for n, token in enumerate(self._llama.generate(tokens, temp=0.0, repeat_penalty=1.0), 1):
                    if self._is_end(token):
                        break
                    if piece := decoder.decode(self._llama.detokenize([token], special=False)):
                        yield piece
                    if n >= min(max_tokens, room):
                        break
            except RuntimeError as exc:
                raise GenerationFailed(f"The answer model stopped: {exc}.", "Ask again, or restart.") from exc

    def _plain(self, text: str) -> list[int]:
        return self._llama.tokenize(text.encode("utf-8", "replace"), add_bos=False, special=False)

    def _tokens(self, prompt: Prompt) -> list[int]:
        values = {_SYSTEM: prompt.system, _USER: "\n\n".join((*prompt.paragraphs, prompt.question))}
        tokens: list[int] = []
        for piece in self._template:
            if piece in values:
                tokens += self._plain(values[piece])
            elif piece:
                tokens += self._llama.tokenize(piece.encode(), add_bos=False, special=True)
        return tokens

    def _render_template(self) -> list[str]:
        """Renders the model's own chat template around two marks, and cuts it there."""
        from llama_cpp.llama_chat_format import Jinja2ChatFormatter

        source = self._llama.metadata.get("tokenizer.chat_template")
        user = {"role": "user", "content": _USER}
        if source is None:
            return [_SYSTEM, "\n\n", _USER, "\n\nAnswer:"]
        bos, eos = self._text_of(self._llama.token_bos()), self._text_of(self._llama.token_eos())
        formatter = Jinja2ChatFormatter(source, eos_token=eos, bos_token=bos)
        rendered = ""
        try:
            messages: Any = [{"role": "system", "content": _SYSTEM}, user]
            rendered = formatter(messages=messages, enable_thinking=False).prompt
        except Exception:  # a template raises what it likes for a role that it does not know
            rendered = ""
        if _SYSTEM not in rendered:
            messages = [{"role": "user", "content": f"{_SYSTEM}\n\n{_USER}"}]
            rendered = formatter(messages=messages, enable_thinking=False).prompt
        return re.split(f"({_SYSTEM}|{_USER})", rendered)

    def _text_of(self, token: int) -> str:
        if token < 0:
            return ""
        return self._llama.detokenize([token], special=True).decode("utf-8", "replace")
