"""Question sets on disk: their articles as files, where each gold paragraph is, and what is asked."""

from __future__ import annotations

import hashlib
import json
import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import EvaluationError
from rag.evaluate.scores import Gold
from rag.read import canonical, document_id

Chosen = dict[tuple[str, str], tuple[str, ...]]
"""The documents to leave out, by set and id of the questions that are asked."""


ASK_BACK = {"underspecified"}
"""Kinds that are too vague to answer: asking back is right."""


@dataclass(frozen=True, slots=True)
class Limit:
    """So many questions of a set, at most, in the order of its file; None: all. `first` cuts what the others left."""

    first: int | None = None
    answerable: int | None = None
    unanswerable: int | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a set, or a claim to judge.

    Attributes:
        documents: ids of the set's documents that may be asked; None: all.
        counted: if it is unanswerable, refusing is right; else asking back is, or telling what is near.
        free_text: an answer need not have the words of `answers`.
        groups: values that a full answer names, each with its other names; () if the set does not list them.
        wrong, fake: values that it should not name, and values that the altered documents state.
        cluster: questions with the same one are about the same text, so their outcomes are not independent.
        claim: to judge by the paragraphs `passages`, in place of asking; `answerable` is then whether they support it. None
            for a question.
    """

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
    counted: bool
    free_text: bool
    groups: tuple[tuple[str, ...], ...]
    wrong: tuple[str, ...]
    fake: tuple[str, ...]
    cluster: str
    claim: str | None
    passages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pack:
    """A set on disk: its articles as files, where each gold paragraph is, and the paragraphs by document.

    A set with claims only has no files: nothing is searched for them.
    """

    name: str
    files: dict[str, Path]
    spans: dict[tuple[str, int], Gold]
    paragraphs: dict[str, tuple[str, ...]]
    questions: tuple[dict[str, Any], ...]


def read_packs(folders: Sequence[Path], into: Path) -> tuple[Pack, ...]:
    """Reads sets and writes their articles below `into`, those that are not there yet; others that are there go.

    Raises:
        EvaluationError: a file is missing or broken, or two sets have one name.
    """
    names = [folder.resolve().name for folder in folders]
    if twice := [name for name in names if names.count(name) > 1]:
        raise EvaluationError(f"Two sets have the name {twice[0]!r}.", "Give each another folder name.")
    packs = tuple(_read_pack(folder, into / name) for folder, name in zip(folders, names, strict=True))
    wanted = {path for pack in packs for path in pack.files.values()}
    for path in into.glob("*/*.txt"):
        if path not in wanted:
            path.unlink()
    return packs


def _read_pack(folder: Path, target: Path) -> Pack:
    files, spans = {}, {}
    rows = _rows(folder / "corpus.jsonl", {"doc_id": str, "paragraphs": list})
    asked = _rows(folder / "questions.jsonl", _QUESTION)
    _check_claims(asked, folder / "questions.jsonl")
    paragraphs = {row["doc_id"]: tuple(canonical(block).strip() for block in row["paragraphs"]) for row in rows}
    if asked and all("claim" in row for row in asked):
        return Pack(target.name, {}, {}, paragraphs, tuple(asked))
    target.mkdir(parents=True, exist_ok=True)
    for row in rows:
        path = target / f"{_file_name(row['doc_id'])}.txt"
        blocks = [canonical(row.get("title") or "").strip(), *paragraphs[row["doc_id"]]]
        head = [blocks[0], (row.get("date") or "").replace("/", "-")]  # as a saved article has it below its headline
        text = "\n\n".join(b for b in (*head, *blocks[1:]) if b) + "\n"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")
        files[row["doc_id"]] = path
        at, stored = len(blocks[0]), canonical(text)
        for index, block in enumerate(blocks[1:]):
            start = stored.find(block, at) if block else -1
            if start >= 0:
                at = start + len(block)
                spans[row["doc_id"], index] = (document_id(str(path)), start, at)
    return Pack(target.name, files, spans, paragraphs, tuple(asked))


def _check_claims(rows: Sequence[dict[str, Any]], path: Path) -> None:
    for row in rows:
        for name in ("claim", "label") if "claim" in row else ():
            if not isinstance(row.get(name), str):
                raise EvaluationError(f"{path}, question {row['id']}: {name} is {row.get(name)!r}; expected a text.")


_QUESTION = {"id": str, "question": str, "answers": list, "answerable": bool, "evidence": list}


def read_ids(path: Path, packs: Sequence[Pack]) -> Chosen:
    """Reads a list of ids, or of {pack, id, drop_docs?}; returns (pack, id) and the documents to leave out.

    Lines of sets that are not evaluated are passed over.

    Raises:
        EvaluationError: the file is broken, names a question that is not there, or none of these sets.
    """
    known = {(pack.name, q["id"]) for pack in packs for q in pack.questions}
    names = {pack.name for pack in packs}
    chosen: Chosen = {}
    for number, line in enumerate(_lines(path), 1):
        entry = _parsed(line, path, number) if line.startswith("{") else {"id": line}
        if "pack" in entry and entry["pack"] not in names:
            continue
        identity = entry.get("id")
        found = [key for key in known if key[1] == identity and entry.get("pack", key[0]) == key[0]]
        if not found and ("pack" in entry or "id" not in entry):
            raise EvaluationError(f"{path}, line {number}: {entry.get('pack', 'no set')} has no question {identity!r}.")
        chosen |= dict.fromkeys(found, tuple(entry.get("drop_docs", ())))
    if not chosen:
        raise EvaluationError(f"{path} names no question of {', '.join(sorted(names))}.", "Check the file and the sets.")
    return chosen


def limits(packs: Sequence[Pack], general: Limit, takes: Mapping[str, Limit]) -> dict[str, Limit]:
    """Returns the limit of each set: its own of `takes`, else the general one.

    Raises:
        EvaluationError: `takes` names a set that is not evaluated.
    """
    names = [pack.name for pack in packs]
    if unknown := [name for name in takes if name not in names]:
        raise EvaluationError(f"No set has the name {unknown[0]!r}.", f"These are evaluated: {', '.join(names)}.")
    return {name: takes.get(name, general) for name in names}


def questions(packs: Sequence[Pack], chosen: Chosen | None, limits: Mapping[str, Limit]) -> list[Question]:
    """Returns the questions to ask, set by set in the order of its file.

    Args:
        chosen: as `read_ids` returns it; None: all.
        limits: by the name of the set.
    """
    found = []
    for pack in packs:
        others = [path for other in packs if other is not pack for path in other.files.values()]
        rows = [row for row in pack.questions if chosen is None or (pack.name, row["id"]) in chosen]
        asked = (_question(row, pack, (chosen or {}).get((pack.name, row["id"]), ()), others) for row in rows)
        found += _limited(asked, limits[pack.name])
    return found


def _limited(asked: Iterable[Question], limit: Limit) -> list[Question]:
    left = {True: limit.answerable, False: limit.unanswerable}
    kept: list[Question] = []
    for question in asked:
        if len(kept) == limit.first or all(n == 0 for n in left.values()):
            break
        if (n := left[question.answerable]) != 0:
            kept.append(question)
            left[question.answerable] = None if n is None else n - 1
    return kept


def _question(row: dict[str, Any], pack: Pack, dropped: Sequence[str], others: Iterable[Path]) -> Question:
    """Builds a question; `others` are the files of the other sets, which are asked too unless it has a scope."""

    def golds(name: str) -> tuple[Gold, ...]:
        pairs = [(d, n) for d, n in row.get(name) or () if n is not None and d not in dropped]
        return tuple(pack.spans[d, n] for d, n in pairs if (d, n) in pack.spans)

    claim = row.get("claim")
    answerable = bool(row["answerable"]) and not dropped if claim is None else row["label"] == _SUPPORTED
    kind = row.get("kind") or ""
    answers, wrong, fake = (_texts(row, name) for name in ("answers", "wrong_answers", "fake_answers"))
    groups = tuple(tuple(group) for group in row.get("answer_groups") or ())
    if not groups and (wrong or "wrong_answers" in row):
        groups = tuple((answer,) for answer in answers)
    return Question(
        id=row["id"],
        pack=pack.name,
        text=row["question"],
        answers=answers,
        answerable=answerable,
        kind=kind,
        golds=golds("evidence") if answerable else (),
        weak=golds("weak_evidence") if answerable else (),
        documents=_documents(row, pack, dropped, others),
        history=tuple(
            {"role": m["role"], "content": m.get("text") or m.get("content", "")} for m in row.get("history") or ()
        ),
        asked_on=(row.get("question_date") or "").replace("/", "-"),
        twin=row.get("twin") or "",
        check=(row.get("attack") or {}).get("check"),
        counted=kind not in ASK_BACK and not (not row["answerable"] and _RELEVANT in (row.get("response_types") or ())),
        free_text=row.get("extractive") is False,
        groups=groups if answerable else (),
        wrong=wrong if answerable else (),
        fake=fake if answerable else (),
        cluster=_cluster(row),
        claim=claim,
        passages=tuple(text for d in row.get("scope") or () for text in pack.paragraphs.get(d, ()) if text),
    )


_RELEVANT = "noAnswerButRelevantInfo"
"""One of the people who were asked had no answer but told what is near: a refusal is then neither right nor wrong."""


_SUPPORTED = "attributable"
"""The label of a claim that its paragraphs support; whatever else is there means that they do not."""


def _cluster(row: dict[str, Any]) -> str:
    if row.get("twin"):
        return "|".join(sorted((row["id"], row["twin"])))
    return str(row.get("conversation_id") or row.get("doc_id") or row["id"])


def _documents(row: dict[str, Any], pack: Pack, dropped: Sequence[str], others: Iterable[Path]) -> tuple[str, ...] | None:
    scope = row.get("scope")
    if scope is None and not dropped:
        return None
    within = pack.files if scope is None else {d: pack.files[d] for d in scope if d in pack.files}
    left = [path for d, path in within.items() if d not in dropped]
    return tuple(document_id(str(path)) for path in (*left, *(others if scope is None else ())))


def _texts(row: dict[str, Any], name: str) -> tuple[str, ...]:
    return tuple(row.get(name) or ())


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


def _rows(path: Path, fields: Mapping[str, type]) -> list[dict[str, Any]]:
    rows = [_parsed(line, path, number) for number, line in enumerate(_lines(path), 1)]
    for number, row in enumerate(rows, 1):
        for name, kind in fields.items():
            if not isinstance(row.get(name), kind):
                raise EvaluationError(f"{path}, line {number}: {name} is {row.get(name)!r}; expected {_KINDS[kind]}.")
    return rows


_KINDS: dict[type, str] = {str: "a text", list: "a list", bool: "true or false"}
