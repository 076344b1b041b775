"""An assistant whose answers can be computed by hand: words in common decide, the best sentence is the answer.

It gives what the page asks of `rag.Assistant`. A test can hold it at a step and look at the page meanwhile.
"""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rag.assistant.adding import Progress
from rag.errors import DocumentMissing
from rag.library.conversations import Conversations
from rag.library.filtering import checked
from rag.library.store import Store
from rag.read import make_document
from rag.split import paragraphs, sentences
from rag.stopping import Stop, Stopped
from rag.types import (
    EVERYTHING,
    NOT_FOUND,
    AddReport,
    Answer,
    Citation,
    Claim,
    Delta,
    Document,
    Done,
    Event,
    Evidence,
    Filter,
    Hit,
    Paragraph,
    Withdrawn,
)

HOLD_SECONDS = 30  # a test that fails to release a step must not hang the server's thread for ever


class FakeAssistant:
    """Answers from the sentence that has most words of the question, if it has two of them.

    Attributes:
        drafts: what the "model" writes to a question, sentence by sentence, in place of the best sentence. A sentence
            is confirmed by the best paragraph that has all its numbers, and withdrawn if none has.
        closed: how many streams were closed before their end.
        asked: (question, history) of each stream, in order.
    """

    def __init__(self, documents: Sequence[Document], examples: Sequence[str] = ()) -> None:
        self._documents = {(document.id, document.version): document for document in documents}
        self._examples = tuple(examples)
        self._holds: dict[str, Stop] = {}
        self._waiting = ""
        self.drafts: dict[str, tuple[str, ...]] = {}
        self.closed = 0
        self.asked: list[tuple[str, Sequence[Mapping[str, str]]]] = []
        self.error: Exception | None = None
        self.folder = Path(tempfile.mkdtemp(prefix="footnote-fake-"))  # of its conversations
        self.conversations = Conversations(Store(self.folder))

    def hold(self, step: str) -> None:
        """Makes streams wait before a step: "evidence", "draft" (the first word) or "claim"."""
        self._holds[step] = Stop()

    def release(self, step: str) -> None:
        """Lets streams go on that wait before a step, and later ones pass."""
        self._holds.pop(step).set()

    def put(self, document: Document) -> None:
        """Adds a document while the page is open."""
        self._documents |= {(document.id, document.version): document}

    def add(self, paths: Sequence[str], *, progress: Progress) -> AddReport:
        """Reads files; one with "broken" in its name fails."""
        added, unchanged, failed = [], [], []
        for n, path in enumerate(map(Path, paths)):
            progress(n, len(paths), path.name)
            self._pass("add", Stop())
            if "broken" in path.name:
                failed.append((str(path), "It is not text."))
                continue
            document = make_document(path.read_text(encoding="utf-8"), str(path))
            known = (document.id, document.version) in self._documents
            (unchanged if known else added).append(document.id)
            self.put(document)
        return AddReport(added=tuple(added), unchanged=tuple(unchanged), failed=tuple(failed))

    def remove(self, ids: Sequence[str]) -> None:
        for identity in ids:
            self.document(identity)
        self._documents = {key: document for key, document in self._documents.items() if key[0] not in ids}

    def bring_back(self, documents: Sequence[Document]) -> None:
        for document in documents:
            self.put(document)

    def rebuild(self, *, progress: Progress) -> AddReport:
        progress(0, 1, "")
        self._pass("rebuild", Stop())
        return AddReport(unchanged=tuple(document.id for document in self.documents()))

    def load(self, what: str) -> None:
        """Sets what is waited for; "" if all is there."""
        self._waiting = what

    def notice(self) -> str:
        return ""

    def waiting(self) -> str:
        return self._waiting

    def documents(self, filter: Filter = EVERYTHING) -> tuple[Document, ...]:
        """Knows dates to the day and single languages; sources are folders."""
        asked = checked(filter)
        for identity in asked.documents or ():
            self.document(identity)
        return tuple(document for document in self._documents.values() if _is_selected(asked, document))

    def generation(self) -> int:
        return hash(tuple(self._documents))

    def examples(self, filter: Filter = EVERYTHING) -> tuple[str, ...]:
        return self._examples if filter == EVERYTHING or self.documents(filter) else ()

    def document(self, id: str, version: str | None = None) -> Document:
        for document in self._documents.values():
            if document.id == id and version in (None, document.version):
                return document
        raise DocumentMissing(f"There is no document {id}.")

    def paragraphs(self, id: str, version: str | None = None) -> tuple[Paragraph, ...]:
        return paragraphs(self.document(id, version))

    def stream(
        self,
        question: str,
        history: Sequence[Mapping[str, str]] = (),
        filter: Filter = EVERYTHING,
        *,
        stop: Stop | None = None,
    ) -> Iterator[Event]:
        self.asked.append((question, history))
        ended, stop = False, stop or Stop()
        try:
            for event in self._events(question, self.documents(filter), stop):
                stop.check()
                yield event
            ended = True
        except Stopped:
            return
        finally:
            self.closed += not ended

    def _events(self, question: str, documents: Sequence[Document], stop: Stop) -> Iterator[Event]:
        self._pass("evidence", stop)
        if self.error:
            raise self.error
        hits = self._search(question, documents)
        yield Evidence(hits, question)
        self._pass("draft", stop)
        claims: list[Claim] = []
        if hits and hits[0].score >= 2:
            for sentence in self.drafts.get(question, (hits[0].quote,)):
                yield from (Delta(word) for word in re.findall(r"\S+\s*", sentence))
                self._pass("claim", stop)
                numbers = set(re.findall(r"\d+", sentence))
                if hit := next((hit for hit in hits if numbers <= set(re.findall(r"\d+", hit.text))), None):
                    claims.append(Claim(sentence, (_citation(len(claims) + 1, hit),)))
                    yield claims[-1]
                else:
                    yield Withdrawn(sentence)
        notice = "" if documents or not self._documents else "The filter selects no document."
        yield Done(replace(_answer(question, claims, hits), notice=notice))

    def _pass(self, step: str, stop: Stop) -> None:
        """Waits where it is held, as a model that reads: a stop ends that too."""
        if hold := self._holds.get(step):
            gone_on = threading.Event()
            with stop.calling(gone_on.set), hold.calling(gone_on.set):
                gone_on.wait(HOLD_SECONDS)

    def _search(self, question: str, documents: Sequence[Document]) -> tuple[Hit, ...]:
        hits = []
        for document in documents:
            for p in paragraphs(document):
                text = document.text[p.start : p.end]
                score, quote = max(
                    ((_common(question, text[a:b]), text[a:b]) for a, b in sentences(text)), key=lambda x: x[0]
                )
                hits.append(
                    Hit(
                        document.id,
                        document.version,
                        document.title,
                        document.source,
                        p.number,
                        p.start,
                        p.end,
                        text,
                        score,
                        quote,
                    )
                )
        return tuple(sorted((hit for hit in hits if hit.score), key=lambda hit: -hit.score)[:10])


def _is_selected(filter: Filter, document: Document) -> bool:
    return (
        (filter.documents is None or document.id in filter.documents)
        and (filter.sources is None or str(Path(document.source).parent) in filter.sources)
        and (filter.languages is None or document.language in filter.languages)
        and (not filter.since or document.date >= filter.since)
        and (not filter.until or "" < document.date <= filter.until)
    )


def _common(question: str, text: str) -> float:
    return len(_words(question) & _words(text))


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"\w+", text.lower()) if len(word) > 3}


def _citation(number: int, hit: Hit) -> Citation:
    start = hit.start + hit.text.index(hit.quote)
    end = start + len(hit.quote)
    return Citation(number, hit.document, hit.version, hit.title, hit.source, hit.paragraph, start, end, hit.quote)


def _answer(question: str, claims: Sequence[Claim], hits: tuple[Hit, ...]) -> Answer:
    if not claims:
        return Answer(NOT_FOUND, "not_found", question, evidence=hits)
    text = " ".join(f"{claim.text} [{claim.citations[0].number}]" for claim in claims)
    return Answer(text, "answered", question, tuple(claims), tuple(c for claim in claims for c in claim.citations), hits)
