"""A prompt into the memory of the model: paragraphs from their stored states, so that only the question is read.

Every paragraph is read behind the instructions alone, as if no other were there; its state is what the memory then has of
it. Those that were not read before are read in one batch, side by side in sequences of their own. In a prompt of several
paragraphs all of them stay at the positions that they were read at, side by side, and the question stands behind the
longest. So a state serves every question, in any order of the paragraphs, nothing is computed to join them, and a draft is
the same whether its states were stored or made for it. The price: a paragraph does not see the others. Measured in
docs/experiments.md, "Passage states". Source: Ratner et al. 2023, "Parallel Context Windows for Large Language Models".
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rag.errors import GenerationFailed
from rag.generate.llama import BATCH, Llama
from rag.generate.states import INSTRUCTIONS, StateStore
from rag.stopping import Stop
from rag.types import Prompt

_SYSTEM, _USER = "\ue000system\ue001", "\ue000user\ue001"
_MAIN, _ASIDE, _SPARE = 0, 1, 2
_SPARES = 8  # paragraphs that are restored or read side by side, each in a sequence of its own
SEQUENCES = _SPARE + _SPARES


@dataclass(frozen=True, slots=True)
class Segments:
    """The tokens of a prompt.

    Attributes:
        prefix: what comes before the paragraphs.
        question: all that comes after them.
        aside: the same with the aside; empty if there is none.
    """

    prefix: tuple[int, ...]
    paragraphs: tuple[tuple[int, ...], ...]
    question: tuple[int, ...]
    aside: tuple[int, ...]

    @property
    def n_tokens(self) -> int:
        beside = len(self.aside) - self.n_shared if self.aside else 0
        return len(self.prefix) + sum(map(len, self.paragraphs)) + len(self.question) + beside

    @property
    def n_shared(self) -> int:
        """Tokens that the question has in common with the question with its aside."""
        pairs = enumerate(zip(self.question, self.aside, strict=False))
        return next((n for n, (a, b) in pairs if a != b), min(len(self.question), len(self.aside)))


@dataclass(frozen=True, slots=True)
class _Begun:
    """A question that was read behind what is held.

    Attributes:
        tokens: of its draft; all but the last one were read too.
    """

    question: tuple[int, ...]
    tokens: tuple[int, ...]


class Reader:
    """Reads prompts, and writes from where it stands. One thread at a time."""

    def __init__(self, llama: Llama, store: StateStore | None) -> None:
        self._llama, self._store = llama, store if not llama.unjoinable else None
        self._template = re.split(f"({_SYSTEM}|{_USER})", llama.template(_SYSTEM, _USER))
        self._held: list[tuple[int, ...]] = []  # prefix and paragraphs in the main sequence
        self._begun: _Begun | None = None

    @property
    def notice(self) -> str:
        """See `LlamaGenerator.notice`."""
        if self._llama.unjoinable:
            return f"Passages are read anew for each question: {self._llama.unjoinable}."
        return self._store.problem if self._store else ""

    def begin(self, prompt: Prompt, stop: Stop) -> int:
        """Returns the first token of a draft, which may be its end; raises Stopped."""
        segments = self._fitting(prompt)
        if not self._has_begun(segments):
            self._read(segments, prompt, stop)
            self._ask(segments, stop, with_aside=False)
        assert self._begun
        return self._begun.tokens[0]

    def weigh(self, prompt: Prompt, words: Sequence[str], stop: Stop) -> tuple[float, ...]:
        """See `LlamaGenerator.weigh`; raises Stopped."""
        segments = self._fitting(prompt)
        # What cannot be joined cannot be copied up to a position either.
        if segments.aside and self._has_begun(segments) and not self._llama.unjoinable:
            logits = self._ask_beside(segments, stop)
        else:
            self._read(segments, prompt, stop)
            logits = self._ask(segments, stop, with_aside=bool(segments.aside))
        logits = logits.astype(np.float64)
        normaliser = logits.max() + np.log(np.exp(logits - logits.max()).sum())
        return tuple(float(logits[self._llama.tokenize(word)[0]] - normaliser) for word in words)

    def write(self, prompt: Prompt, max_tokens: int, stop: Stop) -> Iterator[int]:
        """Yields the tokens of a draft, the likeliest each time; raises Stopped."""
        self.begin(prompt, stop)
        assert self._begun
        question, tokens = self._begun.question, list(self._begun.tokens)
        self._begun = None  # there will be more behind the question
        start = self._end() + len(question)
        for n in range(min(max_tokens, self._llama.context_tokens - self._n_held - len(question))):
            stop.check()
            if n == len(tokens):
                self._llama.decode([(tokens[-1], start + n - 1, (_MAIN,))], [0], stop)
                tokens.append(int(self._llama.logits(0).argmax()))
            if self._llama.is_end(tokens[n]):
                return
            yield tokens[n]

    def prepare(self, prompt: Prompt, stop: Stop) -> None:
        """Reads and stores the paragraphs that are not stored; raises Stopped."""
        stop.check()
        segments = self._fitting(prompt)
        wanted = zip(prompt.documents, segments.paragraphs, strict=True)
        if self._store and any(not self._store.has(d, self._key(segments.prefix, tokens)) for d, tokens in wanted):
            self._hold(segments, prompt.documents, stop)

    def segments(self, prompt: Prompt) -> Segments:
        """Returns the tokens of a prompt."""
        before, after = self._around(prompt.system)
        tokenize = self._llama.tokenize
        return Segments(
            tuple(before),
            tuple(tuple(tokenize(f"{paragraph}\n\n")) for paragraph in prompt.paragraphs),
            (*tokenize(prompt.question), *after),
            (*tokenize(prompt.question + prompt.aside), *after) if prompt.aside else (),
        )

    def _fitting(self, prompt: Prompt) -> Segments:
        """Returns the tokens of a prompt; raises GenerationFailed if there is no room for them."""
        segments = self.segments(prompt)
        if segments.n_tokens >= self._llama.context_tokens:
            raise GenerationFailed(
                f"The prompt has {segments.n_tokens} tokens, the model's context {self._llama.context_tokens}.",
                "Raise context_tokens.",
            )
        return segments

    def _around(self, system: str) -> tuple[list[int], list[int]]:
        """Returns the tokens of the template before the paragraphs and after the question."""
        parts: tuple[list[int], list[int]] = [], []
        place = 0
        for piece in self._template:
            if piece == _USER:
                place = 1
            elif piece == _SYSTEM:
                parts[place].extend(self._llama.tokenize(system))
            elif piece:
                parts[place].extend(self._llama.tokenize(piece, special=True))
        return parts

    def _has_begun(self, segments: Segments) -> bool:
        is_held = self._held == [segments.prefix, *segments.paragraphs]
        return is_held and self._begun is not None and self._begun.question == segments.question

    def _read(self, segments: Segments, prompt: Prompt, stop: Stop) -> None:
        """Reads a prompt up to its question."""
        stop.check()
        served = self._hold(segments, prompt.documents, stop)
        if self._store and prompt.documents and prompt.aside:
            self._store.count(served)

    def _ask(self, segments: Segments, stop: Stop, *, with_aside: bool) -> np.ndarray:
        """Reads the question behind the paragraphs, and its aside in one go with it, into a sequence of its own.

        Returns:
            The logits of the aside's last token, or of the question's without it.
        """
        start, question = self._end(), segments.question
        n_shared = segments.n_shared if with_aside else len(question)
        shared = (_MAIN, _ASIDE) if with_aside else (_MAIN,)
        tokens = [(token, start + n, shared) for n, token in enumerate(question[:n_shared])]
        tokens += [(t, start + n_shared + n, (_MAIN,)) for n, t in enumerate(question[n_shared:])]
        last = len(tokens) - 1
        if with_aside:
            self._llama.copy(_MAIN, _ASIDE)
            tokens += [(t, start + n_shared + n, (_ASIDE,)) for n, t in enumerate(segments.aside[n_shared:])]
        logits = self._decode(tokens, [last, len(tokens) - 1], stop)
        self._llama.forget(_ASIDE)
        self._begun = _Begun(question, (int(logits[0].argmax()),))
        return logits[1]

    def _ask_beside(self, segments: Segments, stop: Stop) -> np.ndarray:
        """Reads the aside of a question that was read; the draft goes on by one token meanwhile.

        Returns:
            The logits of the aside's last token.
        """
        assert self._begun
        written, n_shared = self._begun.tokens, segments.n_shared
        behind = self._end() + n_shared
        self._llama.copy(_MAIN, _ASIDE, behind)
        tokens = [(token, behind + n, (_ASIDE,)) for n, token in enumerate(segments.aside[n_shared:])]
        wanted = [len(tokens) - 1]
        if goes_on := len(written) == 1 and not self._llama.is_end(written[-1]):
            tokens.append((written[-1], self._end() + len(segments.question), (_MAIN,)))
            wanted.append(len(tokens) - 1)
        logits = self._decode(tokens, wanted, stop)
        self._llama.forget(_ASIDE)
        if goes_on:
            self._begun = _Begun(segments.question, (*written, int(logits[1].argmax())))
        return logits[0]

    def _decode(
        self, tokens: Sequence[tuple[int, int, Sequence[int]]], wanted: Sequence[int], stop: Stop
    ) -> list[np.ndarray]:
        """Reads any number of tokens; returns copies of the logits of those wanted. After an error the memory is empty."""
        found: dict[int, np.ndarray] = {}
        try:
            for start in range(0, len(tokens), BATCH):
                part = tokens[start : start + BATCH]
                places = [n - start for n in sorted(set(wanted)) if start <= n < start + len(part)]
                self._llama.decode(part, places, stop)
                found |= {start + place: self._llama.logits(place).copy() for place in places}
        except BaseException:
            self._clear()
            raise
        return [found[n] for n in wanted]

    def _clear(self) -> None:
        self._llama.clear()
        self._held, self._begun = [], None

    def _hold(self, segments: Segments, documents: Sequence[str], stop: Stop) -> bool:
        """Brings prefix and paragraphs into the main sequence; True if none of the paragraphs had to be read."""
        wanted = [segments.prefix, *segments.paragraphs]
        self._keep(wanted)
        if self._llama.unjoinable:
            end, rest = self._end(), itertools.chain(*wanted[len(self._held) :])
            self._decode([(token, end + n, (_MAIN,)) for n, token in enumerate(rest)], [], stop)
            self._held = wanted
            return False
        if not self._held:
            self._add([(segments.prefix, INSTRUCTIONS)], stop)
        owned = list(zip(segments.paragraphs, documents or [""] * len(segments.paragraphs), strict=True))
        n_kept, served = len(self._held) - 1, True
        for start in range(n_kept, len(owned), _SPARES):
            served = self._add(owned[start : start + _SPARES], stop) and served
        return served

    def _keep(self, wanted: Sequence[tuple[int, ...]]) -> None:
        """Forgets what is not wanted, and whatever was read behind it."""
        pairs = enumerate(zip(self._held, wanted, strict=False))
        n_kept = next((n for n, (a, b) in pairs if a != b), min(len(self._held), len(wanted)))
        if n_kept < len(self._held) and not self._llama.unjoinable:
            n_kept = min(n_kept, 1)  # paragraphs that stand side by side can only be forgotten all at once
        self._held, self._begun = self._held[:n_kept], None
        if not self._llama.forget(_MAIN, self._end()):  # some architectures only forget all
            self._clear()

    def _add(self, owned: Sequence[tuple[tuple[int, ...], str]], stop: Stop) -> bool:
        """Puts segments, each with the document it is stored for, behind the prefix; True if none had to be read."""
        spares = [(_SPARE + n, tokens, owner) for n, (tokens, owner) in enumerate(owned)]
        unread = [one for one in spares if not self._restore(*one)]
        if unread:
            self._read_alone(unread, stop)
        for spare, tokens, _ in spares:
            self._llama.copy(spare, _MAIN)
            self._llama.forget(spare)
            self._held.append(tokens)
        return not unread

    def _restore(self, spare: int, tokens: tuple[int, ...], owner: str) -> bool:
        """Puts a stored state into a spare sequence; False if there is none, and the sequence is empty."""
        self._llama.forget(spare)  # what an error may have left there
        if not (self._store and owner):
            return False
        state = self._store.get(owner, self._key(self._prefix, tokens))
        if state is not None and self._llama.restore(state, spare):
            return True
        self._llama.forget(spare)
        return False

    def _read_alone(self, unread: Sequence[tuple[int, tuple[int, ...], str]], stop: Stop) -> None:
        """Reads segments side by side, each behind the prefix alone and in its own sequence, and stores their states."""
        n_prefix = len(self._prefix)
        for spare, _, _ in unread if n_prefix else ():
            self._llama.copy(_MAIN, spare, n_prefix)
        self._decode(
            [(token, n_prefix + n, (spare,)) for spare, tokens, _ in unread for n, token in enumerate(tokens)], [], stop
        )
        for spare, tokens, owner in unread:
            if n_prefix:
                self._llama.forget(spare, 0, n_prefix)
            if self._store and owner:
                self._store.put(owner, self._key(self._prefix, tokens), self._llama.state(spare))

    def _end(self) -> int:
        """Returns the position behind all that is held: paragraphs stand side by side where they can."""
        if self._llama.unjoinable:
            return self._n_held
        return len(self._prefix) + max(map(len, self._held[1:]), default=0)

    @property
    def _n_held(self) -> int:
        return sum(map(len, self._held))

    @property
    def _prefix(self) -> tuple[int, ...]:
        return self._held[0] if self._held else ()

    def _key(self, prefix: tuple[int, ...], tokens: tuple[int, ...]) -> str:
        return hashlib.sha256(f"{self._llama.identity} {prefix} {tokens}".encode()).hexdigest()
