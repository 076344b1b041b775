"""Adding: what is there already is left alone, what changed replaces its old version, what fails is told."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from rag.config import ROOT
from rag.errors import DocumentMissing, LibraryMismatch, ModelMissing
from rag.read import SUFFIXES
from rag.types import AddReport
from tests.conftest import BRIDGES, OWLS
from tests.fakes import FakeEmbedder
from tests.test_library import all_vectors


def titles(assistant):
    return [document.title for document in assistant.documents()]


def test_a_folder_is_added_once(make_assistant, articles):
    embedder = FakeEmbedder()
    assistant = make_assistant(embedder=embedder)
    first = assistant.add([articles])
    assert first == AddReport(added=tuple(d.id for d in assistant.documents()))
    assert titles(assistant) == ["Old bridge of Arlen reopens after nine years", "Owls return to the Marrow forest"]
    generation, n_embedded = assistant.library.generation, len(embedder.seen)
    assert n_embedded == 5
    again = assistant.add([articles, articles / "owls.txt", str(articles) + "/../articles/owls.txt"])
    assert again == AddReport(unchanged=first.added)
    assert len(embedder.seen) == n_embedded
    assert assistant.library.generation == generation  # nothing for any process to do


def test_the_title_is_embedded_with_each_paragraph(make_assistant, articles):
    embedder = FakeEmbedder()
    make_assistant(embedder=embedder).add(articles / "owls.txt")
    title = "Owls return to the Marrow forest\n"
    assert [text.startswith(title) for text in embedder.seen] == [True, True]
    assert embedder.seen[0].endswith("the largest number since 1987.")


def test_a_changed_file_replaces_its_old_version_and_keeps_it_readable(make_assistant, articles, write):
    assistant = make_assistant()
    assistant.add(articles)
    old = next(d for d in assistant.documents() if "bridge" in d.title)
    write("articles/bridges.txt", BRIDGES.replace("4.2 million", "9.9 million"))
    report = assistant.add(articles)
    assert (report.changed, len(report.unchanged), report.added) == ((old.id,), 1, ())
    hits = assistant.search("How many crowns did its repair cost?", [old.id])
    assert "9.9 million" in hits[0].text
    assert not any("4.2 million" in hit.text for hit in assistant.search("4.2 million crowns"))
    assert "4.2 million" in assistant.document(old.id, old.version).text


def test_a_change_of_line_ends_is_no_change(make_assistant, articles, write):
    assistant = make_assistant()
    added = assistant.add(articles).added
    write("articles/owls.txt", "\ufeff" + OWLS.replace("\n", "\r\n"))
    assert assistant.add(articles).unchanged == added


def test_a_page_whose_title_or_day_changed_is_stored_so_though_its_text_did_not(make_assistant, write):
    page = "<html><head><title>Owls return</title><meta property='article:published_time' content='{}'></head>"
    page += f"<body><h1>Owls return to Arlen</h1><p>{OWLS}</p></body></html>"
    file = write("owls.html", page.format("2024-02-01"))
    embedder = FakeEmbedder()
    assistant = make_assistant(embedder=embedder)
    (identity,) = assistant.add(file).added
    n_embedded = len(embedder.seen)
    write("owls.html", page.format("2024-02-03"))
    assert assistant.add(file) == AddReport(changed=(identity,))
    assert assistant.document(identity).date == "2024-02-03"
    assert len(embedder.seen) == n_embedded  # no vector is computed again
    assert assistant.add(file) == AddReport(unchanged=(identity,))


def test_of_a_renamed_file_and_its_copy_one_is_the_document_and_the_other_a_new_one(make_assistant, write):
    file = write("many/owls.txt", OWLS)
    assistant = make_assistant()
    (identity,) = assistant.add(file).added
    one = file.rename(file.with_name("a.txt"))
    two = write("many/b.txt", OWLS)
    report = assistant.add(file.parent)
    assert report.renamed == ((identity, str(one)),)
    assert len(report.added) == 1
    assert {document.source for document in assistant.documents()} == {str(one), str(two)}


def test_an_article_that_is_called_as_its_file_is_gets_the_new_name_with_it(make_assistant, write):
    file = write("owls.csv", "Place,Owls\nHarbour,40\nMarrow forest,12\n")
    assistant = make_assistant()
    (identity,) = assistant.add(file).added
    new = file.rename(file.with_name("owls-of-arlen.csv"))
    assert assistant.add(new) == AddReport(renamed=((identity, str(new)),))
    stored = assistant.document(identity)
    assert (stored.title, stored.source) == ("owls-of-arlen", str(new))
    assert assistant.add(new) == AddReport(unchanged=(identity,))


def test_files_that_fail_are_told_and_the_others_are_added(make_assistant, articles, write, tmp_path):
    write("articles/empty.txt", "")
    write("articles/binary.txt", b"\0\1\2")
    write("articles/picture.png", b"not read at all")
    (tmp_path / "bare").mkdir()
    assistant = make_assistant()
    report = assistant.add([articles, tmp_path / "nowhere", tmp_path / "bare", write("a.pdf", "%PDF")])
    assert len(report.added) == 2
    reasons = {path.rpartition("/")[2]: reason for path, reason in report.failed}
    assert set(reasons) == {"empty.txt", "binary.txt", "nowhere", "bare", "a.pdf"}
    assert reasons["nowhere"] == f"{tmp_path}/nowhere does not exist. Check the path."
    assert reasons["bare"] == "The folder has no articles: no " + ", ".join(sorted(SUFFIXES)) + " files."
    assert reasons["binary.txt"].startswith("The file is not text")


def test_a_folder_that_cannot_be_read_fails_alone(make_assistant, articles, monkeypatch):
    closed = articles / "closed"
    closed.mkdir()
    scan = os.scandir

    def scandir(path):
        if str(path) == str(closed):  # tests may run as root, whom no permission stops
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    report = make_assistant().add(articles)
    assert len(report.added) == 2
    assert report.failed == ((str(closed), "The folder cannot be read: Permission denied. Change its permissions."),)


def test_a_path_that_is_too_long_fails_alone(make_assistant, articles):
    report = make_assistant().add(["a" * 300 + "/x", articles])
    assert len(report.added) == 2
    assert "cannot be read: File name too long. Check the path." in report.failed[0][1]


def test_names_that_are_not_utf_8_fail_alone(make_assistant, articles):
    # One such name used to end the whole batch with a UnicodeEncodeError, as did a folder of such a name.
    bad = os.fsencode(articles) + b"/caf\xe9.txt"
    os.mkdir(os.fsencode(articles) + b"/d\xe9j\xe0")
    for path in (bad, os.fsencode(articles) + b"/d\xe9j\xe0/owls.txt"):
        with open(path, "w") as file:
            file.write(OWLS)
    report = make_assistant().add([articles, os.fsdecode(os.fsencode(articles) + b"/d\xe9j\xe0")])
    assert len(report.added) == 2
    assert sorted(path.partition("articles/")[2] for path, _ in report.failed) == [
        "caf\ufffd.txt",
        "d\ufffdj\ufffd",
        "d\ufffdj\ufffd/owls.txt",
    ]
    assert all("UTF-8" in reason for _, reason in report.failed)


def test_equal_texts_are_two_documents_reported_as_duplicates(make_assistant, articles, write):
    write("articles/copy.txt", OWLS)
    write("articles/z-copy.txt", OWLS)
    assistant = make_assistant()
    report = assistant.add(articles)
    by_name = {d.source.rpartition("/")[2]: d.id for d in assistant.documents()}
    copies = [by_name[name] for name in ("owls.txt", "z-copy.txt")]
    assert report.duplicates == tuple((copy, by_name["copy.txt"]) for copy in copies)
    assert assistant.add(articles).duplicates == ()


def test_texts_that_changed_places_are_no_duplicates(make_assistant, articles, write):
    # The version that a file had before was still counted as its text.
    assistant = make_assistant()
    assistant.add(articles)
    write("articles/bridges.txt", OWLS)
    write("articles/owls.txt", BRIDGES)
    report = assistant.add(articles)
    assert len(report.changed) == 2
    assert report.duplicates == ()


LONGER = f"""{BRIDGES.strip()}

