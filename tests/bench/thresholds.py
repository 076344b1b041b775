"""What other thresholds would refuse, from the scores of a finished evaluation. Not a test: run it by hand.

    rag eval PACK... --retrieval --json > FILE
    python -m tests.bench.thresholds FILE

Prints, by set, the share of answerable and of unanswerable questions whose best hit is below what is asked for: a fixed
score, or so much for each checkable word of the question up to a highest one. Premises are left out.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from rag.attribute import n_checkable


def main() -> None:
    rows = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["questions"]
    rules: dict[str, Callable[[str], float]] = {f"{t:g}": lambda _, t=t: t for t in (-4, 0, 1, 2, 3, 3.5, 4, 5)}
    for each, free in ((0.5, 0), (0.7, 1), (1.0, 2), (1.5, 2)):
        rules[f"{each} a word beyond {free}, at most 3.5"] = lambda q, each=each, free=free: min(
            3.5, each * max(0, n_checkable(q) - free)
        )
    for pack in sorted({row["pack"] for row in rows}):
        print(f"{pack:28} refused though answerable / refused when unanswerable")
        for name, needed in rules.items():
            shares = []
            for answerable in (True, False):
                mine = [row for row in rows if row["pack"] == pack and row["answerable"] == answerable]
                below = [row["best"] is None or row["best"] < needed(row["question"]) for row in mine]
                shares.append(f"{100 * sum(below) / len(below):5.1f} % of {len(below)}" if below else "–")
            print(f"  {name:34} {shares[0]} / {shares[1]}")


if __name__ == "__main__":
    main()
