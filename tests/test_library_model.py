"""A library against a plain-Python model of one: whatever is done in whichever order, both hold the same."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from rag.assistant import Assistant
from rag.assistant.loading import Models
from rag.config import Settings
from rag.read import document_id, make_document
from tests.fakes import FakeEmbedder, FakeReranker
from tests.kills import check_document, check_indexes

NAMES = st.sampled_from(["a", "b", "c", "folder/d", "folder/ไทย"])


@dataclass(frozen=True)
class Held:
    """A document as the model has it: where it came from, and all its texts, the current one last."""

    id: str
    source: str
    texts: tuple[str, ...]


class LibraryMachine(RuleBasedStateMachine):
    """Files are written, renamed and deleted; a library follows when it is told to."""

    @initialize()
    def begin(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="model-"))
        self.folder = self.root / "articles"
        self.folder.mkdir()
        self.numbers = itertools.count()
        self.files: dict[str, str] = {}  # texts by path
        self.held: list[Held] = []  # oldest first
        self.removed: set[str] = set()  # ids
        self.is_followed = False  # the folder was added
        self.saved: tuple[list[Held], set[str], bool] | None = None
        self.assistant = self.opened()

    def opened(self) -> Assistant:
        places = {"index": self.root / "index", "models": self.root / "models", "seeds": self.root / "seeds"}
        return Assistant(Settings(**places), Models.of(FakeEmbedder(), FakeReranker(), None))

    def teardown(self) -> None:
        if hasattr(self, "assistant"):
            self.assistant.close()
            shutil.rmtree(self.root)

    # --- files -----------------------------------------------------------------------------------------------------

    @rule(name=NAMES)
    def write(self, name: str) -> None:
        path, n = self.folder / f"{name}.txt", next(self.numbers)
        path.parent.mkdir(exist_ok=True)
        text = f"Title number{n}\n\nThe report with the unique{n} word was read.\n\nIt has a second{n} paragraph, too.\n"
        path.write_text(text, encoding="utf-8")
        self.files[str(path)] = text

    @rule(old=NAMES, new=NAMES)
    def rename(self, old: str, new: str) -> None:
        before, after = (self.folder / f"{name}.txt" for name in (old, new))
        if str(before) in self.files and str(after) not in self.files:
            after.parent.mkdir(exist_ok=True)
            before.rename(after)
            self.files[str(after)] = self.files.pop(str(before))

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        path = self.folder / f"{name}.txt"
        if self.files.pop(str(path), None):
            path.unlink()

    # --- the library -----------------------------------------------------------------------------------------------

    @rule()
    def add(self) -> None:
        report = self.assistant.add(self.folder)
        self.is_followed = True
        versions = {held.texts[-1]: held for held in self.held}  # of equal texts, that of the newest document
        for path in sorted(self.files, key=_walked):
            text = self.files[path]
            known = next((held for held in self.held if held.source == path), None)
            twin = versions.get(text)
            if known:
                self._put(known, text)
            elif twin and twin.source not in self.files:
                self._replace(twin, replace(twin, source=path))
                versions[text] = replace(twin, source=path)
            else:
                self._new(path, text)
        assert len(report.failed) == (not self.files)

    @rule()
    def rebuild(self) -> None:
        self.assistant.rebuild()
        for held in list(self.held):
            self._put(held, self.files.get(held.source, held.texts[-1]))
        sources = {held.source for held in self.held}
        for path in sorted(self.files, key=_walked) if self.is_followed else ():
            if path not in sources and document_id(path) not in self.removed:
                self._new(path, self.files[path])

    @rule(at=st.integers(0, 9))
    def remove(self, at: int) -> None:
        if self.held:
            held = self.held.pop(at % len(self.held))
            self.assistant.remove([held.id])
            self.removed.add(held.id)

    @rule()
    def reopen(self) -> None:
        self.assistant.close()
        self.assistant = self.opened()

    @rule()
    def backup(self) -> None:
        assert self.assistant.backup(self.root / "backup") == len(self.held)
        self.saved = list(self.held), set(self.removed), self.is_followed

    @rule()
    def restore(self) -> None:
        if self.saved:
            held, removed, self.is_followed = self.saved
            self.held, self.removed = list(held), set(removed)
            assert self.assistant.restore(self.root / "backup") == len(held)

    def _put(self, held: Held, text: str) -> None:
        """A text that the document had before becomes the last one again."""
        self._replace(held, replace(held, texts=(*(t for t in held.texts if t != text), text)))

    def _replace(self, held: Held, other: Held) -> None:
        self.held[self.held.index(held)] = other

    def _new(self, path: str, text: str) -> None:
        taken, identity, n = {held.id for held in self.held}, document_id(path), 1
        while identity in taken:  # the id stays with the document that was renamed
            identity, n = document_id(f"{path}\0{n}"), n + 1
        self.held.append(Held(identity, path, (text,)))
        self.removed.discard(identity)

    # --- both hold the same ----------------------------------------------------------------------------------------

    @invariant()
    def the_library_holds_what_the_model_holds(self) -> None:
        if not hasattr(self, "assistant"):
            return
        library = self.assistant.library
        expected = [replace(make_document(held.texts[-1], held.source), id=held.id) for held in self.held]
        assert list(library.documents()) == expected
        assert library.removed() == self.removed
        for held in self.held:
            for text in held.texts:
                version = make_document(text, held.source).version
                assert library.document(held.id, version).text == make_document(text, held.source).text
        for document in expected:
            check_document(library, document, FakeEmbedder())
        check_indexes(self.assistant, library.documents(), FakeEmbedder())
        assert library._store.rows("SELECT count(*) FROM versions") == [(sum(len(held.texts) for held in self.held),)]


def _walked(path: str) -> tuple[bool, str]:
    """Files come before those of folders in the same folder."""
    return "/folder/" in path, path


TestLibrary = LibraryMachine.TestCase
TestLibrary.settings = settings(max_examples=settings.default.max_examples // 20, stateful_step_count=15)
