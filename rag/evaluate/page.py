"""A report to one HTML page that needs nothing else: figures, probabilities, every wrong answer and what it was made of.

The page holds texts of the sets, as a report does; what is said of a set's redistribution holds for it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from rag.evaluate.compare import Comparison, comparison_as_table
from rag.evaluate.figures import Bin, reliability, risk_coverage
from rag.evaluate.output import cells
from rag.evaluate.rows import Row, Seen

if TYPE_CHECKING:
    from rag.evaluate import Report

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem }
body { color: #222; background: #fff }
table { border-collapse: collapse; margin: .7rem 0; display: block; overflow-x: auto }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #ddd; white-space: nowrap }
h2 { margin-top: 2.5rem; border-bottom: 2px solid #222 }
details { margin: .3rem 0; padding: .3rem .6rem; background: #f6f6f4 }
summary { cursor: pointer }
dt { font-weight: 600; margin-top: .5rem }
dd { margin: 0 0 0 1rem; white-space: pre-wrap; overflow-wrap: anywhere }
.fault { color: #a11; margin-right: .6rem }
.gold { background: #fff3c4 }
pre { overflow-x: auto }
svg { max-width: 26rem; display: block } svg text { font: 11px system-ui, sans-serif }
"""

_SIZE, _EDGE = 260, 40  # pixels of a plot, and around it


def as_page(report: Report, comparison: Comparison | None = None) -> str:
    """Returns the report as HTML; nothing is loaded from elsewhere, and no script runs.

    Args:
        comparison: with a baseline, for a section of its own.
    """
    about = "; ".join(f"{name} {value}" for name, value in report.about.items())
    parts = [f"<h1>Evaluation</h1><p>{len(report.rows)} questions. {escape(about)}</p>", _table("", report.figures)]
    parts += ["<p>Shares with their 95 % intervals.</p>"]
    parts += [f"<p>Not added: {escape(path)}: {escape(reason)}</p>" for path, reason in report.failed]
    if comparison:
        parts.append(f"<h2>Compared with the baseline</h2><pre>{escape(comparison_as_table(comparison))}</pre>")
    parts.append("<h2>Kinds of questions</h2>")
    parts += [_table(pack, figures) for pack, figures in report.kinds.items()]
    if bins := reliability(report.rows):
        parts += ["<h2>Probabilities</h2>", _reliability(bins), _risk(risk_coverage(report.rows))]
    if report.answers:
        parts += _wrong(report.rows)
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    head = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
    head += f"<title>Footnote: evaluation</title><style>{_STYLE}</style>"
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>{body}</body></html>\n'


def _table(head: str, figures: dict[str, dict[str, object]]) -> str:
    first, *rest = cells(head, figures)
    return _rows_table(first, rest)


def _rows_table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    lines = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows)
    return f"<table><tr>{heads}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


# --- probabilities -------------------------------------------------------------------------------------------------


