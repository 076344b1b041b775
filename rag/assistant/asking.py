"""One question, from its words to an answer: search, evidence, drafts, claims.

Whether the documents hold the answer is decided before the model is asked: by the reranker's scores, and by what the
question takes for granted. The model drafts; what it wrote is shown as an answer only if a paragraph carries it. If nothing
of a draft holds, a sure hit gets a second one from its best sentence alone, and in the end that sentence is the answer.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rag import attribute, prompt
from rag.assistant.loading import Models
from rag.config import Settings
from rag.library import Library
from rag.rerank import rerank
from rag.retrieve import Retriever
from rag.split import sentences
from rag.types import NOT_FOUND, Answer, Citation, Claim, Delta, Done, Event, Evidence, Generator, Hit, Withdrawn

LIKELY = 3.5
"""From this score on a hit may hold the answer. Source: docs/experiments.md, "Thresholds"."""

LIKELY_PER_WORD = 1.5
SHORT = 2
"""A question of few words ("Who ordered the campaign?") gives the reranker little to find, and its scores are lower: so much
for each of its words beyond two that can be checked is enough. Source: docs/experiments.md, "Thresholds"."""

CONFIDENT = 4.0
"""A hit from this score on is a sure one. Source: docs/experiments.md, "Thresholds"."""

CERTAIN = 7.0
"""From this score on, a name or number of the question that the document lacks is taken for a misspelling."""

_MAX_DRAFTED = 2  # hits that are drafted from, one after the other, until a sentence holds
_NEAR = 1.0  # the second hit is drafted from if its score is so near to the best one's
_LOADING_SECONDS = 60  # a question waits so long for an answer model that is still loading
_SENTENCE_ENDS = '.!?。！？…"”’)'


@dataclass
class Asking:
    """The state of one question while it is answered. `stream` may be called once."""

    question: str
    history: Sequence[Mapping[str, str]]
    documents: Sequence[str] | None
    asked_on: str
    library: Library
    retriever: Retriever
    models: Models
    settings: Settings
    claims: list[Claim] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    used: set[tuple[str, int]] = field(default_factory=set)  # (document, paragraph) of the hits given to the model
    timings: dict[str, float | None] = field(
        default_factory=lambda: dict.fromkeys(("retrieve", "rerank", "first_token", "total"))
    )

    def stream(self) -> Iterator[Event]:
        """Yields the events of the answer; the last one is `Done`."""
        started = time.perf_counter()
        if prompt.is_follow_up(self.question, self.history):
            self.question = self._completed()
        hits = self.search()
        yield Evidence(hits, self.question)
        notice = ""
        if believed := self._believed(hits):
            generator, notice = self.models.generator(_LOADING_SECONDS)
            if generator:
                for event in self._draft_until_confirmed(generator, believed):
                    if isinstance(event, Delta) and self.timings["first_token"] is None:
                        self.timings["first_token"] = time.perf_counter() - started
                    yield event
            else:
                notice = f"Only quotes can be shown. {notice}"
            sure = next((hit for hit in believed if hit.score >= CONFIDENT), None if generator else believed[0])
            if sure and not self.claims:
                yield self._quote(sure)
        self.timings["total"] = time.perf_counter() - started
        yield Done(self._answer(hits, notice))

    def _completed(self) -> str:
        """Returns the follow-up as a full question."""
        generator, _ = self.models.generator(_LOADING_SECONDS)
        rewrite = ""
        if generator:
            rewrite = "".join(generator.stream(prompt.rewrite_prompt(self.question, self.history), max_tokens=80))
        return prompt.checked_rewrite(rewrite, self.question, self.history)

    def search(self) -> tuple[Hit, ...]:
        """Returns the reranked hits, best first."""
        reranker, embedder = self.models.reranker, self.models.embedder
        started = time.perf_counter()
        vector = embedder.embed_question(self.question)
        found = self.retriever.retrieve(self.question, vector, self.settings.top_k, self.documents)
        retrieved = time.perf_counter()
        hits = rerank(self.question, found, reranker, depth=self.settings.rerank_depth, keep=self.settings.evidence)
        self.timings["retrieve"] = retrieved - started
        self.timings["rerank"] = time.perf_counter() - retrieved
        return hits

    def _believed(self, hits: Sequence[Hit]) -> list[Hit]:
        """Returns the hits to draft from: the best one that may hold the answer, and the next one if it is as good.

        If the best one is not certain and lacks a name or number of the question, a paragraph of the same document that has
        them all comes first: "How many Vietnamese?" is not answered where only the total stands.
        """
        asked = attribute.facts(self.question)
        if not (asked.words or asked.numbers):  # "?", "the"
            return []
        believed = [hit for hit in hits if self._is_believed(hit)]
        if believed and (best := believed[0]).score < CERTAIN:
            named = (hit for hit in believed if hit.document == best.document and not self._unknown(hit))
            first = next(named, best)
            believed = [first, *(hit for hit in believed if hit is not first)]
        return [hit for hit in believed if hit.score >= believed[0].score - _NEAR][:_MAX_DRAFTED]

    def _unknown(self, hit: Hit) -> tuple[str, ...]:
        return attribute.unknown(self.question, f"{hit.title}\n{hit.text}")

    def _is_believed(self, hit: Hit) -> bool:
        """True if a hit may hold the answer: a good score, and the document says what the question takes for granted."""
        needed = min(LIKELY, LIKELY_PER_WORD * max(0, attribute.n_checkable(self.question) - SHORT))
        if hit.score < needed or attribute.opposed(self.question, hit.quote):
            return False
        return hit.score >= CERTAIN or not attribute.unknown(self.question, self._context(hit))

    def _draft_until_confirmed(self, generator: Generator, hits: Sequence[Hit]) -> Iterator[Event]:
        """Drafts from each hit's paragraph, and from the best sentence of a sure one, until a sentence is confirmed."""
        budget = generator.context_tokens - self.settings.answer_tokens - prompt.BLOCK_OVERHEAD
        budget -= generator.count(self.question)
        for hit in hits:
            self.used.add((hit.document, hit.paragraph))
            blocks = [prompt.block(hit, budget, generator.count)]
            if hit.score >= CONFIDENT and hit.quote != hit.text:
                blocks.append(hit.quote)
            for block in blocks:
                asked = prompt.answer_prompt(self.question, [block], self.asked_on)
                draft = generator.stream(asked, max_tokens=self.settings.answer_tokens)
                yield from self._confirm(draft, hit)
                if self.claims:
                    return

    def _confirm(self, draft: Iterator[str], hit: Hit) -> Iterator[Event]:
        """Yields the draft's words, and at each sentence's end what became of it, before the words of the next one."""
        pending, n_shown = "", 0
        for piece in draft:
            pending += piece
            while (end := _first_sentence_end(pending)) is not None:
                if n_shown < end:
                    yield Delta(pending[n_shown:end])
                yield self._judge(pending[:end].strip(), hit)
                pending, n_shown = pending[end:], max(n_shown - end, 0)
            if n_shown < len(pending):
                yield Delta(pending[n_shown:])
                n_shown = len(pending)
        if pending.strip():
            yield self._judge(pending.strip(), hit)

    def _judge(self, sentence: str, hit: Hit) -> Claim | Withdrawn:
        """Confirms a sentence of the draft with its citation, or withdraws it."""
        if prompt.is_refusal(sentence):
            return Withdrawn(sentence)
        spans = attribute.candidates(sentence, self.question, [hit], {hit.document: self._context(hit)})
        return self._claim(sentence, spans[0]) if spans else Withdrawn(sentence)

    def _context(self, hit: Hit) -> str:
        document = self.library.document(hit.document, hit.version)
        return f"{document.title}\n{document.date}\n{document.text}"

    def _quote(self, hit: Hit) -> Claim:
        """Returns the best sentence itself as the answer."""
        start = hit.text.index(hit.quote)
        return self._claim(hit.quote, attribute.Span(hit, start, start + len(hit.quote)))

    def _claim(self, sentence: str, span: attribute.Span) -> Claim:
        claim = attribute.cite(sentence, span, len(self.citations) + 1)
        citation = claim.citations[0]
        for known in self.citations:
            if replace(known, number=citation.number) == citation:
                claim = Claim(sentence, (known,))
                break
        else:
            self.citations.append(citation)
        self.claims.append(claim)
        return claim

    def _answer(self, hits: Sequence[Hit], notice: str) -> Answer:
        return Answer(
            text=attribute.marked(self.claims) or NOT_FOUND,
            status="answered" if self.claims else "not_found",
            question=self.question,
            claims=tuple(self.claims),
            citations=tuple(self.citations),
            evidence=tuple(replace(hit, used=(hit.document, hit.paragraph) in self.used) for hit in hits),
            timings=self.timings,
            notice=notice,
        )


def _first_sentence_end(text: str) -> int | None:
    """Returns where the first sentence of a growing text ends; None while the rest of it may still come."""
    spans = sentences(text)
    if len(spans) > 1 and text[spans[0][1] - 1] in _SENTENCE_ENDS:
        return spans[0][1]
    return None
