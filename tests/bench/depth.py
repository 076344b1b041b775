"""Search, adding, removing and opening in libraries of up to a million paragraphs. Not a test: run it by hand.

    python -m tests.bench.depth SET... --folder WHERE [--passages N...] [--noise X] [--sweep]

The paragraphs of the sets are added as by `rag add` (with the time of each stage), then libraries of N passages are made
below WHERE: real paragraphs first, then copies with noise in their vectors and other words in their texts. What is there
already is used again. Each measurement runs in a process of its own, over real questions. --sweep tells what the constants
of `rag.dense` cost and find.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

import rag
from rag import config, dense
from rag.assistant.loading import load_embedder
from rag.dense import Dense
from rag.lexical import Lexical
from rag.library import Library
from rag.read import find_files
from rag.retrieve import Retriever
from rag.types import Filter
from tests.bench.depth_library import TOP, WORDS, Real, build, real, shaken, spread

_QUESTIONS = 300
_WARM = 50  # of them are asked before the clock runs
_ROUNDS = 5
_TOP_K = 50  # as the setting `top_k` has it


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("packs", nargs="+", type=Path)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--passages", nargs="+", type=int, default=[10_000])
    parser.add_argument("--noise", type=float, default=0.7)
    parser.add_argument("--sweep", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    found = real(options.packs, options.folder, lambda spent: _print_stages(spent))
    questions = _questions(options.packs)
    vectors = alone(_embedded, questions)
    _print_neighbours(found, vectors, options.noise)
    for n in options.passages:
        folder = options.folder / str(n)
        print(f"\n{n:,} passages", flush=True)
        build(found, n, options.noise, folder, vectors)
        alone(_index, folder)
        if options.sweep:
            alone(_sweep, folder, vectors)
            continue
        alone(_search, folder, questions)
        for cold in (False, True):
            alone(_open, folder, questions, cold)
        alone(_change, folder)
        _print_files(folder)


def alone(act: Callable[..., Any], *args: Any) -> Any:
    """Calls a function in a new process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(act, *args).result()


