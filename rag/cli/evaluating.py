"""`rag eval`: its options, and what it prints and writes."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

from rag import config
from rag.cli.output import DONE, progress_bar
from rag.errors import ConfigError


def add_options(parser: argparse.ArgumentParser) -> None:
    """Gives the command its options, and these a `misused` that ends it as bad use."""
    parser.set_defaults(misused=parser.error)
    parser.add_argument("packs", metavar="PACK", nargs="*", help="folder with corpus.jsonl and questions.jsonl")
    parser.add_argument("--ids", metavar="FILE", help="ask only these: ids, or {pack, id, drop_docs?} lines")
    parser.add_argument("--limit", metavar="N", type=_positive, help="ask the first N questions of each set")
    for kind in ("answerable", "unanswerable"):
        parser.add_argument(f"--limit-{kind}", metavar="N", type=_whole, help=f"ask the first N {kind} ones of each set")
    take_help = "ask the first A answerable and U unanswerable questions of the set NAME; a number, or all; may be repeated"
    parser.add_argument("--take", metavar="NAME=A+U", type=_taken, action="append", default=[], help=take_help)
    parser.add_argument("--retrieval", action="store_true", help="search only, do not answer")
    parser.add_argument("--reuse", action="store_true", help="keep what the models say and use it again; tells no times")
    parser.add_argument("--kinds", action="store_true", help="a table for the kinds of questions of each set, too")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--html", metavar="FILE", help="write a page with the figures and every wrong answer")
    parser.add_argument("--baseline", metavar="FILE", help="compare with a baseline, or with saved JSON")
    parser.add_argument("--save-baseline", metavar="FILE", help="write figures and outcomes without any text")
    parser.add_argument("--compare", metavar=("OLD", "NEW"), nargs=2, help="compare two saved runs; asks nothing")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)


def _taken(text: str) -> tuple[str, int | None, int | None]:
    parts = re.fullmatch(r"(.+)=(\d+|all)\+(\d+|all)", text, re.ASCII)
    if parts is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=A+U, such as news=200+all")
    answerable, unanswerable = (None if n == "all" else int(n) for n in parts.group(2, 3))
    return parts[1], answerable, unanswerable


def evaluate(options: argparse.Namespace) -> int:
    """Measures on question sets, or compares two saved runs."""
    from rag import evaluate

    if bool(options.packs) == bool(options.compare):
        options.misused("give either PACK... or --compare OLD NEW")
    if options.compare:
        comparison = evaluate.compare(*(evaluate.read_run(Path(path)) for path in options.compare))
        plain = evaluate.comparison_as_dict(comparison)
        print(json.dumps(plain, ensure_ascii=False) if options.json else evaluate.comparison_as_table(comparison))
        return DONE
    for path in filter(None, (options.html, options.save_baseline)):
        _write(Path(path), None)  # not after an hour of asking
    before = evaluate.read_run(Path(options.baseline)) if options.baseline else None
    limit = evaluate.Limit(options.limit, options.limit_answerable, options.limit_unanswerable)
    with progress_bar("step") as progress:
        report = evaluate.evaluate(
            [Path(pack) for pack in options.packs],
            config.load(),
            ids=Path(options.ids) if options.ids else None,
            limit=limit,
            takes={name: evaluate.Limit(None, *numbers) for name, *numbers in options.take},
            answers=not options.retrieval,
            reuse=options.reuse,
            progress=progress,
        )
    changed = evaluate.compare(before, evaluate.outcomes(report.rows, report.answers)) if before else None
    if options.html:
        _write(Path(options.html), evaluate.as_page(report, changed))
    if options.save_baseline:
        _write(Path(options.save_baseline), evaluate.baseline(report))
    print(evaluate.as_json(report, changed) if options.json else evaluate.as_table(report, kinds=options.kinds))
    if changed and not options.json:
        print(f"\ncompared with {options.baseline}: {evaluate.comparison_as_table(changed)}")
    return DONE


def _write(path: Path, text: str | None) -> None:
    """Writes a file; None only sees whether that can be done, and leaves it as it is."""
    try:
        if text is None:
            path.open("a").close()
        else:
            path.write_text(text, encoding="utf-8", errors="replace")
    except OSError as exc:
        raise ConfigError(f"{path} cannot be written: {exc.strerror}.", "Choose another file.") from exc
