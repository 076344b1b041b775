"""What batching costs: the default reranker over a text's paragraphs one by one, in fours, and all at once. Not a test.

    python -m tests.bench.batches

Prints for each size the median time, and how far a score is from the one that the pair has alone.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from rag import config, models
from rag.read import find_files
from rag.split import index_text, paragraphs
from tests.conftest import read_one

_ROUNDS = 15
_QUESTION = "How many Indonesians were arrested?"


def main() -> None:
    settings = config.load()
    folder = models.locate(settings.reranking_model, "reranking", settings.models)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings.threads
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_padding()
    document = read_one(next(find_files([settings.seeds])))
    texts = [index_text(document.title, document.text[p.start : p.end]) for p in paragraphs(document)]

    def scores(size: int) -> list[float]:
        found: list[float] = []
        for start in range(0, len(texts), size):
            rows = tokenizer.encode_batch([(_QUESTION, text) for text in texts[start : start + size]])
            inputs = {
                "input_ids": np.array([r.ids for r in rows]),
                "attention_mask": np.array([r.attention_mask for r in rows]),
                "token_type_ids": np.array([r.type_ids for r in rows]),
            }
            found += session.run(None, {i.name: inputs[i.name] for i in session.get_inputs()})[0].reshape(-1).tolist()
        return found

    sizes = (1, 4, len(texts))
    times: dict[int, list[float]] = {size: [] for size in sizes}
    values: dict[int, list[float]] = {}
    for _ in range(_ROUNDS):
        for size in sizes:
            started = time.perf_counter()
            values[size] = scores(size)
            times[size].append(time.perf_counter() - started)
    for size in sizes:
        off = max(abs(a - b) for a, b in zip(values[size], values[1], strict=True))
        print(f"{size:3} at once  {1000 * statistics.median(times[size]):4.0f} ms  off by up to {off:.2f}")


if __name__ == "__main__":
    main()
