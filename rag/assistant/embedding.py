"""Documents to what the library stores of them: passages and their vectors, none computed twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from rag.library import Item, Library
from rag.split import index_text, passages
from rag.types import Document, Embedder, Passage

_CHUNK = 64  # texts that are embedded at a time, and then kept: what a crash can cost

_Texts = list[tuple[Document, tuple[Passage, ...], list[bytes]]]


def embed(
    documents: Sequence[Document],
    library: Library,
    embedder: Embedder,
    like: Iterable[str] = (),
    ticked: Callable[[float], object] | None = None,
) -> list[Item]:
    """Returns the documents with their passages and vectors.

    What was embedded before by the same model is taken from the library: from the stage, where each piece of this work is
    kept as soon as it is done, and from documents that have much of the same text.

    Args:
        like: ids of documents whose vectors may be taken over.
        ticked: called after each piece of work with the share of all of it that it was.
    """
    texts: dict[bytes, str] = {}
    found: _Texts = []
    for document in documents:
        of_document = passages(document)
        read = [index_text(document.title, document.text[p.start : p.end]) for p in of_document]
        of_texts = [_key(embedder.name, text) for text in read]
        texts |= zip(of_texts, read, strict=True)
        found.append((document, of_document, of_texts))
    vectors = _vectors(texts, library, embedder, like, ticked or (lambda share: None))
    empty = np.zeros((0, embedder.dimension), np.float32)
    return [(d, of, np.stack([vectors[key] for key in its]) if its else empty) for d, of, its in found]


def keys(items: Iterable[Item], model: str) -> set[bytes]:
    """Returns the keys under which the vectors of these documents are staged."""
    return {_key(model, index_text(d.title, d.text[p.start : p.end])) for d, of_document, _ in items for p in of_document}


def _vectors(
    texts: Mapping[bytes, str],
    library: Library,
    embedder: Embedder,
    like: Iterable[str],
    ticked: Callable[[float], object],
) -> dict[bytes, np.ndarray]:
    """Returns a vector for each text, by its key."""
    vectors = _stored(library, embedder.name, like) | library.staged(texts)
    missing = [key for key in texts if key not in vectors]
    for start in range(0, len(missing), _CHUNK):
        chunk = missing[start : start + _CHUNK]
        fresh = dict(zip(chunk, embedder.embed_paragraphs([texts[key] for key in chunk]), strict=True))
        library.stage(fresh)
        vectors |= fresh
        ticked(len(chunk) / len(missing))
    return vectors


def _stored(library: Library, model: str, documents: Iterable[str]) -> dict[bytes, np.ndarray]:
    """Returns the vectors of these documents' passages, by key; none if they are another model's."""
    if library.embedding_model != model:
        return {}
    ids = library.passage_ids(documents)
    by_id = library.vectors(ids.tolist())
    stored = library.passages(ids.tolist())
    return {_key(model, index_text(p.document.title, p.searched)): by_id[p.id] for p in stored if p.id in by_id}


def _key(model: str, text: str) -> bytes:
    return hashlib.sha256(f"{model}\0{text}".encode("utf-8", "replace")).digest()[:16]
