"""Processes that read files: in order, within limits, replaced when they break, gone at the end."""

from __future__ import annotations

import os
import stat
import time

import pytest

from rag.read import Unread, worker
from rag.read.workers import Workers
from tests import files
from tests.conftest import BRIDGES, OWLS

pytestmark = pytest.mark.processes
MAX = 10**8


def read_all(paths, n=2, **limits):
    with Workers(n, **({"seconds": 30} | limits)) as workers:
        return [(file, list(found)) for file, found in workers.read(paths, MAX)]


@pytest.fixture
def program(monkeypatch, tmp_path):
    """Puts a shell script in the place of the process that reads files."""

    def put(script):
        path = tmp_path / "program"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr("rag.read.workers.sys.executable", str(path))

    return put


def test_files_are_read_side_by_side_and_given_in_their_order(write):
    paths = [write(f"{n:02}.txt", f"{OWLS}\n\nThis is the report of year {n}.\n") for n in range(20)]
    paths.insert(7, write("b.pdf", b"%PDF nothing"))
    paths.insert(9, write("all.zip", files.zipped({"a.txt": OWLS, "b.html": files.PAGE})))
    found = read_all(paths)
    assert [file for file, _ in found] == paths
    for file, documents in found:
        if file.suffix == ".txt":
            assert [one.source for one in documents] == [str(file)]
    assert isinstance(found[7][1][0], Unread)
    assert [one.title for one in found[9][1]] == ["Owls return to the Marrow forest", "Owls return to Arlen"]


def test_a_file_that_takes_too_much_memory_fails_alone(write):
    paths = [write("large.txt", b"Owls fly. " * 9_000_000), write("bridges.txt", BRIDGES)]
    (_, (large,)), (_, (read,)) = read_all(paths, 1, megabytes=400)
    assert large.reason == worker.NO_MEMORY
    assert read.title == "Old bridge of Arlen reopens after nine years"


def test_a_file_that_takes_too_long_is_given_up(write, program):
    program("exec sleep 60")
    path = write("owls.txt", OWLS)
    ((_, (late,)),) = read_all([path], seconds=1)
    assert late == Unread(str(path), "It takes longer than 1 s to read. Split it, or raise read_seconds.")


def test_nothing_in_the_working_folder_is_run(write, tmp_path, monkeypatch):
    write("chardet.py", f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    ((_, (read,)),) = read_all(
        [write("owls.txt", "Die Eulen kehren zurück nach Köln, schön für alle Bürger.".encode("cp1252"))]
    )
    assert "zurück nach Köln" in read.text
    assert not (tmp_path / "ran").exists()


def test_what_is_said_of_a_file_is_never_taken_for_the_next_one(write):
    paths = [
        write("one.zip", files.zipped({f"{n}.txt": f"{OWLS}\n\nReport {n}.\n" for n in range(60)})),
        write("two.txt", BRIDGES),
    ]
    n_ticks = []

    def on_tick(file, done, total):
        n_ticks.append(done)
        raise RuntimeError("the page is gone")

    with Workers(1, seconds=30) as workers:
        (_, one), (_, two) = [(file, list(found)) for file, found in workers.read(paths, MAX, on_tick)]
    assert n_ticks
    assert isinstance(one[-1], Unread)
    assert [found.title for found in two] == ["Old bridge of Arlen reopens after nine years"]


BREAKING = ["exit 3", "read line; kill -9 $$", "echo nonsense", "echo '{\"document\": [1]}'", "echo '[]'"]


@pytest.mark.parametrize("script", BREAKING)
def test_a_process_that_breaks_or_lies_is_a_file_that_cannot_be_read(write, program, script):
    program(script)
    found = read_all([write("a.txt", OWLS), write("b.txt", BRIDGES)])
    assert [one.reason.partition(":")[0] for _, (one,) in found] == ["The file cannot be read"] * 2


def test_no_process_can_be_started(write, monkeypatch):
    monkeypatch.setattr("rag.read.workers.sys.executable", "/no/such/python")
    ((_, (one,)),) = read_all([write("a.txt", OWLS)])
    assert one.reason == "It cannot be read now: No such file or directory. Try again."


def test_who_stops_asking_waits_for_nothing_and_leaves_no_process(write, program):
    program("exec sleep 60")
    paths = [write(f"{n}.txt", OWLS) for n in range(9)]
    workers = Workers(2, seconds=50)
    begun = time.monotonic()
    reading = workers.read(paths, MAX)
    file, found = next(reading)
    assert file == paths[0]
    while not (processes := [one for one in _children() if b"sleep" in one[1]]) and time.monotonic() < begun + 5:
        time.sleep(0.05)
    reading.close()
    workers.close()
    assert time.monotonic() - begun < 10
    assert processes
    assert not [one for one in _children() if b"sleep" in one[1]]
    del found


def _children():
    """Returns id and command of the processes that this one started."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as status, open(f"/proc/{name}/cmdline", "rb") as command:
                if int(status.read().rpartition(")")[2].split()[1]) == os.getpid():
                    found.append((int(name), command.read()))
        except OSError:
            continue
    return found


def test_nothing_is_fetched_while_a_file_is_read():
    for event in ("socket.connect", "socket.getaddrinfo"):
        with pytest.raises(PermissionError):
            worker._forbid(event, ())
    worker._forbid("open", ())


def test_one_answers_line_by_line_and_says_what_could_not_be_read(write):
    said = []
    path = write("all.zip", files.zipped({"a.txt": OWLS, "b.txt": "", "c.png": b"x"}))
    assert worker._answer(path, MAX, lambda kind, value: said.append((kind, value))) == ""
    assert [kind for kind, _ in said if kind != "tick"] == ["document", "unread", "unread"]
    assert worker._answer(write("d.pdf", b"x"), MAX, lambda kind, value: None).startswith(
        "The file is not what its name says"
    )
