"""Kills a process at every step of what it does to a library, and looks at what is left. Run by tests/bench/kills.py.

A scenario is a library, and calls that change it, each with what the library holds after it. A child process does the calls
and tells of each that returned; it is killed (SIGKILL) at one of its steps or at any time. Another process then opens what
is left. Of each document it must find the state after the last call that returned, or that after the one at hand, whole: its
text with its passages and vectors, and in both indexes these passages and no others. Doing the calls again must end as it
would have without a kill.

Steps are SQL statements, pages that are copied, files that are opened for writing, renamed, removed or synced, and
what the derived indexes write.
"""

from __future__ import annotations

import builtins
import contextlib
import hashlib
import io
import json
import os
import shutil
import signal
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np

from rag.assistant import Assistant
from rag.assistant.loading import Models
from rag.config import Settings
from rag.errors import ConversationMissing, DocumentMissing, LibraryDamaged
from rag.lexical import Lexical
from rag.library import MIGRATIONS, Library, saving
from rag.library.repair import repair
from rag.read import make_document
from rag.split import index_text, paragraphs, passages
from rag.types import Document
from tests.conftest import BRIDGES, OWLS
from tests.fakes import FakeEmbedder, FakeReranker
from tests.older import make_old

Held = dict[str, tuple[str, str]]
"""What a library holds: (source, version) of each document, by id; (title, number of turns) of each conversation."""

STORKS = "Storks arrive\n\nTwo storks came to the town this spring.\n\nTheir nest is on the tower of the town hall.\n"
FERRY = "The ferry stops\n\nThe ferry across the lake does not run any more, as its engine is broken.\n"
READER = "another browser"
SPOILT = ("Forty snowy owls", "Forty snowy cows")


@dataclass(frozen=True)
class Scenario:
    """A library and what is done to it.

    Attributes:
        prepare: makes the library and files in a folder.
        calls: what is done, one after another.
        states: what the library holds before the first call and after each; may be made once the library is there.
        damaged: True if the library cannot be used before the first call.
    """

    prepare: Callable[[Path], None]
    calls: tuple[Callable[[Path], object], ...]
    states: Callable[[Path], list[Held]]
    damaged: bool = False


# --- the scenarios -------------------------------------------------------------------------------------------------


def opened(folder: Path, embedder: FakeEmbedder | None = None) -> Assistant:
    settings = Settings(index=folder / "index", models=folder / "models", seeds=folder / "seeds")
    return Assistant(settings, Models.of(embedder or FakeEmbedder(), FakeReranker(), None))


def of_model(folder: Path) -> FakeEmbedder:
    """Returns the embedder whose vectors a library has."""
    library = Library(folder / "index")
    name = library.embedding_model
    library.close()
    return OTHER if name == OTHER.name else FakeEmbedder()


OTHER = FakeEmbedder("other-embedder", 64)


def with_assistant(act: Callable[[Assistant, Path], object], embedder: FakeEmbedder | None = None):
    def call(folder: Path) -> None:
        with opened(folder, embedder) as assistant:
            act(assistant, folder)

    return call


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / "articles").mkdir(exist_ok=True)
        (folder / "articles" / f"{name}.txt").write_text(text, encoding="utf-8")


def held(folder: Path, **texts: str) -> Held:
    """Returns what a library has that holds these articles."""
    made = [make_document(text, str(folder / "articles" / f"{name}.txt")) for name, text in texts.items()]
    return {document.id: (document.source, document.version) for document in made}


def begin(folder: Path) -> None:
    """A library with two articles."""
    write(folder, a=BRIDGES, b=OWLS)
    with opened(folder) as assistant:
        assistant.add(folder / "articles")


def begin_changed(folder: Path) -> None:
    begin(folder)
    write(folder, a=STORKS, b=OWLS.replace("Forty", "Fifty"), c=FERRY)


def begin_renamed(folder: Path) -> None:
    begin(folder)
    (folder / "articles" / "a.txt").rename(folder / "articles" / "z.txt")


def begin_backed_up(folder: Path) -> None:
    """A library with two articles and a backup of one."""
    write(folder, a=BRIDGES)
    with opened(folder) as assistant:
        assistant.add(folder / "articles")
        assistant.backup(folder / "backup")
        write(folder, b=OWLS)
        assistant.add(folder / "articles")


