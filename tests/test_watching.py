"""Following folders: what is written comes into the library, once and whole, whatever happens to the files."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

from rag.assistant.watching import Watch, Watched
from rag.config import ROOT
from rag.errors import LibraryError, LibraryMismatch
from tests.conftest import BRIDGES, OWLS
from tests.test_adding import ADD


@pytest.fixture
def clock(monkeypatch):
    """Time that passes when it is told to."""
    now = [1000.0]
    monkeypatch.setattr("rag.assistant.watching.time.monotonic", lambda: now[0])

    def wait(seconds):
        now[0] += seconds

    return wait


@pytest.fixture
def assistant(make_assistant):
    return make_assistant()


@pytest.fixture
def watch(assistant, articles, clock):
    """Follows a folder with two articles that are in the library."""
    assistant.add(articles)
    return assistant.watch(articles)


def seen(watch, clock):
    """Returns what happens in the next seconds as (kind, name of the file)."""
    events = []
    for _ in range(5):
        events += watch.look()
        clock(1)
    return [(event.kind, event.path.rpartition("/")[2]) for event in events]


def titles(assistant):
    return sorted(document.title for document in assistant.documents())


def test_what_is_there_already_is_left_alone(watch, clock, assistant):
    generation = assistant.library.generation
    assert seen(watch, clock) == []
    assert assistant.library.generation == generation


def test_what_is_new_changed_or_renamed_is_told_and_found(watch, clock, assistant, articles, write):
    write("articles/below/storks.txt", "Storks arrive\n\nTwo storks came to the town this spring.\n")
    write("articles/.hidden.txt", OWLS)
    assert seen(watch, clock) == [("added", "storks.txt")]
    write("articles/owls.txt", OWLS.replace("Forty", "Fifty"))
    (articles / "bridges.txt").rename(articles / "below" / "a bridge.txt")
    assert seen(watch, clock) == [("changed", "owls.txt"), ("renamed", "a bridge.txt")]
    assert "Fifty snowy owls" in assistant.search("How many snowy owls were counted?")[0].text
    assert len(assistant.documents()) == 3
    assert seen(watch, clock) == []


def test_files_of_other_formats_are_told_once(watch, clock, assistant, articles, write):
    for name in ("a.png", "b.PNG", "c.mp3"):
        write(f"articles/{name}", "x")
    list(watch.look())
    clock(1)
    assert list(watch.look()) == [Watched("skipped", "", skipped=((".png", 2), (".mp3", 1)))]
    write("articles/a.png", "changed")
    (articles / "c.mp3").unlink()
    assert seen(watch, clock) == []
    assert seen(assistant.watch([articles]), clock) == []


def test_a_file_is_read_once_it_is_written(watch, clock, assistant, write):
    for n in range(1, 6):
        write("articles/storks.txt", "Storks arrive\n\nTwo storks came to the town this spring. They stay."[: 15 * n])
        assert list(watch.look()) == []
        clock(0.9)
    assert list(watch.look()) == []
    clock(0.2)
    (event,) = watch.look()
    assert event.kind == "added"
    assert assistant.document(event.document).text.endswith("They stay.")


def test_a_file_that_cannot_be_read_is_told_once_and_taken_when_it_can(watch, clock, write):
    write("articles/storks.txt", b"\0\1")
    assert seen(watch, clock) == [("failed", "storks.txt")]
    assert seen(watch, clock) == []
    write("articles/storks.txt", "Storks arrive\n\nTwo storks came to the town this spring.\n")
    assert seen(watch, clock) == [("added", "storks.txt")]


def test_a_file_that_is_gone_keeps_its_document_as_with_add(watch, clock, assistant, articles, write):
    (articles / "owls.txt").unlink()
    assert seen(watch, clock) == [("gone", "owls.txt")]
    assert len(assistant.documents()) == 2
    assert seen(watch, clock) == []
    write("articles/owls.txt", OWLS.replace("Forty", "Fifty"))
    assert seen(watch, clock) == [("changed", "owls.txt")]


def test_a_file_that_is_replaced_is_not_told_as_gone(watch, clock, articles, write):
    # As editors save: the new text in another file, which then takes the name.
    write("articles/owls.txt~", OWLS.replace("Forty", "Fifty"))
    (articles / "owls.txt").unlink()
    assert list(watch.look()) == []
    clock(1)
    (articles / "owls.txt~").rename(articles / "owls.txt")
    assert seen(watch, clock) == [("changed", "owls.txt")]


def test_a_folder_that_is_gone_for_a_while_loses_nothing(watch, clock, assistant, articles, tmp_path, write):
    articles.rename(tmp_path / "elsewhere")  # a disk that is taken out
    assert seen(watch, clock) == []
    (tmp_path / "elsewhere").rename(articles)
    write("articles/owls.txt", OWLS.replace("Forty", "Fifty"))
    assert seen(watch, clock) == [("changed", "owls.txt")]
    shutil.rmtree(articles)
    assert seen(watch, clock) == []
    assert len(assistant.documents()) == 2


def test_a_document_that_was_removed_comes_back_only_with_a_change(watch, clock, assistant, write):
    owls = next(document for document in assistant.documents() if "Owls" in document.title)
    assistant.remove([owls.id])
    assert seen(watch, clock) == []
    write("articles/owls.txt", OWLS.replace("Forty", "Fifty"))
    assert seen(watch, clock) == [("added", "owls.txt")]


def test_what_cannot_be_stored_now_is_tried_again_and_told_once(assistant, articles, clock, write):
    errors = [LibraryError("The disk is full: x was not changed.", "Free some space.")] * 2

    def add(paths):
        if errors:
            raise errors.pop()
        return assistant.add(paths)

    watch = Watch([articles], assistant.library, add)
    write("articles/storks.txt", "Storks arrive\n\nTwo storks came to the town this spring.\n")
    clock(1)
    assert list(watch.look()) == []
    clock(1)
    events = list(watch.look())
    assert events == [Watched("waiting", "", reason="The disk is full: x was not changed. Free some space.")]
    assert list(watch.look()) == []
    assert [event.kind for event in watch.look()] == ["added"]


def test_another_embedding_model_ends_it(assistant, articles, clock, write):
    def add(paths):
        raise LibraryMismatch("The library was built with another model.")

    watch = Watch([articles], assistant.library, add)
    write("articles/owls.txt", BRIDGES)
    list(watch.look())
    clock(1)
    with pytest.raises(LibraryMismatch, match="another model"):
        list(watch.look())


def test_it_ends_when_it_is_told_to(watch):
    stop = threading.Event()
    stop.set()
    assert list(watch.follow(stop)) == []


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_command_follows_a_folder_and_ends_cleanly(articles, write, tmp_path, stop):
    code = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n" + ADD
    quick = "from rag.assistant import watching\nwatching.SETTLED_SECONDS = watching.POLL_SECONDS = 0.05\n"
    command = [sys.executable, "-c", quick + code, "add", "--watch", str(articles)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stdout.readline() == "added      2 documents\n"
    for _ in range(4):  # two lines for each
        assert process.stdout.readline()[0] == " "
    assert process.stdout.readline() == "following  1 path (Ctrl-C ends it)\n"
    path = write("articles/storks.txt", "Storks arrive\n\nTwo storks came to the town this spring.\n")
    started = time.monotonic()
    assert process.stdout.readline() == f"added      {path}\n"
    assert time.monotonic() - started < 5
    process.send_signal(stop)
    out, said = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "")
    assert said.endswith("Stopped. What was added is kept.\n")
    assert "Traceback" not in said