def _reliability(bins: Sequence[Bin]) -> str:
    rows = []
    for one in bins:
        low, high = one.right.interval or (0.0, 1.0)
        share = f"{100 * (one.right.value or 0):.0f} % ({100 * low:.0f}–{100 * high:.0f})"
        rows.append((f"{one.low:.1f}–{one.high:.1f}", str(one.right.of), f"{one.probability:.2f}", share))
    table = _rows_table(("probability", "answers", "mean probability", "right"), rows)
    marks = [f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke="#999" stroke-dasharray="4"/>']
    for one in bins:
        x, (low, high) = _x(one.probability), one.right.interval or (0.0, 1.0)
        marks.append(f'<line x1="{x}" y1="{_y(low)}" x2="{x}" y2="{_y(high)}" stroke="#1a5fb4"/>')
        marks.append(f'<circle cx="{x}" cy="{_y(one.right.value or 0)}" r="4" fill="#1a5fb4"/>')
    return table + _plot("How often answers of a probability are right", "mean probability", "share right", marks)


def _risk(points: Sequence[tuple[float, float]]) -> str:
    line = " ".join(f"{_x(coverage)},{_y(risk)}" for coverage, risk in points)
    mark = f'<polyline points="{line}" fill="none" stroke="#a51d2d" stroke-width="2"/>'
    dots = [f'<circle cx="{_x(coverage)}" cy="{_y(risk)}" r="1.5" fill="#a51d2d"/>' for coverage, risk in points]
    title = "Wrong answers if only the surest are given"
    return _plot(title, "share of questions with an answer", "share of these that is wrong", [mark, *dots])


def _plot(title: str, across: str, up: str, marks: Sequence[str]) -> str:
    """Returns axes from 0 to 1 with the marks in them."""
    whole, end = _SIZE + 2 * _EDGE, _SIZE + _EDGE
    axes = [f'<path d="M{_EDGE} {_EDGE}V{end}H{end}" fill="none" stroke="#222"/>']
    for tick in (0.0, 0.5, 1.0):
        axes.append(f'<text x="{_x(tick)}" y="{end + 14}" text-anchor="middle">{tick:g}</text>')
        axes.append(f'<text x="{_EDGE - 6}" y="{_y(tick) + 4}" text-anchor="end">{tick:g}</text>')
    axes.append(f'<text x="{_x(0.5)}" y="{end + 30}" text-anchor="middle">{across}</text>')
    axes.append(f'<text x="14" y="{_y(0.5)}" text-anchor="middle" transform="rotate(-90 14 {_y(0.5)})">{up}</text>')
    label = f'role="img" aria-label="{title}" viewBox="0 0 {whole} {whole}"'
    return f"<h3>{title}</h3><svg {label}>{''.join((*axes, *marks))}</svg>"


def _x(value: float) -> float:
    return round(_EDGE + value * _SIZE, 1)


def _y(value: float) -> float:
    return round(_EDGE + (1 - value) * _SIZE, 1)


# --- wrong answers -------------------------------------------------------------------------------------------------


def faults(row: Row) -> tuple[str, ...]:
    """Returns what is wrong with an answer, or with the judgement of a claim; () if nothing is known to be."""
    if row.error:
        return ("not asked",)
    if row.label is not None:
        return () if row.found == row.label else ("claim taken for supported" if row.found else "support not seen",)
    found = []
    if row.answerable and not row.found:
        found.append("asked back" if row.status == "clarify" else "false refusal")
    if row.answerable and row.found and row.right is False and not row.free_text and not row.named_fake:
        found.append("wrong text")
    if not row.answerable and row.found and row.counted:
        found.append("false answer")
    if row.supporting < row.citations:
        found.append("unsupported citation")
    if row.changed:
        found.append("changed by the attack")
    return tuple(found)


def _wrong(rows: Sequence[Row]) -> list[str]:
    parts = []
    for pack in dict.fromkeys(row.pack for row in rows):
        wrong = [(row, what) for row in rows if row.pack == pack and (what := faults(row))]
        parts.append(f"<h2>{escape(pack)}: what went wrong</h2>")
        counts = {fault: sum(fault in what for _, what in wrong) for _, what in wrong for fault in what}
        parts.append(_rows_table(("", "questions"), [(fault, str(n)) for fault, n in counts.items()]))
        parts += [_card(row, what) for row, what in wrong]
    return parts


def _card(row: Row, what: Sequence[str]) -> str:
    marks = "".join(f'<span class="fault">{escape(fault)}</span>' for fault in what)
    head = f"{marks}{escape(row.asked or row.question)} <small>{escape(f'{row.id} {row.kind}')}</small>"
    lines: list[tuple[str, Iterable[str]]] = []
    if row.label is not None:
        lines += [("Claim", [row.question]), ("Support", [f"{row.support:.2f}" if row.support is not None else "–"])]
    elif row.rewritten:
        lines.append(("Searched", [row.question]))
    lines += [("Expected", row.expected or ["–" if row.answerable else "a refusal"])] if row.label is None else []
    lines += [("Said", [row.error or row.text])] if row.label is None or row.error else []
    lines += [("Probability", [f"{row.probability:.2f}"])] if row.probability is not None else []
    lines += [("Quotes", row.quotes)] if row.quotes else []
    body = "".join(f"<dt>{name}</dt>" + "".join(f"<dd>{escape(text)}</dd>" for text in texts) for name, texts in lines)
    body += ("<dt>Evidence</dt>" if row.evidence else "") + "".join(map(_seen, row.evidence))
    if row.gold:
        where = f"found at rank {row.rank}" if row.rank else "not found"
        body += f'<dt>Gold paragraph, {where}</dt><dd class="gold">{escape(row.gold)}</dd>'
    return f"<details><summary>{head}</summary><dl>{body}</dl></details>"


def _seen(seen: Seen) -> str:
    mark = ' class="gold"' if seen.gold else ""
    where = escape(f"{seen.score:.2f}  {seen.title}, paragraph {seen.paragraph}{', gold' if seen.gold else ''}")
    return f"<dd{mark}><small>{where}</small>\n{escape(seen.text)}</dd>"
