"""How quickly the answer model reads and writes here. Not a test: run it by hand.

    python -m tests.bench.generation MODEL.gguf [--busy N]

--busy N lets N other processes take all the time they get, as a browser on the same machine may. GOMP_SPINCOUNT in the
environment overrides what Footnote sets.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import time
from pathlib import Path

from rag.generate import LlamaGenerator
from rag.types import Prompt

ROUNDS = 5
READ_WORDS = 150
WRITTEN_TOKENS = 25


def spin() -> None:
    while True:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--busy", type=int, default=0)
    options = parser.parse_args()
    others = [multiprocessing.Process(target=spin, daemon=True) for _ in range(options.busy)]
    for process in others:
        process.start()
    generator = LlamaGenerator(options.model, context_tokens=2048, threads=len(os.sched_getaffinity(0)))
    reading, writing = [], []
    for number in range(ROUNDS):
        prompt = Prompt(f"{number}. You write long stories.", ("word " * READ_WORDS,), "Tell one.")
        n_read = generator.count(prompt.system + prompt.paragraphs[0] + prompt.question)
        times = [time.perf_counter()]
        times += [time.perf_counter() for _ in generator.stream(prompt, max_tokens=WRITTEN_TOKENS)]
        reading.append(n_read / (times[1] - times[0]))
        writing.append((len(times) - 2) / (times[-1] - times[1]))
    for process in others:
        process.kill()
    for name, rates in (("reads", reading), ("writes", writing)):
        low, high = min(rates), max(rates)
        print(f"{name:6} {statistics.median(rates):6.1f} tokens/s, median of {ROUNDS} ({low:.1f} to {high:.1f})")


if __name__ == "__main__":
    main()
