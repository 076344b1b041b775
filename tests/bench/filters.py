"""How long a search takes under a filter, by how much the filter selects. Not a test: run it by hand.

    python -m tests.bench.filters [--documents 15000] [--in FOLDER]

Made-up articles of eight paragraphs, their words drawn by Zipf's law, with random vectors; each day has as many, and half of
them are English. For each filter: how many passages it selects, then the median of 20 questions, in ms, of the library's
query, the word index, the vector index, and the whole of `Retriever.retrieve`, which asks the library once for all of them.
In "half, apart" all words of a question but one are of articles that the filter leaves out.
"""

from __future__ import annotations

import argparse
import datetime
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from rag.library import Item, Library
from rag.retrieve import Retriever
from rag.types import EVERYTHING, Document, Filter, Paragraph, Passage

_PARAGRAPHS, _WORDS, _VOCABULARY, _DIMENSION = 8, 70, 50_000, 384
_FIRST, _DAYS = datetime.date(2020, 1, 1), 2000
_AT_ONCE = 1000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=15_000)
    parser.add_argument("--in", dest="folder", type=Path, help="kept, and used again; else a temporary one")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        measure(arguments.folder or Path(temporary), arguments.documents)


def measure(folder: Path, n_documents: int) -> None:
    random = np.random.default_rng(1)
    library = Library(folder)
    if not library.generation:
        for items in _items(random, n_documents):
            library.put(items, "made up")
    retriever = Retriever(library)
    retriever.sync()
    filters = {
        "none": EVERYTHING,
        "half, by date": Filter(since=_day(_DAYS // 2)),
        "half, by language": Filter(languages=("en",)),
        "half, by source": library.check(Filter(sources=("/articles/a", "/articles/b"))),
        "a tenth": Filter(since=_day(_DAYS * 9 // 10)),
        "a hundredth": Filter(since=_day(_DAYS * 99 // 100)),
        "a day": Filter(since=_day(_DAYS // 2), until=_day(_DAYS // 2)),
    }
    asked = [(_text(random, 6), _unit(random, 1)[0]) for _ in range(20)]
    apart = [(f"{_text(random, 6, 'en')} w1", vector) for _, vector in asked]
    print(f"{library.n_passages()} passages of {library.count()[0]} documents")
    print(f"{'filter':20} {'selected':>8} {'library':>8} {'words':>8} {'vectors':>8} {'all':>8}")
    for name, filter in filters.items():
        _show(name, library, retriever, filter, asked)
    _show("half, apart", library, retriever, Filter(languages=("de",)), apart)


def _show(name: str, library: Library, retriever: Retriever, filter: Filter, asked: list[tuple[str, np.ndarray]]) -> None:
    ids = library.selected(filter)
    times = (
        _ms(asked, lambda text, vector: library.selected(filter)),
        _ms(asked, lambda text, vector: retriever._lexical.search(text, 50, ids)),
        _ms(asked, lambda text, vector: retriever._dense.search(vector, 50, ids)),
        _ms(asked, lambda text, vector: retriever.retrieve(text, vector, 50, filter)),
    )
    n = library.n_passages() if ids is None else len(ids)
    print(f"{name:20} {n:8} " + " ".join(f"{ms:8.1f}" for ms in times))


def _ms(asked: list[tuple[str, np.ndarray]], run: Callable[[str, np.ndarray], object]) -> float:
    taken = []
    for text, vector in asked:
        begun = time.perf_counter()
        run(text, vector)
        taken.append(1000 * (time.perf_counter() - begun))
    return statistics.median(taken)


def _items(random: np.random.Generator, n_documents: int) -> Iterator[list[Item]]:
    for first in range(0, n_documents, _AT_ONCE):
        yield [_item(random, n) for n in range(first, min(first + _AT_ONCE, n_documents))]


def _item(random: np.random.Generator, n: int) -> Item:
    language = "en" if n % 2 else "de"
    texts = [f"{_text(random, _WORDS)} {_text(random, _WORDS // 5, language)}." for _ in range(_PARAGRAPHS)]
    text, at, passages = "\n\n".join(texts), 0, []
    for number, paragraph in enumerate(texts, 1):
        passages.append(Passage(Paragraph(number, at, at + len(paragraph)), at, at + len(paragraph)))
        at += len(paragraph) + 2
    source = f"/articles/{'abcd'[n % 4]}/{n}.txt"
    document = Document(f"{n:012x}", f"{n:064x}", f"Article {n}", source, _day(n % _DAYS), text, language)
    return document, passages, _unit(random, _PARAGRAPHS)


def _text(random: np.random.Generator, n_words: int, language: str = "w") -> str:
    ranks = np.exp(random.random(n_words) * np.log(_VOCABULARY)).astype(int)  # as often as one over its rank
    return " ".join(f"{language}{rank}" for rank in ranks)


def _unit(random: np.random.Generator, n: int) -> np.ndarray:
    vectors = random.standard_normal((n, _DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _day(n: int) -> str:
    return (_FIRST + datetime.timedelta(n)).isoformat()


if __name__ == "__main__":
    main()
