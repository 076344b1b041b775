"""Kills a process at every step of what it does to a library, and at any time. Not a timed test; needs no model.

    python -m tests.bench.kills [--kills 300] [--steps N] [--only NAME...] [--seed N]

Each operation is killed once at every step (tests/kills.py tells what a step is), or with --steps at up to so many of them;
the kills at random times are spread over all operations. Exits with 1 if anything did not survive, and tells at which step.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from tests.kills import SCENARIOS, Runs, sampled


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=300, metavar="N", help="at random times, over all operations")
    parser.add_argument("--steps", type=int, metavar="N", help="of each operation, spread evenly; all if not given")
    parser.add_argument("--only", nargs="+", choices=tuple(SCENARIOS), default=tuple(SCENARIOS), metavar="NAME")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    lost = []
    print(f"{'operation':28} {'steps':>6} {'killed at':>9} {'at random':>9} {'survived':>9}", flush=True)
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        for n, name in enumerate(options.only):
            runs = Runs(name, Path(folder) / str(n))
            runs.count()
            steps = sampled(len(runs.kinds), options.steps or len(runs.kinds))
            share = options.kills * (n + 1) // len(options.only) - options.kills * n // len(options.only)
            times = [chance.uniform(0, runs.seconds) for _ in range(share)]
            failed = [
                f"{name}: step {step}, {runs.kinds[step - 1]}: {why}" for step in steps if (why := _why(runs.kill_at, step))
            ]
            failed += [f"{name}: after {t:.4f} s: {why}" for t in times if (why := _why(runs.kill_after, t))]
            n_kills = len(steps) + len(times)
            print(
                f"{name:28} {len(runs.kinds):6} {len(steps):9} {len(times):9} {n_kills - len(failed):4}/{n_kills}",
                flush=True,
            )
            lost += failed
    for line in lost:
        print(line)
    print("all survived" if not lost else f"{len(lost)} did not survive")
    return 1 if lost else 0


def _why(kill, value) -> str:
    """Returns what is wrong after a kill; "" if nothing is."""
    try:
        kill(value)
    except AssertionError as exc:
        return str(exc)
    return ""


if __name__ == "__main__":
    sys.exit(main())
