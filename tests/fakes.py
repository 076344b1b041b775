"""Stand-ins for the three models, computable by hand and the same in every process.

FakeEmbedder    counts words: each word has a place of its own among the dimensions, by its crc32
FakeReranker    the share of the question's longer words that the text has, from -10 (none) to 10 (all)
FakeGenerator   answers from a table, keeps the prompts it was given
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from rag.errors import GenerationFailed, ReadError
from rag.read import Unread, read_parts
from rag.stopping import Stop
from rag.types import Prompt


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


class FakeEmbedder:
    """A bag of words, scaled to unit length; a text without words points along the first axis.

    Attributes:
        seen: every paragraph text that was embedded, in order.
    """

    def __init__(self, name: str = "fake-embedder", dimension: int = 256) -> None:
        self.name = name
        self.dimension = dimension
        self.languages: frozenset[str] = frozenset()
        self.seen: list[str] = []

    def embed_paragraphs(self, texts: Sequence[str]) -> np.ndarray:
        self.seen += texts
        return np.stack([self._vector(text) for text in texts]) if texts else np.zeros((0, self.dimension), np.float32)

    def embed_question(self, text: str) -> np.ndarray:
        return self._vector(text)

    def _vector(self, text: str) -> np.ndarray:
        vector = np.zeros(self.dimension, np.float32)
        for word in words(text):
            vector[zlib.crc32(word.encode()) % self.dimension] += 1
        if not vector.any():
            vector[0] = 1
        return vector / np.linalg.norm(vector)


class FakeReranker:
    """20 * share - 10, where the share is that of the question's distinct words of four letters or more, and numbers.

    Attributes:
        calls: (question, texts) of every call.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[str, ...]]] = []
        self.languages: frozenset[str] = frozenset()

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        self.calls.append((question, tuple(texts)))
        wanted = {word for word in words(question) if len(word) > 3 or word.isdigit()} - {"what", "many", "when", "which"}
        return [20 * len(wanted & set(words(text))) / max(len(wanted), 1) - 10 for text in texts]


class FakeGenerator:
    """Writes what a table says, word by word.

    Args:
        table: draft by question; a key fits if it occurs in the prompt's question. The first one that fits counts.
        otherwise: the draft when no key fits; None echoes the first paragraph of the prompt,
            without its title.
        fails_after: so many pieces of a draft are written before the model stops with an error.
        weights: the probabilities that `weigh` tells, by word; 0.5 for the others.

    Attributes:
        prompts: every prompt that was given, in order.
        begun: every prompt whose first word was asked for before it was weighed.
        prepared: every prompt whose paragraphs were to be read before anyone asks.
        closed: drafts that were broken off by the reader.
        reading: called with the `Stop` that it was given, before it reads a prompt or weighs one; does nothing.
    """

    def __init__(
        self,
        table: Mapping[str, str] | None = None,
        otherwise: str | None = "The passage does not say.",
        fails_after: int | None = None,
        context_tokens: int = 4096,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        self.name = "fake-generator"
        self.context_tokens = context_tokens
        self.prompts: list[Prompt] = []
        self.begun: list[Prompt] = []
        self.prepared: list[Prompt] = []
        self.notice = ""
        self.closed = 0
        self.reading: Callable[[Stop], object] = lambda stop: None
        self._table = dict(table or {})
        self._otherwise = otherwise
        self._fails_after = fails_after
        self._weights = dict(weights or {})

    def count(self, text: str) -> int:
        return len(text.split())

    def stream(self, prompt: Prompt, *, max_tokens: int, stop: Stop | None = None) -> Iterator[str]:
        self.prompts.append(prompt)
        stop = stop or Stop()
        self.reading(stop)
        pieces = self._pieces(prompt)[:max_tokens]
        try:
            for n, piece in enumerate(pieces):
                if n == self._fails_after:
                    raise GenerationFailed("The answer model stopped: made to fail.", "Ask again.")
                stop.check()
                yield piece
            stop.check()
        except GeneratorExit:
            self.closed += 1
            raise

    def begin(self, prompt: Prompt, *, stop: Stop | None = None) -> str:
        self.begun.append(prompt)
        self.reading(stop or Stop())
        return next(iter(self._pieces(prompt)), "")

    def _pieces(self, prompt: Prompt) -> list[str]:
        block = prompt.paragraphs[0] if prompt.paragraphs else ""
        echo = block.partition("\n")[2] or block
        default = echo if self._otherwise is None else self._otherwise
        draft = next((text for key, text in self._table.items() if key in prompt.question), default)
        return re.findall(r"\s*\S+", draft)

    def prepare(self, prompt: Prompt, *, stop: Stop | None = None) -> bool:
        self.prepared.append(prompt)
        self.reading(stop or Stop())
        return not (stop and stop.is_set())

    def weigh(self, prompt: Prompt, words: Sequence[str], *, stop: Stop | None = None) -> tuple[float, ...]:
        stop = stop or Stop()
        self.reading(stop)
        stop.check()
        return tuple(math.log(self._weights.get(word, 0.5)) for word in words)


class FakeSentenceTransformers:
    """In place of SentenceTransformer and CrossEncoder; loads only from a folder named "good".

    Attributes:
        options: the keyword arguments that it was made with.
        asked: the texts that were embedded as questions.
    """

    def __init__(self, *args: str, **options: object) -> None:
        if args and not args[0].endswith("good"):
            raise OSError(f"{args[0]} does not appear to have a file named config.json")
        self.options = options
        self.asked: list[str] = []

    def get_embedding_dimension(self) -> int:
        return 2

    def encode_query(self, text: str, **_: object) -> np.ndarray:
        self.asked.append(text)
        return np.array([0.6, 0.8])

    def encode_document(self, texts: Sequence[str], **_: object) -> np.ndarray:
        return np.array([[0.6, 0.8]] * len(texts))

    def predict(self, pairs: Sequence[tuple[str, str]], **_: object) -> np.ndarray:
        return np.arange(len(pairs), dtype=np.float32).reshape(-1, 1)


class ReadingHere:
    """Stands in for `rag.read.workers.Workers`: reads in this process, one file after the other."""

    def __init__(self, n, *, seconds):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        pass

    def read(self, files, max_bytes, on_tick=None):
        for file in files:
            yield file, self._found(file, max_bytes)

    def _found(self, file, max_bytes):
        try:
            yield from read_parts(file, max_bytes=max_bytes)
        except ReadError as exc:
            yield Unread(str(file), str(exc))
