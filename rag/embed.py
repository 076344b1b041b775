"""Texts to unit vectors, through sentence-transformers.

An ONNX export without torch weights (model.onnx and tokenizer.json) runs as a module of ours inside
sentence-transformers, because its own `[onnx]` extra does not resolve with release 6. Any other folder is loaded by
sentence-transformers itself; code that a model folder brings along is never run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.errors import DependencyMissing, ModelCorrupt

if TYPE_CHECKING:
    import torch

BGE_PREFIX = "Represent this sentence for searching relevant passages: "
"""Put before questions, not paragraphs. Source: the model card of BAAI/bge-small-en-v1.5."""

MAX_TOKENS = 512
"""The position embeddings of all BERT exports in the registry end here; longer texts are cut."""

_MAX_CHARS = 20_000  # of a text that are turned into tokens at all: far more than are read


@cache
def _share_memory() -> None:
    """Lets all sessions take what they calculate with from one pool.

    Each would keep a pool of its own, as large as the longest row ever took: 60 MB a thread for 512 tokens.
    """
    import onnxruntime as ort

    memory = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    growing = ort.OrtArenaCfg(0, 0, -1, -1)  # no limit; each piece twice as large as the one before; its other defaults
    ort.create_and_register_allocator(memory, growing)


class _OnnxModel:
    """folder/model.onnx with its tokenizer: texts, or pairs of them, to the model's first output.

    It is held twice, as the number of threads is a session's: some 50 MB more for a small int8 model, so that a single row
    (each question that is embedded; of the reranker a hit with one sentence) has all cores.
    """

    def __init__(self, folder: Path, threads: int) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        def session(n: int) -> onnxruntime.InferenceSession:
            options = onnxruntime.SessionOptions()
            options.add_session_config_entry("session.use_env_allocators", "1")
            options.intra_op_num_threads = n
            options.log_severity_level = 3
            return onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])

        _share_memory()
        self._session = session(1)
        self._alone = session(threads) if threads > 1 else self._session
        self._threads = threads
        self.inputs = [i.name for i in self._session.get_inputs()]
        self.dimension = int(self._session.get_outputs()[0].shape[-1])
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        # Of a pair the longer text is cut, until both fit: the passage, unless the question is longer still.
        self._tokenizer.enable_truncation(MAX_TOKENS, strategy="longest_first")
        self._tokenizer.enable_padding()

    def tokens(self, texts: Sequence[Any]) -> dict[str, list[list[int]]]:
        """Returns the inputs of the model by name, a row a text or pair, all of one length."""
        cut = [tuple(s[:_MAX_CHARS] for s in t) if isinstance(t, list | tuple) else t[:_MAX_CHARS] for t in texts]
        rows = self._tokenizer.encode_batch(cut)
        return {
            "input_ids": [r.ids for r in rows],
            "attention_mask": [r.attention_mask for r in rows],
            "token_type_ids": [r.type_ids for r in rows],
        }

    def run(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Returns the first output, a row a text; what stands for padding is zero.

        Each row runs alone and without its padding: an int8 model scales its activations over the whole batch, so that a
        score would depend on its neighbours; and it is faster (docs/experiments.md, "Times"). A row has one core, and as
        many rows run side by side as there are cores, the longest first, so that all end at about the same time: threads
        that share a row wait for each other, the more so where another program takes one of the cores. A single row has
        all cores. The values are the same.
        """
        lengths = inputs["attention_mask"].sum(axis=1)

        def run_row(n: int, session: Any = self._session) -> np.ndarray:
            row: np.ndarray = session.run(None, {k: v[n : n + 1, : lengths[n]] for k, v in inputs.items()})[0][0]
            return row

        order = np.argsort(-lengths, kind="stable")
        if len(order) == 1:
            rows = {0: run_row(0, self._alone)}
        else:  # its threads end with it, so that there is nothing to close; to start them takes no time that can be measured
            with ThreadPoolExecutor(self._threads, thread_name_prefix="rag-encoding") as pool:
                rows = dict(zip(order.tolist(), pool.map(run_row, order), strict=True))
        longest = max(row.shape[0] for row in rows.values())  # tokens where the output has them, else the width of all rows
        values = np.zeros((len(rows), longest, *rows[0].shape[1:]), np.float32)
        for n, row in rows.items():
            values[n, : len(row)] = row
        return values