The engineers found that two of the seven arches could be kept, while the other five had to be built anew from the old plans.

A toll will not be asked from anybody who crosses the bridge, although the council had thought about it in the spring.
"""
CUT = "\n\n".join(["The bridge is open", *LONGER.split("\n\n")[1:3], *LONGER.split("\n\n")[4:]])


def test_a_story_that_another_site_has_cut_is_told_as_similar(make_assistant, write):
    write("articles/a.txt", LONGER)
    folder = write("articles/b.txt", CUT).parent
    write("articles/c.txt", OWLS)
    assistant = make_assistant()
    report = assistant.add(folder)
    by_name = {d.source.rpartition("/")[2]: d.id for d in assistant.documents()}
    ((copy, older, share),) = report.similar
    assert (copy, older) == (by_name["b.txt"], by_name["a.txt"])
    assert share > 0.9
    assert report.duplicates == ()
    assert assistant.add(folder).similar == ()


def test_similar_stories_are_found_among_those_that_were_added_before(make_assistant, write):
    first = make_assistant()
    first.add(write("a.txt", LONGER))
    first.close()
    second = make_assistant()
    (added,) = second.add(write("b.txt", CUT)).similar
    assert added[0] != added[1]
    second.remove([added[1]])
    assert second.add(write("c.txt", LONGER.replace("Friday", "friday"))).similar[0][1] == added[0]


def test_an_equal_text_and_a_text_with_other_numbers_are_not_similar(make_assistant, write):
    assistant = make_assistant()
    assistant.add(write("a.txt", LONGER))
    report = assistant.add(write("b.txt", LONGER))
    assert (len(report.duplicates), report.similar) == (1, ())
    anew = re.sub(r"\d+", lambda match: f"{int(match[0]) + 5}", LONGER)
    assert assistant.add(write("c.txt", anew)).similar == ()


def test_progress_counts_the_bytes_that_are_embedded(make_assistant, articles):
    # Counted by files, a folder with one book in it was nearly done until the book came.
    seen = []
    make_assistant().add(articles, progress=lambda *step: seen.append(step))
    total = len((BRIDGES + OWLS).encode())
    assert seen == [(0, total, "bridges.txt"), (0, total, "owls.txt"), (total, total, "owls.txt"), (total, total, "")]


def test_files_that_are_there_already_promise_nothing_about_the_time_of_the_others(make_assistant, articles, write):
    assistant = make_assistant()
    assistant.add(articles)
    new = write("articles/zebras.txt", "Zebras\n\nThe zoo has eleven zebras this year, one of them a foal.\n")
    write("articles/empty.txt", "")
    seen = []
    report = assistant.add(articles, progress=lambda *step: seen.append(step[:2]))
    assert (len(report.added), len(report.unchanged), len(report.failed)) == (1, 2, 1)
    assert seen[-3:] == [(0, new.stat().st_size)] + [(new.stat().st_size, new.stat().st_size)] * 2


def test_progress_ends_full_if_all_was_there_already(make_assistant, articles):
    assistant = make_assistant()
    assistant.add(articles)
    seen = []
    assistant.add(articles, progress=lambda *step: seen.append(step[:2]))
    total = len((BRIDGES + OWLS).encode())
    assert (seen[0], seen[-1]) == ((0, total), (total, total))


class StoppedEmbedder(FakeEmbedder):
    """Is stopped when it is asked for the n-th time."""

    def __init__(self, n):
        super().__init__()
        self.left = n

    def embed_paragraphs(self, texts):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt
        return super().embed_paragraphs(texts)


def paragraphs_of(n):
    return "\n\n".join(
        f"Paragraph {i} of the report tells of the {i + 7}th bridge over the river, in plain words." for i in range(n)
    )


def test_an_add_that_was_stopped_embeds_nothing_twice(make_assistant, write):
    embedder = StoppedEmbedder(3)  # in chunks of 64 texts
    assistant = make_assistant(embedder=embedder)
    long = write("long.txt", f"Report\n\n{paragraphs_of(150)}\n")
    with pytest.raises(KeyboardInterrupt):
        assistant.add(long)
    assert (len(embedder.seen), assistant.documents()) == (128, ())
    assistant.add(write("short.txt", f"Another\n\n{paragraphs_of(1)}\n"))
    assistant.add(long)
    assert len(embedder.seen) == len(set(embedder.seen)) == 151


def test_a_rebuild_that_was_stopped_embeds_nothing_twice_though_an_article_came_between(make_assistant, write):
    first = make_assistant()
    first.add(write("long.txt", f"Report\n\n{paragraphs_of(150)}\n"))
    first.close()
    embedder = StoppedEmbedder(3)
    assistant = make_assistant(embedder=embedder)
    with pytest.raises(KeyboardInterrupt):
        assistant.rebuild()
    assistant.add(write("short.txt", f"Another\n\n{paragraphs_of(1)}\n"))
    assistant.rebuild()
    seen = [text for text in embedder.seen if text.startswith("Report")]
    assert len(seen) == len(set(seen)) == 150
    assert assistant.library._rows("SELECT count(*) FROM staged") == [(0,)]


def n_staged(assistant):
    ((n,),) = assistant.library._rows("SELECT count(*) FROM staged")
    return n


def test_what_a_killed_add_left_staged_goes_after_a_week(make_assistant, write):
    assistant = make_assistant(embedder=StoppedEmbedder(2))
    long = write("long.txt", f"Report\n\n{paragraphs_of(150)}\n")
    with pytest.raises(KeyboardInterrupt):
        assistant.add(long)
    long.unlink()
    assistant.add(write("short.txt", f"Another\n\n{paragraphs_of(1)}\n"))
    assert n_staged(assistant) == 64
    aged = "UPDATE meta SET value = CAST(value - ? AS TEXT) WHERE key = 'staged_since'"
    assistant.library._store.write(aged, [(6 * 86_400,)])
    assistant.add(write("short.txt", f"Another one\n\n{paragraphs_of(1)}\n"))
    assert n_staged(assistant) == 64  # a rebuild that was stopped may go on in a few days
    assistant.library._store.write(aged, [(2 * 86_400,)])
    assistant.add(write("short.txt", f"A third\n\n{paragraphs_of(1)}\n"))
    assert n_staged(assistant) == 0
    assert assistant.library._rows("SELECT * FROM meta WHERE key = 'staged_since'") == []


# --- removing and rebuilding ---------------------------------------------------------------------------------------


def test_remove_is_all_or_nothing(make_assistant, articles):
    assistant = make_assistant()
    first, second = assistant.add(articles).added
    with pytest.raises(DocumentMissing, match="does not hold document 'nonsense'"):
        assistant.remove([first, "nonsense"])
    assert len(assistant.documents()) == 2
    assistant.remove([first])
    assert [d.id for d in assistant.documents()] == [second]
    assert {hit.document for hit in assistant.search("bridge of Arlen")} == {second}
    assert assistant.add(articles).added == (first,)


def test_what_was_removed_is_brought_back_as_it_was(make_assistant, articles):
    assistant, question = make_assistant(), "How many snowy owls were counted?"
    assistant.add(articles)
    before = assistant.documents()
    owls = next(d for d in before if "Owls" in d.title)
    hits = assistant.search(question, [owls.id])
    _, vectors = all_vectors(assistant.library)
    assistant.remove([owls.id])
    assert "Owls" not in {hit.title[:4] for hit in assistant.search(question)}
    assert assistant.library.removed() == {owls.id}
    (articles / "owls.txt").unlink()  # its file is not read
    assistant.bring_back([owls])
    assert assistant.document(owls.id) == owls
    assert set(assistant.documents()) == set(before)
    assert assistant.library.removed() == frozenset()
    again = assistant.search(question, [owls.id])
    assert [(hit.text, hit.score) for hit in again] == [(hit.text, hit.score) for hit in hits]
    assert sorted(map(bytes, all_vectors(assistant.library)[1])) == sorted(map(bytes, vectors))


def test_a_rebuild_keeps_what_was_brought_back_and_others_find_it(make_assistant, articles):
    assistant, other = make_assistant(), make_assistant()
    assistant.add(articles)
    owls = next(d for d in assistant.documents() if "Owls" in d.title)
    assistant.remove([owls.id])
    assistant.bring_back([owls])
    assert "Forty snowy owls" in other.search("How many snowy owls were counted?", [owls.id])[0].text
    report = assistant.rebuild()
    assert (report.added, report.changed, report.failed) == ((), (), ())
    assert owls.id in report.unchanged
    assert assistant.document(owls.id) == owls
    assert assistant.search("How many snowy owls were counted?", [owls.id])


def test_bringing_back_what_is_there_changes_nothing(make_assistant, articles):
    embedder = FakeEmbedder()
    assistant = make_assistant(embedder=embedder)
    assistant.add(articles)
    documents, n_embedded = assistant.documents(), len(embedder.seen)
    assistant.bring_back(documents)
    assistant.bring_back([])
    assert assistant.documents() == documents
    assert len(embedder.seen) == n_embedded
    assert len(assistant.search("How many snowy owls were counted?")) == 5


def test_nothing_is_brought_back_into_a_library_of_another_embedding_model(make_assistant, articles):
    assistant = make_assistant()
    assistant.add(articles)
    gone = assistant.documents()[0]
    assistant.remove([gone.id])
    other = make_assistant(embedder=FakeEmbedder("another"))
    with pytest.raises(LibraryMismatch, match="another"):
        other.bring_back([gone])
    assert gone.id in assistant.library.removed()


def test_rebuild_reads_files_again_and_finds_new_ones(make_assistant, articles, write):
    embedder = FakeEmbedder()
    assistant = make_assistant(embedder=embedder)
    bridges, owls = assistant.add(articles).added
    write("articles/owls.txt", OWLS.replace("Forty", "Fifty"))
    write("articles/storks.txt", "Storks arrive\n\nTwo storks came to the town this spring.\n")
    steps = []
    report = assistant.rebuild(progress=lambda *step: steps.append(step))
    assert (report.unchanged, report.changed, len(report.added)) == ((bridges,), (owls,), 1)
    sizes = [len(document.text) for document in assistant.documents()]
    total = sum(sizes)
    assert [step[:2] for step in steps] == [(0, total), (sizes[0], total), (sizes[0] + sizes[1], total), (total, total)]
    assert assistant.search("How many storks came?")[0].title == "Storks arrive"
    assert assistant.search("Fifty snowy owls")[0].document == owls


def test_rebuild_keeps_the_text_of_a_file_that_is_gone_or_broken(make_assistant, articles, write):
    assistant = make_assistant()
    bridges, owls = assistant.add(articles).added
    (articles / "bridges.txt").unlink()
    write("articles/owls.txt", b"\0")
    report = assistant.rebuild()
    assert set(report.unchanged) == {bridges, owls}
    assert [(path.rpartition("/")[2], reason) for path, reason in report.failed] == [
        ("bridges.txt", "The file is not there. Check the path, or where a link leads. Its stored text is kept."),
        ("owls.txt", "The file is not text. Save it in a format that is read, or as UTF-8 text. Its stored text is kept."),
    ]  # and not a second time for the folder that they lie in
    assert len(assistant.search("bridge of Arlen and snowy owls")) == 5


def test_rebuild_takes_another_embedding_model(make_assistant, articles):
    make_assistant().add(articles)
    other = make_assistant(embedder=FakeEmbedder("other-embedder", 64))
    for refused in (lambda: other.add(articles), lambda: other.search("owls")):
        with pytest.raises(LibraryMismatch, match=r"'fake-embedder', but the settings say 'other-embedder'.*rag rebuild"):
            refused()
    other.rebuild()
    assert all_vectors(other.library)[1].shape == (5, 64)
    assert other.search("snowy owls")[0].title == "Owls return to the Marrow forest"
    with pytest.raises(LibraryMismatch, match=r"'other-embedder', but the settings say 'fake-embedder'"):
        make_assistant().search("owls")


def test_rebuild_does_not_bring_back_what_was_removed(make_assistant, articles):
    assistant = make_assistant()
    bridges, owls = assistant.add(articles).added
    assistant.remove([owls])
    assert assistant.rebuild() == AddReport(unchanged=(bridges,))
    assert assistant.add(articles).added == (owls,)  # named again, it is wanted again
    assert assistant.rebuild() == AddReport(unchanged=(bridges, owls))


def test_other_processes_find_everything_while_a_rebuild_goes_on(make_assistant, articles, write):
    class Watching(FakeEmbedder):
        def embed_paragraphs(self, texts):
            if other.documents():
                seen.append([hit.title for hit in other.search("snowy owls and the bridge of Arlen")])
            return super().embed_paragraphs(texts)

    seen = []
    other = make_assistant()
    assistant = make_assistant(embedder=Watching())
    assistant.add(articles)
    write("articles/storks.txt", "Storks arrive\n\nTwo storks came to the town this spring.\n")
    seen.clear()
    assistant.rebuild()  # stored all anew, then embedded the new file: meanwhile nothing was found
    assert [len(titles) for titles in seen] == [5, 5, 5]
    assert len(other.search("snowy owls and the bridge of Arlen")) == 6


def test_what_a_long_add_has_stored_is_found_by_others_before_it_ends(make_assistant, write, tmp_path):
    class Watching(FakeEmbedder):
        def embed_paragraphs(self, texts):
            if any("number 60," in text for text in texts):
                seen.extend(hit.title for hit in other.search("report number 7"))
            return super().embed_paragraphs(texts)

    numbered(write, 70)
    seen = []
    other = make_assistant()
    make_assistant(embedder=Watching()).add(tmp_path / "many")
    assert seen[0] == "Report number 7"


def test_seeds_are_added_to_a_new_library_only(make_assistant, write, articles):
    write("seeds/owls.txt", OWLS)
    assistant = make_assistant()
    (seed,) = assistant.add_seeds().added
    assistant.remove([seed])
    assert assistant.add_seeds() == AddReport()
    assert assistant.documents() == ()


ADD = """
import sys
from rag.assistant import loading
from rag.cli import main
from tests.fakes import FakeEmbedder, FakeReranker

