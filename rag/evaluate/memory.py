"""What the models said, kept on disk: so that a change of what is made of it can be evaluated again in minutes.

The models are wrapped, nothing else changes. A draft, a weight or a score is looked up by the model's name and everything
that it was given; so a change of a prompt asks the model, and a change of a threshold does not. A model is known by its name
alone: if its files change under the same name, delete the memory. Times are not those of the models.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rag.stopping import Stop
from rag.types import Generator, Prompt, Reranker


class Memory:
    """A table of what was said in one SQLite file. May be used from several threads and processes."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, timeout=60, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.execute("CREATE TABLE IF NOT EXISTS said (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID")

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._database.close()

    def recall(self, asked: Sequence[Any], say: Callable[[list[int]], Sequence[Any]]) -> list[Any]:
        """Returns for each thing asked what was said when it was asked before, else what `say` returns.

        Args:
            asked: what can be written as JSON, one for each value.
            say: is given the places in `asked` that are not known, and returns their values, which can be written as JSON.
        """
        keys = [hashlib.sha256(json.dumps(one).encode()).hexdigest() for one in asked]
        with self._lock:
            rows = [self._database.execute("SELECT value FROM said WHERE key = ?", (key,)).fetchone() for key in keys]
        if missing := [n for n, row in enumerate(rows) if row is None]:
            said = [(keys[n], json.dumps(value)) for n, value in zip(missing, say(missing), strict=True)]
            with self._lock:
                self._database.executemany("INSERT OR REPLACE INTO said VALUES (?, ?)", said)
            for n, (_, value) in zip(missing, said, strict=True):
                rows[n] = (value,)
        return [json.loads(row[0]) for row in rows]


class RememberingGenerator:
    """A `Generator` that asks another one only for what it was not asked before."""

    def __init__(self, generator: Generator, memory: Memory) -> None:
        self._generator, self._memory = generator, memory
        self.name, self.context_tokens = generator.name, generator.context_tokens

    @property
    def notice(self) -> str:
        return self._generator.notice

    def count(self, text: str) -> int:
        return self._generator.count(text)

    def stream(self, prompt: Prompt, *, max_tokens: int, stop: Stop | None = None) -> Iterator[str]:
        """Yields the pieces that the model wrote, as a sentence's end is decided while they come."""
        asked = ("draft", self.name, *_of(prompt, prompt.question), max_tokens)
        said = self._memory.recall(
            [asked], lambda _: [list(self._generator.stream(prompt, max_tokens=max_tokens, stop=stop))]
        )[0]
        yield from [said] if isinstance(said, str) else said  # a text: kept by an earlier version

    def begin(self, prompt: Prompt, *, stop: Stop | None = None) -> str:
        return ""  # what was said before has no first word that would be waited for

    def prepare(self, prompt: Prompt, *, stop: Stop | None = None) -> bool:
        return True  # a measured question finds what the questions before it left

    def weigh(self, prompt: Prompt, words: Sequence[str], *, stop: Stop | None = None) -> tuple[float, ...]:
        asked = ("weigh", self.name, *_of(prompt, prompt.question + prompt.aside), *words)
        return tuple(self._memory.recall([asked], lambda _: [self._generator.weigh(prompt, words, stop=stop)])[0])


class RememberingReranker:
    """A `Reranker` that reads only what it did not read before; it must score each text apart from the others."""

    def __init__(self, reranker: Reranker, name: str, memory: Memory) -> None:
        self._reranker, self._name, self._memory = reranker, name, memory
        self.languages = reranker.languages

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        asked = [("score", self._name, question, text) for text in texts]
        return self._memory.recall(asked, lambda places: self._reranker.scores(question, [texts[n] for n in places]))


def _of(prompt: Prompt, question: str) -> tuple[Any, ...]:
    return prompt.system, prompt.paragraphs, question
