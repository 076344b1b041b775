"""Backup, restore and repair: one file holds the library, and a damaged one is saved as far as it can be read."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading

import numpy as np
import pytest

from rag.errors import DocumentMissing, LibraryDamaged, LibraryError, LibraryNewer
from rag.library import MIGRATIONS, Library, saving
from rag.library.repair import Repaired, repair
from rag.split import passages
from tests.conftest import BRIDGES, OWLS
from tests.fakes import FakeEmbedder
from tests.older import make_old
from tests.test_library import all_vectors, stored

STORKS = "Storks arrive\n\nTwo storks came to the town this spring.\n"


def everything(library):
    """Returns what a library holds, without the ids of passages."""
    spans = [(p.document, p.passage) for p in library.passages_after()]
    n = library.n_passages()
    vectors = all_vectors(library)[1].tolist() if n else []
    return library.documents(), spans, vectors, library.folders(), library.removed(), library.examples()


def kept_aside(folder):
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("library.damaged"))


# --- backup --------------------------------------------------------------------------------------------------------


def test_a_backup_is_one_file_with_everything_and_comes_back_into_an_empty_library(library, tmp_path):
    old = stored(library, BRIDGES, "/a/b.txt")
    stored(library, OWLS, "/a/b.txt")
    stored(library, STORKS, "/a/s.txt")
    library.add_folders(["/a"])
    library.set_examples(old.id, ["How many owls?"])
    library.remove([stored(library, OWLS, "/a/gone.txt").id])
    before = everything(library)
    assert library.backup(tmp_path / "backup") == 2
    assert sorted(os.listdir(tmp_path)) == ["backup", "index"]
    stored(library, OWLS, "/a/after.txt")
    assert saving.restore(tmp_path / "backup", tmp_path / "other") == (2, None)
    other = Library(tmp_path / "other")
    assert everything(other) == before
    assert other.document(old.id, old.version) == old
    other.close()


def test_a_backup_has_nothing_of_a_text_that_was_removed(library, tmp_path):
    library.remove([stored(library, BRIDGES * 50, "/a/b.txt").id])
    library.backup(tmp_path / "backup")
    assert b"Ilse Varga" not in (tmp_path / "backup").read_bytes()


def test_a_backup_is_of_one_state_while_another_thread_writes(library, tmp_path):
    stop = threading.Event()

    def write():
        n = 0
        while not stop.is_set():
            stored(library, f"{OWLS}\nVersion {n} of the story has this sentence.\n", "/a/1.txt")
            stored(library, f"{BRIDGES}\nVersion {n} of the story has this sentence.\n", "/a/2.txt")
            n += 1

    stored(library, OWLS, "/a/1.txt")
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for n in range(5):
            library.backup(tmp_path / f"backup{n}")
    finally:
        stop.set()
        writer.join()
    for n in range(5):
        saving.restore(tmp_path / f"backup{n}", tmp_path / f"index{n}")
        other = Library(tmp_path / f"index{n}")
        for document in other.documents():
            spans = [p.passage for p in other.passages_after() if p.document.id == document.id]
            assert spans == list(passages(document))
        other.close()


def test_a_backup_replaces_an_older_one_but_no_other_file(library, tmp_path, write):
    stored(library, OWLS, "/a/o.txt")
    target = tmp_path / "backup"
    library.backup(target)
    stored(library, STORKS, "/a/s.txt")
    assert library.backup(target) == 2
    letter = write("letter.txt", "Dear reader, this is no backup.")
    with pytest.raises(LibraryError, match=r"letter\.txt is there already, and is no backup\. .*--force"):
        library.backup(letter)
    assert letter.read_text().startswith("Dear reader")
    other = sqlite3.connect(tmp_path / "other.sqlite")
    other.execute("CREATE TABLE documents (x)")
    other.close()
    with pytest.raises(LibraryError, match=r"other\.sqlite is there already, and is no backup"):
        library.backup(tmp_path / "other.sqlite")
    assert library.backup(letter, force=True) == 2
    assert saving.inspect(letter) == 2


def test_what_a_killed_backup_has_left_is_removed_by_a_later_one(library, tmp_path, write):
    old, young, other = (write(name, "") for name in (".back[up].a.tmp", ".back[up].b.tmp", ".other.c.tmp"))
    for path in (old, other):
        os.utime(path, (0, 0))
    library.backup(tmp_path / "back[up]")
    assert [path.exists() for path in (old, young, other)] == [False, True, True]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("index/library.sqlite", "is the library itself"),
        ("index/library.sqlite-wal", "is the library itself"),
        ("index", "is a folder"),
        ("nowhere/backup", "cannot be written: there is no folder .*nowhere. Make it"),
    ],
)
def test_a_place_where_no_backup_can_be_is_named(library, tmp_path, name, message):
    stored(library, OWLS, "/a/o.txt")
    with pytest.raises(LibraryError, match=message):
        library.backup(tmp_path / name, force=True)
    assert library.count() == (1, 2)


def test_a_damaged_library_does_not_replace_a_backup(library, tmp_path):
    for n in range(30):
        stored(library, OWLS, f"/a/{n}.txt")
    library.backup(tmp_path / "backup")
    library.close()
    spoil(library.folder / "library.sqlite", pages_of(library.folder, "passages"))
    damaged = Library(library.folder)
    with pytest.raises(LibraryDamaged, match="is damaged"):
        damaged.backup(tmp_path / "backup")
    damaged.close()
    assert saving.inspect(tmp_path / "backup") == 30
    assert not list(tmp_path.glob(".backup*"))


def test_a_backup_is_replaced_by_one_of_no_documents_only_with_force(library, tmp_path):
    owls = stored(library, OWLS, "/a/o.txt")
    library.backup(tmp_path / "backup")
    library.remove([owls.id])
    with pytest.raises(LibraryError, match=r"index has 0 documents, the backup .*backup has 1: .*--force"):
        library.backup(tmp_path / "backup")
    assert saving.inspect(tmp_path / "backup") == 1
    assert sorted(os.listdir(tmp_path)) == ["backup", "index"]
    assert library.backup(tmp_path / "backup", force=True) == 0
    assert library.backup(tmp_path / "backup") == 0


# --- restore -------------------------------------------------------------------------------------------------------


def test_restore_replaces_the_library_and_no_passage_id_is_used_again(library, tmp_path):
    owls = stored(library, OWLS, "/a/o.txt")
    library.backup(tmp_path / "backup")
    before, generation = everything(library), library.generation
    storks = stored(library, STORKS, "/a/s.txt")
    ids = set(all_vectors(library)[0].tolist())
    assert saving.restore(tmp_path / "backup", library.folder) == (1, None)
    assert everything(library) == before  # through a connection that was open already
    with pytest.raises(DocumentMissing, match="does not hold document"):
        library.document(storks.id)
    assert not ids & set(all_vectors(library)[0].tolist())
    assert library.changes(generation) is None
    assert library.generation != generation
    saving.restore(tmp_path / "backup", library.folder)
    stored(library, STORKS, "/a/s.txt")
    assert library.count() == (2, 3)
    assert library.document(owls.id) == owls
    assert sorted(path.name for path in library.folder.iterdir() if "restor" in path.name) == []


def test_a_running_assistant_answers_from_what_was_restored(make_assistant, articles, write, tmp_path):
    asked, restoring = make_assistant(), make_assistant()
    asked.add(articles / "owls.txt")
    asked.backup(tmp_path / "backup")
    asked.add([articles / "bridges.txt", write("storks.txt", STORKS)])
    assert asked.search("two storks came")[0].title == "Storks arrive"
    assert restoring.restore(tmp_path / "backup") == 1
    assert {hit.title for hit in asked.search("two storks came and the bridge of Arlen")} == {
        "Owls return to the Marrow forest"
    }


def test_a_reader_goes_on_with_what_it_sees_while_a_backup_comes_back(library, tmp_path):
    stored(library, OWLS, "/a/o.txt")
    library.backup(tmp_path / "backup")
    stored(library, STORKS, "/a/s.txt")
    with library.reading():
        before = everything(library)
        thread = threading.Thread(target=saving.restore, args=(tmp_path / "backup", library.folder))
        thread.start()
        thread.join(20)
        assert not thread.is_alive()
        assert everything(library) == before
    assert library.count() == (1, 2)


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
def test_a_backup_of_every_schema_version_comes_back(library, tmp_path, version):
    old, new = make_old(tmp_path / "old", version)
    file = tmp_path / "old" / "library.sqlite"
    content = file.read_bytes()
    stored(library, STORKS, "/a/s.txt")
    assert saving.restore(file, library.folder) == (1, None)
    assert library.documents() == (new,)
    assert library.document(old.id, old.version) == old
    assert all_vectors(library)[0].min() > 2
    assert file.read_bytes() == content


def test_what_is_no_backup_is_refused_and_nothing_is_changed(library, tmp_path, write):
    stored(library, OWLS, "/a/o.txt")
    library.backup(tmp_path / "backup")
    shutil.copy(tmp_path / "backup", tmp_path / "newer")
    connection = sqlite3.connect(tmp_path / "newer")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    cut = write("cut", (tmp_path / "backup").read_bytes()[:-8192])
    for file, error, message in (
        (tmp_path / "nowhere", LibraryError, r"There is no file .*nowhere\. Check the path"),
        (tmp_path, LibraryError, r"cannot be read: Is a directory"),
        (
            write("text", "x" * 5000),
            LibraryError,
            r"text is no backup: file is not a database\. Name a file that rag backup",
        ),
        (write("empty", ""), LibraryError, r"empty is no backup: it is the database of another program"),
        (cut, LibraryDamaged, r"The backup .*cut is damaged: .*\. Take another backup"),
        (
            tmp_path / "newer",
            LibraryNewer,
            rf"newer has schema version 99; this program knows versions up to {len(MIGRATIONS)}",
        ),
    ):
        with pytest.raises(error, match=message):
            saving.restore(file, library.folder)
    assert library.count() == (1, 2)


@pytest.mark.parametrize("how", ["garbage", "pages"])
def test_a_damaged_library_is_kept_aside_when_a_backup_comes_back(library, tmp_path, how):
    for n in range(30):
        stored(library, OWLS, f"/a/{n}.txt")
    library.backup(tmp_path / "backup")
    other = Library(library.folder)  # a server that goes on
    assert other.count() == (30, 60)
    library._store.rows("PRAGMA wal_checkpoint(TRUNCATE)")  # else all of it still stands in the log as well
    library.close()
    path = library.folder / "library.sqlite"
    if how == "garbage":
        path.write_bytes(b"garbage " * 1000)
    else:
        spoil(path, pages_of(library.folder, "passages"))
    content = path.read_bytes()
    n_documents, aside = saving.restore(tmp_path / "backup", library.folder)
    assert n_documents == 30
    assert aside.read_bytes() == content
    assert aside.name in kept_aside(library.folder)
    assert other.count() == (30, 60)
    stored(other, STORKS, "/a/s.txt")
    other.close()
    again = Library(library.folder)
    assert again.count() == (31, 61)
    again.close()


# --- repair --------------------------------------------------------------------------------------------------------


def pages_of(folder, table):
    """Returns the numbers of a table's leaf pages, from 1."""
    connection = sqlite3.connect(folder / "library.sqlite")
    try:
        sql = "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY pageno"
        return [number for (number,) in connection.execute(sql, (table,))]
    except sqlite3.OperationalError:
        pytest.skip("this SQLite has no dbstat")
    finally:
        connection.close()


