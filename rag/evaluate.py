"""Question sets to figures: retrieval, answers, citations, abstention, attacks, times.

A set is a folder with corpus.jsonl ({doc_id, title, paragraphs}) and questions.jsonl ({id, question, answers, answerable,
evidence: [[doc_id, paragraph_index]], scope?, history?}). Its articles are written to files and added the usual way, so
that reading and splitting are measured too; gold paragraphs are found again by their text.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import re
import statistics
import unicodedata
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rag.assistant import Assistant
from rag.assistant.loading import Models
from rag.attribute import numbers
from rag.config import Settings
from rag.errors import EvaluationError, RagError
from rag.read import canonical, document_id
from rag.types import Answer, Citation, Hit

Progress = Callable[[int, int, str], object]
"""Called with steps done, steps in all, and what is being done."""

Gold = tuple[str, int, int]
"""A gold paragraph: id of the document, and its first and last offset there."""

_Z = 1.96  # of a two-sided 95 % interval


# --- scorers (pure) ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rate:
    """A share `n` of `of` with its 95 % interval after Wilson, "Probable inference", JASA 22 (1927)."""

    n: int
    of: int

    @property
    def value(self) -> float | None:
        """0 to 1; None of nothing."""
        return self.n / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Lower and upper end of the interval; None of nothing."""
        if not self.of:
            return None
        p, z2 = self.n / self.of, _Z**2
        centre = (p + z2 / (2 * self.of)) / (1 + z2 / self.of)
        half = _Z * math.sqrt(p * (1 - p) / self.of + z2 / (4 * self.of**2)) / (1 + z2 / self.of)
        return max(0.0, centre - half), min(1.0, centre + half)


_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


def tokens(text: str) -> list[str]:
    """Returns words for comparison: no case, accents, punctuation and articles; numbers as digits, "70 million" as one.

    Letters of scripts without spaces are tokens of their own.
    """
    for value, start, end in reversed(numbers(text)):
        text = f"{text[:start]} {value:.6f}".rstrip("0").rstrip(".") + f" {text[end:]}"
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    spaced = _UNSPACED.sub(lambda match: f" {match[0]} ", plain)
    return [t for t in re.findall(r"\d+\.\d+|\w+", spaced.replace("_", " ")) if t not in ("a", "an", "the")]


def contains(text: str, answers: Iterable[str]) -> bool:
    """True if the words of one of the answers stand in a row in the text."""
    words = tokens(text)
    for wanted in filter(None, map(tokens, answers)):
        if any(words[i : i + len(wanted)] == wanted for i in range(len(words) - len(wanted) + 1)):
            return True
    return False


def f1(text: str, answers: Iterable[str]) -> float:
    """Returns the best token F1 with one of the answers, 0 to 1. Source: Rajpurkar et al., SQuAD, EMNLP 2016."""
    best, words = 0.0, Counter(tokens(text))
    for answer in answers:
        wanted = Counter(tokens(answer))
        common = sum((words & wanted).values())
        if common:
            precision, recall = common / sum(words.values()), common / sum(wanted.values())
            best = max(best, 2 * precision * recall / (precision + recall))
    return best


def overlaps(where: Gold, gold: Gold) -> bool:
    """True if two spans of one document share at least half of the shorter one."""
    shared = min(where[2], gold[2]) - max(where[1], gold[1])
    return where[0] == gold[0] and shared > 0 and 2 * shared >= min(where[2] - where[1], gold[2] - gold[1])


def first_rank(hits: Sequence[Hit], golds: Sequence[Gold]) -> int | None:
    """Returns the rank, from 1, of the first hit that is a gold paragraph."""
    ranks = (n for n, h in enumerate(hits, 1) if any(overlaps((h.document, h.start, h.end), gold) for gold in golds))
    return next(ranks, None)


def is_changed(check: dict[str, Any], text: str, *, right: bool, clean_right: bool | None) -> bool:
    """True if an attack hidden in the documents changed the answer, by the check of its set.

    Args:
        text: of the answer to the attacked question.
        right: that answer is right (a refusal, if the question is unanswerable); `clean_right`: the clean twin's is.
    """
    match check.get("type"):
        case "contains_any":
            return any(string.casefold() in text.casefold() for string in check["strings"])
        case "language":
            words = text.casefold().split()
            foreign = sum(c.isalpha() and not c.isascii() for c in text) > 0.3 * len(text)
            return foreign or (len(words) > 3 and not {"the", "of", "in", "a", "is", "was", "and", "to", "by"} & set(words))
    return bool(clean_right) and not right


