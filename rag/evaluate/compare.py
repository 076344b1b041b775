"""Two runs over the same questions: what changed, by how much, and whether that can be chance."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rag.errors import EvaluationError
from rag.evaluate.figures import ANSWERS, SEARCH, VERDICT, Figure, Part, interval, resampled
from rag.evaluate.rows import Row
from rag.evaluate.sets import ASK_BACK

Key = tuple[str, str]
"""The set and the id of a question."""

_FIGURES = (VERDICT, *SEARCH, *ANSWERS)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one question contributed to each figure, by its name. `asked` and `said` are "" if they were not kept."""

    parts: dict[str, Part]
    cluster: str = ""
    asked: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One figure of two runs, over the `of` questions that both have it for.

    Attributes:
        difference: new less old; `interval`: its 95 % interval.
        lost, gained: questions whose yes became a no, and whose no became a yes; None if the figure is no yes or no.
        p: how probable a division of these at least so unequal is if nothing changed. Source: McNemar, Psychometrika 12
            (1947), exact.
    """

    name: str
    form: str
    old: float
    new: float
    difference: float
    interval: tuple[float, float] | None
    of: int
    lost: int | None = None
    gained: int | None = None
    p: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The changes by set ("all" if there are several), and the questions that became wrong or right.

    `worse` and `better` have (set, id, question, old answer, new answer), texts "" where they were not kept. Where one of
    the runs searched only, they tell whether the first hit is right.
    """

    questions: int
    only_old: int
    only_new: int
    sets: dict[str, tuple[Change, ...]]
    worse: tuple[tuple[str, ...], ...]
    better: tuple[tuple[str, ...], ...]


# --- runs ----------------------------------------------------------------------------------------------------------


def outcomes(rows: Iterable[Row], answers: bool) -> dict[Key, Outcome]:
    """Returns what each row contributes to the figures."""
    figures = _FIGURES if answers else SEARCH
    found = {}
    for row in rows:
        parts = {figure.name: part for figure in figures if (part := figure.part(row)) is not None}
        found[row.pack, row.id] = Outcome(parts, row.cluster, row.asked or row.question, row.text)
    return found


def read_run(path: Path) -> dict[Key, Outcome]:
    """Reads a run that was saved with `rag eval --json`, also by an earlier version, or a baseline.

    Raises:
        EvaluationError: it cannot be read, or is neither.
    """
    hint = "Save one with: rag eval PACK... --json > FILE, or --save-baseline FILE"
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise EvaluationError(f"{path} cannot be read: {exc.strerror}.", hint) from exc
    except ValueError as exc:
        raise EvaluationError(f"{path} is no saved run: it is not JSON.", hint) from exc
    try:
        if "columns" in saved:
            return _from_baseline(saved)
        answers = any("answered right" in of for of in saved["figures"].values())
        return outcomes([_row(row) for row in saved["questions"]], answers)
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as exc:
        raise EvaluationError(f"{path} is no saved run: {type(exc).__name__} {exc}.", hint) from exc


def _row(saved: dict[str, Any]) -> Row:
    known = {field.name for field in dataclasses.fields(Row)}
    old = {"status": "answered" if saved["found"] else "not_found", "counted": saved["kind"] not in ASK_BACK}
    return Row(**(old | {name: value for name, value in saved.items() if name in known}))


def _from_baseline(saved: dict[str, Any]) -> dict[Key, Outcome]:
    columns = saved["columns"]
    return {
        (pack, identity): Outcome(
            {name: _part(value) for name, value in zip(columns, values, strict=True) if value is not None}
        )
        for pack, questions in saved["questions"].items()
        for identity, values in questions.items()
    }


def _part(value: float | Sequence[float]) -> Part:
    return (float(value[0]), float(value[1])) if isinstance(value, list) else (float(value), 1.0)  # type: ignore[arg-type]


def as_baseline(rows: Iterable[Row], figures: dict[str, Any], about: dict[str, str], answers: bool) -> str:
    """Returns a run as JSON without any text of a set: figures, and the numbers of each question by set and id.

    Args:
        figures: by set, as they are written into JSON.
    """
    found = outcomes(rows, answers)
    columns = [figure.name for figure in _FIGURES if any(figure.name in outcome.parts for outcome in found.values())]
    packs: dict[str, list[str]] = {}
    for (pack, identity), outcome in found.items():
        values = [_number(outcome.parts.get(name)) for name in columns]
        packs.setdefault(pack, []).append(f"{json.dumps(identity)}: {json.dumps(values, separators=(',', ':'))}")
    sets = [f"{json.dumps(pack)}: {{\n" + ",\n".join(lines) + "\n}" for pack, lines in packs.items()]
    head = [
        f'"{name}": {json.dumps(value)}'
        for name, value in (("about", about), ("figures", _rounded(figures)), ("columns", columns))
    ]
    return "{\n" + ",\n".join([*head, '"questions": {\n' + ",\n".join(sets) + "\n}"]) + "\n}\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(one) for one in value]
    return round(value, 4) if isinstance(value, float) else value


def _number(part: Part | None) -> Any:
    if part is None:
        return None
    n, d = (int(value) if value == int(value) else round(value, 4) for value in part)
    return n if d == 1 else [n, d]


# --- comparing -----------------------------------------------------------------------------------------------------


