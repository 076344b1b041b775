"""BM25 index over titles and paragraphs, derived from the library; tantivy does the work.

A stamp names the generation of the library and the analysis of the text; it is removed before a change and written
after the commit, so that an index which was interrupted is built anew.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

ANALYSIS = "simple+lowercase+ascii_fold+stopword(en)+stem(en), 1"
"""Names how text becomes terms; an index with another analysis is built anew."""

_HEAP = 30_000_000  # bytes that the writer may collect before it writes a segment; tantivy's least is 15 MB a thread


class Lexical:
    """A word index in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "lexical"
        self._stamp = folder / "lexical.json"
        self._index: Any = None
        self._analyzer: Any = None
        self.generation = -1

    def load(self) -> None:
        """Opens the index on disk, unless it is; a missing, damaged or otherwise analysed one leaves generation -1."""
        import tantivy

        try:
            stamp = json.loads(self._stamp.read_text(encoding="utf-8"))
            generation = int(stamp["generation"]) if stamp["analysis"] == ANALYSIS else -1
            if generation not in (-1, self.generation):
                self._open(tantivy.Index.open(str(self._folder)))
            self.generation = generation
        except (OSError, ValueError, KeyError, TypeError):
            self.generation = -1  # derived: whoever asks sees the generation and builds it anew

    def build(self, rows: Iterable[tuple[int, str]], generation: int) -> None:
        """Replaces the whole index by these (paragraph id, text) rows."""
        import tantivy

        self._stamp.unlink(missing_ok=True)
        fresh = self._folder.with_name("lexical.tmp")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        self._open(tantivy.Index(_schema(), path=str(fresh)))
        self._write((), rows)
        shutil.rmtree(self._folder, ignore_errors=True)
        fresh.rename(self._folder)
        self._open(tantivy.Index.open(str(self._folder)))
        self._stamped(generation)

    def update(self, removed: Sequence[int], added: Iterable[tuple[int, str]], generation: int) -> None:
        """Takes paragraphs out and puts others in."""
        self._stamp.unlink(missing_ok=True)
        self._write(removed, added)
        self._stamped(generation)

    def ids(self) -> set[int]:
        """Returns the ids of all paragraphs in the index."""
        import tantivy

        searcher = self._index.searcher()
        if not searcher.num_docs:
            return set()
        hits = searcher.search(tantivy.Query.all_query(), searcher.num_docs).hits
        return {searcher.doc(address)["id"][0] for _, address in hits}

    def search(self, question: str, k: int, ids: Iterable[int] | None = None) -> list[tuple[int, float]]:
        """Returns up to k (paragraph id, BM25) pairs, best first; only of `ids` if given."""
        import tantivy

        if self._index is None:
            return []
        schema = self._index.schema
        terms = dict.fromkeys(self._analyzer.analyze(question))
        clauses = [(tantivy.Occur.Should, tantivy.Query.term_query(schema, "text", term)) for term in terms]
        if not clauses:
            return []
        query = tantivy.Query.boolean_query(clauses)
        if ids is not None:
            chosen = tantivy.Query.term_set_query(schema, "id", [int(i) for i in ids])
            query = tantivy.Query.boolean_query(
                [(tantivy.Occur.Must, query), (tantivy.Occur.Must, tantivy.Query.const_score_query(chosen, 0.0))]
            )
        searcher = self._index.searcher()
        return [(searcher.doc(address)["id"][0], float(score)) for score, address in searcher.search(query, k).hits]

    def _open(self, index: Any) -> None:
        self._analyzer = _analyzer()
        index.register_tokenizer("footnote", self._analyzer)
        self._index = index

    def _write(self, removed: Sequence[int], added: Iterable[tuple[int, str]]) -> None:
        import tantivy

        writer = self._index.writer(_HEAP, 1)
        for identity in removed:
            writer.delete_documents_by_term("id", int(identity))
        for identity, text in added:
            writer.add_document(tantivy.Document(id=int(identity), text=text))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()

    def _stamped(self, generation: int) -> None:
        self._stamp.write_text(json.dumps({"generation": generation, "analysis": ANALYSIS}), encoding="utf-8")
        self.generation = generation


def _schema() -> Any:
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("id", stored=True, indexed=True)
    builder.add_text_field("text", stored=False, tokenizer_name="footnote")
    return builder.build()


def _analyzer() -> Any:
    import tantivy

    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple()).filter(tantivy.Filter.remove_long(60))
    for step in (tantivy.Filter.lowercase(), tantivy.Filter.ascii_fold(), tantivy.Filter.stopword("english")):
        builder = builder.filter(step)
    return builder.filter(tantivy.Filter.stemmer("english")).build()
