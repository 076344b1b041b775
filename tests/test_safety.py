"""Full disks, odd places and names, files that change, and several processes: a clear error or none, and nothing lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading

import pytest

from rag.config import ROOT
from rag.errors import LibraryError, ReadError
from rag.library import Library, store
from rag.library.store import network_file_system
from tests.conftest import BRIDGES, OWLS, read_one
from tests.fakes import FakeEmbedder
from tests.kills import check_document, check_indexes
from tests.test_adding import ADD, numbered

# --- a full disk ---------------------------------------------------------------------------------------------------

FULL = """
import shutil, subprocess, sys, time
from pathlib import Path
from rag.errors import LibraryDamaged, LibraryError
from tests import kills

disk, scenario = Path(sys.argv[1]), kills.SCENARIOS[sys.argv[2]]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", disk], check=True)
run = disk / "run"
run.mkdir()
scenario.prepare(run)
run.rename(disk / "begun")
for free in (0, 40, 100, 140, 1000):  # kB
    shutil.copytree(disk / "begun", run)
    size = shutil.disk_usage(disk).used // 1024 + free
    subprocess.run(["mount", "-o", f"remount,size={size}k", disk], check=True)
    n_done, said = 0, "done"
    try:
        for call in scenario.calls:
            call(run)
            n_done += 1
    except LibraryError as exc:
        assert not isinstance(exc, LibraryDamaged), exc
        assert any(word in exc.message for word in ("disk is full", "No space left")), exc
        assert "Free " in exc.hint, exc
        said = "full"
    subprocess.run(["mount", "-o", "remount,size=16m", disk], check=True)
    assert not [path for path in run.rglob("*") if ".tmp" in path.name and path.parent == run]
    kills.check(scenario, run, n_done)
    while run.exists():  # a thread of the writer that failed may still be writing
        shutil.rmtree(run, ignore_errors=True)
        time.sleep(0.05)
    print(said)
"""


@pytest.mark.parametrize("name", ["change", "restore", "backup", "repair", "migrate from 1"])
def test_a_full_disk_is_told_and_nothing_is_lost(tmp_path, name):
    if not shutil.which("unshare") or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        pytest.skip("this user may not make mounts")
    command = ["unshare", "-m", sys.executable, "-c", FULL, str(tmp_path), name]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0, done.stderr
    said = done.stdout.split()
    assert said == sorted(said, reverse=True)  # full as long as there is too little room, and then done
    assert (said[0], said[-1]) == ("full", "done")


# --- odd places and names ------------------------------------------------------------------------------------------

MOUNTS = """/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb1 /home/me/my\\040disk ext4 rw 0 0
//server/share /mnt/share cifs rw 0 0
me@host:/ /home/me/far fuse.sshfs rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/var/lib", ""),
        ("/home", "nfs4"),
        ("/home/me/index", "nfs4"),
        ("/home/me/my disk/index", ""),
        ("/home/me/far/index", "fuse.sshfs"),
        ("/mnt/share/index", "cifs"),
        ("/mnt/shared", ""),
    ],
)
def test_a_network_file_system_is_known_by_the_mount_that_a_folder_lies_on(write, folder, kind):
    assert network_file_system(type(ROOT)(folder), write("mounts", MOUNTS)) == kind


def test_a_library_on_a_network_file_system_is_refused_and_not_made(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "network_file_system", lambda folder: "nfs4")
    with pytest.raises(
        LibraryError, match=r"lies on a network file system \(nfs4\), whose locks .*RAG_INDEX.*rag backup FILE"
    ):
        Library(tmp_path / "index")
    assert not (tmp_path / "index" / "library.sqlite").exists()


NAMES = [
    "two\nlines",
    "ไทย",
    "中文 文章",
    "שלום",
    "e\u0301 is not \u00e9",
    "'; DROP TABLE documents; --",
    "🦉",
    "%41?#&",
    "-rf",
]


