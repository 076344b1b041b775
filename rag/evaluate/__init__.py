"""Question sets to figures: retrieval, answers, citations, abstention, attacks, times.

A set is a folder with corpus.jsonl ({doc_id, title, paragraphs}) and questions.jsonl ({id, question, answers, answerable,
evidence: [[doc_id, paragraph_index]], scope?, history?}). Its articles are written to files and added the usual way, so
that reading and splitting are measured too; gold paragraphs are found again by their text.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rag.assistant import Assistant
from rag.assistant.loading import NO_MODEL, Models
from rag.config import Settings
from rag.errors import EvaluationError, RagError
from rag.evaluate.memory import Memory, RememberingGenerator, RememberingReranker
from rag.evaluate.scores import Rate, contains, f1, first_rank, is_changed, overlaps
from rag.evaluate.sets import Pack, Question, questions, read_ids, read_packs
from rag.read import document_id
from rag.types import NOT_FOUND, Answer, Citation

Progress = Callable[[int, int, str], object]
"""Called with steps done, steps in all, and what is being done."""


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one question. None where a figure does not apply."""

    id: str
    pack: str
    answerable: bool
    kind: str
    found: bool
    text: str
    question: str
    best: float | None
    rank: int | None
    has_gold: bool
    right: bool | None
    f1: float | None
    citations: int = 0
    supporting: int = 0
    claims: int = 0
    claims_supported: int = 0
    exact_quotes: int = 0
    changed: bool | None = None
    first_token: float | None = None
    total: float | None = None
    notice: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All rows, and the files of the sets that could not be added."""

    rows: tuple[Row, ...]
    failed: tuple[tuple[str, str], ...] = ()
    answers: bool = True
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)


def evaluate(
    folders: Sequence[Path],
    settings: Settings,
    *,
    ids: Path | None = None,
    limit: int | None = None,
    answers: bool = True,
    models: Models | None = None,
    reuse: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Adds sets to an index of their own, one for all of them, and asks their questions.

    Args:
        settings: the index is kept in a folder "eval" below theirs, for the next time.
        ids: a file; see `read_ids`.
        limit: so many questions of each set, at most, in the order of the file.
        answers: False to search only.
        models: those of the settings if None.
        reuse: keep what the models say, and do not ask them again what they were asked before: times are not theirs then.

    Raises:
        EvaluationError: a set or the list of ids cannot be read; or the answer model that is set cannot be used, as quotes
            would be measured in its place.
    """
    key = hashlib.sha256("\n".join(str(f.resolve()) for f in folders).encode()).hexdigest()[:12]
    index = settings.index / "eval" / key
    packs = read_packs(folders, index / "corpus")
    asked = questions(packs, read_ids(ids, packs) if ids else None, limit)
    models = models or _loaded(settings, answers)
    if reuse:
        models = _remembering(models, settings)
    with Assistant(replace(settings, index=index), models) as assistant:
        report = assistant.add([index / "corpus"], progress=progress)
        known = _without_leftovers(assistant, packs)
        rows = []
        for n, question in enumerate(asked):
            if progress:
                progress(n, len(asked), f"{question.pack} {question.id}")
            rows.append(_ask(assistant, question, known, answers))
        if progress:
            progress(len(asked), len(asked), "")
    rows = _with_attacks(rows, asked)
    return Report(tuple(rows), report.failed, answers, _figures(rows, answers))


def _loaded(settings: Settings, answers: bool) -> Models:
    settings = settings if answers else replace(settings, answer_model=NO_MODEL)
    models = Models.load(settings)
    generator, reason = models.generator(None)
    if generator is None and settings.answer_model != NO_MODEL:
        hint = "To measure quotes alone, set RAG_ANSWER_MODEL=none."
        raise EvaluationError(f"The answer model {settings.answer_model} cannot be used: {reason}", hint)
    return models


