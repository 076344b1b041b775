"""The word index against BM25 written out, and its updates."""

from __future__ import annotations

import math
import shutil
import tempfile

import numpy as np
import pytest

from rag import lexical
from rag.lexical import Lexical, _linked
from rag.types import Document, Paragraph, Passage
from tests.test_library import unshared

ROWS = [
    (1, "Owls hunt voles in the forest"),
    (2, "The forest burned; owls fled, owls returned"),
    (3, "Bridges span rivers"),
    (4, "Zebras graze"),
]


def terms(text):
    """Lower-case words without the stop words and plural endings of these rows: what the analysis comes to for them."""
    return [w.strip(".;,").lower().removesuffix("s") for w in text.split() if w.lower() not in ("the", "in", "of", "a")]


def bm25(question, rows):
    """Okapi BM25 as tantivy counts it: k1 = 1.2, b = 0.75, idf = ln(1 + (N - n + 0.5) / (n + 0.5)). The stamp is a row."""
    texts = {identity: terms(text) for identity, text in [*rows, (0, "")]}
    average = sum(map(len, texts.values())) / len(texts)
    scores = dict.fromkeys(texts, 0.0)
    for term in dict.fromkeys(terms(question)):
        n = sum(term in words for words in texts.values())
        idf = math.log(1 + (len(texts) - n + 0.5) / (n + 0.5))
        for identity, words in texts.items():
            f = words.count(term)
            scores[identity] += idf * f * 2.2 / (f + 1.2 * (0.25 + 0.75 * len(words) / average))
    return sorted(((i, s) for i, s in scores.items() if s), key=lambda pair: -pair[1])


def put(library, *texts, name="a"):
    """Stores a document without a title, with a passage for each text."""
    spans, at = [], 0
    for n, text in enumerate(texts, 1):
        spans.append(Passage(Paragraph(n, at, at + len(text)), at, at + len(text)))
        at += len(text)
    vectors = np.zeros((len(texts), 2), np.float32)
    library.put([(Document(name, "v", "", f"/{name}", "", "".join(texts)), spans, vectors)], "fake-embedder")


@pytest.fixture
def index(library):
    put(library, *(text for _, text in ROWS))
    built = Lexical(library)
    built.update()
    return built


@pytest.mark.parametrize("question", ["owls", "owls forest", "zebras of the rivers", "vole", "OWLS, OWLS"])
def test_scores_are_bm25(index, question):
    found = index.search(question, 10)
    expected = bm25(question, ROWS)
    assert [i for i, _ in found] == [i for i, _ in expected]
    assert [s for _, s in found] == pytest.approx([s for _, s in expected], rel=0.02)


def test_words_are_found_in_another_form_case_and_accent(library):
    put(library, "The mayor’s decision on Zürich was criticised", "Nothing")
    index = Lexical(library)
    index.update()
    for question in ("ZURICH", "decisions", "criticising", "mayors"):
        assert [i for i, _ in index.search(question, 5)] == [1]


def test_k_and_scope_limit_what_is_found(index):
    assert len(index.search("owls forest", 1)) == 1
    assert [i for i, _ in index.search("owls forest", 9, np.array([1, 3, 999]))] == [1]
    assert index.search("owls forest", 9, np.array([], np.int64)) == []


def test_a_scope_does_not_change_the_scores(index):
    assert index.search("owls", 9, np.array([1])) == [pair for pair in index.search("owls", 9) if pair[0] == 1]


@pytest.mark.parametrize("looked_at", [1, 2, 5, 100])
def test_a_broad_scope_finds_the_same_in_either_way(library, monkeypatch, looked_at):
    put(library, *("owls " * (n % 7 + 1) + f"word{n} " * (n % 5) for n in range(40)), "no such bird", "owl forest")
    index = Lexical(library)
    index.update()
    monkeypatch.setattr(lexical, "_BROAD", 2)
    monkeypatch.setattr(lexical, "_LOOKED_AT", looked_at)
    ranking = index.search("owls forest", 100)
    assert len(ranking) == 41
    for scope in (range(1, 43), range(1, 43, 2), range(3, 43, 9), [41], [41, 42], [2], [900]):
        expected = [pair for pair in ranking if pair[0] in scope]
        for k in (1, 3, 50):
            assert index.search("owls forest", k, np.array(scope)) == expected[:k]