def begin_damaged(folder: Path) -> None:
    begin(folder)
    with opened(folder) as assistant:
        assistant.backup(folder / "backup")
    path = folder / "index" / "library.sqlite"
    path.write_bytes(path.read_bytes().replace(*(text.encode() for text in SPOILT)))


def begin_garbage(folder: Path) -> None:
    begin_backed_up(folder)
    (folder / "index" / "library.sqlite").write_bytes(b"garbage " * 2000)


def begin_headless(folder: Path) -> None:
    begin(folder)
    path = folder / "index" / "library.sqlite"
    path.write_bytes(bytes(4096) + path.read_bytes()[4096:])


def begin_old(version: int) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        make_old(folder / "index", version, FakeEmbedder())

    return prepare


def first(folder: Path) -> Held:
    return held(folder, a=BRIDGES, b=OWLS)


def old(folder: Path) -> Held:
    document = make_document(OWLS, "/a/b.txt")
    return {document.id: (document.source, document.version)}


def renamed(folder: Path) -> Held:
    ((identity, (_, version)),) = held(folder, a=BRIDGES).items()
    return held(folder, b=OWLS) | {identity: (str(folder / "articles" / "z.txt"), version)}


def add(*names: str):
    texts = {"storks": STORKS, "ferry": FERRY, "more": FERRY.replace("ferry", "train")}

    def call(folder: Path) -> None:
        write(folder, **{name: texts[name] for name in names})
        with opened(folder) as assistant:
            assistant.add([folder / "articles" / f"{name}.txt" for name in names])

    return call


def remove(name: str):
    def call(folder: Path) -> None:
        with opened(folder) as assistant, contextlib.suppress(DocumentMissing):
            assistant.remove([next(iter(held(folder, **{name: OWLS})))])

    return call


def changed(folder: Path) -> Held:
    return held(folder, a=STORKS, b=OWLS.replace("Forty", "Fifty"), c=FERRY)


def search(assistant: Assistant, folder: Path) -> None:
    assistant.search("Who counted the owls?")


def put_turn(number: int) -> Callable[[Path], None]:
    return with_assistant(lambda a, f: a.library.conversations.put(READER, "c", number, '{"question": "?"}', "Owls"))


def forget(folder: Path) -> None:
    with opened(folder) as assistant, contextlib.suppress(ConversationMissing):
        assistant.library.conversations.delete(READER, "c")


SCENARIOS: dict[str, Scenario] = {
    "add": Scenario(
        begin,
        (add("storks"), add("ferry", "more")),
        lambda f: [
            first(f),
            first(f) | held(f, storks=STORKS),
            first(f) | held(f, storks=STORKS, ferry=FERRY, more=FERRY.replace("ferry", "train")),
        ],
    ),
    "change": Scenario(
        begin_changed, (with_assistant(lambda a, f: a.add(f / "articles")),), lambda f: [first(f), changed(f)]
    ),
    "remove": Scenario(begin, (remove("a"), remove("b")), lambda f: [first(f), held(f, b=OWLS), {}]),
    "rename": Scenario(
        begin_renamed, (with_assistant(lambda a, f: a.add(f / "articles")),), lambda f: [first(f), renamed(f)]
    ),
    "rebuild": Scenario(begin_changed, (with_assistant(lambda a, f: a.rebuild()),), lambda f: [first(f), changed(f)]),
    "rebuild for another model": Scenario(
        begin_changed, (with_assistant(lambda a, f: a.rebuild(), OTHER),), lambda f: [first(f), changed(f)]
    ),
    **{
        f"migrate from {version}": Scenario(begin_old(version), (with_assistant(search),), lambda f: [old(f), old(f)])
        for version in range(1, len(MIGRATIONS))
    },
    "converse": Scenario(
        begin,
        (put_turn(1), put_turn(2), forget),
        lambda f: [first(f), first(f) | {"c": ("Owls", "1")}, first(f) | {"c": ("Owls", "2")}, first(f)],
    ),
    "backup": Scenario(
        begin_backed_up, (with_assistant(lambda a, f: a.backup(f / "backup")),), lambda f: [first(f), first(f)]
    ),
    "restore": Scenario(
        begin_backed_up,
        (with_assistant(lambda a, f: a.restore(f / "backup")),),
        lambda f: [first(f), held(f, a=BRIDGES)],
    ),
    "restore over a damaged one": Scenario(
        begin_garbage,
        (lambda f: saving.restore(f / "backup", f / "index"),),
        lambda f: [{}, held(f, a=BRIDGES)],
        damaged=True,
    ),
    "repair without the first page": Scenario(
        begin_headless, (lambda f: repair(f / "index"),), lambda f: [{}, first(f)], damaged=True
    ),
    "repair": Scenario(begin_damaged, (lambda f: repair(f / "index"),), lambda f: [{}, held(f, a=BRIDGES)], damaged=True),
}