def _questions(packs: Sequence[Path]) -> list[str]:
    """Returns questions of all sets, as many of each."""
    asked = []
    for pack in packs:
        with open(pack / "questions.jsonl", encoding="utf-8") as file:
            asked.append([json.loads(line)["question"] for line in file])
    n = -(-_QUESTIONS // len(packs))
    return [own[i * len(own) // n] for own in asked for i in range(n)][:_QUESTIONS]


def _embedded(questions: Sequence[str]) -> np.ndarray:
    embedder = load_embedder(config.load())
    return np.stack([embedder.embed_question(question) for question in questions])


def _index(folder: Path) -> None:
    library = Library(folder)
    for index in (Dense(library), Lexical(library)):
        started = time.perf_counter()
        with library.writing():
            index.compact() if isinstance(index, Dense) else index.update()
        print(f"  {type(index).__name__.lower()} index built, or opened: {time.perf_counter() - started:.1f} s", flush=True)
    library.close()


def _search(folder: Path, questions: Sequence[str]) -> None:
    library = Library(folder)
    retriever, embedder = Retriever(library), load_embedder(config.load())
    retriever.sync()
    exact = np.load(folder / "exact.npz")["ids"]
    spent: dict[str, list[float]] = {}
    recalled = []
    for n, question in enumerate([*questions[:_WARM], *questions]):
        if n == _WARM:
            spent.clear()
        started = time.perf_counter()
        vector = embedder.embed_question(question)
        embedded = time.perf_counter()
        hits = retriever.retrieve(question, vector, _TOP_K)
        ended = time.perf_counter()
        near = retriever._dense.search(vector, _TOP_K)
        searched = time.perf_counter()
        words = retriever._lexical.search(question, _TOP_K)
        matched = time.perf_counter()
        read = list(library.passages(sorted({i for i, _ in near + words})))
        done = time.perf_counter()
        scope = Filter(documents=(read[0].document.id,))
        assert retriever.retrieve(question, vector, _TOP_K, scope)
        stages = (
            ("hybrid with the question's embedding", ended - started),
            ("the question's embedding", embedded - started),
            ("hybrid without it", ended - embedded),
            ("dense alone", searched - ended),
            ("lexical alone", matched - searched),
            ("reading the passages", done - matched),
            ("hybrid in one document", time.perf_counter() - done),
        )
        for name, seconds in stages:
            spent.setdefault(name, []).append(1000 * seconds)
        assert hits
        assert read
        if n >= _WARM:
            recalled.append(len({i for i, _ in near[:TOP]} & set(exact[n - _WARM].tolist())) / TOP)
    for name, times in spent.items():
        print(f"  {name:37} p50 {np.quantile(times, 0.5):6.1f} ms, p95 {np.quantile(times, 0.95):6.1f} ms")
    print(f"  recall@{TOP} of dense: {np.mean(recalled):.3f}; questions below 0.8: {np.mean(np.array(recalled) < 0.8):.3f}")
    print(f"  resident {_memory()}", flush=True)
    library.close()


def _memory() -> str:
    """Says what the process holds: all, and what is not the content of files."""
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    kilobytes = {name.rstrip(":"): int(value) for name, value, *_ in map(str.split, lines)}
    return f"{kilobytes['Rss'] / 1e6:.2f} GB, anonymous {kilobytes['Anonymous'] / 1e6:.2f} GB"


def _open(folder: Path, questions: Sequence[str], cold: bool) -> None:
    """Times what stands between a process, its libraries loaded, and its first hits."""
    import faiss  # noqa: F401
    import tantivy  # noqa: F401

    vector = np.ones(384, np.float32) / 384**0.5
    if cold:
        _forget(folder)
    started = time.perf_counter()
    library = Library(folder)
    retriever = Retriever(library)
    retriever.sync()
    opened = time.perf_counter()
    assert retriever.retrieve(questions[0], vector, _TOP_K)
    ended = time.perf_counter()
    state = "files not in memory" if cold else "files in memory"
    print(f"  open ({state}): {opened - started:.2f} s, first search {ended - opened:.2f} s; {_memory()}", flush=True)
    library.close()


def _forget(folder: Path) -> None:
    """Lets the system drop what it keeps of the files."""
    for path in folder.rglob("*"):
        if path.is_file():
            with open(path, "rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _change(folder: Path) -> None:
    """Times adding and removing the seed article."""
    (article,) = find_files([config.load().seeds])
    with rag.Assistant.open(folder, answer_model="none") as assistant:
        assistant._models.check_search()
        added, removed = [], []
        for _ in range(_ROUNDS):
            started = time.perf_counter()
            (identity,) = assistant.add(article).added
            between = time.perf_counter()
            assistant.remove(identity)
            ended = time.perf_counter()
            added.append(between - started)
            removed.append(ended - between)
        for name, times in (("add one article", added), ("remove it", removed)):
            print(f"  {name}: first {times[0]:.2f} s, median {statistics.median(times):.2f} s, longest {max(times):.2f} s")
        print(f"  resident {_memory()}", flush=True)
        index = assistant._retriever._dense
        started = time.perf_counter()
        index._replace(index._merged)
        print(f"  the vector index written anew from the old one: {time.perf_counter() - started:.1f} s", flush=True)


def _sweep(folder: Path, vectors: np.ndarray) -> None:
    """Prints recall and time over the constants of the dense index."""
    library = Library(folder)
    index = Dense(library)
    index.follow()
    exact = np.load(folder / "exact.npz")["ids"]
    grouped = index._state.file.ntotal > dense.EXACT
    for probed in (48, 128, 192, 256, 384) if grouped else (0,):
        for rescored in (1, 2, 8) if grouped else (1,):
            dense.PROBED, dense.RESCORED = probed, rescored
            times, right = [], 0
            for n, vector in enumerate([*vectors[:_WARM], *vectors]):
                started = time.perf_counter()
                found = index.search(vector, _TOP_K)
                if n >= _WARM:
                    times.append(1000 * (time.perf_counter() - started))
                    right += len({i for i, _ in found[:TOP]} & set(exact[n - _WARM].tolist()))
            p50, p95 = np.quantile(times, 0.5), np.quantile(times, 0.95)
            share = right / len(vectors) / TOP
            print(
                f"  probed {probed:3}, rescored {rescored}: recall {share:.3f}, p50 {p50:.1f}, p95 {p95:.1f} ms", flush=True
            )
    with library.reading():
        _compare_all(library, vectors)
    library.close()


def _compare_all(library: Library, vectors: np.ndarray) -> None:
    """Prints what comparing all of so many vectors in half precision takes."""
    import faiss

    index: Any = faiss.IndexScalarQuantizer(vectors.shape[1], faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    wanted = [50_000, 100_000, 200_000, 400_000]
    for _, rows in library.vectors_after():
        while wanted and index.ntotal + len(rows) >= wanted[0]:
            n = wanted[0] - index.ntotal
            index.add(rows[:n])
            rows, times = rows[n:], []
            for vector in vectors[:_WARM]:
                started = time.perf_counter()
                index.search(vector.reshape(1, -1), _TOP_K)
                times.append(1000 * (time.perf_counter() - started))
            print(f"  all of {wanted.pop(0):,}: p50 {np.quantile(times, 0.5):.1f} ms", flush=True)
        if not wanted:
            return
        index.add(rows)


def _print_stages(spent: dict[str, float]) -> None:
    everything, n = spent.pop("all"), spent.pop("documents")
    print(f"adding {n} articles as they are: {everything:.0f} s")
    spent["rest"] = everything - sum(spent.values())
    for name, seconds in spent.items():
        print(f"  {name:8} {seconds:7.1f} s  {100 * seconds / everything:4.1f} %")


def _print_neighbours(found: Real, vectors: np.ndarray, noise: float) -> None:
    """Says how far neighbours are: of paragraphs among the real ones, and of a copy from its own."""
    rows = np.random.default_rng(2).choice(len(found.vectors), 1000, replace=False)
    scores = found.vectors[rows] @ found.vectors.T
    scores[scores > 0.999] = -1  # itself, and equal texts
    near = shaken(found.vectors[rows], noise, spread(found), np.random.default_rng(3))
    own = (near * found.vectors[rows]).sum(1)
    asked = np.sort(vectors @ found.vectors.T, axis=1)
    print(f"{len(found.texts)} real paragraphs, {len(vectors)} questions")
    print(f"copies: noise {noise}, {WORDS:.0%} of the words replaced")
    _print_cosines("a real paragraph and the nearest other", scores.max(axis=1))
    _print_cosines("a copy and its own paragraph", own)
    _print_cosines("a question and its nearest real paragraph", asked[:, -1])
    _print_cosines("a question and its 10th", asked[:, -TOP])


def _print_cosines(name: str, cosines: np.ndarray) -> None:
    low, middle, high = np.quantile(cosines, [0.1, 0.5, 0.9])
    print(f"  cosine of {name}: median {middle:.3f}, from {low:.3f} (10 %) to {high:.3f} (90 %)", flush=True)


def _print_files(folder: Path) -> None:
    sizes = {path.name: path.stat().st_size for path in folder.iterdir() if path.is_file() and path.suffix != ".npz"}
    sizes["lexical/"] = sum(path.stat().st_size for path in (folder / "lexical").iterdir())
    print("  on disk: " + ", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in sorted(sizes.items()) if size > 1e5))


if __name__ == "__main__":
    main()