loading.load_embedder = lambda settings: FakeEmbedder()
loading.load_reranker = lambda settings: FakeReranker()
sys.exit(main(sys.argv[1:]))
"""


def command(*arguments):
    """Runs a command with the fakes in another process."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-c", ADD, *map(str, arguments)], env=environment, check=True, timeout=60)


def test_a_running_assistant_sees_what_another_process_did_within_two_seconds(make_assistant, articles):
    assistant = make_assistant()
    assert assistant.search("snowy owls") == ()
    command("add", articles / "owls.txt")
    started = time.monotonic()
    assert assistant.search("How many snowy owls were counted?")[0].title == "Owls return to the Marrow forest"
    assert [d.title for d in assistant.documents()] == ["Owls return to the Marrow forest"]
    assert time.monotonic() - started < 2
    command("remove", assistant.documents()[0].id)
    assert assistant.search("snowy owls") == ()


# --- nothing is lost -----------------------------------------------------------------------------------------------


class FailingEmbedder(FakeEmbedder):
    """Fails at the paragraph that has a certain word."""

    def embed_paragraphs(self, texts):
        if any("Poison" in text for text in texts):
            raise ModelMissing("The embedding model is gone.", "Fetch it.")
        return super().embed_paragraphs(texts)


def numbered(write, n):
    for i in range(n):
        write(f"many/{i:03}.txt", f"Report number {i}\n\nThis is the text of the report with number {i}, as it was read.\n")


