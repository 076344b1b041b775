"""The nouns of this package. What flows is frozen; offsets are characters into `Document.text`, half-open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np

    from rag.stopping import Stop

Status = Literal["answered", "not_found", "clarify"]

NOT_FOUND = "The documents do not say."
"""The text of every answer whose `status` is "not_found"."""


Kind = Literal["title", "date", "heading", "paragraph", "list", "row", "quotation", "caption", "furniture"]
"""What a part of a document is. A "row" of a table carries its header; "furniture" is what stands around an article."""

Box = tuple[float, ...]
"""Where something stands on a page: left, bottom, right, top in points, from the lower left corner; empty if nowhere."""


@dataclass(frozen=True, slots=True)
class Block:
    """A span of a canonical text with what it is; spans are trimmed, in order, and do not overlap.

    Attributes:
        page: on which it begins, from 1; 0 where a format has none. Likewise its `box`.
    """

    kind: Kind
    start: int
    end: int
    page: int = 0
    box: Box = ()


@dataclass(frozen=True, slots=True)
class Document:
    """One article in one version.

    Attributes:
        id: stable for a source; derived from the absolute path as added.
        version: sha256 of `text`, as hex.
        title: the headline, else the file's name.
        source: the absolute path as added.
        date: the publication date that the article states, ISO 8601 ("2025-07-19"); else empty.
        text: the canonical text (NFC, lines end in one newline) that all offsets point into.
        language: ISO 639-1 ("en"); "" if it is not known.
        layout: what the file's format says of the text's parts, as `rag.read` writes it; "" if the text itself shows it.
    """

    id: str
    version: str
    title: str
    source: str
    date: str
    text: str
    language: str = ""
    layout: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which documents are asked, searched or listed: those for which all that is given holds.

    Attributes:
        documents: ids; None for any. Likewise `sources` and `languages`; an empty one selects nothing.
        sources: paths of files, and of folders with all that is in them.
        languages: ISO 639-1.
        since: the first day of publication, or its month or year ("2026-03-31", "2026-03", "2026"); "" for any.
        until: the last day, month or year, itself included.
    """

    documents: tuple[str, ...] | None = None
    sources: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    since: str = ""
    until: str = ""


EVERYTHING = Filter()
"""Leaves nothing out."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A span of a document that a reader would count as one paragraph.

    Attributes:
        number: 1-based.
        kind, page, box: as of a `Block`.
    """

    number: int
    start: int
    end: int
    kind: Kind = "paragraph"
    page: int = 0
    box: Box = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A span that is searched for a paragraph: all of it, a window of a long one, or a short one with its neighbours."""

    paragraph: Paragraph
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A paragraph found for a question.

    Attributes:
        paragraph: 1-based, as a reader counts.
        start: of the paragraph in the document's text; `end` likewise.
        score: the mean of the reranker's logits for the paragraph with and without its title, and something for an article
            of the days before the question and for a first paragraph; higher is better; about -11 to 14 by default.
        quote: the paragraph's best sentence for the question, a substring of `text`.
        used: True if it was given to the answer model.
        searched: what was found and is ranked: the text, a window of a long one, or a short one with its neighbours.
        also: ids of other documents that were found with the same paragraph, which are left out; see `rag.duplicates`.
        page: on which the paragraph begins, from 1; 0 where a format has no pages.
        box: of the paragraph on its page: left, bottom, right, top in points, from the lower left corner; empty likewise.
    """

    document: str
    version: str
    title: str
    source: str
    paragraph: int
    start: int
    end: int
    text: str
    score: float
    quote: str = ""
    used: bool = False
    searched: str = ""
    also: tuple[str, ...] = ()
    page: int = 0
    box: Box = ()

    @property
    def place(self) -> str:
        """As a reader would look it up."""
        return _place(self.paragraph, self.page)


@dataclass(frozen=True, slots=True)
class Citation:
    """A numbered pointer from a claim to the sentence or sentences that support it.

    `a.document(c.document, c.version).text[c.start:c.end] == c.quote`, always. `page` and `box` are as of a `Hit`.
    """

    number: int
    document: str
    version: str
    title: str
    source: str
    paragraph: int
    start: int
    end: int
    quote: str
    page: int = 0
    box: Box = ()

    @property
    def place(self) -> str:
        """As a reader would look it up."""
        return _place(self.paragraph, self.page)


def _place(paragraph: int, page: int) -> str:
    return f"paragraph {paragraph}" + (f" on page {page}" if page else "")


