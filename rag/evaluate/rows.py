"""One question to a row: it is asked, and what came of it is held against what the set says."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from rag.assistant import Assistant
from rag.attribute import support
from rag.duplicates import gist
from rag.errors import RagError
from rag.evaluate.scores import Gold, contains, f1, first_rank, is_changed, overlaps
from rag.evaluate.sets import Question
from rag.types import NOT_FOUND, Answer, Citation, Hit, Reranker

SUPPORTED = 0.5
"""From this support on, a claim counts as supported. Source: `rag.attribute.support`."""

_SHOWN = 3  # hits that are kept in a row


@dataclass(frozen=True, slots=True)
class Seen:
    """A paragraph as it is shown beside a question; `gold` if the set says that it holds the answer."""

    title: str
    paragraph: int
    score: float
    text: str
    gold: bool


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one question, or of one claim. None where a figure does not apply.

    Attributes:
        status: of the answer; of a claim "supported" or "unsupported".
        asked: the question as typed; `question`: as searched; of a claim, the claim and its question.
        text: of the answer.
        best: score of the best hit.
        rank: of the first gold paragraph, from 1.
        counted, free_text, cluster: as in `sets.Question`.
        follow_up: it has a conversation before it.
        changed: by an attack.
        groups: values that a full answer names; `named` so many of them were.
        named_wrong, named_fake: a wrong value, or one of the altered documents, was named.
        label: the paragraphs do support the claim; `support`: how surely they were found to, 0 to 1.
        expected: the answers of the set; `quotes`: of the citations; `evidence`: the first hits; `gold`: the gold paragraph
            if it is not among these.
    """

    id: str
    pack: str
    answerable: bool
    kind: str
    status: str
    found: bool
    text: str
    question: str
    best: float | None
    rank: int | None
    has_gold: bool
    right: bool | None
    f1: float | None
    asked: str = ""
    follow_up: bool = False
    rewritten: bool = False
    counted: bool = True
    free_text: bool = False
    cluster: str = ""
    citations: int = 0
    supporting: int = 0
    claims: int = 0
    claims_supported: int = 0
    exact_quotes: int = 0
    changed: bool | None = None
    groups: int = 0
    named: int = 0
    named_wrong: bool | None = None
    named_fake: bool | None = None
    label: bool | None = None
    support: float | None = None
    probability: float | None = None
    signals: Mapping[str, float | None] | None = None
    retrieve: float | None = None
    rerank: float | None = None
    first_token: float | None = None
    total: float | None = None
    expected: tuple[str, ...] = ()
    quotes: tuple[str, ...] = ()
    evidence: tuple[Seen, ...] = ()
    gold: str = ""
    notice: str = ""
    error: str = ""


def ask(assistant: Assistant, question: Question, known: Collection[str], *, answers: bool, timed: bool) -> Row:
    """Asks one question.

    Args:
        known: ids of the documents that could be added.
        answers: False to search only.
        timed: False to leave the times out.
    """
    documents = None if question.documents is None else [d for d in question.documents if d in known]
    error = ""
    try:
        if answers:
            answer = assistant.ask(question.text, question.history, documents, question.asked_on)
        else:
            found = assistant.find(question.text, question.history, documents, question.asked_on)
            answer = Answer("", "not_found", found.question, evidence=found.hits, timings={})
    except RagError as exc:  # one question that cannot be asked does not end the evaluation; it counts as wrong
        answer = Answer(NOT_FOUND, "not_found", question.text, timings={})
        error = str(exc)
    question = _with_copies(question, answer.evidence, assistant)
    row = _answered(_plain(question, answer), question, answer, assistant)
    row = replace(row, error=error, gold=_missed(row, question, assistant, known))
    return _timed(row, answer.timings or {}) if timed else row


def _with_copies(question: Question, hits: Sequence[Hit], assistant: Assistant) -> Question:
    """Returns a question for which a hit that stands for a gold (or weak) paragraph of another document counts as one."""

    def widened(golds: tuple[Gold, ...]) -> tuple[Gold, ...]:
        copies = [
            (hit.document, hit.start, hit.end)
            for hit in hits
            for document, start, end in golds
            if document in hit.also and gist(assistant.document(document).text[start:end]) == gist(hit.text)
        ]
        return (*golds, *copies)

    return replace(question, golds=widened(question.golds), weak=widened(question.weak))


