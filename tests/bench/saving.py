"""How long backup, restore and repair take. Not a test; needs no model, as the vectors are random.

    python -m tests.bench.saving [--documents 5000]

Documents have 20 paragraphs of about 45 words. For the repair, three pages of the file are overwritten.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from rag.library import Item, Library, saving
from rag.library.repair import repair
from rag.read import make_document
from rag.split import passages

T = TypeVar("T")
_BATCH = 500


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=5000, metavar="N")
    options = parser.parse_args()
    chance = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as name:
        folder, backup = Path(name) / "index", Path(name) / "backup"
        library = Library(folder)
        for first in range(0, options.documents, _BATCH):
            numbers = range(first, min(first + _BATCH, options.documents))
            library.put([_made(n, chance) for n in numbers], "random")
        timed("backup", lambda: library.backup(backup))
        print(f"{library.n_passages()} passages, backup of {backup.stat().st_size / 1e6:.0f} MB")
        timed("restore", lambda: saving.restore(backup, folder))
        library.close()
        timed("repair of a whole library", lambda: repair(folder))
        _spoil(folder / "library.sqlite")
        done = timed("repair", lambda: repair(folder))
        print(f"saved {done.saved[0]} documents, {len(done.unindexed)} of them without vectors; lost {len(done.lost)}")
    print(f"resident memory at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")


def timed(what: str, act: Callable[[], T]) -> T:
    started = time.perf_counter()
    result = act()
    print(f"{what}: {time.perf_counter() - started:.1f} s", flush=True)
    return result


def _made(n: int, chance: np.random.Generator) -> Item:
    sentences = [" ".join(f"word{word}" for word in chance.integers(0, 5000, 45)).capitalize() for _ in range(20)]
    document = make_document(f"Title of {n}\n\n" + ".\n\n".join(sentences) + ".\n", f"/articles/{n}.txt")
    found = passages(document)
    vectors = chance.standard_normal((len(found), 384), dtype=np.float32)
    return document, found, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _spoil(path: Path) -> None:
    n_pages = path.stat().st_size // 4096
    with open(path, "rb+") as file:
        for share in (0.3, 0.6, 0.9):
            file.seek(int(n_pages * share) * 4096)
            file.write(b"\xff" * 4096)


if __name__ == "__main__":
    main()