def spoil(path, pages):
    data = bytearray(path.read_bytes())
    for page in pages:
        data[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    path.write_bytes(data)


@pytest.fixture
def hundred(library):
    """A folder with a closed library of a hundred documents; what it held comes with it."""
    documents = [stored(library, f"Title {n}\n\n{OWLS}\nNumber {n} is counted here.\n", f"/a/{n}.txt") for n in range(100)]
    library.add_folders(["/a"])
    library.close()
    return library.folder, documents


def test_a_whole_library_is_left_alone(library):
    stored(library, OWLS, "/a/o.txt")
    generation = library.generation
    assert repair(library.folder) == Repaired()
    assert library.generation == generation
    assert kept_aside(library.folder) == []


def test_a_bad_page_of_texts_costs_its_documents_only(hundred):
    folder, documents = hundred
    path = folder / "library.sqlite"
    content = path.read_bytes()
    found = pages_of(folder, "versions")
    spoil(path, [found[3], found[7]])
    done = repair(folder)
    library = Library(folder)
    saved = library.documents()
    n_lost = len(documents) - len(saved)
    assert 2 <= n_lost <= 40
    assert done.saved == (len(saved), len(saved))
    assert set(saved) < set(documents)
    assert set(done.lost) == {(d.id, d.source) for d in documents} - {(d.id, d.source) for d in saved}
    assert (done.unindexed, done.older) == ((), ())
    for document in saved:
        held = library.passage_ids([document.id]).tolist()
        assert [p.passage for p in library.passages(held)] == list(passages(document))
        embedded = FakeEmbedder().embed_paragraphs([p.searched for p in library.passages(held)])
        assert np.stack([*library.vectors(held).values()]) == pytest.approx(embedded, abs=1e-3)
    assert library.folders() == ("/a",)
    assert library.alike(saved[-1].id)
    library.close()
    assert done.aside.read_bytes() != content
    assert repair(folder) == Repaired()


def test_a_bad_page_of_passages_costs_no_text_and_rebuild_finds_all_again(hundred, make_assistant):
    folder, documents = hundred
    spoil(folder / "library.sqlite", pages_of(folder, "passages")[1:2])
    done = repair(folder)
    assert (done.lost, done.saved) == ((), (100, 100))
    assert 0 < len(done.unindexed) < 100
    assistant = make_assistant()
    assert set(assistant.documents()) == set(documents)
    assert not assistant.library.passage_ids(done.unindexed).size
    assistant.rebuild()
    assert all(assistant.library.passage_ids([document.id]).size for document in documents)


def test_a_bad_page_of_vectors_costs_no_text(hundred):
    folder, _ = hundred
    spoil(folder / "library.sqlite", pages_of(folder, "vectors")[1:2])
    done = repair(folder)
    assert (done.lost, done.saved) == ((), (100, 100))
    assert 0 < len(done.unindexed) < 100
    library = Library(folder)
    assert library.n_passages() == len(all_vectors(library)[0])
    library.close()


@pytest.mark.parametrize("whole", [True, False])
def test_bad_pages_of_documents_cost_at_most_their_paths_and_adding_finds_them(library, make_assistant, write, whole):
    sources = [write(f"articles/{n}.txt", f"Title {n}\n\n{OWLS}\nNumber {n} is counted here.\n") for n in range(20)]
    assistant = make_assistant()
    before = assistant.add(sources[0].parent if whole else sources)
    assistant.close()
    library.close()
    spoil(library.folder / "library.sqlite", pages_of(library.folder, "documents"))
    done = repair(library.folder)
    assert (done.saved, done.lost, done.unindexed) == ((20, 20), (), ())
    again = make_assistant()
    assert {d.id for d in again.documents()} == set(before.added)
    report = again.add(sources)
    assert len(report.unchanged if whole else report.renamed) == 20
    assert {d.source for d in again.documents()} == set(map(str, sources))


@pytest.mark.parametrize("restored", [False, True])
def test_a_library_without_its_first_page_is_saved(hundred, tmp_path, restored):
    folder, documents = hundred
    if restored:
        library = Library(folder)
        library.backup(tmp_path / "backup")
        library.close()
        saving.restore(tmp_path / "backup", folder)
    path = folder / "library.sqlite"
    path.write_bytes(bytes(4096) + path.read_bytes()[4096:])
    done = repair(folder)
    assert (done.saved, done.lost, done.unindexed) == ((100, 100), (), ())
    library = Library(folder)
    assert library.documents() == tuple(documents)
    library.close()
    assert not list(folder.glob("repairing*"))


def test_a_flipped_bit_in_a_text_is_found_and_the_older_text_comes_back(library):
    old = stored(library, BRIDGES, "/a/b.txt")
    stored(library, BRIDGES.replace("nine years", "ten years"), "/a/b.txt")
    kept = stored(library, OWLS, "/a/o.txt")
    library.close()
    path = library.folder / "library.sqlite"
    data = path.read_bytes()
    assert data.count(b"ten years after") == 1
    path.write_bytes(data.replace(b"ten years after", b"ton years after"))
    done = repair(library.folder)
    assert done.problem == "a text differs from its checksum"
    assert (done.saved, done.older, done.unindexed, done.lost) == ((2, 2), (old.id,), (old.id,), ())
    again = Library(library.folder)
    assert again.documents() == (old, kept)
    again.close()


def test_a_document_that_is_lost_is_named_by_its_path_and_title(library):
    lost = stored(library, OWLS, "/a/o.txt")
    stored(library, BRIDGES, "/a/b.txt")
    library.close()
    path = library.folder / "library.sqlite"
    path.write_bytes(path.read_bytes().replace(b"Forty snowy owls", b"Forty snowy cows"))
    done = repair(library.folder)
    assert (done.lost, done.titles) == (((lost.id, "/a/o.txt"),), ((lost.id, "Owls return to the Marrow forest"),))


def test_a_library_of_an_old_schema_is_repaired(tmp_path):
    old, new = make_old(tmp_path / "index", 2)
    path = tmp_path / "index" / "library.sqlite"
    spoil(path, pages_of(tmp_path / "index", "paragraphs"))
    done = repair(tmp_path / "index")
    assert (done.saved, done.unindexed) == ((1, 2), (new.id,))
    library = Library(tmp_path / "index")
    assert library.document(old.id, old.version) == old
    library.close()


@pytest.mark.parametrize("content", [b"garbage " * 1000, b""])
def test_a_file_of_which_nothing_can_be_read_stays_where_it_is(write, tmp_path, content):
    path = write("index/library.sqlite", content)
    with pytest.raises(LibraryDamaged, match=r"cannot be repaired: .*The library is as it was\. Restore a backup"):
        repair(path.parent)
    assert path.read_bytes() == content
    assert sorted(os.listdir(path.parent)) == [".lock", "library.sqlite"]


def test_what_is_not_there_or_newer_is_not_repaired(library, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(LibraryError, match=r"There is no library in .*empty"):
        repair(tmp_path / "empty")
    library._store.connection().execute("PRAGMA user_version = 99")
    with pytest.raises(LibraryNewer, match="schema version 99"):
        repair(library.folder)


@pytest.mark.parametrize(
    "layout", ["nonsense", '[1,["paragraqh",0,5]]', '[1,["paragraph",0,99999]]', '[1,["paragraph",5,0]]']
)
def test_what_a_format_said_of_a_text_is_checked_and_done_without(make_assistant, write, layout):
    path = write("articles/count.csv", "Place;Owls\nHarbour;40\nMarrow forest;12\n")
    assistant = make_assistant()
    (identity,) = assistant.add(path).added
    assert len(assistant.paragraphs(identity)) == 2
    folder = assistant.library.folder
    assistant.close()
    with sqlite3.connect(folder / "library.sqlite") as connection:
        connection.execute("UPDATE versions SET layout = ?", (layout,))
    connection.close()
    done = repair(folder)
    assert done.problem == "the parts of a text are not what they were"
    again = make_assistant()
    assert again.document(identity).text.startswith("Place: Harbour")
    assert again.search("owls of the harbour")
    assert again.document(identity).layout == ""