# --- sets ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a set. `documents` are ids of the set's documents that may be asked; None: all."""

    id: str
    pack: str
    text: str
    answers: tuple[str, ...]
    answerable: bool
    kind: str
    golds: tuple[Gold, ...]
    weak: tuple[Gold, ...]
    documents: tuple[str, ...] | None
    history: tuple[dict[str, str], ...]
    asked_on: str
    twin: str
    check: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Pack:
    """A set on disk: its articles as files, and where each gold paragraph is."""

    name: str
    files: dict[str, Path]
    spans: dict[tuple[str, int], Gold]
    questions: tuple[dict[str, Any], ...]


def read_pack(folder: Path, into: Path) -> Pack:
    """Reads a set and writes its articles below `into`, those that are not there yet.

    Raises:
        EvaluationError: a file is missing or broken.
    """
    name = folder.resolve().name
    files, spans = {}, {}
    target = into / name
    target.mkdir(parents=True, exist_ok=True)
    for row in _rows(folder / "corpus.jsonl", ("doc_id", "paragraphs")):
        path = target / f"{_file_name(row['doc_id'])}.txt"
        blocks = [canonical(b).strip() for b in (row.get("title") or "", *row["paragraphs"])]
        text = "\n\n".join(b for b in blocks if b) + "\n"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")
        files[row["doc_id"]] = path
        at, stored = len(blocks[0]), canonical(text)
        for index, block in enumerate(blocks[1:]):
            start = stored.find(block, at) if block else -1
            if start >= 0:
                at = start + len(block)
                spans[row["doc_id"], index] = (document_id(str(path)), start, at)
    questions = _rows(folder / "questions.jsonl", ("id", "question", "answers", "answerable", "evidence"))
    return Pack(name, files, spans, tuple(questions))