def _plain(question: Question, answer: Answer) -> Row:
    """Returns the row without what needs the answer's claims and citations."""
    return Row(
        id=question.id,
        pack=question.pack,
        answerable=question.answerable,
        kind=question.kind,
        status=answer.status,
        found=answer.found,
        text=answer.text,
        question=answer.question,
        best=answer.evidence[0].score if answer.evidence else None,
        rank=first_rank(answer.evidence, question.golds),
        has_gold=bool(question.golds),
        right=None,
        f1=None,
        asked=question.text,
        follow_up=bool(question.history),
        rewritten=answer.question != " ".join(question.text.split()),
        counted=question.counted,
        free_text=question.free_text,
        cluster=question.cluster,
        probability=answer.probability,
        signals=answer.signals,
        expected=question.answers,
        quotes=tuple(citation.quote for citation in answer.citations),
        evidence=tuple(_seen(hit, question) for hit in answer.evidence[:_SHOWN]),
        notice=answer.notice,
    )


def _answered(row: Row, question: Question, answer: Answer, assistant: Assistant) -> Row:
    """Returns the row of an answerable question with what its claims and citations are worth; that of another as it is."""
    if not question.answerable:
        return row
    said = " ".join(claim.text for claim in answer.claims)
    texts = {(h.document, h.paragraph): h.text for h in answer.evidence}
    supporting = {c for c in answer.citations if _supports(c, question, texts.get((c.document, c.paragraph), c.quote))}
    return replace(
        row,
        right=contains(said, question.answers) if question.answers else None,
        f1=f1(said, question.answers) if question.answers else None,
        citations=len(answer.citations),
        supporting=len(supporting),
        claims=len(answer.claims),
        claims_supported=sum(bool(supporting & set(c.citations)) for c in answer.claims),
        exact_quotes=sum(_is_exact(c, assistant) for c in answer.citations),
        groups=len(question.groups),
        named=sum(contains(said, group) for group in question.groups),
        named_wrong=contains(said, question.wrong) if question.wrong else None,
        named_fake=contains(said, question.fake) if question.fake else None,
    )


def _supports(citation: Citation, question: Question, paragraph: str) -> bool:
    """True if a citation is of a gold paragraph, or of another with the answer, be it one that was put there to deceive."""
    where = (citation.document, citation.start, citation.end)
    golds = question.golds + question.weak
    return any(overlaps(where, gold) for gold in golds) or contains(paragraph, question.answers + question.fake)


def _is_exact(citation: Citation, assistant: Assistant) -> bool:
    text = assistant.document(citation.document, citation.version).text
    return text[citation.start : citation.end] == citation.quote


def _seen(hit: Hit, question: Question) -> Seen:
    return Seen(hit.title, hit.paragraph, hit.score, hit.text, _is_gold(hit, question.golds))


def _is_gold(hit: Hit, golds: Sequence[Gold]) -> bool:
    return any(overlaps((hit.document, hit.start, hit.end), gold) for gold in golds)


def _missed(row: Row, question: Question, assistant: Assistant, known: Collection[str]) -> str:
    """Returns the text of the gold paragraph if it is not among the hits of the row."""
    if any(seen.gold for seen in row.evidence):
        return ""
    stored = (gold for gold in question.golds if gold[0] in known)
    return next((assistant.document(document).text[start:end] for document, start, end in stored), "")


def _timed(row: Row, timings: Mapping[str, float | None]) -> Row:
    return replace(
        row,
        retrieve=timings.get("retrieve"),
        rerank=timings.get("rerank"),
        first_token=timings.get("first_token"),
        total=timings.get("total"),
    )


def judge(question: Question, reranker: Reranker) -> Row:
    """Judges one claim by its paragraphs."""
    claim, passages = question.claim or "", question.passages
    value, scores, error = None, [], "" if passages else "None of the claim's paragraphs is in the corpus."
    if passages:
        scores = reranker.scores(claim, passages)
        value = float(support(claim, question.text, passages, scores))
    found = value is not None and value >= SUPPORTED
    return Row(
        id=question.id,
        pack=question.pack,
        answerable=question.answerable,
        kind=question.kind,
        status="supported" if found else "unsupported",
        found=found,
        text="",
        question=claim,
        best=max(scores, default=None),
        rank=None,
        has_gold=False,
        right=None,
        f1=None,
        asked=question.text,
        cluster=question.cluster,
        label=question.answerable,
        support=value,
        evidence=tuple(Seen("", n, s, t, False) for n, (s, t) in enumerate(zip(scores, passages, strict=True), 1)),
        error=error,
    )


def with_attacks(rows: Sequence[Row], questions: Sequence[Question]) -> list[Row]:
    """Returns the rows with what the attacks on them changed, which needs the rows of their clean twins."""
    fine = {(r.pack, r.id): bool(r.right) if r.answerable else not r.found for r in rows}
    return [
        row
        if question.check is None
        else replace(
            row,
            changed=is_changed(
                question.check, row.text, right=fine[row.pack, row.id], clean_right=fine.get((row.pack, question.twin))
            ),
        )
        for row, question in zip(rows, questions, strict=True)
    ]
