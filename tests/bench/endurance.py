"""Does memory grow with the questions? Not a test: run it by hand.

    python -m tests.bench.endurance PACK... [--questions N] [--answer-model NAME] [--url URL --process ID]

One assistant answers N questions (1,000 if not said) of the question sets in turns, and its resident memory is printed
after every 100, with what it grew since the first 100 at the end. --answer-model smollm2-135m, or none, shows in minutes
what grows outside the answer model. With --url the questions go to the page of a running `rag serve` instead, each from a
page of its own, and --process tells whose memory is read.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rag.assistant import Assistant
from rag.evaluate.sets import read_packs
from tests.visiting import Visitor

EVERY = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packs", metavar="PACK", type=Path, nargs="+")
    parser.add_argument("--questions", type=int, default=1000)
    parser.add_argument("--answer-model")
    parser.add_argument("--url")
    parser.add_argument("--process", type=int, default=os.getpid())
    options = parser.parse_args()
    if options.url:
        run(lambda question: visit(options.url, question), options)
        return
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder, "index")
        with Assistant.open(index, answer_model=options.answer_model) as assistant:
            read_packs(options.packs, Path(folder, "articles"))  # writes their articles there
            assistant.add(Path(folder, "articles"))
            run(assistant.ask, options)


def run(ask: Callable[[str], object], options: argparse.Namespace) -> None:
    """Asks, and prints resident memory; from the first hundred on it should stay."""
    marks, started = [], time.monotonic()
    for n, question in enumerate(itertools.islice(itertools.cycle(questions(options.packs)), options.questions), 1):
        ask(question)
        if n % EVERY == 0 or n == options.questions:
            marks.append(resident(options.process))
            print(f"{n:6} questions  {time.monotonic() - started:7.0f} s  {marks[-1]:7.1f} MB resident", flush=True)
    print(f"grown by {marks[-1] - marks[0]:.1f} MB after the first {EVERY}")


def visit(url: str, question: str) -> None:
    with Visitor(url, timeout=600) as visitor:
        for _ in visitor.ask(question):
            pass


def questions(packs: list[Path]) -> list[str]:
    lines = (line for pack in packs for line in (pack / "questions.jsonl").read_text(encoding="utf-8").splitlines())
    return [json.loads(line)["question"] for line in lines]


def resident(process: int) -> float:
    """Returns the resident memory of a process in MB."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