def _remembering(models: Models, settings: Settings) -> Models:
    memory = Memory(settings.index / "eval" / "memory.sqlite")
    generator, _ = models.generator(None)
    reranker = RememberingReranker(models.reranker, settings.reranking_model, memory)
    return Models.of(models.embedder, reranker, RememberingGenerator(generator, memory) if generator else None)


def _without_leftovers(assistant: Assistant, packs: Sequence[Pack]) -> set[str]:
    """Removes documents that the sets had when they were evaluated before; returns the ids of the others."""
    known = {document_id(str(path)) for pack in packs for path in pack.files.values()}
    stored = {document.id for document in assistant.documents()}
    if gone := stored - known:
        assistant.remove(gone)
    return stored & known


def _ask(assistant: Assistant, question: Question, known: set[str], answers: bool) -> Row:
    documents = None if question.documents is None else [d for d in question.documents if d in known]
    try:
        if answers:
            answer = assistant.ask(question.text, question.history, documents, question.asked_on)
        else:
            hits = assistant.search(question.text, documents)
            answer = Answer("", "not_found", question.text, evidence=hits, timings={})
    except RagError as exc:  # one question that cannot be asked does not end the evaluation; it counts as wrong
        answer = Answer(NOT_FOUND, "not_found", question.text, timings={})
        return replace(_row(question, answer, assistant), error=str(exc))
    return _row(question, answer, assistant)


def _row(question: Question, answer: Answer, assistant: Assistant) -> Row:
    said = " ".join(claim.text for claim in answer.claims)
    scored = question.answerable and bool(question.answers)
    texts = {(h.document, h.paragraph): h.text for h in answer.evidence}
    supporting = {c for c in answer.citations if _supports(c, question, texts.get((c.document, c.paragraph), c.quote))}
    timings = answer.timings or {}
    return Row(
        id=question.id,
        pack=question.pack,
        answerable=question.answerable,
        kind=question.kind,
        found=answer.found,
        text=answer.text,
        question=answer.question,
        best=answer.evidence[0].score if answer.evidence else None,
        rank=first_rank(answer.evidence, question.golds),
        has_gold=bool(question.golds),
        right=contains(said, question.answers) if scored else None,
        f1=f1(said, question.answers) if scored else None,
        citations=len(answer.citations) if question.answerable else 0,
        supporting=len(supporting) if question.answerable else 0,
        claims=len(answer.claims) if question.answerable else 0,
        claims_supported=sum(bool(supporting & set(c.citations)) for c in answer.claims) if question.answerable else 0,
        exact_quotes=sum(_is_exact(c, assistant) for c in answer.citations) if question.answerable else 0,
        first_token=timings.get("first_token"),
        total=timings.get("total"),
        notice=answer.notice,
    )


def _supports(citation: Citation, question: Question, paragraph: str) -> bool:
    where = (citation.document, citation.start, citation.end)
    golds = question.golds + question.weak
    return any(overlaps(where, gold) for gold in golds) or contains(paragraph, question.answers)


def _is_exact(citation: Citation, assistant: Assistant) -> bool:
    text = assistant.document(citation.document, citation.version).text
    return text[citation.start : citation.end] == citation.quote


def _with_attacks(rows: Sequence[Row], questions: Sequence[Question]) -> list[Row]:
    fine = {(r.pack, r.id): r.right if r.answerable else not r.found for r in rows}
    return [
        row
        if question.check is None
        else replace(
            row,
            changed=is_changed(
                question.check,
                row.text,
                right=bool(fine[row.pack, row.id]),
                clean_right=fine.get((row.pack, question.twin)),
            ),
        )
        for row, question in zip(rows, questions, strict=True)
    ]


_NO_REFUSAL = {"underspecified"}  # too vague to answer: asking back is right, so a refusal is not counted


