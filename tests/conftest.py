"""Fixtures that all tests share: a clean environment, made-up articles, assistants over the fakes of tests/fakes.py."""

from __future__ import annotations

import dataclasses
import os
import sys
import types
from pathlib import Path

import hypothesis
import pytest

from rag import decide
from rag.assistant import Assistant, adding, loading
from rag.assistant.loading import Models
from rag.cli import main
from rag.config import Settings
from rag.library import Library
from rag.read import read
from tests.fakes import FakeEmbedder, FakeGenerator, FakeReranker, FakeSentenceTransformers, ReadingHere

# The cores are shared, so an example has no deadline; a failure shows on every run, not on some.
hypothesis.settings.register_profile("footnote", deadline=None, derandomize=True, database=None)
hypothesis.settings.register_profile("search", deadline=None, max_examples=5000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "footnote"))

BRIDGES = """Old bridge of Arlen reopens after nine years

Published: 3 May 2024

The stone bridge of Arlen was opened again on Friday, nine years after a flood had closed it.

Its repair cost 4.2 million crowns, said the mayor, Ilse Varga. The town paid 1.1 million crowns of it.

Some 12,000 people crossed the bridge on its first day.
"""

OWLS = """Owls return to the Marrow forest

Forty snowy owls were counted in the Marrow forest this winter, the largest number since 1987.

The biologist Tomas Reyk says that mild winters bring more voles, which the owls hunt.
"""


def read_one(path, max_bytes=10**7):
    """Returns the one document of a file, read in this process."""
    (document,) = read(path, max_bytes=max_bytes)
    return document


@pytest.fixture(autouse=True)
def reading_here(request, monkeypatch):
    """Files are read in this process, which is quicker, but for tests of real things and of `rag.read.workers`."""
    if not any(map(request.node.get_closest_marker, ("real", "browser", "processes"))):
        monkeypatch.setattr(adding, "Workers", ReadingHere)


@pytest.fixture(autouse=True)
def clean_environment(request, monkeypatch, tmp_path):
    """No setting of this machine, and no file of the checkout, reaches a test; tests of real things keep theirs."""
    if request.node.get_closest_marker("real") or request.node.get_closest_marker("browser"):
        return
    for name in [name for name in os.environ if name.startswith("RAG_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RAG_INDEX", str(tmp_path / "index"))
    monkeypatch.setenv("RAG_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("RAG_SEEDS", str(tmp_path / "seeds"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def write(tmp_path):
    """Writes a file below the test's folder, as bytes or as UTF-8 text with its line ends kept; returns its path."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def articles(write):
    """A folder with two made-up articles, of 3 and 2 paragraphs."""
    write("articles/bridges.txt", BRIDGES)
    return write("articles/owls.txt", OWLS).parent


@pytest.fixture
def library(tmp_path):
    """An empty library in the folder of which tests know the name, closed in the end."""
    opened = Library(tmp_path / "index")
    yield opened
    opened.close()


@pytest.fixture
def make_assistant(tmp_path):
    """Opens assistants over the fakes; all are closed at the end. Arguments beyond the models are settings."""
    opened = []

    def make(*, embedder=None, reranker=None, generator=None, **settings) -> Assistant:
        models = Models.of(embedder or FakeEmbedder(), reranker or FakeReranker(), generator)
        places = {"index": tmp_path / "index", "models": tmp_path / "models", "seeds": tmp_path / "seeds"}
        assistant = Assistant(Settings(**(places | settings)), models)
        opened.append(assistant)
        return assistant

    yield make
    for assistant in opened:
        assistant.close()


PLAIN_DECISION = {
    "intercept": 0.0,
    "weights": dict.fromkeys((field.name for field in dataclasses.fields(decide.Signals)), 0.0)
    | {"score": 1.0, "yes": 1.0, "premise": -20.0},
    "scaling": dict.fromkeys((field.name for field in dataclasses.fields(decide.Signals)), (0.0, 1.0)),
    "thresholds": {"careful": 0.9, "balanced": 0.5, "talkative": 0.1},
}
"""Answers from a score of 0 on, if its premises hold and the model leans to neither side."""


@pytest.fixture
def plain_decision(monkeypatch):
    """Decides by the score of the best hit and what the model says alone, whatever was fitted."""
    monkeypatch.setattr(decide, "_fitted", lambda: PLAIN_DECISION)


@pytest.fixture
def fake_models(monkeypatch):
    """Puts the fakes where the command line and `rag.answer` load the models; returns them by role."""
    fakes = {"embedder": FakeEmbedder(), "reranker": FakeReranker(), "generator": FakeGenerator()}
    for role in fakes:
        monkeypatch.setattr(loading, f"load_{role}", lambda settings, role=role: fakes[role])
    return fakes


@pytest.fixture
def run(capsys, fake_models):
    """Runs a command with the fakes; returns its exit code and what it printed to stdout and stderr."""

    def run(*arguments):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as exc:  # of argparse
            code = exc.code
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return code, printed.out, printed.err

    return run


@pytest.fixture
def stand_in(monkeypatch):
    """Puts a stand-in in the place of sentence-transformers and torch, which take seconds to import."""
    library = types.SimpleNamespace(SentenceTransformer=FakeSentenceTransformers, CrossEncoder=FakeSentenceTransformers)
    modules = types.SimpleNamespace(Normalize=object, Pooling=lambda *_, **__: None)
    torch = types.SimpleNamespace(nn=types.SimpleNamespace(Identity=object))
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "sentence_transformers", library)
    monkeypatch.setitem(sys.modules, "sentence_transformers.sentence_transformer", types.SimpleNamespace(modules=modules))
    monkeypatch.setitem(sys.modules, "sentence_transformers.sentence_transformer.modules", modules)