def onnx_module(folder: Path, output: str, threads: int) -> torch.nn.Module:
    """Returns a sentence-transformers module that runs folder/model.onnx and puts its first output under `output`.

    Raises:
        DependencyMissing: onnxruntime or torch is not installed.
        ModelCorrupt: the files cannot be loaded.
    """
    try:
        import torch

        model = _OnnxModel(folder, threads)
    except ImportError as exc:
        raise DependencyMissing(f"The package {exc.name} is not installed.", f"pip install {exc.name}") from exc
    except Exception as exc:  # onnxruntime and tokenizers raise types of their own for every kind of bad file
        raise ModelCorrupt(f"The model in {folder} cannot be loaded: {exc}.", "Run: rag models verify") from exc

    class OnnxModule(torch.nn.Module):
        modalities = ["text"]  # noqa: RUF012  sentence-transformers reads it from the class
        max_seq_length = MAX_TOKENS

        def __init__(self) -> None:
            super().__init__()
            # sentence-transformers takes device and dtype from a parameter.
            self.anchor = torch.nn.Parameter(torch.zeros(1), requires_grad=False)

        def preprocess(self, texts: list[Any], **_: object) -> dict[str, torch.Tensor]:
            return {name: torch.tensor(rows) for name, rows in model.tokens(texts).items()}

        tokenize = preprocess

        def forward(self, features: dict[str, torch.Tensor], **_: object) -> dict[str, torch.Tensor]:
            features[output] = torch.from_numpy(model.run({name: features[name].numpy() for name in model.inputs}))
            return features

        def get_embedding_dimension(self) -> int:
            return model.dimension

        get_word_embedding_dimension = get_embedding_dimension

    return OnnxModule()


class TextEmbedder:
    """An `Embedder` over any model that sentence-transformers loads from a folder."""

    def __init__(self, folder: Path, name: str, *, threads: int, languages: frozenset[str] = frozenset()) -> None:
        """Loads the model, which reads these languages; any, if there are none.

        Raises:
            DependencyMissing: sentence-transformers is not installed.
            ModelCorrupt: the files cannot be loaded.
        """
        try:
            from sentence_transformers import SentenceTransformer
            from sentence_transformers.sentence_transformer.modules import Normalize, Pooling
        except ImportError as exc:
            raise DependencyMissing(f"The package {exc.name} is not installed.", f"pip install {exc.name}") from exc
        self.name, self.languages = name, languages
        self._bare = (folder / "model.onnx").is_file() and not (folder / "modules.json").is_file()
        if self._bare:
            module = onnx_module(folder, "token_embeddings", threads)
            dimension = module.get_embedding_dimension()  # type: ignore[operator]
            self._model = SentenceTransformer(
                modules=[module, Pooling(dimension, pooling_mode="cls"), Normalize()], device="cpu"
            )
        else:
            try:
                self._model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
            except Exception as exc:  # transformers raises OSError, ValueError, KeyError and others for a bad folder
                raise ModelCorrupt(f"{folder} cannot be loaded as an embedding model: {exc}.") from exc
        self.dimension = int(self._model.get_embedding_dimension() or 0)

    def embed_paragraphs(self, texts: Sequence[str]) -> np.ndarray:
        """Returns a float32 array of shape (n, dimension), unit rows; the order of `texts` is kept."""
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        vectors = self._model.encode_document(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.ascontiguousarray(vectors, dtype=np.float32)

    def embed_question(self, text: str) -> np.ndarray:
        """Returns a float32 array of shape (dimension,), unit length."""
        prompted = BGE_PREFIX + text if self._bare else text
        vector = self._model.encode_query(prompted, normalize_embeddings=True, show_progress_bar=False)
        return np.ascontiguousarray(vector, dtype=np.float32)