def test_batches_that_were_stored_stay_when_a_later_one_fails(make_assistant, write, tmp_path):
    numbered(write, 70)
    write("many/050.txt", "A bad report\n\nPoison is in this sentence of the report, as can be seen.\n")
    assistant = make_assistant(embedder=FailingEmbedder())
    with pytest.raises(ModelMissing, match="embedding model is gone"):
        assistant.add(tmp_path / "many")
    assert len(assistant.documents()) == 32  # one batch
    assert assistant.search("report number 7")[0].title == "Report number 7"
    report = make_assistant().add(tmp_path / "many")
    assert (len(report.added), len(report.unchanged)) == (38, 32)


SLOW_ADD = """
import signal, sys, time
from rag.assistant import loading
from rag.cli import main
from rag.read import SUFFIXES
from rag.read import SUFFIXES
from tests.fakes import FakeEmbedder, FakeReranker

class Slow(FakeEmbedder):
    def embed_paragraphs(self, texts):
        if any("number 40," in text for text in texts):
            print("embedding", flush=True)
            time.sleep(60)
        return super().embed_paragraphs(texts)

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that runs tests in its background ignores it
loading.load_embedder = lambda settings: Slow()
loading.load_reranker = lambda settings: FakeReranker()
sys.exit(main(["add", sys.argv[1]]))
"""


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_add_keeps_what_was_stored_and_the_next_one_goes_on(make_assistant, write, tmp_path, stop):
    numbered(write, 70)
    command = [sys.executable, "-c", SLOW_ADD, str(tmp_path / "many")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stdout.readline() == "embedding\n"
    process.send_signal(stop)
    _, said = process.communicate(timeout=30)
    if stop == signal.SIGINT:
        assert process.returncode == 130
        assert said.splitlines()[-1] == "Stopped."
        assert "Traceback" not in said
    assistant = make_assistant()
    assert len(assistant.documents()) == 32
    report = assistant.add(tmp_path / "many")
    assert (len(report.added), len(report.unchanged), report.failed) == (38, 32, ())
    assert assistant.search("report number 69")[0].title == "Report number 69"
