"""Searching: fusion by hand, both indexes against slow and obvious ones, and their repair from the library."""

from __future__ import annotations

import json
import shutil
import sqlite3

import numpy as np
import pytest
import tantivy

from rag import lexical
from rag.errors import LibraryError
from rag.library import Library
from rag.retrieve import Retriever, fuse
from rag.split import index_text
from rag.types import EVERYTHING, Filter
from tests.conftest import BRIDGES, OWLS
from tests.fakes import FakeEmbedder
from tests.test_library import all_vectors, stored

QUESTION = "How many snowy owls were counted?"


def searched(retriever, question=QUESTION, top_k=10, **filtered):
    """Returns (source's name, paragraph) of the hits."""
    retriever.sync()
    hits = retriever.retrieve(question, FakeEmbedder().embed_question(question), top_k, Filter(**filtered))
    return [(hit.source.rpartition("/")[2], hit.paragraph) for hit in hits]


# --- fusion --------------------------------------------------------------------------------------------------------


def test_fusion_by_hand():
    # 7: 1/61 + 1/62, 5: 1/62 + 1/61 (a tie, the smaller id first), 9: 1/63, 3: 1/63
    assert fuse([[7, 5, 9], [5, 7, 3]]) == [
        (5, pytest.approx(1 / 61 + 1 / 62)),
        (7, pytest.approx(1 / 61 + 1 / 62)),
        (3, pytest.approx(1 / 63)),
        (9, pytest.approx(1 / 63)),
    ]


def test_being_in_both_rankings_beats_the_first_place_in_one():
    assert [i for i, _ in fuse([[1, 2], [3, 2]])] == [2, 1, 3]
    assert fuse([[], []]) == []
    assert fuse([[4], []]) == [(4, pytest.approx(1 / 61))]


def test_another_query_finds_what_the_question_does_not(library):
    bridges, owls = stored(library, BRIDGES, "/a/bridges.txt"), stored(library, OWLS, "/a/owls.txt")
    retriever, embed = Retriever(library), FakeEmbedder().embed_question
    retriever.sync()
    for filter in (EVERYTHING, Filter(documents=(bridges.id, owls.id))):
        alone = retriever.retrieve("crowns", embed("crowns"), 1, filter)
        both = retriever.retrieve("crowns", embed("crowns"), 1, filter, [("voles", embed("voles"))])
        assert {hit.document for hit in alone} == {bridges.id}
        assert {hit.document for hit in both} == {bridges.id, owls.id}


# --- hits ----------------------------------------------------------------------------------------------------------


def test_a_hit_is_a_paragraph_of_its_document_by_exact_offsets(library):
    stored(library, BRIDGES, "/a/bridges.txt")
    owls = stored(library, OWLS, "/a/owls.txt")
    retriever = Retriever(library)
    retriever.sync()
    hit = retriever.retrieve(QUESTION, FakeEmbedder().embed_question(QUESTION), 10)[0]
    assert (hit.document, hit.version, hit.title, hit.source) == (owls.id, owls.version, owls.title, owls.source)
    assert hit.paragraph == 1
    assert owls.text[hit.start : hit.end] == hit.text
    assert hit.text.startswith("Forty snowy owls were counted")
    assert hit.score == pytest.approx(2 / 61)  # first in both


def test_at_most_twice_top_k_hits_come_back(library):
    for n in range(5):
        stored(library, BRIDGES + f"\nThe owls of bridge {n} were counted, too.\n", f"/a/{n}.txt")
    assert len(searched(Retriever(library), top_k=3)) <= 6


def test_scope_searches_the_given_documents_only(library):
    bridges, owls = stored(library, BRIDGES, "/a/bridges.txt"), stored(library, OWLS, "/a/owls.txt")
    retriever = Retriever(library)
    assert {name for name, _ in searched(retriever)} == {"bridges.txt", "owls.txt"}
    assert {name for name, _ in searched(retriever, documents=(bridges.id,))} == {"bridges.txt"}
    assert {name for name, _ in searched(retriever, documents=(bridges.id, owls.id))} == {"bridges.txt", "owls.txt"}


