"""BM25 index over titles and passages, derived from the library; tantivy does the work.

A row without text, in the same commit as the others, is the stamp: it names the generation of the library that the index
reflects, and the analysis of the text. So a crash leaves the index as it was before a change, with its stamp. Files that are
not as tantivy wrote them, by the checksum at the end of each, make the index one that is built anew.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import shutil
import struct
import tempfile
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rag.library import Library, StoredPassage, is_writable
from rag.split import index_text
from rag.terms import question_terms, terms

ANALYSIS = "rag.terms, 1"
"""Names how text becomes terms, and the fields; an index with another analysis is built anew."""

_HEAP = 30_000_000  # bytes that the writer may collect before it writes a segment; tantivy's least is 15 MB a thread
_BROAD, _LOOKED_AT = 10_000, 1000
"""From so many ids on, so many of the best passages of all are looked through first: that is quicker than a query
with all the ids, and mostly enough. Source: docs/experiments.md, "Filters"."""

_STAMP = 0  # id of the row that is the stamp; those of passages begin at 1
_FOOTER = struct.Struct("<II")  # length of the description at a file's end, and tantivy's mark behind it
_MARK = 1337
_WAITS = (0.0, 0.001, 0.01, 0.1, 1.0)  # seconds before a folder of links is emptied, again and again


class Lexical:
    """A word index in one folder."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._folder = library.folder / "lexical"
        self._index: Any = None
        self._checked: set[str] = set()  # names of files that are whole; tantivy never changes a file of an index
        self.generation = -1

    def load(self) -> None:
        """Opens the index as it is on disk; a missing, damaged or otherwise analysed one leaves generation -1.

        Where nothing can be written, one that is not the library's is built in memory instead.
        """
        import tantivy

        can_write = is_writable(self._library.folder)
        try:
            is_new = self.generation == -1 or self._index is None or not can_write
            self._checked = _check_files(self._folder, set() if is_new else self._checked)
            with contextlib.nullcontext(self._folder) if can_write else _linked(self._folder) as folder:
                if is_new:
                    self._open(tantivy.Index.open(str(folder)))
                self._index.reload()
            self.generation = self._stamped()
        except (OSError, ValueError, KeyError, TypeError, struct.error):
            self.generation = -1  # derived: whoever asks sees the generation and builds it anew
        if not can_write and self.generation != self._library.generation:
            with self._library.reading():
                self._open(tantivy.Index(_schema()))
                self._write([], self._library.passages_after(), self._library.generation)

    def update(self) -> None:
        """Takes over what happened in the library, for the holder of the writers' lock.

        Raises:
            OSError, ValueError: it cannot be written.
        """
        self.load()
        with self._library.reading():
            changes = self._library.changes(self.generation)
            if changes is None:
                self._build()
            elif changes.generation != self.generation:
                added = self._library.passages_after(changes.last)
                try:
                    self._write([_STAMP, *changes.gone.tolist()], added, changes.generation)
                except ValueError:
                    # After a crash in a commit, tantivy finds the file of deletions there already, each time anew.
                    self._build()

    def ids(self) -> set[int]:
        """Returns the ids of all passages in the index."""
        import tantivy

        searcher = self._index.searcher()
        if not searcher.num_docs:
            return set()
        hits = searcher.search(tantivy.Query.all_query(), searcher.num_docs).hits
        return {searcher.doc(address)["id"][0] for _, address in hits} - {_STAMP}

    def search(self, question: str, k: int, ids: np.ndarray | None = None) -> list[tuple[int, float]]:
        """Returns up to k (passage id, BM25) pairs, best first; only of `ids` (int64) if given."""
        import tantivy

        if self._index is None:
            return []
        schema = self._index.schema
        asked = question_terms(question)
        clauses = [(tantivy.Occur.Should, tantivy.Query.term_query(schema, "text", term)) for term in asked]
        if not clauses:
            return []
        query, searcher = tantivy.Query.boolean_query(clauses), self._index.searcher()
        if ids is None:
            return _found(searcher, query, k)
        if len(ids) >= _BROAD:
            best = _found(searcher, query, _LOOKED_AT)
            kept = [pair for pair, is_chosen in zip(best, np.isin([i for i, _ in best], ids), strict=True) if is_chosen]
            if len(kept) >= k or len(best) < _LOOKED_AT:
                return kept[:k]
        chosen = tantivy.Query.const_score_query(tantivy.Query.term_set_query(schema, "id", ids.tolist()), 0.0)
        both = tantivy.Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.Must, chosen)])
        return _found(searcher, both, k)

    def _build(self) -> None:
        """Replaces the whole index by one of all passages; within the library's `reading`."""
        import tantivy

        fresh = self._folder.with_name("lexical.tmp")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        self._open(tantivy.Index(_schema(), path=str(fresh)))
        self._write([], self._library.passages_after(), self._library.generation)
        shutil.rmtree(self._folder, ignore_errors=True)
        fresh.rename(self._folder)
        self._open(tantivy.Index.open(str(self._folder)))

    def _open(self, index: Any) -> None:
        index.register_tokenizer("terms", _splitter())
        self._index = index

    def _write(self, removed: Sequence[int], added: Iterable[StoredPassage], generation: int) -> None:
        import tantivy

        writer = self._index.writer(_HEAP, 1)
        for identity in removed:
            writer.delete_documents_by_term("id", identity)
        for passage in added:
            text = " ".join(terms(index_text(passage.document.title, passage.searched)))
            writer.add_document(tantivy.Document(id=passage.id, text=text))
        stamp = json.dumps({"generation": generation, "analysis": ANALYSIS})
        writer.add_document(tantivy.Document(id=_STAMP, stamp=stamp))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        self.generation = generation

    def _stamped(self) -> int:
        """Returns the generation of the index; -1 if it has none, or another analysis."""
        import tantivy

        searcher = self._index.searcher()
        hits = searcher.search(tantivy.Query.term_query(self._index.schema, "id", _STAMP), 1).hits
        stamp = json.loads(searcher.doc(hits[0][1])["stamp"][0]) if hits else {"analysis": ""}
        return int(stamp["generation"]) if stamp["analysis"] == ANALYSIS else -1


