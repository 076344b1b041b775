"""The library: nothing that was stored is lost, whoever else writes, and whatever the file is."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from rag.config import ROOT
from rag.errors import DocumentMissing, LibraryDamaged, LibraryError, LibraryMismatch, LibraryNewer, LibraryReadOnly
from rag.library import MIGRATIONS, Library, migrate
from rag.library.saving import inspect
from rag.read import make_document
from rag.split import paragraphs, passages
from rag.types import Document, Paragraph, Passage
from tests.conftest import BRIDGES, OWLS
from tests.fakes import FakeEmbedder
from tests.older import make_old


def all_vectors(library):
    """Returns ids and vectors of all passages."""
    pieces = list(library.vectors_after())
    return np.concatenate([i for i, _ in pieces]), np.concatenate([v for _, v in pieces])


def stored(library, text, source, model="fake-embedder"):
    """Stores an article; returns it."""
    document = make_document(text, source)
    found = passages(document)
    vectors = FakeEmbedder().embed_paragraphs([document.text[p.start : p.end] for p in found])
    library.put([(document, found, vectors)], model)
    return document


# --- what is stored ------------------------------------------------------------------------------------------------


def test_what_is_put_is_read_back_by_another_library(library):
    bridges, owls = stored(library, BRIDGES, "/a/bridges.txt"), stored(library, OWLS, "/a/owls.txt")
    other = Library(library.folder)
    assert other.documents() == (bridges, owls)
    assert other.versions() == {bridges.id: bridges.version, owls.id: owls.version}
    assert other.count() == (2, 5)
    assert other.embedding_model == "fake-embedder"
    assert [(p.document, p.passage.paragraph) for p in other.passages_after()] == [
        (d, p) for d in (bridges, owls) for p in paragraphs(d)
    ]
    ids, vectors = all_vectors(other)
    assert (ids.dtype, vectors.dtype) == (np.int64, np.float32)
    embedded = FakeEmbedder().embed_paragraphs([p.searched for p in other.passages(ids)])
    assert vectors == pytest.approx(embedded, abs=1e-3)  # they are kept in half precision
    other.close()


def test_a_change_keeps_the_old_version_and_replaces_the_paragraphs(library):
    old = stored(library, BRIDGES, "/a/b.txt")
    before = set(all_vectors(library)[0].tolist())
    new = stored(library, BRIDGES.replace("nine years", "ten years"), "/a/b.txt")
    assert (new.id, new.version == old.version) == (old.id, False)
    assert library.documents() == (new,)
    assert library.document(old.id) == new
    assert library.document(old.id, old.version) == old
    assert library.count() == (1, 3)
    assert not before & set(all_vectors(library)[0].tolist())  # an id is never used for another paragraph


def test_a_change_back_makes_the_old_version_the_current_one(library):
    old = stored(library, BRIDGES, "/a/b.txt")
    new = stored(library, OWLS, "/a/b.txt")
    stored(library, BRIDGES, "/a/b.txt")
    assert library.document(old.id) == old
    assert library.document(old.id, new.version) == new


def test_remove_takes_all_versions_paragraphs_and_examples(library):
    old, kept = stored(library, BRIDGES, "/a/b.txt"), stored(library, OWLS, "/a/owls.txt")
    stored(library, OWLS, "/a/b.txt")
    library.set_examples(old.id, ["Who paid for the bridge?"])
    library.remove([old.id])
    with pytest.raises(DocumentMissing, match=rf"does not hold document '{old.id}'\. It was removed, or never added"):
        library.document(old.id)
    with pytest.raises(DocumentMissing, match=rf"in version {old.version[:12]}"):
        library.document(old.id, old.version)
    assert library.count() == (1, 2)
    assert library.examples() == {kept.id: ()}
    rows = sqlite3.connect(library.folder / "library.sqlite")
    assert [rows.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("versions", "passages")] == [1, 2]
    rows.close()


def test_a_removed_id_is_not_used_again(library):
    document = stored(library, BRIDGES, "/a/b.txt")
    last = all_vectors(library)[0].max()
    library.remove([document.id])
    stored(library, OWLS, "/a/owls.txt")
    assert all_vectors(library)[0].min() > last


def test_a_failed_put_changes_nothing(library):
    kept = stored(library, BRIDGES, "/a/b.txt")
    generation = library.generation
    broken = make_document(OWLS, "/a/owls.txt")
    with pytest.raises(ValueError, match="shorter"):
        library.put([(broken, passages(broken), np.zeros((1, 4), np.float32))], "fake-embedder")
    assert library.documents() == (kept,)
    assert library.generation == generation


def test_every_write_raises_the_generation_and_a_known_folder_does_not(library):
    seen = [library.generation]
    document = stored(library, BRIDGES, "/a/b.txt")
    seen.append(library.generation)
    library.add_folders(["/a", "/b"])
    seen.append(library.generation)
    library.remove([document.id])
    seen.append(library.generation)
    assert seen[0] == 0
    assert seen == sorted(set(seen))
    library.add_folders(["/b"])
    library.set_examples("gone", ["Is it?"])
    assert library.generation == seen[-1]
    assert library.folders() == ("/a", "/b")


def test_examples_come_newest_document_first(library):
    bridges, owls = stored(library, BRIDGES, "/a/b.txt"), stored(library, OWLS, "/a/owls.txt")
    library.set_examples(bridges.id, ["Who paid?", "Who paid?", "When?"])
    assert list(library.examples()) == [owls.id, bridges.id]
    assert sorted(library.examples()[bridges.id]) == ["When?", "Who paid?"]
    stored(library, OWLS + "\nMore was said about the owls of the forest.\n", "/a/b.txt")
    assert library.examples()[bridges.id] == ()  # they were made from the old version


def test_a_text_of_any_script_is_stored_exactly(library):
    thai = "หัวข้อ 🦉\n\nภาษาไทยไม่มีวรรคตอนและประโยคนี้ยาวพอสมควร 👩🏽\u200d🚀 שלום עולם\u200f."
    text = thai + "\n\nSecond one, with “quotes” and e\u0301, is here."
    document = stored(library, text, "/a/ไทย.txt")
    assert library.documents() == (document,)
    assert [p.text for p in library.passages_after()] == [document.text[p.start : p.end] for p in paragraphs(document)]


# --- many of them --------------------------------------------------------------------------------------------------


def test_more_ids_than_sqlite_takes_variables(library):
    # SQLite's limit is 32,766 for one statement; a list of ids used to be spelled out in it.
    document = stored(library, BRIDGES, "/a/b.txt")
    many = [f"{n:012x}" for n in range(40_000)]
    assert library.passage_ids([*many, document.id]).tolist() == [1, 2, 3]
    assert [p.id for p in library.passages([*range(2, 40_000), np.int64(1)])] == [1, 2, 3]
    assert library.passage_ids([]).tolist() == []
    assert list(library.passages([])) == []


def test_the_text_of_a_long_document_is_not_read_once_for_each_paragraph(library):
    # 8,000 paragraphs of a text of 2 MB: joined to each of them, it was 16 GB to read.
    n, width = 8000, 250
    document = Document("id", "version", "Long", "/a/long.txt", "", ("x" * (width - 1) + "\n") * n)
    spans = [(i * width, (i + 1) * width - 1) for i in range(n)]
    found = [Passage(Paragraph(i + 1, *span), *span) for i, span in enumerate(spans)]
    library.put([(document, found, np.zeros((n, 2), np.float32))], "fake-embedder")
    started = time.perf_counter()
    assert sum(len(p.text) for p in library.passages_after()) == n * (width - 1)
    assert time.perf_counter() - started < 1


# --- schema versions -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
def test_a_library_of_every_schema_version_opens_with_everything_in_it(tmp_path, version):
    old, new = make_old(tmp_path / "index", version)
    library = Library(tmp_path / "index")
    assert library.documents() == (new,)
    assert library.document(old.id, old.version) == old
    assert [p.passage.paragraph for p in library.passages_after()] == list(paragraphs(new))
    assert all_vectors(library)[1].tolist() == [[1.0] * 4] * 2
    assert library.generation == 7
    assert library.folders() == ()
    changes = library.changes(7)
    assert (changes.last, changes.gone.tolist()) == (2, [])
    library.remove([new.id])
    assert library.changes(7).gone.tolist() == [1, 2]
    stored(library, OWLS, "/a/b.txt")
    assert all_vectors(library)[0].tolist() == [3, 4]  # no id is used twice, whichever version gave the first
    library.set_examples(new.id, ["How many owls?"])
    assert library.examples() == {new.id: ("How many owls?",)}
    library.close()
    again = sqlite3.connect(tmp_path / "index" / "library.sqlite")
    assert again.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    again.close()


STORY = " ".join(f"the {n} owl of the forest number {n} was counted," for n in range(40))


def put_story(library, identity, text):
    document = Document(identity, f"version of {identity}", "Title", f"/{identity}", "", text)
    library.put([(document, [Passage(Paragraph(1, 0, len(text)), 0, len(text))], np.ones((1, 2), np.float32))], "model")


def test_older_documents_alike_are_found_by_their_keys(tmp_path):
    library = Library(tmp_path)
    put_story(library, "a", STORY)
    put_story(library, "b", "Something else was counted in another place by other people, and nobody knows why. " * 3)
    put_story(library, "c", STORY[40:])
    put_story(library, "d", f"{STORY} More.")
    assert library.alike("a") == library.alike("b") == ()
    assert library.alike("c") == ("a",)
    assert set(library.alike("d")) == {"a", "c"}
    assert library.body("c") == STORY[40:]
    library.remove(["a"])
    assert library.alike("d") == ("c",)
    put_story(library, "c", "It was changed into something that is not about owls.")
    assert library.alike("d") == ()
    library.close()


def test_a_migration_that_fails_leaves_the_version_before_it(tmp_path):
    connection = sqlite3.connect(tmp_path / "x.sqlite", isolation_level=None)
    migrate(connection, ["CREATE TABLE a (x)"])
    with pytest.raises(sqlite3.OperationalError, match="syntax error"):
        migrate(connection, ["CREATE TABLE a (x)", "CREATE TABLE b (x); CREATE NONSENSE"])
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert [row[0] for row in connection.execute("SELECT name FROM sqlite_master")] == ["a"]
    connection.close()


def test_a_newer_library_is_refused_with_both_versions(tmp_path, library):
    path = library.folder / "library.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    message = rf"schema version 99; this program knows versions up to {len(MIGRATIONS)}\. Use the newer version"
    with pytest.raises(LibraryNewer, match=message):
        Library(library.folder)


# --- files that cannot be used -------------------------------------------------------------------------------------


def test_a_file_that_is_no_library_is_named_and_left_alone(tmp_path):
    path = tmp_path / "index" / "library.sqlite"
    path.parent.mkdir()
    path.write_bytes(b"this is not a database, whatever its name says" * 100)
    with pytest.raises(LibraryError, match=r"library\.sqlite is damaged: file is not a database\. Restore a backup"):
        Library(path.parent)
    assert path.read_bytes().startswith(b"this is not a database")


@pytest.mark.parametrize("sign", ["dense.faiss", "lexical/meta.json", "library.sqlite-wal"])
def test_a_file_that_was_emptied_is_no_new_library(write, sign):
    path = write("index/library.sqlite", "")
    there = write(f"index/{sign}", "x" * 100)
    for _ in range(2):
        with pytest.raises(LibraryDamaged, match=r"the file is empty, but there was a library\. Restore a backup .*repair"):
            Library(path.parent)
    assert (path.stat().st_size, there.stat().st_size) == (0, 100)
    path.unlink()
    Library(path.parent).close()  # the file was taken away to begin anew


def test_a_file_without_tables_is_a_new_library_only_if_nothing_was_made_from_one(tmp_path, write):
    connection = sqlite3.connect(write("index/library.sqlite", ""))
    connection.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t (x); DROP TABLE t;")
    connection.close()
    shutil.copytree(tmp_path / "index", tmp_path / "other")
    write("other/library.sqlite-wal", "the log of a migration that was killed")
    Library(tmp_path / "other").close()
    write("index/dense.faiss", "x")
    with pytest.raises(LibraryDamaged, match=r"the file has no tables, but there was a library"):
        Library(tmp_path / "index")


def test_damage_in_the_middle_is_told_as_an_error_of_the_library(library):
    for n in range(30):
        stored(library, OWLS, f"/a/{n}.txt")
    library.close()
    path = library.folder / "library.sqlite"
    data = bytearray(path.read_bytes())
    for page in range(1, len(data) // 4096):
        data[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    path.write_bytes(data)
    damaged = Library(library.folder)
    with pytest.raises(LibraryError, match=r"library\.sqlite is damaged: .*\. Restore a backup .*rag repair"):
        damaged.documents()
    damaged.close()


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_folder_that_cannot_be_made_is_named(write, name):
    write("file", "not a folder")
    with pytest.raises(LibraryReadOnly, match=rf"The index folder .*{name} cannot be written to: .*RAG_INDEX"):
        Library(write("file", "").parent / name)


def unshared(folder, code):
    """Runs Python in a mount namespace of its own, in which the folder is mounted read-only."""
    if not shutil.which("unshare") or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        pytest.skip("this user may not make mounts")
    mount = f'mount --bind "{folder}" "{folder}" && mount -o remount,ro,bind "{folder}" && exec "$@"'
    command = ["unshare", "-m", "sh", "-c", mount, "sh", sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "RAG_INDEX": str(folder)})


def run_read_only(folder, *command):
    return unshared(folder, f"import sys; from rag.cli import main; sys.exit(main({[*map(str, command)]!r}))")


@pytest.mark.parametrize("command", ["add README.md", "rebuild", "remove DOCUMENT", "repair", "restore BACKUP --yes"])
def test_a_read_only_folder_is_told_by_every_command_that_writes(library, tmp_path, command):
    named = {"DOCUMENT": stored(library, BRIDGES, "/a/b.txt").id, "BACKUP": tmp_path / "backup"}
    library.backup(tmp_path / "backup")
    library.close()
    done = run_read_only(library.folder, *(named.get(word, word) for word in command.split()))
    assert done.returncode == 1
    assert f"{library.folder}" in done.stderr
    assert "cannot be written to" in done.stderr
    assert "RAG_INDEX" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("killed", [False, True])
def test_a_library_on_a_read_only_disk_is_read_and_saved(library, tmp_path, killed):
    stored(library, BRIDGES, "/a/b.txt")
    folder = library.folder
    if killed:  # the log still has everything
        folder = tmp_path / "killed"
        shutil.copytree(library.folder, folder)
    library.close()
    assert (folder / "library.sqlite-wal").exists() == killed
    assert "Old bridge of Arlen reopens" in run_read_only(folder, "list").stdout
    assert "1 document, 3 paragraphs\n" in run_read_only(folder, "status").stdout
    done = run_read_only(folder, "backup", tmp_path / "backup")
    assert (done.returncode, done.stderr) == (0, "")
    assert inspect(tmp_path / "backup") == 1
    assert not [path for path in folder.iterdir() if path.name == "restoring.sqlite"]


class Unopened:
    """A connection as SQLite gives one to a file that it cannot open."""

    def execute(self, sql):
        raise sqlite3.OperationalError("unable to open database file")

    def close(self):
        pass


@pytest.fixture
def make_read_only(monkeypatch):
    """Lets a folder look as on a disk that is mounted read-only: SQLite opens no log there that has no index."""
    connect, access = sqlite3.connect, os.access

    def make(folder):
        def connected(database, **options):
            name = str(database)
            if str(folder) in name:
                assert "mode=ro" in name
                if "immutable" not in name and not (folder / "library.sqlite-shm").exists():
                    return Unopened()
            return connect(database, **options)

        monkeypatch.setattr(sqlite3, "connect", connected)
        monkeypatch.setattr(os, "access", lambda path, mode, **more: path != folder and access(path, mode, **more))

    return make


def test_a_library_that_can_only_be_read_is_read_and_not_written(library, make_read_only):
    kept = stored(library, BRIDGES, "/a/b.txt")
    library.close()
    make_read_only(library.folder)
    read = Library(library.folder)
    assert read.documents() == (kept,)
    with read.reading():
        assert len(list(read.passages_after())) == 3
    with pytest.raises(LibraryReadOnly, match="cannot be written to: attempt to write a readonly database"):
        read.remove([kept.id])
    read.close()


def test_a_change_by_somebody_who_can_write_is_seen(tmp_path, make_read_only, monkeypatch):
    folder, read = tmp_path / "index", None
    for n, text in enumerate((BRIDGES, OWLS), 1):
        writer = Library(folder)
        stored(writer, text, f"/a/{n}.txt")
        writer.close()
        make_read_only(folder)
        read = read or Library(folder)
        assert len(read.documents()) == n
        monkeypatch.undo()
    read.close()


def test_a_log_that_can_only_be_read_where_it_can_be_written_is_told(library, tmp_path, make_read_only):
    stored(library, BRIDGES, "/a/b.txt")
    copy = tmp_path / "copy"
    shutil.copytree(library.folder, copy)
    (copy / "library.sqlite-shm").unlink()
    make_read_only(copy)
    with pytest.raises(LibraryReadOnly, match=r"last changes .* in the file library\.sqlite-wal .* Copy the folder"):
        Library(copy)


def test_a_folder_that_becomes_read_only_is_told(library, monkeypatch):
    # A stand-in for the system's error: permission bits do not hold for the user who runs the tests in CI.
    def refused(*_args, **_more):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("builtins.open", refused)
    with pytest.raises(LibraryReadOnly, match="cannot be written to: Read-only file system"), library.writing():
        pass


def test_a_full_disk_is_told_and_nothing_was_changed(library):
    kept = stored(library, BRIDGES, "/a/b.txt")
    pages = library._store.connection().execute("PRAGMA page_count").fetchone()[0]
    library._store.connection().execute(f"PRAGMA max_page_count = {pages}")
    long = "A sentence that is long enough to be one. " * 5000
    with pytest.raises(LibraryError, match=r"The disk is full: .*library\.sqlite was not changed\. Free some space"):
        stored(library, long, "/a/long.txt")
    assert library.documents() == (kept,)


# --- several at once -----------------------------------------------------------------------------------------------

WRITER = """
import json, sys, time
from pathlib import Path
from rag.library import Library
from tests.test_library import stored
from tests.conftest import OWLS

