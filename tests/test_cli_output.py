"""What reaches the terminal: names that cannot harm it."""

from __future__ import annotations

import re

import pytest

from rag.cli.output import printable
from tests.conftest import OWLS

HOSTILE = "a\x1b]0;owned\x07\nb\x9b2Jc\u202ed"


def test_files_of_other_formats_are_told_by_their_number(run, articles, write):
    write("articles/page.html", "<p>")
    write("articles/.hidden", "")
    told = "skipped    1 file of another format (.html)\n"
    assert run("add", articles)[:2] == (0, "added      2 documents\n" + told)
    assert run("add", articles, articles)[:2] == (0, "unchanged  2 documents\n" + told)
    for name in ("b.PDF", "a.pdf", "Makefile", "x.\x1b"):
        write(f"articles/{name}", "")
    told = "skipped    5 files of other formats (2 .pdf, 1 without a suffix, 1 .\ufffd, 1 .html)\n"
    assert run("add", articles)[1] == "unchanged  2 documents\n" + told
    code, out, _ = run("add", articles / "page.html", articles)  # named itself it fails
    assert (code, ".html is not a format that is read yet." in out, "skipped    4 files" in out) == (1, True, True)


@pytest.mark.parametrize("text", ["Old bridge – “9” years", "ข่าว/100%.txt", "نی\u200cها", "👩\u200d🌾", "a  b\u00a0c"])
def test_what_people_write_is_printed_as_it_is(text):
    assert printable(text) == text


def test_what_a_terminal_would_obey_is_replaced():
    assert printable(HOSTILE) == "a\ufffd]0;owned\ufffd\ufffdb\ufffd2Jc\ufffdd"
    assert printable("caf\udce9\x85\u2028\x7f\t") == "caf" + "\ufffd" * 5


def test_no_command_prints_a_name_that_the_terminal_would_obey(run, write):
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
        _, out, err = run(*command)
        assert re.search("owned", out + err), command
        said = re.sub(r"\r|\x1b\[A", "", err)  # of the bar
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]|\nb", out + said), command
