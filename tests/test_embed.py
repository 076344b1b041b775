"""Embedding: shapes and prefixes, with a stand-in for sentence-transformers; the real library is in tests/real."""

from __future__ import annotations

import sys
import threading
import types
from pathlib import Path

import numpy as np
import pytest

from rag.embed import BGE_PREFIX, TextEmbedder, _OnnxModel
from rag.errors import DependencyMissing, ModelCorrupt


def test_a_package_that_is_missing_is_named_with_the_command(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(DependencyMissing, match=r"sentence_transformers is not installed\. pip install sentence"):
        TextEmbedder(tmp_path, "m", threads=1)


def test_a_folder_that_is_no_model_is_named(stand_in, tmp_path):
    with pytest.raises(ModelCorrupt, match=rf"{tmp_path}/bad cannot be loaded as an embedding model: .*config\.json"):
        TextEmbedder(tmp_path / "bad", "bad", threads=1)


def test_rows_are_contiguous_float32_and_the_network_is_never_asked(stand_in, tmp_path):
    embedder = TextEmbedder(tmp_path / "good", "my-model", threads=1)
    assert embedder._model.options["local_files_only"] is True
    assert (embedder.name, embedder.dimension) == ("my-model", 2)
    rows = embedder.embed_paragraphs(["a", "b", "c"])
    assert (rows.dtype, rows.shape, rows.flags["C_CONTIGUOUS"]) == (np.float32, (3, 2), True)
    assert embedder.embed_paragraphs([]).shape == (0, 2)
    assert embedder.embed_question("Who?").dtype == np.float32
    assert embedder._model.asked == ["Who?"]  # the prefix of bge is for its bare export only


def test_the_bare_export_of_bge_gets_its_prefix_before_questions(stand_in, tmp_path, monkeypatch):
    folder = tmp_path / "good"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"")
    module = types.SimpleNamespace(get_embedding_dimension=lambda: 2)
    monkeypatch.setattr("rag.embed.onnx_module", lambda *_: module)
    embedder = TextEmbedder(folder, "bge", threads=1)
    embedder.embed_question("Who?")
    assert embedder._model.asked == [BGE_PREFIX + "Who?"]


def test_an_export_that_is_damaged_is_named(stand_in, tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(ModelCorrupt, match=rf"The model in {tmp_path} cannot be loaded: .*Run: rag models verify"):
        TextEmbedder(tmp_path, "bge", threads=1)


def test_a_missing_onnxruntime_is_named(stand_in, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    (tmp_path / "model.onnx").write_bytes(b"")
    with pytest.raises(DependencyMissing, match=r"The package onnxruntime is not installed\. pip install onnxruntime"):
        TextEmbedder(tmp_path, "bge", threads=1)


class TwiceSession:
    """A model whose output for each token is its id, twice; a row waits until another one runs too, but the last.

    Attributes:
        seen: the lengths of the rows, in the order in which they began.
    """

    def __init__(self, path, options, providers):
        self.threads = options.intra_op_num_threads
        self.seen = []
        self._others = threading.Barrier(2, timeout=10)

    def get_inputs(self):
        return [types.SimpleNamespace(name="input_ids"), types.SimpleNamespace(name="attention_mask")]

    def get_outputs(self):
        return [types.SimpleNamespace(shape=["batch", "tokens", 2])]

    def run(self, _, inputs):
        assert inputs["attention_mask"].all()
        self.seen.append(inputs["input_ids"].shape[1])
        if inputs["input_ids"].shape[1] > 1:
            self._others.wait()
        return [np.stack([inputs["input_ids"]] * 2, axis=-1).astype(np.float32)]


def test_rows_run_side_by_side_one_core_each_in_their_order_and_a_single_one_has_all(monkeypatch):
    tokenizer = types.SimpleNamespace(enable_truncation=lambda *_, **__: None, enable_padding=lambda: None)
    monkeypatch.setattr("tokenizers.Tokenizer", types.SimpleNamespace(from_file=lambda _: tokenizer))
    monkeypatch.setattr("onnxruntime.InferenceSession", TwiceSession)
    model = _OnnxModel(Path("bge"), 2)
    ids = np.array([[1, 0, 0, 0], [2, 3, 4, 5], [6, 7, 0, 0], [8, 9, 10, 0], [11, 12, 0, 0]])
    values = model.run({"input_ids": ids, "attention_mask": (ids > 0).astype(np.int64)})
    assert np.array_equal(values, np.stack([ids, ids], axis=-1))
    assert (model._session.threads, model._alone.threads) == (1, 2)
    assert sorted(model._session.seen[:2]) == [3, 4]  # the longest ones first
    assert np.array_equal(model.run({"input_ids": ids[:1, :1], "attention_mask": np.ones((1, 1), int)}), [[[1, 1]]])
    assert model._alone.seen == [1]
    # `close` of an assistant promises that its threads have ended, and knows nothing of these.
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("rag-encoding")]
