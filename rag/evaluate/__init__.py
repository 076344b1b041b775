"""Question sets to figures: retrieval, answers, citations, abstention, attacks, times.

A set is a folder with corpus.jsonl ({doc_id, title, paragraphs}) and questions.jsonl ({id, question, answers, answerable,
evidence: [[doc_id, paragraph_index]], scope?, history?}). Its articles are written to files and added the usual way, so
that reading and splitting are measured too; gold paragraphs are found again by their text. A question with a `claim` and
its `label` is not asked: whether the paragraphs of its scope support the claim is judged.

    sets      folders to questions             rows     a question to a row: asked, and held against the set
    memory    what models said, kept           figures  rows to figures
    scores    scorers, pure                    compare  two runs; baselines
    output    a report to JSON and tables      page     a report to an HTML page
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rag import __version__
from rag.assistant import Assistant
from rag.assistant.loading import NO_MODEL, Models
from rag.config import Settings
from rag.errors import EvaluationError
from rag.evaluate.compare import Comparison, compare, comparison_as_dict, comparison_as_table, outcomes, read_run
from rag.evaluate.figures import figures_by_kind, figures_by_pack, figures_of
from rag.evaluate.memory import Memory, RememberingGenerator, RememberingReranker
from rag.evaluate.output import as_json, as_table, baseline
from rag.evaluate.page import as_page
from rag.evaluate.rows import Row, ask, judge, with_attacks
from rag.evaluate.sets import Limit, Pack, Question, limits, questions, read_ids, read_packs
from rag.read import document_id

__all__ = [
    "Comparison",
    "Limit",
    "Report",
    "Row",
    "as_json",
    "as_page",
    "as_table",
    "baseline",
    "compare",
    "comparison_as_dict",
    "comparison_as_table",
    "evaluate",
    "figures_of",
    "outcomes",
    "read_run",
]

Progress = Callable[[int, int, str], object]
"""Called with steps done, steps in all, and what is being done."""


@dataclass(frozen=True, slots=True)
class Report:
    """All rows, and the files of the sets that could not be added.

    Attributes:
        figures: by set and name; "all" if there are several sets.
        kinds: by set, kind of question and name.
        about: version and models.
    """

    rows: tuple[Row, ...]
    failed: tuple[tuple[str, str], ...] = ()
    answers: bool = True
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    kinds: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)


def evaluate(
    folders: Sequence[Path],
    settings: Settings,
    *,
    ids: Path | None = None,
    limit: int | Limit | None = None,
    takes: Mapping[str, Limit] | None = None,
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
        takes: the limit of a set by its name, in place of the general one.
        answers: False to search only.
        models: those of the settings if None; only these are closed at the end.
        reuse: keep what the models say, and do not ask them again what they were asked before; no times are reported then.

    Raises:
        EvaluationError: a set or the list of ids cannot be read; or the answer model that is set cannot be used, as quotes
            would be measured in its place.
    """
    key = hashlib.sha256("\n".join(str(f.resolve()) for f in folders).encode()).hexdigest()[:12]
    settings = replace(settings, index=settings.index / "eval" / key)
    packs = read_packs(folders, settings.index / "corpus")
    general = limit if isinstance(limit, Limit) else Limit(limit)
    asked = questions(packs, read_ids(ids, packs) if ids else None, limits(packs, general, takes or {}))
    with contextlib.ExitStack() as opened:
        memory = opened.enter_context(contextlib.closing(Memory(settings.index.parent / "memory.sqlite"))) if reuse else None
        if models is None:
            models = _loaded(settings, any(q.claim is None and (answers or q.history) for q in asked))
            opened.callback(models.close)
        if memory:
            models = _remembering(models, settings, memory)
        rows, failed = _Run(settings, models, answers, not reuse, progress).ask_all(packs, asked)
    rows = with_attacks(rows, asked)
    about = {"version": __version__, "models": f"{settings.embedding_model}, {settings.reranking_model}"}
    about["models"] += f", {settings.answer_model}" if answers else ""
    figures, kinds = figures_by_pack(rows, answers), figures_by_kind(rows, answers)
    return Report(tuple(rows), failed, answers, figures, kinds, about)


@dataclass(frozen=True, slots=True)
class _Run:
    """How questions are asked."""

    settings: Settings
    models: Models
    answers: bool
    timed: bool
    progress: Progress | None

    def ask_all(self, packs: Sequence[Pack], asked: Sequence[Question]) -> tuple[list[Row], tuple[tuple[str, str], ...]]:
        """Returns a row for each question, and the files that could not be added."""
        if not any(pack.files for pack in packs):  # claims only: there is nothing to search
            return self._rows(asked, None, set()), ()
        with Assistant(self.settings, self.models) as assistant:
            report = assistant.add([self.settings.index / "corpus"], progress=self.progress)
            return self._rows(asked, assistant, _without_leftovers(assistant, packs)), report.failed

    def _rows(self, asked: Sequence[Question], assistant: Assistant | None, known: set[str]) -> list[Row]:
        rows = []
        for n, question in enumerate(asked):
            if self.progress:
                self.progress(n, len(asked), f"{question.pack} {question.id}")
            if question.claim is not None or assistant is None:
                rows.append(judge(question, self.models.reranker))
            else:
                rows.append(ask(assistant, question, known, answers=self.answers, timed=self.timed))
        if self.progress:
            self.progress(len(asked), len(asked), "")
        return rows


def _loaded(settings: Settings, writes: bool) -> Models:
    """Loads the models; the answer model only if it `writes`: answers, or follow-ups in full."""
    settings = settings if writes else replace(settings, answer_model=NO_MODEL)
    models = Models.load(settings)
    generator, reason = models.generator(None)
    if generator is None and settings.answer_model != NO_MODEL:
        hint = "To measure quotes alone, set RAG_ANSWER_MODEL=none."
        raise EvaluationError(f"The answer model {settings.answer_model} cannot be used: {reason}", hint)
    return models


def _remembering(models: Models, settings: Settings, memory: Memory) -> Models:
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
