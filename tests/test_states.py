"""What is kept of passages on disk: whole or absent, within a budget, by document, from several processes."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from rag.generate.states import StateStore, Stored, stored_states

KEY, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def store(tmp_path):
    return StateStore(tmp_path / "states", 1000)


def only_file(store):
    (path,) = (p for p in store._folder.iterdir() if p.suffix == ".state")
    return path


def test_a_state_comes_back_as_it_was(store):
    store.put("d1", KEY, b"state")
    assert bytes(store.get("d1", KEY)) == b"state"
    assert store.has("d1", KEY)


def test_what_was_not_stored_is_not_there(store):
    store.put("d1", KEY, b"state")
    assert store.get("d1", OTHER) is None
    assert store.get("d2", KEY) is None
    assert not store.has("d1", OTHER)


def test_writing_to_a_state_leaves_its_file_alone(store):
    # llama.cpp is given the mapped file itself.
    store.put("d1", KEY, b"state")
    store.get("d1", KEY)[:] = b"XXXXX"
    assert bytes(store.get("d1", KEY)) == b"state"


@pytest.mark.parametrize(
    "damage", [lambda d: d[:-1], lambda d: d[:5], lambda d: b"", lambda d: d[:-1] + b"X", lambda d: d + b"X"]
)
def test_a_damaged_file_is_as_good_as_none_and_goes(store, damage):
    store.put("d1", KEY, b"state")
    path = only_file(store)
    path.write_bytes(damage(path.read_bytes()))
    assert store.get("d1", KEY) is None
    assert not path.exists()
    store.put("d1", KEY, b"state")
    assert bytes(store.get("d1", KEY)) == b"state"


def test_the_least_recently_used_one_makes_room(store):
    for n, name in enumerate(("d1", "d2", "d3")):
        store.put(name, KEY, b"x" * 250)
        os.utime(store._path(name, KEY), (n, n))
    store.get("d1", KEY)
    store.put("d4", KEY, b"x" * 250)
    assert [name for name in ("d1", "d2", "d3", "d4") if store.has(name, KEY)] == ["d1", "d3", "d4"]


def test_what_is_larger_than_the_budget_is_not_stored(store):
    store.put("d1", KEY, b"x" * 300)
    store.put("d2", KEY, b"x" * 1001)
    assert not store.has("d2", KEY)
    assert store.has("d1", KEY)
    nothing = StateStore(store._folder.with_name("other"), 0)
    nothing.put("d1", KEY, b"x")
    assert not nothing._folder.exists()


def test_a_removed_document_leaves_nothing_behind(store):
    store.put("d1", KEY, b"one")
    store.put("d1", OTHER, b"two")
    store.put("d2", KEY, b"three")
    store.forget(["d1"])
    assert store.stored() == Stored(1, only_file(store).stat().st_size, 0, 0, {"d2": 1})


def test_only_what_is_kept_stays_and_what_a_crash_left_goes(store):
    for name in ("d1", "d2", "instructions"):
        store.put(name, KEY, b"one")
    left = store._folder / f".d1.{KEY}.state.123"
    left.write_bytes(b"half")
    os.utime(left, (1, 1))
    store.keep(["d1"])
    assert sorted(p.name.partition(".")[0] for p in store._folder.iterdir()) == ["d1", "instructions"]


def test_a_full_disk_is_told_and_breaks_nothing(store, monkeypatch):
    store.put("d1", KEY, b"one")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", full)
        store.put("d2", KEY, b"two")
    assert "No space left on device" in store.problem
    assert not store.has("d2", KEY)
    assert [p.name for p in store._folder.iterdir()] == [f"d1.{KEY}.state"]
    store.put("d2", KEY, b"two")
    assert store.problem == ""


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")
    store = StateStore(tmp_path / "file" / "states", 1000)
    store.put("d1", KEY, b"one")
    assert "cannot be stored" in store.problem
    assert store.get("d1", KEY) is None


def test_the_share_of_questions_that_were_served_is_counted(store):
    for served in (True, False, True, True):
        store.count(served)
    assert (store.stored().n_asked, store.stored().n_served) == (4, 3)


def test_counting_goes_on_for_ever_in_little_space(store, monkeypatch):
    monkeypatch.setattr("rag.generate.states._MOST_SERVED", 10)
    for n in range(50):
        store.count(n >= 25)
    told = store.stored()
    assert 10 <= told.n_asked <= 20
    assert told.n_served == told.n_asked


def test_several_may_store_and_read_at_once(tmp_path):
    stores = [StateStore(tmp_path / "states", 4000) for _ in range(4)]

    def use(n):
        store, text = stores[n % 4], bytes([n % 8]) * 300
        store.put(f"d{n % 8}", KEY, text)
        return (state := store.get(f"d{n % 8}", KEY)) is None or bytes(state) == text

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(use, range(200)))
    assert sum(p.stat().st_size for p in (tmp_path / "states").iterdir()) <= 4000 + 8 * 400


def test_the_store_of_a_library_lies_beside_it(tmp_path):
    stored_states(tmp_path, 1).put("d1", KEY, b"x")
    assert (tmp_path / "states" / f"d1.{KEY}.state").exists()


def test_a_file_that_cannot_be_touched_is_read_all_the_same(store, monkeypatch):
    # On a disk that can only be read each state was taken for damaged; in another user's file it was deleted.
    store.put("d1", KEY, b"state")

    def refused(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("os.utime", refused)
    assert bytes(store.get("d1", KEY)) == b"state"
    assert only_file(store).exists()


def test_what_is_being_written_of_a_removed_document_goes_too(store):
    store.put("d1", KEY, b"state")
    (store._folder / f".d1.{KEY}.state.123").write_bytes(b"half")
    store.forget(["d1"])
    assert list(store._folder.iterdir()) == []


def test_a_budget_of_nothing_keeps_nothing(store):
    store.put("d1", KEY, b"state")
    nothing = StateStore(store._folder, 0)
    nothing.count(True)
    assert nothing.get("d1", KEY) is None
    nothing.keep(["d1"])
    assert list(store._folder.iterdir()) == []