# --- killing -------------------------------------------------------------------------------------------------------


class Steps:
    """Counts what a process does, and kills it at one step.

    Attributes:
        kinds: of all steps so far.
    """

    def __init__(self, at: int = 0) -> None:
        self._at = at
        self.kinds: list[str] = []

    def __call__(self, kind: str) -> None:
        self.kinds.append(kind)
        if len(self.kinds) == self._at:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(self, kind: str, function: Callable) -> Callable:
        def stepping(*args, **options):
            self(kind)
            return function(*args, **options)

        return stepping

    def watch(self) -> None:
        """Makes steps of what this process does from now on."""
        for name in ("replace", "rename", "link", "unlink", "rmdir", "mkdir", "fsync"):
            setattr(os, name, self.before(name, getattr(os, name)))
        sqlite3.connect = self._connect(sqlite3.connect)
        builtins.open = io.open = self._open(builtins.open)
        faiss.write_index = self._write_index(faiss.write_index)
        open_index = Lexical._open
        Lexical._open = lambda lexical, index: open_index(lexical, _Stepping(index, self))

    def _connect(self, connect: Callable) -> Callable:
        steps = self

        class Connection(sqlite3.Connection):
            def backup(self, target, **options):
                super().backup(target, pages=2, progress=lambda *_: steps("pages"))

        def connecting(*args, **options):
            connection = connect(*args, factory=Connection, **options)
            connection.set_trace_callback(lambda _: steps("sql"))
            return connection

        return connecting

    def _open(self, function: Callable) -> Callable:
        def opening(file, mode="r", *args, **options):
            if set(mode) & set("wax+"):
                self("open")
            return function(file, mode, *args, **options)

        return opening

    def _write_index(self, function: Callable) -> Callable:
        def writing(index, path):
            self("faiss")
            function(index, path)
            whole = Path(path).read_bytes()
            os.truncate(path, len(whole) // 2)  # as it is while faiss writes it
            self("faiss, half")
            Path(path).write_bytes(whole)

        return writing


class _Stepping:
    """A tantivy index, or its writer, with a step before each writing call."""

    def __init__(self, inner: object, steps: Steps) -> None:
        self._inner, self._steps = inner, steps

    def __getattr__(self, name: str) -> object:
        found = getattr(self._inner, name)
        if name == "writer":
            return lambda *args: _Stepping(found(*args), self._steps)
        if name in ("add_document", "delete_documents_by_term", "commit", "wait_merging_threads"):
            return self._steps.before(f"tantivy {name}", found)
        return found


def in_child(act: Callable[[], None]) -> int:
    """Runs something in a process of its own; returns its process id."""
    process = os.fork()
    if not process:
        code = 1
        try:
            act()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return process


class Runs:
    """Runs of one scenario, each in a fresh copy of its library."""

    def __init__(self, name: str, folder: Path) -> None:
        self.scenario = SCENARIOS[name]
        self.name, self.folder, self._begun = name, folder / "run", folder / "begun"
        self.folder.mkdir(parents=True)
        _succeed(in_child(lambda: self.scenario.prepare(self.folder)))
        self.folder.rename(self._begun)
        self.kinds: list[str] = []
        self.seconds = 0.0

    def count(self) -> None:
        """Runs it to its end, for its steps and its time."""
        said, seconds = self._run(0, None)
        self.kinds = json.loads(said.splitlines()[-1])
        self.seconds = seconds
        self._check(len(self.scenario.calls))

    def kill_at(self, step: int) -> None:
        """Kills it at a step; raises AssertionError if something is wrong then."""
        said, _ = self._run(step, None)
        self._check(said.count("done"))

    def kill_after(self, seconds: float) -> None:
        """Kills it after a time, from outside."""
        said, _ = self._run(0, seconds)
        self._check(said.count("done"))

    def _run(self, step: int, seconds: float | None) -> tuple[str, float]:
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self._begun, self.folder)
        reading, writing = os.pipe()

        def act() -> None:
            steps = Steps(step)
            steps.watch()
            for call in self.scenario.calls:
                call(self.folder)
                os.write(writing, b"done\n")
            os.write(writing, json.dumps(steps.kinds).encode())

        started = time.monotonic()
        process = in_child(act)
        os.close(writing)
        if seconds is not None:
            time.sleep(seconds)
            os.kill(process, signal.SIGKILL)
        with open(reading, encoding="utf-8") as pipe:
            said = pipe.read()
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        assert code in (0, -signal.SIGKILL), f"it ended with {code}"
        assert step == 0 or code, "it was not killed"
        return said, time.monotonic() - started

    def _check(self, n_done: int) -> None:
        _succeed(in_child(lambda: check(self.scenario, self.folder, n_done)))


