"""Hits to hits: a cross-encoder reads the question with each paragraph, then with the sentences of the best ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rag.embed import onnx_module
from rag.errors import DependencyMissing, ModelCorrupt
from rag.retrieve import index_text
from rag.split import sentences
from rag.types import Hit, Reranker

_QUOTED = 3
"""So many hits have their sentences read by the model; the best sentence of the others is chosen by common words."""

_READ = 24
"""So many sentences of a hit are read by the model, those with the most words of the question: a text without line ends is
one paragraph, however long."""


class CrossReranker:
    """A `Reranker` over any cross-encoder with one output that sentence-transformers loads from a folder."""

    def __init__(self, folder: Path, *, threads: int) -> None:
        """Loads the model.

        Raises:
            DependencyMissing: sentence-transformers is not installed.
            ModelCorrupt: the files cannot be loaded.
        """
        try:
            import torch
            from sentence_transformers import CrossEncoder
        except ImportError as exc:
            raise DependencyMissing(f"The package {exc.name} is not installed.", f"pip install {exc.name}") from exc
        raw = torch.nn.Identity()  # logits: a sigmoid flattens the differences between good hits
        if (folder / "model.onnx").is_file() and not (folder / "config.json").is_file():
            modules = [onnx_module(folder, "scores", threads)]
            self._model = CrossEncoder(modules=modules, num_labels=1, activation_fn=raw, device="cpu")
        else:
            try:
                self._model = CrossEncoder(str(folder), activation_fn=raw, device="cpu", local_files_only=True)
            except Exception as exc:  # transformers raises OSError, ValueError, KeyError and others for a bad folder
                raise ModelCorrupt(f"{folder} cannot be loaded as a reranking model: {exc}.") from exc

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """Returns one logit a text, in their order; higher is better."""
        if not texts:
            return []
        values = self._model.predict([(question, text) for text in texts], show_progress_bar=False)
        return [float(value) for value in values.reshape(-1)]


def rerank(question: str, hits: Sequence[Hit], reranker: Reranker, *, depth: int, keep: int) -> tuple[Hit, ...]:
    """Returns the best hits with the reranker's scores and their best sentences, best first.

    Args:
        depth: so many of the hits are read.
        keep: so many are returned, at most.
    """
    read = hits[:depth]
    scores = reranker.scores(question, [index_text(h.title, h.text) for h in read])
    ranked = sorted((replace(h, score=s) for h, s in zip(read, scores, strict=True)), key=lambda h: -h.score)[:keep]
    quoted = [_with_best_sentence(question, hit, reranker) for hit in ranked[:_QUOTED]]
    quoted += [replace(hit, quote=_likest_sentence(question, hit)) for hit in ranked[_QUOTED:]]
    return tuple(sorted(quoted, key=lambda h: -h.score))


def _with_best_sentence(question: str, hit: Hit, reranker: Reranker) -> Hit:
    """The hit's score becomes its best sentence's if that is higher: in a long paragraph one sentence may be the answer."""
    texts = sorted(_sentences(hit), key=lambda text: -_n_common(question, text))[:_READ]
    if len(texts) == 1:
        return replace(hit, quote=texts[0])
    scores = reranker.scores(question, [index_text(hit.title, text) for text in texts])
    best = max(range(len(texts)), key=scores.__getitem__)
    return replace(hit, quote=texts[best], score=max(hit.score, scores[best]))


def _likest_sentence(question: str, hit: Hit) -> str:
    return max(_sentences(hit), key=lambda text: _n_common(question, text))


def _n_common(question: str, text: str) -> int:
    return len(set(question.lower().split()) & set(text.lower().split()))


def _sentences(hit: Hit) -> list[str]:
    return [hit.text[start:end] for start, end in sentences(hit.text)] or [hit.text]
