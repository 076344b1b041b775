"""How near embedding comes to what onnxruntime can do on this machine. Not a test: run it by hand.

    python -m tests.bench.embedding SET... [--documents N] [--rounds N]

The paragraphs of the sets' articles go the way of `rag add`: split, looked up, made into tokens, embedded, and staged in a
library, which is on disk. Beside it a bare session runs over the same texts, whose tokens are there already: one text after
another with all cores for each; one core for each and as many side by side as there are cores; and in padded batches of
16, sorted by length, which gives other vectors (an int8 model scales its activations over the batch). All in turns.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from rag import config, models
from rag.assistant.embedding import embed
from rag.assistant.loading import load_embedder
from rag.embed import MAX_TOKENS
from rag.evaluate.sets import read_packs
from rag.library import Library
from rag.split import index_text, passages
from rag.types import Document
from tests.conftest import read_one

_PADDED = 16

Inputs = Mapping[str, np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("packs", nargs="+", type=Path)
    parser.add_argument("--documents", type=int, default=100, help="of each set, the first ones")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        packs = read_packs(options.packs, Path(name))
        files = [file for pack in packs for file in list(pack.files.values())[: options.documents]]
        documents = [read_one(file) for file in files]
        _compare(documents, options.rounds)


def _compare(documents: Sequence[Document], rounds: int) -> None:
    settings = config.load()
    folder = models.locate(settings.embedding_model, "embedding", settings.models)
    texts = {index_text(d.title, d.text[p.start : p.end]) for d in documents for p in passages(d)}
    rows = sorted(_tokens(folder, sorted(texts)), key=lambda row: -row["input_ids"].shape[1])
    embedder, shared, single = load_embedder(settings), _session(folder, settings.threads), _session(folder, 1)
    n_tokens = sum(row["input_ids"].shape[1] for row in rows)
    print(f"{len(rows)} texts of {n_tokens / len(rows):.0f} tokens on average, {settings.threads} threads")
    with ThreadPoolExecutor(settings.threads) as pool:

        def product() -> None:
            with tempfile.TemporaryDirectory() as name:
                library = Library(Path(name))
                embed(documents, library, embedder)
                library.close()

        ways: dict[str, Callable[[], Any]] = {
            "as rag add does it": product,
            "bare, all cores for each": lambda: [shared.run(None, row) for row in rows],
            "bare, side by side": lambda: [*pool.map(lambda row: single.run(None, row), rows)],
            "bare, padded batches": lambda: [shared.run(None, batch) for batch in _padded(rows)],
        }
        speeds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, act in ways.items():
                started = time.perf_counter()
                act()
                speeds[name].append(len(rows) / (time.perf_counter() - started))
    ours = statistics.median(speeds["as rag add does it"])
    for name, found in speeds.items():
        middle = statistics.median(found)
        print(f"{name:25} {middle:6.1f} texts/s ({min(found):.1f} to {max(found):.1f}), ours is {ours / middle:.2f} of it")


def _tokens(folder: Path, texts: Sequence[str]) -> list[Inputs]:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    return [
        {
            "input_ids": np.array([found.ids]),
            "attention_mask": np.array([found.attention_mask]),
            "token_type_ids": np.array([found.type_ids]),
        }
        for found in tokenizer.encode_batch(list(texts))
    ]


def _session(folder: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])


def _padded(rows: Sequence[Inputs]) -> list[Inputs]:
    return [_batch(rows[start : start + _PADDED]) for start in range(0, len(rows), _PADDED)]


def _batch(rows: Sequence[Inputs]) -> Inputs:
    width = rows[0]["input_ids"].shape[1]  # the longest one comes first
    return {
        name: np.concatenate([np.pad(row[name], ((0, 0), (0, width - row[name].shape[1]))) for row in rows])
        for name in rows[0]
    }


if __name__ == "__main__":
    main()