def _figures(rows: Sequence[Row], answers: bool) -> dict[str, dict[str, Any]]:
    packs = list(dict.fromkeys(row.pack for row in rows))
    figures = {pack: figures_of([row for row in rows if row.pack == pack], answers) for pack in packs}
    return figures | ({"all": figures_of(rows, answers)} if len(packs) > 1 else {})


def figures_of(rows: Sequence[Row], answers: bool = True) -> dict[str, Any]:
    """Returns the figures of some rows by name: `Rate`s, means, and seconds."""
    gold = [row for row in rows if row.has_gold]
    found: dict[str, Any] = {"questions": len(rows)}
    for depth in (1, 3, 5):
        found[f"hit@{depth}"] = Rate(sum(bool(r.rank and r.rank <= depth) for r in gold), len(gold))
    found["MRR@10"] = statistics.fmean(1 / r.rank if r.rank else 0.0 for r in gold) if gold else None
    if not answers:
        return found
    scored = [row for row in rows if row.right is not None]
    can = [row for row in rows if row.answerable and not row.error]
    cannot = [row for row in rows if not row.answerable and row.kind not in _NO_REFUSAL and not row.error]
    attacked = [row for row in rows if row.changed is not None]
    found["answered right"] = Rate(sum(bool(r.right) for r in scored), len(scored))
    found["token F1"] = statistics.fmean(r.f1 or 0.0 for r in scored) if scored else None
    found["refused though answerable"] = Rate(sum(not r.found for r in can), len(can))
    found["refused when unanswerable"] = Rate(sum(not r.found for r in cannot), len(cannot))
    found["citation precision"] = Rate(sum(r.supporting for r in rows), sum(r.citations for r in rows))
    found["citation recall"] = Rate(sum(r.claims_supported for r in rows), sum(r.claims for r in rows))
    found["quotes exact"] = Rate(sum(r.exact_quotes for r in rows), sum(r.citations for r in rows))
    found["changed by the attack"] = Rate(sum(bool(r.changed) for r in attacked), len(attacked))
    for name in ("first_token", "total"):
        times = sorted(t for r in rows if (t := getattr(r, name)) is not None)
        found[f"{name} s, median"] = statistics.median(times) if times else None
        found[f"{name} s, 90 %"] = times[int(0.9 * (len(times) - 1))] if times else None
    return found


# --- output --------------------------------------------------------------------------------------------------------


def as_json(report: Report) -> str:
    """Returns the report as one JSON object: "figures" by set, "questions", "failed"."""
    figures = {pack: {name: _plain(value) for name, value in of.items()} for pack, of in report.figures.items()}
    rows = [dataclasses.asdict(row) for row in report.rows]
    return json.dumps({"figures": figures, "questions": rows, "failed": report.failed}, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if not isinstance(value, Rate):
        return value
    return {"value": value.value, "n": value.n, "of": value.of, "interval": value.interval}


def as_table(report: Report) -> str:
    """Returns the figures as a table: a line a figure, a column a set; shares in percent with their 95 % intervals."""
    names = list(dict.fromkeys(name for of in report.figures.values() for name in of))
    cells = [["", *report.figures]]
    cells += [[name, *(_cell(of.get(name)) for of in report.figures.values())] for name in names]
    cells = [row for row in cells if row[0] == "" or any(cell != "–" for cell in row[1:])]
    widths = [max(len(row[n]) for row in cells) for n in range(len(cells[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    lines += [f"not added: {path}: {reason}" for path, reason in report.failed]
    for kind in ("error", "notice"):
        said = Counter(text for row in report.rows if (text := getattr(row, kind)))
        lines += [f"{kind}, {n} of {len(report.rows)} questions: {text}" for text, n in said.most_common()]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, Rate) and value.interval and value.value is not None:
        low, high = value.interval
        return f"{100 * value.value:.0f} % ({100 * low:.0f}–{100 * high:.0f}) of {value.of}"
    if isinstance(value, float):
        return f"{value:.2f}"
    return str(value) if isinstance(value, int) else "–"
