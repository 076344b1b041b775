"""What the page does to the library: names of files, one job after the other, what is told of it, and undo."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from rag.app.conversation import Conversation
from rag.app.kept import Kept
from rag.app.page import Page
from rag.app.panel import library_html
from rag.app.shelf import FOLDER, Job, Report, Shelf, _told
from rag.errors import LibraryReadOnly, ModelMissing
from rag.read import make_document
from rag.types import AddReport
from tests.browser.fake import FakeAssistant
from tests.conftest import BRIDGES, OWLS
from tests.files import zipped

STORKS = "Storks arrive\n\nTwo storks came to the town this spring.\n"


@pytest.fixture
def bridges():
    return make_document(BRIDGES, "/articles/bridges.txt")


@pytest.fixture
def assistant(bridges):
    return FakeAssistant([bridges])


@pytest.fixture
def shelf(assistant, tmp_path):
    return Shelf(assistant, tmp_path / "index")


@pytest.fixture
def send(tmp_path):
    """Writes files as gradio keeps what a browser sent, each in a folder of its own; returns their paths."""
    folders = iter(range(1000))

    def send(*files):
        paths = []
        for name, text in files:
            path = tmp_path / "sent" / str(next(folders)) / name
            path.parent.mkdir(parents=True)
            path.write_bytes(text.encode() if isinstance(text, str) else text)
            paths.append(str(path))
        return paths

    return send


def done(future):
    assert future.result(30) is None


def names(shelf):
    return sorted(path.name for path in shelf._folder.iterdir())


def until(is_so):
    end = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.005)


# --- files and their names


def test_files_are_moved_beside_the_library_and_added(shelf, assistant, send, tmp_path):
    sent = send(("owls.txt", OWLS), ("storks.txt", STORKS))
    done(shelf.add(sent))
    assert [Path(d.source) for d in assistant.documents()[1:]] == [
        tmp_path / "index" / FOLDER / "owls.txt",
        tmp_path / "index" / FOLDER / "storks.txt",
    ]
    assert (tmp_path / "index" / "articles" / "owls.txt").read_text() == OWLS
    assert not any(Path(path).exists() for path in sent)
    assert shelf.report.told == "2 added."
    assert shelf.report.lines == (
        "Added “Owls return to the Marrow forest” (owls.txt): no date, 2 paragraphs.",
        "Added “Storks arrive” (storks.txt): no date, 1 paragraph.",
    )


def test_a_file_that_is_there_already_is_not_copied_again(shelf, assistant, send):
    done(shelf.add(send(("owls.txt", OWLS))))
    done(shelf.add(send(("owls.txt", OWLS))))
    assert names(shelf) == ["owls.txt"]
    assert len(assistant.documents()) == 2
    assert shelf.report == Report("1 there already.")


def test_another_text_under_the_same_name_is_another_article(shelf, assistant, send):
    done(shelf.add(send(("index.tar.txt", OWLS), ("index.tar.txt", STORKS), ("index.tar.txt", BRIDGES))))
    assert names(shelf) == ["index.tar (2).txt", "index.tar (3).txt", "index.tar.txt"]
    done(shelf.add(send(("index.tar.txt", STORKS))))  # the second one, not a fourth
    assert len(names(shelf)) == 3
    assert len(assistant.documents()) == 4


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("..\\..\\owls.txt", "_.._owls.txt"),
        (".hidden.txt", "hidden.txt"),
        ("...", "article.txt"),
        (".", "article.txt"),
        ("a\nb\x1b[0m.txt", "a_b_[0m.txt"),
        ("x" * 150 + ".txt", "x" * 116 + ".txt"),
        ("นกฮูก 🦉.txt", "นกฮูก 🦉.txt"),
    ],
)
def test_a_name_leads_nowhere_else_and_hides_nothing(shelf, tmp_path, name, kept):
    """Gradio has cut names already; the shelf does not rely on it."""
    file = tmp_path / "sent.txt"
    file.write_text(OWLS)

    class Sent(type(file)):
        name = property(lambda self: sent_name)

    sent_name = name
    shelf._folder.mkdir(parents=True)
    path, is_new = shelf._placed(Sent(file))
    assert (path.parent, path.name, is_new) == (shelf._folder, kept, True)
    assert names(shelf) == [kept]


def test_a_long_name_in_another_script_fits_into_a_folder(shelf, assistant, send):
    # 76 letters of Thai are 228 bytes, of which a name may have 255; with what is put around it there must be room.
    done(shelf.add(send(("ก" * 76 + ".txt", OWLS))))
    done(shelf.add(send(("ก" * 76 + ".txt", STORKS))))
    assert (shelf.report.told, len(names(shelf))) == ("1 added.", 2)
    done(shelf.remove(assistant.documents()[1].id))
    assert shelf.report.can_undo


def test_a_file_that_fails_does_not_stay_and_is_told_first(shelf, assistant, send):
    done(shelf.add(send(("owls.txt", OWLS), ("broken.txt", "x"))))
    assert names(shelf) == ["owls.txt"]
    assert shelf.report.told == "1 added, 1 failed."
    assert shelf.report.lines[0] == "broken.txt: It is not text."
    assert len(assistant.documents()) == 2


def test_a_file_that_fails_does_not_stay_though_it_was_sent_twice(shelf, send):
    done(shelf.add(send(("broken.txt", "x"), ("broken.txt", "x"))))
    assert names(shelf) == []


def test_a_file_that_was_there_stays_when_it_fails_now(shelf, send):
    shelf._folder.mkdir(parents=True)
    (shelf._folder / "broken.txt").write_text("x")
    done(shelf.add(send(("broken.txt", "x"))))
    assert (names(shelf), shelf.report.told) == (["broken.txt"], "1 failed.")


def test_files_do_not_stay_if_nothing_could_be_added(shelf, assistant, send, monkeypatch):
    def missing(*_, **__):
        raise ModelMissing("The embedding model is not there.", "Run: rag models fetch")

    monkeypatch.setattr(assistant, "add", missing)
    done(shelf.add(send(("owls.txt", OWLS))))
    assert names(shelf) == []


# --- over a real library


def real(make_assistant, **settings):
    assistant = make_assistant(**settings)
    return assistant, Shelf(assistant, assistant.settings.index)


def folder(tmp_path, index):
    """Returns a way to a folder for the library: a relative one for "."."""
    for name in ("index", "sub"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "index")
    return Path("index") if index == "." else tmp_path / index


@pytest.mark.parametrize("index", ["index", "sub/../index", "link", "."])
def test_what_fails_in_a_real_library_does_not_stay_either(make_assistant, tmp_path, send, index):
    assistant, shelf = real(make_assistant, index=folder(tmp_path, index))
    done(shelf.add(send(("owls.txt", OWLS), ("empty.txt", ""), ("picture.png", "x"))))
    assert names(shelf) == ["owls.txt"]
    assert shelf.report.told == "1 added, 2 failed."
    assert [document.title for document in assistant.documents()] == ["Owls return to the Marrow forest"]
    assert "Forty snowy owls" in assistant.search("How many snowy owls were counted?")[0].text


@pytest.mark.parametrize("index", ["index", "sub/../index", "link", "."])
def test_what_was_removed_comes_back_with_its_file_and_is_found_again(make_assistant, tmp_path, send, index):
    assistant, shelf = real(make_assistant, index=folder(tmp_path, index))
    done(shelf.add(send(("owls.txt", OWLS), ("bridges.txt", BRIDGES))))
    owls = assistant.documents()[0]
    done(shelf.remove(owls.id))
    assert shelf.report == Report("“Owls return to the Marrow forest” was removed.", can_undo=True)
    assert "owls.txt" not in names(shelf)
    done(shelf.rebuild())
    assert [d.title for d in assistant.documents()] == ["Old bridge of Arlen reopens after nine years"]
    done(shelf.undo())
    assert shelf.report == Report("“Owls return to the Marrow forest” is back.")
    assert names(shelf) == ["bridges.txt", "owls.txt"]
    assert assistant.document(owls.id) == owls
    done(shelf.rebuild())
    assert shelf.report.told == "Rebuilt: 2 there already."
    assert "Forty snowy owls" in assistant.search("How many snowy owls were counted?")[0].text


def test_a_copy_is_told_beside_what_was_added(make_assistant, tmp_path, send):
    _, shelf = real(make_assistant)
    done(shelf.add(send(("owls.txt", OWLS))))
    done(shelf.add(send(("copy.txt", OWLS))))
    title = "Owls return to the Marrow forest"
    assert shelf.report.told == "1 added."
    assert shelf.report.lines[-1] == f"“{title}” (copy.txt) is the same as “{title}” (owls.txt)."


def test_an_article_of_which_the_file_was_gone_is_not_nothing(make_assistant, tmp_path, send, write):
    # It is told as renamed: the report said "nothing to do."
    assistant, shelf = real(make_assistant)
    assistant.add(write("elsewhere/owls.txt", OWLS))
    (tmp_path / "elsewhere" / "owls.txt").unlink()
    done(shelf.add(send(("owls.txt", OWLS))))
    assert len(assistant.documents()) == 1
    assert "nothing to do" not in shelf.report.told


# --- jobs and reports


def test_one_job_follows_the_other_and_tells_how_far_it_is(shelf, assistant, send):
    assert shelf.job is None
    assistant.hold("add")
    assistant.hold("rebuild")
    added = shelf.add(send(("owls.txt", OWLS), ("storks.txt", STORKS)))
    rebuilt = shelf.rebuild()
    until(lambda: shelf.job.total)
    assert shelf.job == Job("Adding 2 files", 0, 2, "owls.txt")
    assert shelf.report is None
    assistant.release("add")
    done(added)
    assert shelf.report.told == "2 added."
    until(lambda: shelf.job.total)
    assert shelf.job == Job("Rebuilding the library", 0, 1, "")
    assert not rebuilt.done()
    assistant.release("rebuild")
    done(rebuilt)
    assert (shelf.job, shelf.report.told) == (None, "Rebuilt: 3 there already.")


def test_one_file_is_one_file(shelf, assistant, send):
    assistant.hold("add")
    added = shelf.add(send(("owls.txt", OWLS)))
    assert shelf.job.what == "Adding 1 file"
    assistant.release("add")
    done(added)


@pytest.mark.parametrize("act", ["add", "remove", "undo", "rebuild"])
@pytest.mark.parametrize(
    ("error", "told"),
    [
        (LibraryReadOnly("The library cannot be written to.", "Change it."), "The library cannot be written to. Change it."),
        (ZeroDivisionError("a secret"), "Something went wrong; the library is as it was, or partly changed. Try again."),
    ],
)
def test_an_error_is_a_report_and_the_next_job_is_done(
    shelf, assistant, bridges, send, monkeypatch, caplog, act, error, told
):
    def fail(*_, **__):
        raise error

    done(shelf.remove(bridges.id))
    assistant.put(bridges)
    caplog.set_level(logging.ERROR)
    with monkeypatch.context() as patched:
        patched.setattr(assistant, "bring_back" if act == "undo" else act, fail)
        sent = send(("owls.txt", OWLS))
        done({"add": lambda: shelf.add(sent), "remove": lambda: shelf.remove(bridges.id)}.get(act, getattr(shelf, act))())
    assert shelf.report == Report(told)
    assert shelf.job is None
    assert len(caplog.records) == isinstance(error, ZeroDivisionError)
    done(shelf.rebuild())
    assert shelf.report.told == "Rebuilt: 1 there already."


def test_what_could_not_be_brought_back_can_be_tried_again(shelf, assistant, bridges, monkeypatch):
    def locked(_):
        raise LibraryReadOnly("Another program is writing.", "Wait.")

    done(shelf.remove(bridges.id))
    with monkeypatch.context() as patched:
        patched.setattr(assistant, "bring_back", locked)
        done(shelf.undo())
    done(shelf.undo())
    assert assistant.documents() == (bridges,)


def test_an_article_that_is_not_there_cannot_be_removed(shelf, assistant):
    done(shelf.remove("nothing"))
    assert shelf.report == Report("There is no document nothing.")
    assert len(assistant.documents()) == 1


def test_an_archive_goes_with_the_last_article_in_it_and_comes_back_with_it(make_assistant, send):
    assistant, shelf = real(make_assistant)
    done(shelf.add(send(("both.zip", zipped({"a/owls.txt": OWLS, "bridges.txt": BRIDGES})))))
    one, other = assistant.documents()
    done(shelf.remove(one.id))
    assert names(shelf) == ["both.zip"]
    done(shelf.remove(other.id))
    assert names(shelf) == [".removed-both.zip"]
    done(shelf.undo())
    assert (names(shelf), assistant.documents()) == (["both.zip"], (other,))


def test_only_the_last_one_that_was_removed_comes_back(shelf, assistant, send, monkeypatch):
    done(shelf.add(send(("owls.txt", OWLS), ("storks.txt", STORKS))))
    bridges, owls, storks = assistant.documents()
    for document in (bridges, owls, storks):
        done(shelf.remove(document.id))
    assert assistant.documents() == ()
    done(shelf.undo())
    assert assistant.documents() == (storks,)
    assert names(shelf) == [".removed-owls.txt", "storks.txt"]  # another server of this library may bring it back
    later = time.time() + 2 * 24 * 3600
    monkeypatch.setattr("rag.app.shelf.time", SimpleNamespace(time=lambda: later))
    Shelf(assistant, shelf._folder.parent)
    assert names(shelf) == ["storks.txt"]
    done(shelf.undo())
    assert (assistant.documents(), shelf.report) == ((storks,), Report("There is nothing to bring back."))


def test_a_removed_file_is_not_in_the_way_of_another_one_of_its_name(shelf, assistant, send):
    done(shelf.add(send(("a.txt", OWLS))))
    owls = assistant.documents()[1]
    done(shelf.remove(owls.id))
    done(shelf.add(send(("a.txt", STORKS))))
    assert (shelf._folder / "a.txt").read_text() == STORKS
    done(shelf.undo())
    assert (shelf._folder / "a.txt").read_text() == STORKS


def test_a_file_that_is_not_of_the_shelf_stays_where_it_is(shelf, assistant, write):
    path = write("mine/storks.txt", STORKS)
    assistant.put(make_document(STORKS, str(path)))
    done(shelf.remove(assistant.documents()[1].id))
    assert path.read_text() == STORKS
    done(shelf.undo())
    assert len(assistant.documents()) == 2


def test_a_report_is_there_until_it_is_dismissed(shelf):
    done(shelf.rebuild())
    assert shelf.report
    shelf.dismiss()
    assert shelf.report is None


def test_a_report_names_what_failed_what_changed_and_what_is_alike():
    report = AddReport(("a",), ("c",), ("u",), (("/x/f.txt", "No text."),), similar=(("a", "u", 0.876),))
    assert _told("", report, lambda identity: identity.upper(), lambda identity: identity) == Report(
        "1 added, 1 changed, 1 there already, 1 failed.",
        ("f.txt: No text.", "Added a.", "Changed c.", "A tells the same as U: 88%."),
    )
    assert _told("Rebuilt: ", AddReport(), str, str) == Report("Rebuilt: nothing to do.")


# --- how it is shown


def test_the_library_shows_the_job_and_offers_nothing_meanwhile(bridges):
    shown = library_html([bridges], waiting=False, may_change=True, job=Job("Adding 2 files", 1, 3, "<a>.txt"))
    assert "Adding 2 files · &lt;a&gt;.txt" in shown
    assert 'value="33"' in shown
    assert "#do-remove" not in shown
    assert "#do-rebuild" not in shown
    assert 'value="100"' in library_html([], waiting=False, job=Job("x", 9, 3))
    assert 'value="0"' in library_html([], waiting=False, job=Job("x"))


def test_the_library_offers_changes_only_where_they_may_be_made(bridges):
    shown = library_html([bridges], waiting=False, may_change=True, report=Report("Done.", ("x",) * 25, can_undo=True))
    for act in (f"#do-remove-{bridges.id}", "#do-rebuild", "#do-undo", "#do-dismiss"):
        assert f'data-do="{act}"' in shown
    assert "<summary>and 5 more</summary><ul><li>x</li>" in shown
    assert "#do-undo" not in library_html([bridges], waiting=False, may_change=True, report=Report("Done."))
    assert library_html([bridges], waiting=False).count("<button") == 1  # to ask it alone


def test_every_page_is_drawn_anew_while_a_job_goes_on(assistant, shelf, send):
    page, conversation = Page(assistant, Kept(assistant.conversations), shelf), Conversation()
    status, *_ = page.refresh("", conversation)
    assistant.hold("add")
    added = shelf.add(send(("owls.txt", OWLS)))
    until(lambda: shelf.job.total)
    status, _, panel, *_ = page.refresh(status, conversation)
    assert "Adding 1 file · owls.txt" in panel
    assert all("value" not in update for update in page.refresh(status, conversation))
    assistant.release("add")
    done(added)
    status, _, panel, *_ = page.refresh(status, conversation)
    assert "1 added." in panel
    assert "Adding" not in panel
    conversation.view = "evidence"
    shelf.dismiss()
    assert isinstance(page.refresh(status, conversation)[2], dict)  # what is read stays