@dataclass(frozen=True, slots=True)
class Claim:
    """One confirmed sentence of an answer, without its marks, and the citations that support it (at least one)."""

    text: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, and on what grounds.

    Attributes:
        text: the confirmed sentences with their marks ("271 Indonesians were arrested. [1]"); a question back, with
            what to choose from, if `status` is "clarify"; else `NOT_FOUND`.
        question: as it was searched, after rewriting.
        citations: in the order of their numbers in `text`.
        evidence: at most 10 hits, best first.
        timings: seconds: "retrieve" and "rerank" as durations, "first_token" and "total" counted from the call;
            None where a stage did not run.
        notice: what the reader must know about how the answer was made ("" for the usual way).
        probability: the chance that the documents hold the answer, 0 to 1, by all signals together (`rag.decide`); None if
            nothing was found.
        signals: what it was made from, by name.
    """

    text: str
    status: Status
    question: str
    claims: tuple[Claim, ...] = ()
    citations: tuple[Citation, ...] = ()
    evidence: tuple[Hit, ...] = ()
    timings: Mapping[str, float | None] | None = None
    notice: str = ""
    probability: float | None = None
    signals: Mapping[str, float | None] | None = None

    @property
    def found(self) -> bool:
        """True if the documents hold the answer."""
        return self.status == "answered"


def as_dict(answer: Answer) -> dict[str, Any]:
    """Returns an answer as it is written as JSON: its fields, and `found`."""
    return {**asdict(answer), "found": answer.found}


@dataclass(frozen=True, slots=True)
class Evidence:
    """First event of a streamed answer: the hits, before the model has written a word."""

    hits: tuple[Hit, ...]
    question: str = ""


@dataclass(frozen=True, slots=True)
class Delta:
    """Draft words: provisional until a `Claim` confirms their sentence or `Withdrawn` takes it back."""

    text: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """All draft words since the last `Claim` or `Withdrawn` are taken back."""

    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """Last event of a streamed answer; `answer` holds confirmed sentences only.

    Where articles differ, its claims may be ordered and numbered anew, with their articles named; and a claim that a notice
    of correction takes back may be gone.
    """

    answer: Answer


Event = Evidence | Delta | Claim | Withdrawn | Done


@dataclass(frozen=True, slots=True)
class AddReport:
    """What `Assistant.add` did: document ids, and the files that could not be read with their reasons."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    duplicates: tuple[tuple[str, str], ...] = ()
    """(id, id of an older document with the same text)."""
    renamed: tuple[tuple[str, str], ...] = ()
    """(id, new source) of documents whose file was moved."""
    similar: tuple[tuple[str, str, float], ...] = ()
    """(id, id of an older document that tells the same story, share of the shorter text that is in the other one)."""
    skipped: tuple[tuple[str, int], ...] = ()
    """(suffix, number) of files in folders that are of another format than those that are read."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is given to the answer model, in its fixed order.

    Attributes:
        documents: for each paragraph the id of its document, under which what the model keeps of it is stored; empty if
            nothing is to be stored.
        aside: what is asked about the question, and leaves no trace in a draft.
    """

    system: str
    paragraphs: tuple[str, ...]
    question: str
    documents: tuple[str, ...] = ()
    aside: str = ""


class Embedder(Protocol):
    """Texts to vectors."""

    @property
    def name(self) -> str:
        """Names the model and everything that changes its vectors; a library is bound to it."""

    @property
    def dimension(self) -> int: ...

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639-1 codes of the languages that it reads; empty if it reads any."""

    def embed_paragraphs(self, texts: Sequence[str]) -> np.ndarray:
        """Returns a float32 array of shape (n, dimension), unit rows."""

    def embed_question(self, text: str) -> np.ndarray:
        """Returns a float32 array of shape (dimension,), unit length."""


class Reranker(Protocol):
    """Judges how well a text answers a question."""

    @property
    def languages(self) -> frozenset[str]:
        """As of an `Embedder`."""

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """Returns one logit a text; higher is better."""


class Generator(Protocol):
    """Writes a draft."""

    @property
    def name(self) -> str: ...

    @property
    def context_tokens(self) -> int:
        """Room for prompt and draft together."""

    @property
    def notice(self) -> str:
        """Tells what is slower than it could be, and why; "" if all is well."""

    def count(self, text: str) -> int:
        """Returns the number of tokens of a text."""

    def stream(self, prompt: Prompt, *, max_tokens: int, stop: Stop | None = None) -> Iterator[str]:
        """Yields pieces of the draft. Closing the iterator stops the model.

        Raises:
            Stopped: `stop` was set, by another thread; the model stops at once.
            GenerationFailed: the model stopped with an error.
        """

    def begin(self, prompt: Prompt, *, stop: Stop | None = None) -> str:
        """Returns the first piece of a draft at once, "" if it has none to show; `weigh` and `stream` of the prompt go on.

        Raises:
            Stopped, GenerationFailed: as of `stream`.
        """

    def prepare(self, prompt: Prompt, *, stop: Stop | None = None) -> bool:
        """Reads the paragraphs of a prompt before anyone asks; False if a question came in between, or `stop` was set."""

    def weigh(self, prompt: Prompt, words: Sequence[str], *, stop: Stop | None = None) -> tuple[float, ...]:
        """Returns for each word the log-probability that the answer to the aside begins with it (with its first token).

        Raises:
            Stopped: `stop` was set, by another thread; the model stops at once.
            GenerationFailed: the model stopped with an error.
        """
