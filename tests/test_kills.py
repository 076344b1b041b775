"""A sample of the kills that tests/bench/kills.py does in full; and that they find what is not safe."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rag.config import ROOT

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are forked")


def run(code, *arguments):
    """Runs the kills in a process without threads, as only such a one can be forked safely."""
    begin = f"import sys\nfrom tests.bench import kills\n{code}\nsys.exit(kills.main())"
    command = [sys.executable, "-c", begin, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=240)


def test_whatever_is_killed_the_library_is_whole():
    done = run("", "--kills", 15, "--steps", 3)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("all survived\n")


NOT_SAFE = """
from rag.library import Library
put = Library.put

def put_one_by_one(library, items, *args, **options):
    for document, passages, vectors in items:
        put(library, [(document, passages[:1], vectors[:1])], *args)
        put(library, [(document, passages, vectors)], *args)

Library.put = put_one_by_one
"""


def test_a_library_that_is_not_safe_does_not_survive():
    done = run(NOT_SAFE, "--kills", 0, "--steps", 12, "--only", "add")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "add: step " in done.stdout