def test_what_a_filter_selects_is_asked_again_once_the_library_has_changed(library):
    retriever = Retriever(library)
    stored(library, OWLS, "/a/owls.txt")
    assert {name for name, _ in searched(retriever, sources=("/a",))} == {"owls.txt"}
    other = Library(library.folder)
    stored(other, OWLS, "/a/more.txt")
    stored(other, OWLS, "/b/others.txt")
    assert {name for name, _ in searched(retriever, sources=("/a",))} == {"owls.txt", "more.txt"}
    other.remove([next(one.id for one in other.documents() if one.source == "/a/owls.txt")])
    assert {name for name, _ in searched(retriever, sources=("/a",))} == {"more.txt"}
    other.close()


def test_an_empty_scope_finds_nothing_not_everything(library):
    stored(library, OWLS, "/a/owls.txt")
    assert searched(Retriever(library), documents=()) == []
    assert searched(Retriever(library), documents=("no-such-id",)) == []


def test_a_scope_of_more_documents_than_sqlite_takes_variables(library):
    owls = stored(library, OWLS, "/a/owls.txt")
    scope = (*(f"{n:012x}" for n in range(40_000)), owls.id)
    assert searched(Retriever(library), documents=scope)[0] == ("owls.txt", 1)


def test_an_empty_library_and_a_question_without_words_find_nothing(library):
    retriever = Retriever(library)
    assert searched(retriever) == []
    stored(library, OWLS, "/a/owls.txt")
    assert searched(retriever, "?!")  # the dense index answers anything


def test_the_title_is_indexed_with_each_paragraph(library):
    stored(library, OWLS, "/a/owls.txt")
    stored(library, BRIDGES, "/a/bridges.txt")
    lexical_only = Retriever(library)
    lexical_only.sync()
    marrow = {p.id for p in library.passages_after() if "Marrow" in p.document.title}
    assert {i for i, _ in lexical_only._lexical.search("Marrow", 10)} == marrow
    assert index_text("Title", "text") == "Title\ntext"


# --- following the library -----------------------------------------------------------------------------------------


def test_another_process_addition_change_and_removal_are_seen(library):
    retriever = Retriever(library)
    other = Library(library.folder)  # as another process has it
    assert searched(retriever) == []
    owls = stored(other, OWLS, "/a/owls.txt")
    assert searched(retriever)[0] == ("owls.txt", 1)
    stored(other, BRIDGES, "/a/owls.txt")
    retriever.sync()
    hits = retriever.retrieve(QUESTION, FakeEmbedder().embed_question(QUESTION), 10)
    assert {hit.title for hit in hits} == {"Old bridge of Arlen reopens after nine years"}
    other.remove([owls.id])
    assert searched(retriever) == []
    other.close()


def test_what_another_process_indexed_is_loaded_not_built_again(library, monkeypatch):
    stored(library, OWLS, "/a/owls.txt")
    Retriever(library).sync()
    second = Retriever(library)
    monkeypatch.setattr(second._dense, "_write", None)
    monkeypatch.setattr(second._lexical, "_write", None)
    assert searched(second)[0] == ("owls.txt", 1)


def test_a_hit_that_was_removed_after_the_sync_is_left_out(library):
    owls = stored(library, OWLS, "/a/owls.txt")
    retriever = Retriever(library)
    retriever.sync()
    library.remove([owls.id])
    assert retriever.retrieve(QUESTION, FakeEmbedder().embed_question(QUESTION), 10) == []


def test_searching_goes_on_with_the_last_state_while_another_process_adds(library):
    stored(library, OWLS, "/a/owls.txt")
    retriever = Retriever(library)
    retriever.sync()
    other = Library(library.folder)
    with other.writing():
        stored(other, BRIDGES, "/a/bridges.txt")
        # By their vectors new paragraphs are found at once, by their words when the other process is done.
        assert searched(retriever)[0] == ("owls.txt", 1)
        fresh = Retriever(library)  # used to wait until the other process had ended
        assert searched(fresh)[0] == ("owls.txt", 1)
    assert {name for name, _ in searched(retriever)} == {"owls.txt", "bridges.txt"}
    assert {name for name, _ in searched(fresh)} == {"owls.txt", "bridges.txt"}
    other.close()