@pytest.mark.parametrize("question", ["", "?!", "the of", '"', "AND OR NOT (", "text:owls +", "a" * 5000, "🦉 \u200b"])
def test_nothing_in_a_question_is_syntax(index, question):
    assert {i for i, _ in index.search(question, 9)} <= {1, 2}


def test_an_update_takes_out_and_puts_in(index, library, monkeypatch):
    monkeypatch.setattr(index, "_build", None)
    put(library, "The forest burned; owls fled, owls returned", "Owls came to the bridges")
    index.update()
    assert index.ids() == {5, 6}
    assert {i for i, _ in index.search("owls", 9)} == {5, 6}
    assert index.search("zebras", 9) == []
    again = Lexical(library)
    again.load()
    assert (again.generation, again.ids()) == (library.generation, {5, 6})
    assert again.search("owls", 9) == index.search("owls", 9)


def test_an_index_sees_what_another_wrote(index, library):
    other = Lexical(library)
    other.load()
    put(library, "Storks came to the town", name="b")
    index.update()
    assert other.search("storks", 9) == []
    other.load()
    assert other.generation == library.generation
    assert [i for i, _ in other.search("storks", 9)] == [5]


def test_the_stamp_is_never_found(index):
    assert index.search("generation analysis simple", 9) == []


def test_nothing_is_found_before_it_is_loaded_and_in_an_empty_one(library):
    index = Lexical(library)
    assert index.search("owls", 5) == []
    index.load()
    assert index.generation == -1
    index.update()
    assert index.generation == library.generation
    assert index.search("owls", 5) == []
    assert index.ids() == set()


def put_in_place(path, content):
    """Puts another file in its place: tantivy's threads may still map the old one, and would die if it was cut short."""
    path.with_suffix(".new").write_bytes(content)
    path.with_suffix(".new").replace(path)


def test_a_flipped_bit_anywhere_is_seen(index, library):
    # Without a look at the checksums other passages were found, or none.
    segments = [p for p in (library.folder / "lexical").iterdir() if p.suffix not in ("", ".json", ".lock")]
    assert {p.suffix for p in segments} == {".fast", ".fieldnorm", ".idx", ".pos", ".store", ".term"}
    for path in segments:
        content = path.read_bytes()
        for at in range(0, len(content), 3):
            put_in_place(path, content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :])
            fresh = Lexical(library)
            fresh.load()
            # What a file says of itself behind what it holds may be unused.
            allowed = (-1,) if at < content.rindex(b'{"version"') else (-1, library.generation)
            assert fresh.generation in allowed, f"byte {at} of {path.suffix}"
        put_in_place(path, content)
    fresh = Lexical(library)
    fresh.load()
    assert fresh.generation == library.generation


@pytest.mark.parametrize("state", ["whole", "behind", "missing"])
def test_where_nothing_can_be_written_the_index_is_read_or_built_in_memory(index, library, monkeypatch, state):
    if state == "behind":
        put(library, "Owls came to the bridges", name="b")
    folder = library.folder / "lexical"
    if state == "missing":
        shutil.rmtree(folder)
    before = {path: path.read_bytes() for path in folder.glob("[!.]*")}
    monkeypatch.setattr(lexical, "is_writable", lambda _: False)
    read = Lexical(library)
    if state == "whole":
        monkeypatch.setattr(read, "_write", None)
    read.load()
    assert read.generation == library.generation
    assert {i for i, _ in read.search("owls", 9)} == ({1, 2, 5} if state == "behind" else {1, 2})
    assert {path: path.read_bytes() for path in folder.glob("[!.]*")} == before


def test_an_index_on_a_read_only_disk_is_read(index, library):
    library.close()
    code = """
import os, pathlib
from rag.lexical import Lexical, _linked
from rag.library import Library

read = Lexical(Library(pathlib.Path(os.environ["RAG_INDEX"])))
read._write = None
read.load()
print(sorted(i for i, _ in read.search("owls", 9)))
"""
    assert unshared(library.folder, code).stdout == "[1, 2]\n"


def test_opening_beside_links_leaves_nothing_behind(index, library, tmp_path, monkeypatch):
    """A thread of tantivy opens the index once more by itself; in one folder of thirty its lock was in the way."""
    import tantivy

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(tmp_path.iterdir())
    for _ in range(200):
        with _linked(library.folder / "lexical") as links:
            assert tantivy.Index.open(str(links)).searcher().num_docs
    assert set(tmp_path.iterdir()) == before