library = Library(Path(sys.argv[1]))
for n in range(5):
    with library.writing():
        started = time.time()
        stored(library, OWLS, f"/{sys.argv[2]}/{n}.txt")
        time.sleep(0.01)
        print(json.dumps([started, time.time()]), flush=True)
library.close()
"""


def test_two_processes_that_write_take_turns_and_lose_nothing(tmp_path):
    command = [sys.executable, "-c", WRITER, str(tmp_path / "index")]
    both = [subprocess.Popen([*command, name], stdout=subprocess.PIPE, cwd=ROOT, text=True) for name in ("a", "b")]
    spans = sorted(json.loads(line) for process in both for line in process.communicate(timeout=60)[0].splitlines())
    assert [process.returncode for process in both] == [0, 0]
    assert len(spans) == 10
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(spans))
    library = Library(tmp_path / "index")
    assert library.count() == (10, 20)
    library.close()


def test_a_writer_that_does_not_want_to_wait_is_told(library):
    with library.writing(), library.writing(wait=False) as mine:
        assert not mine
    with library.writing(wait=False) as mine:
        assert mine


def test_a_reader_sees_the_last_state_while_another_writes(library):
    kept = stored(library, BRIDGES, "/a/b.txt")
    other = Library(library.folder)
    with library._store.transaction() as connection:
        connection.execute("DELETE FROM documents")
        assert other.documents() == (kept,)
    assert other.documents() == ()
    other.close()


def test_opening_does_not_wait_for_a_process_that_adds(library):
    # `rag list` and `rag ask` used to hang until another process' `rag add` had ended.
    stored(library, BRIDGES, "/a/b.txt")
    with library.writing():
        opened = []
        thread = threading.Thread(target=lambda: opened.append(Library(library.folder).count()), daemon=True)
        thread.start()
        thread.join(10)
        assert opened == [(1, 3)]


def test_threads_that_ended_leave_no_open_files(library):
    # Each thread has a connection of its own; those of a server's ended threads used to stay open for good.
    stored(library, BRIDGES, "/a/b.txt")
    n_before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        thread = threading.Thread(target=library.documents)
        thread.start()
        thread.join()
    assert len(os.listdir("/proc/self/fd")) <= n_before + 3


def test_a_library_begun_anew_does_not_come_to_a_generation_that_was_there(tmp_path):
    # The stamps of the derived indexes compare generations: 1, 2, 3 of a new library would match those of the old one.
    seen = set()
    for name in "abcd":
        library = Library(tmp_path / name)
        stored(library, BRIDGES, "/a/b.txt")
        seen.add(library.generation)
        library.close()
    assert len(seen) == 4


# --- the embedding model -------------------------------------------------------------------------------------------


def test_another_embedding_model_is_refused_with_both_names(library):
    library.bind("anything")  # nothing is stored yet
    document = stored(library, BRIDGES, "/a/b.txt", model="first-model")
    library.bind("first-model")
    with pytest.raises(LibraryMismatch, match=r"'first-model'.*'second-model'.*Set embedding_model to .* rag rebuild"):
        library.bind("second-model")
    library.remove([document.id])
    library.bind("second-model")
