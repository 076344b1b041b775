"""Imports point up the list of stations, and importing is free."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from rag.config import ROOT

STATIONS = """errors stopping types config models language dateline read split terms duplicates embed library dense lexical
retrieve rerank prompt generate attribute decide followup arithmetic assistant evaluate server app cli""".split()
"""As data passes; a station imports from those before it and from none after it."""

LAZY = {
    "rag/__init__.py": {"rag.assistant"},
    "rag/cli/asking.py": {"rag.library"},
    "rag/cli/evaluating.py": {"rag.evaluate"},
    "rag/cli/filtering.py": {"rag.library.filtering"},
    "rag/cli/keeping.py": {"rag.generate.states", "rag.library", "rag.library.repair"},
    "rag/cli/library.py": {"rag.assistant.preparing", "rag.generate.states", "rag.library", "rag.models"},
    "rag/cli/models.py": {"rag.models"},
    "rag/cli/opening.py": {"rag.assistant"},
    "rag/cli/serving.py": {"rag.app", "rag.assistant", "rag.server"},
    "rag/read/pdf.py": {"rag.read.pages"},
}
"""Own modules that are imported inside a function, so that a command loads only what it needs. No others are."""

HEAVY = ("torch", "sentence_transformers", "llama_cpp", "gradio", "faiss", "tantivy", "transformers", "onnxruntime")

FILES = sorted(path.relative_to(ROOT) for path in (ROOT / "rag").rglob("*.py"))


def own_imports(file, *, inside):
    """Yields the names of own modules that a file imports, in its functions or else at its top."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    nested = {id(node) for function in functions for node in ast.walk(function)}
    for node in ast.walk(tree):
        if (id(node) in nested) != inside:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "rag")
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "rag":
            whole = node.module == "rag"
            yield from (f"rag.{alias.name}" if whole else node.module for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            yield "relative"


def station(file):
    return file.parts[1].removesuffix(".py")


def test_every_station_of_the_design_is_there_and_no_other():
    assert {station(file) for file in FILES} - {"__init__"} == set(STATIONS)


@pytest.mark.parametrize("file", FILES, ids=str)
def test_imports_point_up_the_list(file):
    if file == Path("rag/__init__.py"):
        assert set(own_imports(file, inside=False)) <= {
            "rag.config",
            "rag.errors",
            "rag.stopping",
            "rag.types",
            "rag.assistant",
        }
        return
    for name in own_imports(file, inside=False):
        other = name.split(".")[1]
        if other == "__version__":
            continue
        assert STATIONS.index(other) <= STATIONS.index(station(file)), f"{file} imports {name}"


@pytest.mark.parametrize("file", FILES, ids=str)
def test_own_modules_are_imported_in_functions_only_where_it_is_said(file):
    assert set(own_imports(file, inside=True)) <= LAZY.get(str(file), set())


COMMANDS = sorted(path.relative_to(ROOT) for path in (ROOT / "rag" / "cli").glob("[!_]*.py"))


@pytest.mark.parametrize("file", COMMANDS, ids=str)
def test_commands_do_not_import_each_other(file):
    inner = {name for name in own_imports(file, inside=False) if name.startswith("rag.cli")}
    below = {"rag.cli.output", "rag.cli.opening", "rag.cli.filtering"}
    assert inner <= (set() if f"rag.cli.{file.stem}" in below else below)


@pytest.mark.parametrize("code", ["import rag", "import rag; rag.answer; rag.NOT_FOUND", "import rag.cli"])
def test_importing_loads_nothing_heavy(code):
    check = f"{code}\nimport sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"


def test_importing_every_station_but_the_page_loads_no_model_library():
    modules = ", ".join(f"rag.{name}" for name in STATIONS if name not in ("app", "server"))
    check = f"import {modules}\nimport sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"


def test_importing_makes_no_file_and_reads_no_setting(tmp_path):
    code = "import rag, rag.cli, rag.config"
    environment = {"PYTHONPATH": str(ROOT), "RAG_INDEX": "/nowhere", "RAG_TOP_K": "nonsense", "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, env=environment)
    assert list(tmp_path.iterdir()) == []
