"""What reaches the terminal: names that cannot harm it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rag.cli.output import printable
from rag.library.repair import Repaired
from tests.conftest import OWLS

HOSTILE = "a\x1b]0;owned\x07\nb\x9b2Jc\u202ed"


@pytest.mark.parametrize(
    ("variables", "command", "code", "message"),
    [
        (
            {},
            ["backup", "nowhere/x"],
            1,
            r"nowhere/x cannot be written: there is no folder .*nowhere\.\n     Make it, or name",
        ),
        ({"RAG_CONFIG": "no.toml"}, ["list"], 2, r"no\.toml cannot be read: No such file or directory\.\n     .*RAG_CONFIG"),
        ({"RAG_INDEX": "file"}, ["list"], 1, r"file cannot be written to: it is a file, not a folder\.\n     .*RAG_INDEX"),
        (
            {"RAG_INDEX": "file/x"},
            ["list"],
            1,
            r"x cannot be written to: one above it is a file, not a folder\.\n     .*RAG_INDEX",
        ),
        ({"RAG_CAUTION": "wild"}, ["list"], 2, r"RAG_CAUTION is 'wild'; expected careful"),
        ({"RAG_TOP_K": "500"}, ["list"], 2, r"RAG_TOP_K is 500; expected a whole number from 1 to 50"),
    ],
)
def test_what_is_wrong_is_named_as_it_was_given(run, write, monkeypatch, variables, command, code, message):
    write("file", "")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found, _, err = run(*command)
    assert (found, bool(re.search(message, err))) == (code, True), err


def test_a_link_that_leads_nowhere_but_to_itself_is_told(run, articles):
    (articles / "loop.txt").symlink_to("loop.txt")
    assert "Too many levels of symbolic links. Check where the link leads." in run("add", articles)[1]


def test_a_document_that_is_lost_without_its_path_is_told_by_its_title(run, articles, monkeypatch):
    lost = Repaired(Path("aside"), "damaged", (1, 1), lost=(("a", ""), ("b", "/b.txt"), ("c", "")), titles=(("a", "Owls"),))
    monkeypatch.setattr("rag.library.repair.repair", lambda folder: lost)
    unknown = "(its path could not be read)\n"
    assert f"lost       a  Owls {unknown}lost       b  /b.txt\nlost       c  {unknown}" in run("repair")[1]


def test_files_of_other_formats_are_told_by_their_number(run, articles, write):
    write("articles/page.mp3", "ID3")
    write("articles/.hidden", "")
    told = "skipped    1 file of another format (.mp3)\n"
    code, out, _ = run("add", articles)
    assert (code, out.endswith(told)) == (0, True)
    assert run("add", articles, articles)[:2] == (0, "unchanged  2 documents\n" + told)
    for name in ("b.PNG", "a.png", "Makefile", "x.\x1b"):
        write(f"articles/{name}", "")
    told = "skipped    5 files of other formats (2 .png, 1 without a suffix, 1 .\ufffd, 1 .mp3)\n"
    assert run("add", articles)[1] == "unchanged  2 documents\n" + told
    code, out, _ = run("add", articles / "page.mp3", articles)  # named itself it fails
    assert (code, ".mp3 is not a format that is read." in out, "skipped    4 files" in out) == (1, True, True)


@pytest.mark.parametrize("text", ["Old bridge – “9” years", "ข่าว/100%.txt", "نی\u200cها", "👩\u200d🌾", "a  b\u00a0c"])
def test_what_people_write_is_printed_as_it_is(text):
    assert printable(text) == text


def test_what_a_terminal_would_obey_is_replaced():
    assert printable(HOSTILE) == "a\ufffd]0;owned\ufffd\ufffdb\ufffd2Jc\ufffdd"
    assert printable("caf\udce9\x85\u2028\x7f\t") == "caf" + "\ufffd" * 5


def test_no_command_prints_a_name_that_the_terminal_would_obey(run, write, monkeypatch):
    write(f"articles/{HOSTILE}.txt", OWLS.split("\n\n")[1])  # without a headline: the name becomes the title
    folder = write(f"articles/{HOSTILE}.md", b"\0").parent
    for command in (
        ("add", folder),
        ("list",),
        ("search", "How many owls?"),
        ("ask", "How many snowy owls were counted in the Marrow forest?"),
        ("ask", "What does quantum chromodynamics predict?"),
        ("add", folder / f"{HOSTILE}.none"),
        ("backup", folder / f"{HOSTILE}.backup"),
        ("backup", folder / HOSTILE / HOSTILE),
        ("list", "--source", folder / HOSTILE),
        ("remove", HOSTILE),
        ("rebuild",),
    ):
        monkeypatch.setattr("sys.stderr.isatty", lambda: True)  # for the bar
        _, out, err = run(*command)
        assert re.search("owned", out + err), command
        said = re.sub(r"\r|\x1b\[A", "", err)  # of the bar
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]|\nb", out + said), command
