"""The command line: what it prints, its exit codes, and that no traceback reaches the reader."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time

import pytest

from rag.cli import main
from rag.config import ROOT
from rag.library import Library
from tests.conftest import BRIDGES, OWLS

ANSWERED, FAILED, BAD_USE, NOT_FOUND = 0, 1, 2, 3
DONE = ANSWERED


@pytest.fixture
def fake_models(fake_models, plain_decision):
    fake_models["generator"]._table["Who is the mayor"] = "Ilse Varga said that the repair cost 4.2 million crowns."
    return fake_models


# --- asking --------------------------------------------------------------------------------------------------------


def test_an_answer_is_printed_with_its_source_and_exits_with_0(run, articles):
    run("add", articles)
    code, out, err = run("ask", "Who is the mayor that told the cost of its repair in crowns?")
    assert (code, err) == (ANSWERED, "")
    assert out.startswith("Ilse Varga said that the repair cost 4.2 million crowns. [1]\n\n[1] Old bridge of Arlen")
    assert f"    paragraph 2 of {articles}/bridges.txt\n" in out
    assert "“Its repair cost 4.2 million crowns, said the mayor, Ilse Varga.”" in out


def test_what_the_documents_do_not_say_exits_with_3(run, articles):
    run("add", articles)
    code, out, _ = run("ask", "What does quantum chromodynamics predict?")
    assert code == NOT_FOUND
    assert out.startswith("The documents do not say.\n")


def test_a_question_back_exits_with_3_and_names_no_nearest_paragraph(run, articles):
    run("add", articles)
    code, out, _ = run("ask", "How many?")
    assert code == NOT_FOUND
    assert " ".join(out.split()).startswith("Which one do you mean: “")
    assert "Owls return to the Marrow forest" in " ".join(out.split())
    assert "Nearest" not in out
    assert json.loads(run("ask", "How many?", "--json")[1])["status"] == "clarify"


def test_json_is_the_whole_answer_and_verify_takes_it(run, articles, write):
    run("add", articles)
    code, out, _ = run("ask", "Who is the mayor that told the cost of its repair in crowns?", "--json")
    assert code == ANSWERED
    answer = json.loads(out)
    assert (answer["status"], answer["found"]) == ("answered", True)
    assert set(answer["timings"]) == {"retrieve", "rerank", "first_token", "total"}
    (citation,) = answer["citations"]
    assert BRIDGES[citation["start"] : citation["end"]] == citation["quote"]
    saved = write("answer.json", out)
    assert run("verify", saved)[:2] == (
        0,
        "[1] exact  Old bridge of Arlen reopens after nine years\n1 of 1 quotes are exact.\n",
    )
    forged = write("forged.json", out.replace('"quote": "Its repair', '"quote": "Our repair'))
    code, out, _ = run("verify", forged)
    assert code == FAILED
    assert "[1] WRONG  Old bridge of Arlen reopens after nine years: the text there is 'Its repair" in out
    run("remove", citation["document"])
    code, out, _ = run("verify", saved)
    assert code == FAILED
    assert "[1] WRONG  The library does not hold document" in out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("no json", "is no saved answer: it is not JSON."),
        ("[]", "is no saved answer: it has no citations."),
        ("{}", "is no saved answer: it has no citations."),
        ('{"citations": [{"number": 1}]}', "is no saved answer: document is None."),
        (
            '{"citations": [{"number": "1", "document": "a", "version": "b", "start": 0, "end": 1, "quote": "c"}]}',
            "is no saved answer: number is '1'",
        ),
        (b"\xff", "is no saved answer: it is not JSON."),
    ],
)
def test_verify_names_a_file_that_is_no_answer(run, write, content, message):
    path = write("x.json", content)
    code, _, err = run("verify", path)
    assert code == BAD_USE
    assert f"{path} {message}" in err


def test_an_article_that_has_the_cited_paragraph_too_is_named(run, articles, write):
    write("articles/copy.txt", BRIDGES)
    run("add", articles)
    code, out, _ = run("ask", "Who is the mayor that told the cost of its repair in crowns?")
    assert code == ANSWERED
    cited, other = re.findall(r"    (?:paragraph 2 of|also in) (.*)", out)
    assert {cited, other} == {f"{articles}/bridges.txt", f"{articles}/copy.txt"}


def test_an_index_that_is_missing_is_built_from_the_seeds_by_ask_alone(run, write):
    write("seeds/owls.txt", OWLS)
    assert run("search", "snowy owls")[0] == NOT_FOUND
    assert run("list")[1] == ""
    code, out, _ = run("ask", "How many snowy owls were counted in the forest this winter?")
    assert code == ANSWERED
    assert "Forty snowy owls" in out
    assert "Owls return to the Marrow forest" in run("list")[1]


def test_an_empty_library_is_told(run):
    code, out, err = run("ask", "How many owls?")
    assert code == NOT_FOUND
    assert out == "The documents do not say.\n"
    assert "The library is empty. Add articles with: rag add PATH" in err


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("", "The question is empty."),
        (" \n ", "The question is empty."),
        ("a " * 25_000, "The question has 49999 characters; at most 2000 are read."),
    ],
)
def test_a_question_that_cannot_be_asked_is_bad_use(run, articles, question, message):
    run("add", articles)
    code, out, err = run("ask", question)
    assert (code, out) == (BAD_USE, "")
    assert err.startswith(f"rag: {message}\n     Ask ")


# --- which documents are meant -------------------------------------------------------------------------------------


COUNTED = "How many snowy owls were counted in the Marrow forest this winter?"


def test_only_the_documents_are_asked_and_listed_that_are_meant(run, articles):
    run("add", articles)
    assert run("ask", COUNTED)[0] == ANSWERED
    code, out, _ = run("ask", COUNTED, "--since", "2024-05", "--until", "2024")
    assert (code, "owls" in out) == (NOT_FOUND, False)
    assert run("ask", COUNTED, "--source", articles / "owls.txt", "--language", "en")[0] == ANSWERED
    assert run("ask", COUNTED, "--source", articles / "owls.txt", "--source", articles / "bridges.txt")[0] == ANSWERED
    _, listed, _ = run("list", "--language", "EN", "--since", "2024-05-03")
    assert re.fullmatch(
        r"([0-9a-f]{12})  2024-05-03  Old bridge of Arlen reopens after nine years\n\s+\S+/bridges.txt\n", listed
    )
    bridges = listed.split()[0]
    assert run("list", "--document", bridges)[1] == listed
    assert {hit["document"] for hit in json.loads(run("ask", COUNTED, "--json", "--document", bridges)[1])["evidence"]} == {
        bridges
    }
    assert run("list", "--source", articles)[1] == run("list")[1]


def test_a_filter_that_selects_nothing_exits_with_3_and_is_told(run, articles):
    run("add", articles)
    code, out, _ = run("ask", COUNTED, "--since", "2031")
    assert (code, out) == (NOT_FOUND, "The documents do not say.\n\nThe filter “since 2031” selects no document.\n")
    code, out, err = run("list", "--language", "th", "--since", "2024")
    assert (code, out, err) == (NOT_FOUND, "", "The filter “languages th” selects no document.\n")
    code, _, err = run("list", "--source", "nowhere", "--until", "2024")
    assert (code, err) == (NOT_FOUND, f"The filter “sources {os.getcwd()}/nowhere” selects no document.\n")


@pytest.mark.parametrize("command", [("ask", COUNTED), ("search", COUNTED), ("list",)], ids=lambda command: command[0])
def test_a_date_that_is_none_is_told_before_an_index_is_built(run, write, tmp_path, command):
    write("seeds/owls.txt", OWLS)
    code, out, err = run(*command, "--since", "soon")
    assert (code, out) == (BAD_USE, "")
    assert "since is 'soon'; expected a date" in err
    assert not (tmp_path / "index").exists()


def test_the_paragraphs_for_a_question_are_shown_without_an_answer(run, articles, fake_models):
    empty = "The library is empty. Add articles with: rag add PATH\n"
    assert run("search", COUNTED) == (NOT_FOUND, "No paragraph was found.\n", empty)
    run("add", articles)
    code, out, err = run("search", COUNTED)
    assert (code, err) == (DONE, "")
    first, *others = out.split("\n\n")
    title, place, quote = first.split("\n", 2)
    assert (title, place) == ("Owls return to the Marrow forest", f"    paragraph 1 of {articles}/owls.txt")
    assert " ".join(quote.split()).startswith("“Forty snowy owls were counted in the Marrow forest this winter")
    assert len(others) == 4
    assert fake_models["generator"].prompts == []
    code, out, _ = run("search", COUNTED, "--json", "--since", "2024")
    hits = json.loads(out)
    assert (code, {hit["title"] for hit in hits}) == (DONE, {"Old bridge of Arlen reopens after nine years"})
    assert all(BRIDGES[hit["start"] : hit["end"]] == hit["text"] for hit in hits)
    code, out, err = run("search", COUNTED, "--until", "1999")
    assert (code, out, err) == (NOT_FOUND, "No paragraph was found.\n", "The filter “until 1999” selects no document.\n")


@pytest.mark.parametrize("command", [("ask", COUNTED), ("search", COUNTED), ("list",)], ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--since", "soon"),
            "since is 'soon'; expected a date such as 2026-03-31, 2026-03 or 2026.\n     Give year, month",
        ),
        (("--since", "2026", "--until", "2025"), "since is 2026, which is after until, 2025.\n     Exchange them"),
        (
            ("--language", "English"),
            "languages has 'English'; expected a code of ISO 639-1, such as en.\n     Known are ar, ",
        ),
        (
            ("--document", "0123"),
            "The library does not hold document '0123'.\n     It was removed, or never added: rag list",
        ),
        (("--since", ""), "since is empty.\n     Leave it out, or give a date such as 2026-03-31"),
        (("--source", ""), "sources has ''; expected texts that are not empty.\n     Leave it out"),
    ],
)
def test_an_option_that_cannot_be_is_bad_use(run, articles, command, options, message):
    run("add", articles)
    code, out, err = run(*command, *options)
    assert (code, out) == (BAD_USE, "")
    assert err.startswith(f"rag: {message}")


# --- the library ---------------------------------------------------------------------------------------------------


def test_add_list_status_remove(run, articles):
    code, out, _ = run("add", articles)
    assert code == 0
    assert out.splitlines() == [
        "added      2 documents",
        "           2024-05-03    3 paragraphs  Old bridge of Arlen reopens after nine years",
        f"{'':39}{articles}/bridges.txt",
        "           no date       2 paragraphs  Owls return to the Marrow forest",
        f"{'':39}{articles}/owls.txt",
    ]
    code, out, _ = run("add", articles / "owls.txt")
    assert (code, out) == (0, "unchanged  1 document\n")
    out = run("list")[1].splitlines()
    assert re.fullmatch(r"[0-9a-f]{12}  2024-05-03  Old bridge of Arlen reopens after nine years", out[0])
    assert out[1].strip() == f"{articles}/bridges.txt"
    assert re.fullmatch(r"[0-9a-f]{12}              Owls return to the Marrow forest", out[2])
    status = run("status")[1]
    assert "           2 documents, 5 paragraphs\n           built with fake-embedder\n" in status
    code, out, _ = run("remove", out[0].split()[0])
    assert (code, out) == (0, "removed    Old bridge of Arlen reopens after nine years\n")
    assert "           1 document, 2 paragraphs\n" in run("status")[1]
    assert "Owls" in run("list")[1]
    assert "bridge" not in run("list")[1]


def test_an_empty_path_is_not_the_working_directory(run, articles):
    code, out, err = run("add", "")
    assert (code, err) == (FAILED, "")
    assert out == "failed     \n           The path is empty. Name a file or a folder.\n"


def test_a_verification_of_models_that_are_missing_fails(run):
    code, out, _ = run("models", "verify")
    assert code == FAILED
    assert [line.split()[0] for line in out.splitlines()[1:]] == ["missing"] * 3


def test_an_unknown_id_is_bad_use_and_removes_nothing(run, articles):
    run("add", articles)
    known = run("list")[1].split()[0]
    code, out, err = run("remove", known, "nonsense")
    assert (code, out) == (BAD_USE, "")
    assert err == "rag: The library does not hold document 'nonsense'.\n     It was removed, or never added: rag list\n"
    assert known in run("list")[1]


def test_files_that_fail_are_told_and_the_exit_code_says_so(run, articles, write, tmp_path):
    write("articles/binary.txt", b"\0")
    write("articles/copy.txt", OWLS)
    code, out, _ = run("add", articles, tmp_path / "nowhere")
    assert code == FAILED
    assert "added      3 documents\n" in out
    assert re.search(r"duplicate  [0-9a-f]{12} has the same text as [0-9a-f]{12}\n +/.*\n +/.*\n", out)
    assert f"failed     {articles}/binary.txt\n           The file is not text." in out
    assert f"failed     {tmp_path}/nowhere\n           {tmp_path}/nowhere does not exist. Check the path.\n" in out


def test_an_article_that_is_nearly_equal_is_told(run, articles, write):
    story = " ".join(f"word{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(60))
    write("articles/x.txt", f"One title\n\n{story}")
    write("articles/y.txt", f"Another title\n\n{story} and more")
    out = run("add", articles)[1]
    told = r"similar    [0-9a-f]+ tells the same story as [0-9a-f]+ \(100% of the shorter one is in both\)\n"
    assert re.search(told, out)


def test_a_name_that_is_not_utf_8_can_be_printed(run, articles):
    bad = os.fsencode(articles) + b"/caf\xe9.txt"
    with open(bad, "w") as file:
        file.write(OWLS)
    code, out, _ = run("add", articles)
    assert code == FAILED
    assert "failed     " + str(articles) + "/caf\ufffd.txt\n           The file's name is not UTF-8. Rename it.\n" in out


def test_the_bar_of_an_add_ends_full_if_all_was_there_already(run, articles, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    run("add", articles)
    code, out, err = run("add", articles)
    assert (code, out) == (0, "unchanged  2 documents\n")
    assert re.search(r"100%[^\r]*\n$", err)


def test_rebuild_prints_a_progress_bar(run, articles, monkeypatch):
    assert run("add", articles)[2] == ""  # no terminal: in a file its steps would be lines without end
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    code, out, err = run("rebuild")
    assert (code, out) == (0, "unchanged  2 documents\n")
    n_bytes = len((BRIDGES + OWLS).encode())
    assert re.search(rf"100%.* {n_bytes}/{n_bytes} ", err)
    assert run("rebuild")[0] == 0


def test_backup_restore_and_repair(run, articles, write, tmp_path, monkeypatch):
    run("add", articles)
    file = tmp_path / "backup"
    assert run("backup", file) == (0, f"saved      2 documents in {file}\n", "")
    run("add", write("storks.txt", "Storks arrive\n\nTwo storks came to the town this spring.\n"))
    code, out, err = run("restore", file)
    assert (code, out) == (FAILED, "")
    assert "has 3 documents; the backup, with 2, would replace it.\n     To do so, run it again with --yes" in err
    assert err.endswith("Nothing was changed.\n")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    for reply, left in (("", 3), ("y", 2)):
        monkeypatch.setattr("builtins.input", lambda question, reply=reply: reply)
        assert run("restore", file)[0] == (DONE if reply else FAILED)
        assert f"           {left} documents," in run("status")[1]
    assert run("restore", file, "--yes") == (0, f"restored   2 documents of {file}\n", "")
    assert run("repair") == (0, f"Nothing is wrong with the library in {tmp_path}/index.\n", "")
    code, _, err = run("backup", articles / "owls.txt")
    assert code == FAILED
    assert "owls.txt is there already, and is no backup.\n     Name another file, or replace it with --force.\n" in err


def test_repair_and_restore_of_a_damaged_library_say_what_became_of_it(run, articles, tmp_path):
    run("add", articles)
    run("backup", tmp_path / "backup")
    path = tmp_path / "index" / "library.sqlite"
    path.write_bytes(path.read_bytes().replace(b"Forty snowy owls", b"Forty snowy cows"))
    code, out, _ = run("repair")
    assert code == FAILED
    assert out.startswith("damaged    a text differs from its checksum\nsaved      1 document, 1 version\nlost       ")
    assert f"  {articles}/owls.txt\nkept       the damaged library is now {tmp_path}/index/library.damaged-" in out
    assert out.endswith("Add the articles again that were lost or have an older text: rag add PATH\n")
    assert [line for line in run("add", articles)[1].splitlines() if line[0] != " "] == [
        "added      1 document",
        "unchanged  1 document",
    ]
    path.write_bytes(b"garbage " * 1000)
    code, _, err = run("repair")
    assert code == FAILED
    assert "cannot be repaired: " in err
    code, out, _ = run("restore", tmp_path / "backup")
    assert code == DONE
    assert "kept       the damaged library is now" in out
    assert "           2 documents, 5 paragraphs\n" in run("status")[1]


def test_an_empty_library_is_rebuilt_and_listed(run):
    assert run("rebuild")[:2] == (0, "nothing to do\n")
    assert run("list")[::2] == (0, "The library is empty. Add articles with: rag add PATH\n")
    assert "0 documents, 0 paragraphs" in run("status")[1]


def test_another_embedding_model_is_refused_with_both_names(run, articles, fake_models):
    run("add", articles)
    fake_models["embedder"].name = "second-model"
    for arguments in (("ask", "How many owls?"), ("add", articles)):
        code, out, err = run(*arguments)
        assert (code, out) == (FAILED, "")
        assert "'fake-embedder', but the settings say 'second-model'.\n     Set embedding_model to 'fake-embedder'" in err
    assert run("rebuild")[0] == 0
    assert run("ask", "How many snowy owls were counted?")[0] == ANSWERED


# --- what cannot be used -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["list"], ["status"], ["ask", "Who?"], ["add", "."], ["rebuild"], ["remove", "x"]])
def test_a_library_file_that_is_garbage_is_named(run, write, command):
    path = write("index/library.sqlite", b"garbage " * 1000)
    code, out, err = run(*command)
    assert (code, out) == (FAILED, "")
    assert err.startswith(f"rag: The library {path} is damaged: file is not a database.\n     Restore a backup (rag restore")


def test_a_newer_library_is_told(run, articles, tmp_path):
    run("add", articles)
    library = Library(tmp_path / "index")
    library._store.connection().execute("PRAGMA user_version = 77")
    library.close()
    code, _, err = run("list")
    assert code == FAILED
    assert err.startswith("rag: The library has schema version 77; this program knows versions up to")
    assert "     Use the newer version of the program that wrote it.\n" in err


def test_an_index_folder_below_a_file_is_told(run, write, monkeypatch):
    monkeypatch.setenv("RAG_INDEX", str(write("file", "") / "index"))
    code, _, err = run("list")
    assert code == FAILED
    assert (
        "file/index cannot be written to: one above it is a file, not a folder.\n     Give another folder with RAG_INDEX"
        in err
    )


def test_settings_that_cannot_be_used_are_bad_use(run, monkeypatch):
    monkeypatch.setenv("RAG_TOP_K", "ten")
    code, _, err = run("list")
    assert code == BAD_USE
    assert err == "rag: RAG_TOP_K is 'ten'; expected a whole number from 1 to 50.\n"


def test_models_that_are_missing_are_told_with_the_next_step(capsys, articles):
    code = main(["add", str(articles)])  # without the fakes
    err = capsys.readouterr().err
    assert code == FAILED
    assert "rag models fetch" in err
    assert "Traceback" not in err


def test_what_nobody_foresaw_is_told_without_a_traceback(run, monkeypatch):
    monkeypatch.setattr("rag.config.load", lambda *_: 1 / 0)
    code, _, err = run("list")
    assert code == FAILED
    assert err.startswith(
        "rag: Something went wrong: ZeroDivisionError: division by zero\n     Run it again with RAG_DEBUG=1"
    )
    monkeypatch.setenv("RAG_DEBUG", "1")
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        main(["list"])


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["ask"], ["add"], ["eval"], ["eval", "x", "--limit", "0"], ["ask", "Who?", "--nonsense"]]
)
def test_bad_use_exits_with_2(run, arguments):
    code, out, err = run(*arguments)
    assert (code, out) == (BAD_USE, "")
    assert "usage: rag" in err


# --- as a program of its own ---------------------------------------------------------------------------------------


def program(*arguments, **more):
    """Runs the command as a process; the checkout is importable, the working directory is the test's."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "rag.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, **more)


def test_help_is_quick_and_lists_every_command():
    started = time.perf_counter()
    done = program("--help")
    assert time.perf_counter() - started < 3  # 0.1 s, on cores that are shared
    assert done.returncode == 0
    for name in ("serve", "ask", "add", "remove", "list", "rebuild", "status", "models", "verify", "eval"):
        assert re.search(rf"^ +{name} ", done.stdout, re.MULTILINE), name


def test_exit_codes_reach_the_shell(write):
    assert program("list").returncode == 0
    assert program("nonsense").returncode == BAD_USE
    assert program("remove", "x").returncode == BAD_USE
    write("index/library.sqlite", "garbage" * 1000)
    failed = program("list")
    assert failed.returncode == FAILED
    assert failed.stderr.startswith("rag: The library ")


def test_a_reader_who_leaves_a_pipe_is_no_error(articles, make_assistant):
    make_assistant().add(articles)
    command = f"{sys.executable} -m rag.cli list | true; exit ${{PIPESTATUS[0]}}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=environment, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
