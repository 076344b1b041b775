"""A report to JSON, and to tables for a terminal."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rag.evaluate.compare import Comparison, as_baseline, comparison_as_dict
from rag.evaluate.figures import Estimate
from rag.evaluate.scores import Rate

if TYPE_CHECKING:
    from rag.evaluate import Report


def as_json(report: Report, comparison: Comparison | None = None) -> str:
    """Returns the report as one JSON object: "figures" by set, "kinds" by set and kind, "questions", "failed", "about".

    Args:
        comparison: with a baseline, for a key "comparison".
    """
    found: dict[str, Any] = {
        "figures": plain(report.figures),
        "kinds": plain(report.kinds),
        "questions": [dataclasses.asdict(row) for row in report.rows],
        "failed": report.failed,
        "about": report.about,
    }
    if comparison:
        found["comparison"] = comparison_as_dict(comparison)
    return json.dumps(found, ensure_ascii=False)


def baseline(report: Report) -> str:
    """Returns what of a report may be kept with the code: no text of a set is in it; see `as_baseline`."""
    return as_baseline(report.rows, plain(report.figures), report.about, report.answers)


def plain(value: Any) -> Any:
    """Returns figures, or a mapping of them, as JSON has them."""
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, Rate):
        return {"value": value.value, "n": value.n, "of": value.of, "interval": value.interval}
    return dataclasses.asdict(value) if isinstance(value, Estimate) else value


def as_table(report: Report, *, kinds: bool = False) -> str:
    """Returns the figures as a table: a line a figure, a column a set; shares in percent with their 95 % intervals.

    Args:
        kinds: then one more table for each set with several kinds of questions, a column a kind.
    """
    lines = _table("", report.figures)
    if kinds:
        for pack, figures in report.kinds.items():
            lines += ["", *_table(pack, figures)] if len(figures) > 1 else []
    lines += [f"not added: {path}: {reason}" for path, reason in report.failed]
    for name in ("error", "notice"):
        said = Counter(text for row in report.rows if (text := getattr(row, name)))
        lines += [f"{name}, {n} of {len(report.rows)} questions: {text}" for text, n in said.most_common()]
    return "\n".join(lines)


def cells(head: str, figures: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """Returns the rows of a table, its head first; figures that nothing has are left out."""
    names = list(dict.fromkeys(name for of in figures.values() for name in of))
    rows = [[name, *(_cell(of.get(name)) for of in figures.values())] for name in names]
    return [[head, *figures], *(row for row in rows if any(cell != "–" for cell in row[1:]))]


def _table(head: str, figures: Mapping[str, Mapping[str, Any]]) -> list[str]:
    rows = cells(head, figures)
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _cell(value: Any) -> str:
    if isinstance(value, Rate) and value.interval and value.value is not None:
        low, high = value.interval
        return f"{100 * value.value:.0f} % ({100 * low:.0f}–{100 * high:.0f}) of {value.of}"
    if isinstance(value, Estimate):
        between = f" ({value.interval[0]:.2f}–{value.interval[1]:.2f})" if value.interval else ""
        return f"{value.value:.2f}{between} of {value.of}"
    if isinstance(value, float):
        return f"{value:.2f}"
    return str(value) if isinstance(value, int) else "–"