def _succeed(process: int) -> None:
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    assert code == 0, f"the process that looks at what is left ended with {code}"


# --- looking -------------------------------------------------------------------------------------------------------


def check(scenario: Scenario, folder: Path, n_done: int) -> None:
    """Raises AssertionError if what a kill after so many calls has left is not as it must be."""
    states = scenario.states(folder)
    if (folder / "backup").exists():
        assert saving.inspect(folder / "backup") in (1, 2)
    if n_done or not scenario.damaged or not _is_damaged(folder):
        allowed = states[n_done : n_done + 2]
        if scenario.damaged:
            allowed = states[1:]
        check_library(folder, allowed)
    for call in scenario.calls:
        call(folder)
    check_library(folder, states[-1:])


def _is_damaged(folder: Path) -> bool:
    try:
        library = Library(folder / "index")
    except LibraryDamaged:
        return True
    spoilt = any(SPOILT[1] in document.text for document in library.documents())
    library.close()
    return spoilt


def check_library(folder: Path, allowed: list[Held]) -> None:
    embedder = of_model(folder)
    with opened(folder, embedder) as assistant:
        library = assistant.library
        assert library._store.rows("PRAGMA integrity_check") == [("ok",)]
        assert library._store.rows("PRAGMA foreign_key_check") == []
        documents = library.documents()
        found = {document.id: (document.source, document.version) for document in documents}
        found |= {one.id: (one.title, str(one.n_turns)) for one in library.conversations.listed(READER)}
        for identity in found.keys() | {identity for state in allowed for identity in state}:
            assert found.get(identity) in [state.get(identity) for state in allowed], f"{identity} is {found.get(identity)}"
        for document in documents:
            check_document(library, document, embedder)
        check_indexes(assistant, documents, embedder)


def check_document(library: Library, document: Document, embedder: FakeEmbedder) -> None:
    """A document is all of one version, and its older versions open."""
    assert hashlib.sha256(document.text.encode()).hexdigest() == document.version
    stored = list(library.passages(library.passage_ids([document.id]).tolist()))
    # A library of an older schema has each paragraph as a passage.
    whole = [(p, p.start, p.end) for p in paragraphs(document)]
    assert [(p.passage.paragraph, p.passage.start, p.passage.end) for p in stored] in (
        whole,
        [(p.paragraph, p.start, p.end) for p in passages(document)],
    )
    vectors = library.vectors([p.id for p in stored])
    embedded = embedder.embed_paragraphs([index_text(document.title, p.searched) for p in stored])
    assert np.allclose([vectors[p.id] for p in stored], embedded, atol=2e-3)
    sql = "SELECT version, text FROM versions WHERE document = ?"
    for version, text in library._store.rows(sql, (document.id,)):
        assert hashlib.sha256(text.encode()).hexdigest() == version


def check_indexes(assistant: Assistant, documents: tuple[Document, ...], embedder: FakeEmbedder) -> None:
    """Both indexes have exactly the passages of the library, and a search finds them."""
    retriever, library = assistant._retriever, assistant.library
    retriever.sync()
    ids = set(library.passage_ids([document.id for document in documents]).tolist())
    assert library.n_passages() == len(ids)
    assert retriever._lexical.ids() == ids
    searched = retriever._dense.search(embedder.embed_question("owls"), 1000)
    assert sorted(i for i, _ in searched) == sorted(ids)
    for document in documents:
        assert assistant.search(document.title)[0].document == document.id


def sampled(n_steps: int, n: int) -> list[int]:
    """Returns up to n of the numbers 1 to n_steps, spread evenly."""
    return sorted(set(np.linspace(1, n_steps, min(n, n_steps)).round().astype(int).tolist()))