def test_names_of_any_script_and_with_newlines_are_names_like_others(make_assistant, write, tmp_path):
    for n, name in enumerate(NAMES):
        write(f"articles {name}/{name}.txt", f"Title {n}\n\nThe report with the number {n} was read to the council.\n")
    assistant = make_assistant(index=tmp_path / "index\nof ไทย")
    report = assistant.add([tmp_path / f"articles {name}" for name in NAMES])
    assert (len(report.added), report.failed) == (len(NAMES), ())
    assert [d.source for d in assistant.documents()] == [str(tmp_path / f"articles {n}" / f"{n}.txt") for n in NAMES]
    assert assistant.backup(tmp_path / "a\nback%41?up") == len(NAMES)
    assistant.remove([report.added[0]])
    assert assistant.restore(tmp_path / "a\nback%41?up") == len(NAMES)
    assert assistant.search("report number 3")[0].title == "Title 3"
    assert assistant.rebuild().unchanged == report.added


def test_a_file_that_is_changed_while_it_is_read_is_not_taken(make_assistant, write, monkeypatch):
    path = write("owls.txt", OWLS)

    read_bytes = type(path).read_bytes

    def read_slowly(self):
        content = read_bytes(self)
        with open(self, "a") as other:
            other.write("\nMore was written meanwhile.\n")
        return content

    monkeypatch.setattr(type(path), "read_bytes", read_slowly)
    with pytest.raises(ReadError, match=r"The file was changed while it was read\. Add it again"):
        read_one(path)
    assistant = make_assistant()
    assert "was changed while it was read" in assistant.add(path).failed[0][1]
    monkeypatch.undo()
    assert len(assistant.add(path).added) == 1


# --- several processes ---------------------------------------------------------------------------------------------


def started(settings, *arguments):
    """Starts a command with the fakes in another process."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RAG_INDEX": str(settings.index)}
    command = [sys.executable, "-c", ADD, *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def assert_whole(assistant):
    for document in assistant.documents():
        check_document(assistant.library, document, FakeEmbedder())
    check_indexes(assistant, assistant.documents(), FakeEmbedder())


def test_two_commands_that_add_at_once_lose_nothing(make_assistant, write, tmp_path):
    for name in ("first", "second"):
        for n in range(40):
            write(f"{name}/{n}.txt", f"The {name} title {n}\n\nThis {name} report has the number {n} and one sentence.\n")
    assistant = make_assistant()
    both = [started(assistant.settings, "add", tmp_path / name) for name in ("first", "second")]
    for process in both:
        told = process.communicate(timeout=60)[0].splitlines()
        assert (told[0], len(told)) == ("added      40 documents", 1 + 2 * 40)  # how each was read
        assert process.returncode == 0
    assert len(assistant.documents()) == 80
    assert_whole(assistant)


def test_a_reader_has_its_answer_all_the_time_while_others_rebuild(make_assistant, write, tmp_path):
    numbered(write, 40)
    assistant = make_assistant()
    assistant.add(tmp_path / "many")
    process = started(assistant.settings, "rebuild")
    n_asked = 0
    while process.poll() is None:
        hits = assistant.search("report number 7")
        assert hits[0].title == "Report number 7"
        n_asked += 1
    assert process.returncode == 0
    assert n_asked > 5
    assert_whole(assistant)


def test_an_article_that_is_removed_while_a_question_is_answered_is_left_out(make_assistant, articles, monkeypatch):
    # Its text was read once more after it was found, which ended the question with an error.
    assistant, other = make_assistant(), make_assistant()
    bridges, owls = assistant.add(articles).added
    retrieve = assistant._retriever.retrieve

    def retrieve_and_remove(*args, **options):
        hits = retrieve(*args, **options)
        other.remove([bridges])
        return hits

    monkeypatch.setattr(assistant._retriever, "retrieve", retrieve_and_remove)
    assert {hit.document for hit in assistant.search("the bridge of Arlen and the snowy owls")} == {owls}


def test_threads_ask_while_another_adds_changes_and_removes(make_assistant, write, tmp_path):
    assistant = make_assistant()
    assistant.add(write("owls.txt", OWLS))
    stop, wrong = threading.Event(), []

    def ask():
        while not stop.is_set():
            try:
                hits = assistant.search("How many snowy owls were counted?")
                if not hits or hits[0].title != "Owls return to the Marrow forest":
                    wrong.append(hits)
            except Exception as exc:
                wrong.append(exc)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for n in range(4):
            (added,) = assistant.add(write("bridges.txt", f"{BRIDGES}\nThis is version {n} of it.\n")).added
            assistant.add(write("bridges.txt", f"{BRIDGES}\nThis is version {n + 100} of it.\n"))
            assistant.remove([added])
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert_whole(assistant)