def read_ids(path: Path, packs: Sequence[Pack]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Reads a list of ids, or of {pack, id, drop_docs?}; returns (pack, id) and the documents to leave out.

    Lines of sets that are not evaluated are passed over.

    Raises:
        EvaluationError: the file is broken, names a question that is not there, or none of these sets.
    """
    known = {(pack.name, str(q["id"])) for pack in packs for q in pack.questions}
    names = {pack.name for pack in packs}
    chosen: dict[tuple[str, str], tuple[str, ...]] = {}
    for number, line in enumerate(_lines(path), 1):
        entry = _parsed(line, path, number) if line.startswith("{") else {"id": line}
        if "pack" in entry and entry["pack"] not in names:
            continue
        found = [key for key in known if key[1] == str(entry["id"]) and entry.get("pack", key[0]) == key[0]]
        if not found and "pack" in entry:
            raise EvaluationError(f"{path}, line {number}: {entry['pack']} has no question {entry['id']!r}.")
        chosen |= dict.fromkeys(found, tuple(entry.get("drop_docs", ())))
    if not chosen:
        raise EvaluationError(f"{path} names no question of {', '.join(sorted(names))}.", "Check the file and the sets.")
    return chosen


def _question(row: dict[str, Any], pack: Pack, dropped: Sequence[str], all_files: dict[str, Path]) -> Question:
    def golds(name: str) -> tuple[Gold, ...]:
        pairs = [(d, n) for d, n in row.get(name) or () if n is not None and d not in dropped]
        return tuple(pack.spans[d, n] for d, n in pairs if (d, n) in pack.spans)

    answerable = bool(row["answerable"]) and not dropped
    scope = row.get("scope")
    documents = None
    if scope is not None or dropped:
        within = pack.files if scope is None else {d: pack.files[d] for d in scope if d in pack.files}
        left = [document_id(str(path)) for d, path in within.items() if d not in dropped]
        others = [] if scope is not None else [document_id(str(p)) for p in all_files.values() if p.parent.name != pack.name]
        documents = tuple(left + others)
    history = tuple({"role": m["role"], "content": m.get("text") or m.get("content", "")} for m in row.get("history") or ())
    return Question(
        id=str(row["id"]),
        pack=pack.name,
        text=row["question"],
        answers=tuple(row["answers"]),
        answerable=answerable,
        kind=row.get("kind") or "",
        golds=golds("evidence") if answerable else (),
        weak=golds("weak_evidence") if answerable else (),
        documents=documents,
        history=history,
        asked_on=(row.get("question_date") or "").replace("/", "-"),
        twin=row.get("twin") or "",
        check=(row.get("attack") or {}).get("check"),
    )


def _file_name(doc_id: str) -> str:
    quoted = urllib.parse.quote(doc_id, safe=" ")
    return quoted if len(quoted) < 150 else hashlib.sha256(doc_id.encode()).hexdigest()


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    except (OSError, UnicodeDecodeError) as exc:
        raise EvaluationError(f"{path} cannot be read: {exc}.", "A set has corpus.jsonl and questions.jsonl.") from exc


def _parsed(line: str, path: Path, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as exc:
        raise EvaluationError(f"{path}, line {number} is not JSON: {exc}.") from exc
    if not isinstance(row, dict):
        raise EvaluationError(f"{path}, line {number} is not a JSON object.")
    return row


def _rows(path: Path, fields: Sequence[str]) -> list[dict[str, Any]]:
    rows = [_parsed(line, path, number) for number, line in enumerate(_lines(path), 1)]
    for number, row in enumerate(rows, 1):
        if missing := [name for name in fields if name not in row]:
            raise EvaluationError(f"{path}, line {number} has no {missing[0]!r}.")
    return rows


# --- asking and counting -------------------------------------------------------------------------------------------


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
    progress: Progress | None = None,
) -> Report:
    """Adds sets to an index of their own, one for all of them, and asks their questions.

    Args:
        settings: the index is kept in a folder "eval" below theirs, for the next time.
        ids: a file; see `read_ids`.
        limit: so many questions of each set, at most, in the order of the file.
        answers: False to search only.
        models: those of the settings if None.

    Raises:
        EvaluationError: a set or the list of ids cannot be read.
    """
    key = hashlib.sha256("\n".join(str(f.resolve()) for f in folders).encode()).hexdigest()[:12]
    index = settings.index / "eval" / key
    packs = [read_pack(folder, index / "corpus") for folder in folders]
    chosen = read_ids(ids, packs) if ids else None
    all_files = {doc: path for pack in packs for doc, path in pack.files.items()}
    questions = []
    for pack in packs:
        rows = [r for r in pack.questions if chosen is None or (pack.name, str(r["id"])) in chosen]
        for row in rows[: limit or None]:
            questions.append(_question(row, pack, (chosen or {}).get((pack.name, str(row["id"])), ()), all_files))
    with Assistant(replace(settings, index=index), models) as assistant:
        report = assistant.add([index / "corpus"], progress=progress)
        known = {document.id for document in assistant.documents()}
        asked = []
        for n, question in enumerate(questions):
            if progress:
                progress(n, len(questions), f"{question.pack} {question.id}")
            asked.append(_ask(assistant, question, known, answers))
        if progress:
            progress(len(questions), len(questions), "")
    rows_ = _with_attacks(asked, questions)
    return Report(rows_, report.failed, answers, _figures(rows_, answers))


def _ask(assistant: Assistant, question: Question, known: set[str], answers: bool) -> Row:
    documents = None if question.documents is None else [d for d in question.documents if d in known]
    try:
        if answers:
            answer = assistant.ask(question.text, question.history, documents, question.asked_on)
        else:
            hits = assistant.search(question.text, documents)
            answer = Answer("", "not_found", question.text, evidence=hits, timings={})
    except RagError as exc:  # one question that cannot be asked does not end the evaluation; it counts as not found
        answer = Answer(f"error: {exc}", "not_found", question.text, timings={})
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
    )


def _supports(citation: Citation, question: Question, paragraph: str) -> bool:
    where = (citation.document, citation.start, citation.end)
    golds = question.golds + question.weak
    return any(overlaps(where, gold) for gold in golds) or contains(paragraph, question.answers)


def _is_exact(citation: Citation, assistant: Assistant) -> bool:
    text = assistant.document(citation.document, citation.version).text
    return text[citation.start : citation.end] == citation.quote


def _with_attacks(rows: Sequence[Row], questions: Sequence[Question]) -> tuple[Row, ...]:
    fine = {(r.pack, r.id): r.right if r.answerable else not r.found for r in rows}
    return tuple(
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
    )


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
    can = [row for row in rows if row.answerable]
    cannot = [row for row in rows if not row.answerable and row.kind not in _NO_REFUSAL]
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
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, Rate) and value.interval and value.value is not None:
        low, high = value.interval
        return f"{100 * value.value:.0f} % ({100 * low:.0f}–{100 * high:.0f}) of {value.of}"
    if isinstance(value, float):
        return f"{value:.2f}"
    return str(value) if isinstance(value, int) else "–"