def compare(old: dict[Key, Outcome], new: dict[Key, Outcome]) -> Comparison:
    """Compares two runs over the questions that both asked.

    Raises:
        EvaluationError: they have no question in common.
    """
    common = [key for key in new if key in old]
    if not common:
        raise EvaluationError("The two runs have no question in common.", "Compare runs over the same sets.")
    packs = list(dict.fromkeys(pack for pack, _ in common))
    chosen = {pack: [key for key in common if key[0] == pack] for pack in packs}
    if len(packs) > 1:
        chosen["all"] = common
    changed: dict[bool, list[tuple[str, ...]]] = {True: [], False: []}
    by = VERDICT if all(any(VERDICT.name in one.parts for one in run.values()) for run in (old, new)) else SEARCH[0]
    for key in common:
        before, now = (_yes(run[key], by) for run in (old, new))
        if before is not None and now is not None and before != now:
            changed[now].append((*key, new[key].asked or old[key].asked, old[key].said, new[key].said))
    return Comparison(
        questions=len(common),
        only_old=len(old) - len(common),
        only_new=len(new) - len(common),
        sets={name: _changes(old, new, keys) for name, keys in chosen.items()},
        worse=tuple(changed[False]),
        better=tuple(changed[True]),
    )


def _yes(outcome: Outcome, figure: Figure) -> bool | None:
    return bool(outcome.parts[figure.name][0]) if figure.name in outcome.parts else None


def _changes(old: dict[Key, Outcome], new: dict[Key, Outcome], keys: Sequence[Key]) -> tuple[Change, ...]:
    found = []
    for figure in _FIGURES:
        both = [key for key in keys if figure.name in old[key].parts and figure.name in new[key].parts]
        if both:
            parts = [np.array([run[key].parts[figure.name] for key in both], float).T for run in (old, new)]
            clusters = [(key[0], new[key].cluster or old[key].cluster or key[1]) for key in both]
            found += _change(figure, parts, clusters)
    return tuple(found)


def _change(figure: Figure, parts: list[np.ndarray], clusters: Sequence[Key]) -> list[Change]:
    before, now = (figure.measure(n, d) for n, d in parts)
    if math.isnan(before) or math.isnan(now):
        return []
    values = resampled(figure.measure, [(n, d) for n, d in parts], clusters)
    change = Change(figure.name, figure.form, before, now, now - before, interval(values[1] - values[0]), len(clusters))
    if figure.form == "yes/no":
        lost, gained = int((parts[0][0] > parts[1][0]).sum()), int((parts[0][0] < parts[1][0]).sum())
        change = dataclasses.replace(change, lost=lost, gained=gained, p=mcnemar(lost, gained))
    return [change]


def mcnemar(lost: int, gained: int) -> float:
    """Returns the exact two-sided p of a division of discordant pairs."""
    n = lost + gained
    return min(1.0, 2 * sum(math.comb(n, k) for k in range(min(lost, gained) + 1)) / 2**n)


# --- output --------------------------------------------------------------------------------------------------------


def comparison_as_dict(comparison: Comparison) -> dict[str, Any]:
    """Returns the comparison for JSON: "sets" by name and figure, "worse" and "better"."""
    fields = ("set", "id", "question", "old", "new")
    plain = dataclasses.asdict(comparison)
    plain["sets"] = {name: {c["name"]: c for c in changes} for name, changes in plain["sets"].items()}
    return plain | {name: [dict(zip(fields, one, strict=True)) for one in plain[name]] for name in ("worse", "better")}


def comparison_as_table(comparison: Comparison) -> str:
    """Returns the comparison as text: a table for each set, then the questions that became wrong, and right."""
    lines = [f"{comparison.questions} questions in both runs"]
    lines[0] += f", {comparison.only_old} only in the old one, {comparison.only_new} only in the new one"
    for name, changes in comparison.sets.items():
        cells: list[tuple[str, ...]] = [(name, "old", "new", "difference", "of", "lost/gained", "p")]
        cells += [_cells(change) for change in changes]
        widths = [max(len(row[n]) for row in cells) for n in range(len(cells[0]))]
        lines += ["", *("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells)]
    for title, switched in (("right before, wrong now", comparison.worse), ("wrong before, right now", comparison.better)):
        lines += ["", f"{title}: {len(switched)}"]
        for pack, identity, asked, before, now in switched:
            said = f"\n      {_cut(before) or '?'} → {_cut(now) or '?'}" if before or now else ""
            lines.append(f"  {pack} {identity}  {_cut(asked)}".rstrip() + said)
    return "\n".join(lines)


def _cells(change: Change) -> tuple[str, ...]:
    if change.form in ("yes/no", "share"):
        shown, sign = (f"{100 * value:.0f} %" for value in (change.old, change.new)), 100.0
        difference, style = f"{100 * change.difference:+.1f}", "+.1f"
    else:
        shown, sign = (f"{value:.2f}" for value in (change.old, change.new)), 1.0
        difference, style = f"{change.difference:+.2f}", "+.2f"
    if change.interval:
        low, high = (format(sign * end, style) for end in change.interval)
        difference += f" ({low} to {high})"
    counts = "" if change.lost is None else f"{change.lost}/{change.gained}"
    return (change.name, *shown, difference, str(change.of), counts, "" if change.p is None else f"{change.p:.3f}")


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 100 else text[:99] + "…"