def _found(searcher: Any, query: Any, k: int) -> list[tuple[int, float]]:
    hits = searcher.search(query, k, count=False).hits
    return [(searcher.doc(address)["id"][0], float(score)) for score, address in hits]


@contextlib.contextmanager
def _linked(folder: Path) -> Iterator[Path]:
    """Yields a folder with links to an index' files: tantivy writes a lock beside them while it opens them."""
    links = Path(tempfile.mkdtemp())
    try:
        for path in folder.glob("[!.]*"):
            (links / path.name).symlink_to(path)
        yield links
    finally:
        # A thread of tantivy opens the index once more by itself, and its lock may appear while the folder is emptied.
        for wait in _WAITS:
            time.sleep(wait)
            shutil.rmtree(links, ignore_errors=True)
            if not links.exists():
                break


def _check_files(folder: Path, checked: set[str]) -> set[str]:
    """Returns the names of the index' files; reads those that are not `checked`.

    Raises:
        ValueError: one is not as it was written. tantivy would find other passages with it, or end the process.
    """
    segments = json.loads((folder / "meta.json").read_text(encoding="utf-8"))["segments"]
    paths = {path for s in segments for path in folder.glob(f"{s['segment_id'].replace('-', '')}.*")}
    for path in (path for path in paths if path.name not in checked):
        with contextlib.suppress(FileNotFoundError):  # another process has merged it into a new one meanwhile
            _check_file(path)
    return {path.name for path in paths}


def _check_file(path: Path) -> None:
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        length, mark = _FOOTER.unpack(content[-_FOOTER.size :])
        body = len(content) - _FOOTER.size - length
        footer = json.loads(content[body : -_FOOTER.size]) if mark == _MARK and body >= 0 else {}
        with memoryview(content) as view, view[: max(body, 0)] as checked:
            if zlib.crc32(checked) != footer.get("crc"):
                raise ValueError(f"{path} is damaged")


def _schema() -> Any:
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("id", stored=True, indexed=True)
    builder.add_text_field("text", stored=False, tokenizer_name="terms")
    builder.add_text_field("stamp", stored=True, tokenizer_name="raw")
    return builder.build()


def _splitter() -> Any:
    import tantivy

    return tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