# --- repair --------------------------------------------------------------------------------------------------------


def truncate(folder):
    data = (folder / "dense.faiss").read_bytes()
    (folder / "dense.faiss").write_bytes(data[: len(data) // 2])


def restamp(folder, **values):
    stamp = json.loads((folder / "dense.json").read_text())
    (folder / "dense.json").write_text(json.dumps({**stamp, **values}))


def flip(folder):
    data = bytearray((folder / "dense.faiss").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "dense.faiss").write_bytes(data)


def rewrite_stamp(folder, stamp):
    index = tantivy.Index.open(str(folder / "lexical"))
    index.register_tokenizer("terms", lexical._splitter())
    writer = index.writer(30_000_000, 1)
    writer.delete_documents_by_term("id", 0)
    if stamp:
        writer.add_document(tantivy.Document(id=0, stamp=json.dumps(stamp)))
    writer.commit()
    writer.wait_merging_threads()


def cut_short(path):
    """Puts a shorter file in its place: tantivy's threads may still map the old one, and would die of a bus error."""
    short = path.with_suffix(".short")
    short.write_bytes(path.read_bytes()[:10])
    short.replace(path)


DAMAGES = {
    "dense truncated": truncate,
    "dense deleted": lambda folder: (folder / "dense.faiss").unlink(),
    "dense stamp deleted": lambda folder: (folder / "dense.json").unlink(),
    "dense stamp stale": lambda folder: restamp(folder, generation=1),
    "dense stamp of another size": lambda folder: restamp(folder, size=99),
    "dense stamp of another checksum": lambda folder: restamp(folder, crc32=99),
    "dense has a bit flipped": flip,
    "dense stamp not an object": lambda folder: (folder / "dense.json").write_text("[]"),
    "dense is garbage": lambda folder: (folder / "dense.faiss").write_bytes(b"IxM2" + b"\xff" * 999),
    "lexical deleted": lambda folder: shutil.rmtree(folder / "lexical"),
    "lexical emptied": lambda folder: [p.unlink() for p in (folder / "lexical").iterdir()],
    "lexical without its description": lambda folder: (folder / "lexical" / "meta.json").unlink(),
    "lexical without its stamp": lambda folder: rewrite_stamp(folder, None),
    "lexical of another analysis": lambda folder: rewrite_stamp(folder, {"generation": 9, "analysis": "x"}),
    "lexical stamp not an object": lambda folder: rewrite_stamp(folder, 7),
    "lexical segments truncated": lambda folder: [
        cut_short(p) for p in (folder / "lexical").iterdir() if p.suffix in {".term", ".idx", ".store"}
    ],
    "an interrupted build": lambda folder: (folder / "lexical.tmp").mkdir(),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_index_is_built_anew_from_the_library(library, damage):
    stored(library, BRIDGES, "/a/bridges.txt")
    stored(library, OWLS, "/a/owls.txt")
    whole = searched(Retriever(library))
    DAMAGES[damage](library.folder)
    assert searched(Retriever(library)) == whole
    assert searched(Retriever(library)) == whole  # and the next process finds it repaired


def test_an_interrupted_update_changes_nothing(library, monkeypatch):
    # What was written before the commit is no part of the index, and the stamp is written by the same commit.
    stored(library, BRIDGES, "/a/bridges.txt")
    Retriever(library).sync()
    generation = library.generation
    stored(library, OWLS, "/a/owls.txt")
    torn = Retriever(library)

    def passages(last):
        yield from Library.passages_after(library, last)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(library, "passages_after", passages)
        with pytest.raises(KeyboardInterrupt):
            torn._lexical.update()
    fresh = Retriever(library)
    fresh._lexical.load()
    assert fresh._lexical.generation == generation
    fresh.sync()
    assert fresh._lexical.ids() == set(all_vectors(library)[0].tolist())


def test_a_commit_that_was_killed_does_not_stop_the_next_one(library):
    # Its file of deletions was there already, so tantivy refused this and every later commit.
    owls = stored(library, OWLS, "/a/owls.txt")
    stored(library, BRIDGES, "/a/bridges.txt")
    Retriever(library).sync()
    folder, before = library.folder / "lexical", library.folder / "before"
    shutil.copytree(folder, before)
    library.remove([owls.id])
    Retriever(library).sync()
    (deletions,) = folder.glob("*.del")
    shutil.copy(deletions, before)
    shutil.rmtree(folder)
    before.rename(folder)
    assert_lexical_is_the_library_s(library)


def test_indexes_of_a_library_that_is_gone_are_not_taken_for_the_new_one_s(library, tmp_path):
    # "Move it away and add again" left the old indexes beside a library that counted to the same generation.
    stored(library, OWLS, "/a/owls.txt")
    Retriever(library).sync()
    library.close()
    for path in library.folder.glob("library.sqlite*"):
        path.unlink()
    new = Library(library.folder)
    stored(new, BRIDGES, "/a/bridges.txt")
    assert_lexical_is_the_library_s(new)
    new.close()


def test_indexes_newer_than_a_library_put_back_from_a_copy_are_not_trusted(library):
    # The ids given after the copy was made are given again, to other paragraphs.
    stored(library, BRIDGES, "/a/bridges.txt")
    Retriever(library).sync()
    copy = library.folder.parent / "copy.sqlite"
    with sqlite3.connect(copy) as to:
        library._store.connection().backup(to)
    to.close()
    stored(library, OWLS, "/a/owls.txt")
    Retriever(library).sync()
    library.close()
    for path in library.folder.glob("library.sqlite*"):
        path.unlink()
    copy.rename(library.folder / "library.sqlite")
    back = Library(library.folder)
    stored(back, OWLS.replace("owls", "storks"), "/a/storks.txt")
    assert_lexical_is_the_library_s(back)
    back.close()


def assert_lexical_is_the_library_s(library):
    """Each word finds just the paragraphs that have it, or whose title has it."""
    retriever = Retriever(library)
    retriever.sync()
    texts = {p.id: index_text(p.document.title, p.searched).casefold() for p in library.passages_after()}
    assert retriever._lexical.ids() == set(texts)
    for word in ("owls", "storks", "bridge", "crowns"):
        assert {i for i, _ in retriever._lexical.search(word, 9)} == {i for i, text in texts.items() if word in text}


def test_an_index_that_cannot_be_written_is_told_and_the_articles_are_kept(library):
    stored(library, OWLS, "/a/owls.txt")
    (library.folder / "dense.tmp").mkdir()  # in the way of the file
    with pytest.raises(LibraryError, match=r"search indexes in .* cannot be written: .*The articles are safe.*rag rebuild"):
        Retriever(library).sync()
    assert library.count() == (1, 2)


def test_no_temporary_file_stays(library):
    stored(library, OWLS, "/a/owls.txt")
    Retriever(library).sync()
    stored(library, BRIDGES, "/a/bridges.txt")
    Retriever(library).sync()
    assert not list(library.folder.glob("*tmp*"))
    assert np.all([p.name.startswith(("library", "dense", "lexical", ".lock")) for p in library.folder.iterdir()])


def test_nothing_is_read_again_while_another_process_holds_the_lock(library, monkeypatch):
    # Each question of a minute-long add would otherwise read the whole index from disk.
    stored(library, OWLS, "/a/owls.txt")
    retriever = Retriever(library)
    retriever.sync()
    loaded = retriever._dense._state.file, retriever._lexical._index
    other = Library(library.folder)
    with other.writing():
        stored(other, BRIDGES, "/a/bridges.txt")
        retriever.sync()
        assert (retriever._dense._state.file, retriever._lexical._index) == loaded
    other.close()
