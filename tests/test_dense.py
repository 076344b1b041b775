"""The vector index against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import dense
from rag.dense import Dense
from rag.library import Library
from rag.types import Document, Paragraph, Passage


def unit_rows(rng, n, dimension):
    vectors = rng.standard_normal((n, dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float16).astype(np.float32)  # as the library keeps them


def put(library, name, vectors):
    """Stores a document with these vectors; returns the ids of its passages."""
    spans = [Passage(Paragraph(n + 1, n, n + 1), n, n + 1) for n in range(len(vectors))]
    library.put([(Document(name, "v", name, f"/{name}", "", "x" * len(vectors)), spans, vectors)], "fake-embedder")
    return library.passage_ids([name])


def assert_same_ranking(found, ids, vectors, vector, k):
    """Compares with brute force; ids with equal scores may stand in any order, and any of them may be the last."""
    scores = dict(zip(ids.tolist(), (vectors @ vector).tolist(), strict=True))
    assert [score for _, score in found] == pytest.approx(sorted(scores.values(), reverse=True)[:k], abs=1e-3)
    assert [score for _, score in found] == pytest.approx([scores[i] for i, _ in found], abs=1e-3)
    assert len({i for i, _ in found}) == len(found)


@pytest.mark.parametrize("k", [1, 5, 50, 500])
@pytest.mark.parametrize("written", [True, False])
def test_search_is_brute_force(library, k, written):
    rng = np.random.default_rng(1)
    vectors = unit_rows(rng, 200, 32)
    vectors[50:60] = vectors[0]  # ties
    ids = put(library, "a", vectors)
    index = Dense(library)
    index.compact() if written else index.follow()
    assert (len(index._state.ids) == 0) == written
    for question in (vectors[0], *unit_rows(rng, 5, 32)):
        assert_same_ranking(index.search(question, k), ids, vectors, question, k)


@pytest.fixture(scope="module")
def forty(tmp_path_factory):
    """An index of 40 vectors, 30 of them in the file and 5 of those gone; the ids that are left, and their vectors."""
    vectors = unit_rows(np.random.default_rng(2), 40, 8)
    library = Library(tmp_path_factory.mktemp("dense"))
    for n in range(6):
        put(library, f"d{n}", vectors[n * 5 : n * 5 + 5])
    index = Dense(library)
    index.compact()
    library.remove(["d2"])
    put(library, "late", vectors[30:])
    index.follow()
    assert (len(index._state.ids), len(index._state.gone), index._state.file.ntotal) == (10, 5, 30)
    yield index, np.array([*range(1, 11), *range(16, 41)], np.int64), np.delete(vectors, np.s_[10:15], axis=0)
    library.close()


@given(chosen=st.sets(st.integers(0, 34)), k=st.integers(1, 50), at=st.integers(0, 34))
def test_a_scope_is_brute_force_over_the_scope(forty, chosen, k, at):
    index, ids, vectors = forty
    within = np.array(sorted(chosen), np.int64)
    found = index.search(vectors[at], k, np.append(ids[within], 777))
    assert_same_ranking(found, ids[within], vectors[within], vectors[at], k)


@given(k=st.integers(1, 50), at=st.integers(0, 34))
def test_what_went_and_what_came_since_the_file_was_written_counts(forty, k, at):
    index, ids, vectors = forty
    assert_same_ranking(index.search(vectors[at], k), ids, vectors, vectors[at], k)


def test_an_index_that_was_written_is_mapped_not_built(library, monkeypatch):
    vectors = unit_rows(np.random.default_rng(3), 9, 4)
    put(library, "a", vectors)
    built, loaded = Dense(library), Dense(library)
    built.compact()
    monkeypatch.setattr(library, "vectors_after", lambda last: iter(()) if last == 9 else pytest.fail("was read"))
    loaded.follow()
    assert loaded.generation == library.generation
    assert loaded.search(vectors[2], 9) == built.search(vectors[2], 9)


def test_a_small_change_leaves_the_file_and_a_large_one_replaces_it(library):
    vectors = unit_rows(np.random.default_rng(4), 100, 4)
    put(library, "a", vectors[:80])
    index, other = Dense(library), Dense(library)
    index.compact()
    other.follow()
    written = (library.folder / "dense.faiss").stat().st_ino
    put(library, "b", vectors[80:90])
    index.compact()
    assert (library.folder / "dense.faiss").stat().st_ino == written
    put(library, "c", vectors[90:])
    put(library, "d", vectors[:5])
    index.compact()
    assert (library.folder / "dense.faiss").stat().st_ino != written
    other.follow()  # takes over the new file, and lets go of what it held beside the old one
    assert (other._state.file.ntotal, len(other._state.ids)) == (105, 0)


@pytest.fixture
def grouped(library, monkeypatch):
    """A quantised index of 3,000 vectors around 60 centres."""
    monkeypatch.setattr(dense, "EXACT", 1000)
    rng = np.random.default_rng(5)
    centres = unit_rows(rng, 60, 32)
    vectors = centres[rng.integers(60, size=3000)] + 0.15 * rng.standard_normal((3000, 32)).astype(np.float32)
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16).astype(np.float32)
    ids = put(library, "many", vectors)
    index = Dense(library)
    index.compact()
    return index, ids, vectors


def test_a_large_index_finds_nearly_all_and_scores_exactly(grouped):
    index, ids, vectors = grouped
    n_right = 0
    for question in vectors[:50]:
        found = index.search(question, 10)
        exact = ids[np.argsort(-(vectors @ question))[:10]]
        n_right += len({i for i, _ in found} & set(exact.tolist()))
        assert [s for _, s in found] == pytest.approx([float(vectors[i - 1] @ question) for i, _ in found], abs=1e-6)
    assert n_right >= 0.97 * 500


def test_a_scope_of_a_large_index_is_searched_through(grouped):
    index, ids, vectors = grouped
    within = ids[::50]
    found = index.search(vectors[7], 60, within)
    assert {i for i, _ in found} == set(within.tolist())


def test_a_large_index_passes_over_what_is_gone(grouped, library):
    index, _, vectors = grouped
    put(library, "many", vectors[:10])
    index.follow()
    assert sorted(i for i, _ in index.search(vectors[0], 20)) == list(range(3001, 3011))


def test_a_large_index_takes_over_changes_and_keeps_its_groups(grouped, library, monkeypatch):
    index, _, vectors = grouped
    other = Dense(library)
    other.follow()
    fresh = unit_rows(np.random.default_rng(6), 800, 32)
    put(library, "more", fresh)
    put(library, "late", vectors[:40])
    library.remove(["late"])
    monkeypatch.setattr(dense, "_built", lambda _: pytest.fail("was built anew"))
    index.compact()
    assert (index._state.file.ntotal, len(index._state.ids), len(index._state.gone)) == (3800, 0, 0)
    other.follow()
    for n in (0, 799):
        assert other.search(fresh[n], 3) == index.search(fresh[n], 3)
        assert index.search(fresh[n], 1) == [(3001 + n, pytest.approx(1, abs=1e-3))]


def test_what_went_is_not_in_a_file_that_was_merged(grouped, library, monkeypatch):
    index, _, vectors = grouped
    put(library, "second", vectors[:1500])
    index.compact()
    monkeypatch.setattr(dense, "_built", lambda _: pytest.fail("was built anew"))
    library.remove(["many"])
    index.compact()
    assert (index._state.file.ntotal, len(index._state.gone)) == (1500, 0)
    assert sorted(i for i, _ in index.search(vectors[0], 2000)) == list(range(3001, 4501))


@pytest.mark.parametrize(("n", "n_groups"), [(6100, int(4 * 9100**0.5)), (2900, int(4 * 3000**0.5))])
def test_groups_are_made_anew_once_the_library_has_outgrown_them(grouped, library, n, n_groups):
    index, _, _ = grouped
    put(library, "more", unit_rows(np.random.default_rng(7), n, 32))
    index.compact()
    assert (index._state.file.ntotal, index._state.file.nlist) == (3000 + n, n_groups)


def test_a_library_that_shrank_is_compared_exactly_again(grouped, library):
    index, _, vectors = grouped
    put(library, "many", vectors[:900])
    index.compact()
    assert_same_ranking(index.search(vectors[5], 50), np.arange(3001, 3901), vectors[:900], vectors[5], 50)
    assert not hasattr(index._state.file, "nlist")


def test_many_passages_without_a_file_are_not_held_but_built(grouped, library, monkeypatch):
    (library.folder / "dense.faiss").unlink()
    lost = Dense(library)
    lost.follow()
    assert (lost.generation, len(lost._state.ids)) == (-1, 0)
    held = []
    monkeypatch.setattr(dense, "_advanced", lambda state, *_: held.append(state) or state)
    lost.compact()
    assert [state.file.ntotal for state in held] == [3000]


def test_a_file_without_passages_fits_none(library):
    index = Dense(library)
    library.add_folders(["/articles"])
    index.compact()
    assert index._state.file.ntotal == 0
    put(library, "a", np.eye(3, 4, dtype=np.float32))
    index.compact()
    assert (index._state.file.ntotal, index._state.file.d) == (3, 4)


def test_a_file_that_cannot_be_read_back_is_told(library, monkeypatch):
    put(library, "a", np.eye(3, 4, dtype=np.float32))
    monkeypatch.setattr(dense, "_is_whole", lambda *_: False)
    with pytest.raises(OSError, match=r"dense\.faiss is not as it was written"):
        Dense(library).compact()


def test_nothing_is_found_before_it_is_loaded_in_an_empty_one_and_in_an_empty_scope(library):
    index, vector = Dense(library), np.ones(4, np.float32) / 2
    assert index.search(vector, 5) == []
    assert index.generation == -1
    index.compact()
    assert index.search(vector, 5) == []
    put(library, "a", vector.reshape(1, 4))
    index.compact()
    assert index.search(vector, 5, np.zeros(0, np.int64)) == []
    assert index.search(vector, 5) == [(1, pytest.approx(1))]


def test_a_crash_between_file_and_stamp_is_seen(library, monkeypatch):
    put(library, "a", np.eye(1, 4, dtype=np.float32))
    Dense(library).compact()
    put(library, "b", np.eye(2, 4, dtype=np.float32))
    monkeypatch.setattr("rag.dense.json.dumps", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        Dense(library).compact()
    monkeypatch.undo()
    after = Dense(library)
    after.follow()
    assert after._state.file is None  # the stamp is the old file's
    assert len(after.search(np.ones(4, np.float32) / 2, 9)) == 3


# --- the file is not the one that is searched ----------------------------------------------------------------------


def assert_each_once(index, library):
    """Also for a process that opens what was written."""
    opened = Dense(library)
    opened.follow()
    ids, vectors = next(library.vectors_after())
    for found in (index, opened):
        assert sorted(i for i, _ in found.search(vectors[0], 1000)) == ids.tolist()
        assert found.search(vectors[5], 1) == [(ids[5], pytest.approx(1, abs=1e-3))]
    assert index._state.file.ntotal == library.n_passages()


@pytest.fixture
def followed(library):
    """The index of 300 vectors by a process that maps its file, and 200 vectors that came since."""
    vectors = unit_rows(np.random.default_rng(8), 500, 16)
    put(library, "a", vectors[:300])
    index = Dense(library)
    index.compact()
    put(library, "b", vectors[300:])
    return index


def test_a_file_whose_writer_was_killed_before_the_stamp_is_not_merged(followed, library, monkeypatch):
    real = dense.put_in_place

    def killed(temporary, path):
        real(temporary, path)
        raise KeyboardInterrupt

    monkeypatch.setattr(dense, "put_in_place", killed)
    with pytest.raises(KeyboardInterrupt):
        Dense(library).compact()
    monkeypatch.undo()
    put(library, "c", unit_rows(np.random.default_rng(9), 10, 16))
    followed.compact()
    assert_each_once(followed, library)


def test_a_file_that_another_process_wrote_at_the_same_generation_is_taken_over(followed, library, monkeypatch):
    followed.follow()
    Dense(library).compact()
    monkeypatch.setattr(dense, "_built", lambda _: pytest.fail("was built anew"))
    followed.compact()
    assert_each_once(followed, library)


@pytest.mark.parametrize("lost", [["dense.faiss"], ["dense.json"], ["dense.faiss", "dense.json"]])
def test_files_that_are_deleted_meanwhile_are_written_again(followed, library, lost):
    for name in lost:
        (library.folder / name).unlink()
    followed.compact()
    assert_each_once(followed, library)


def test_a_file_that_was_damaged_meanwhile_is_not_merged(followed, library, tmp_path):
    path = library.folder / "dense.faiss"
    data = bytearray(path.read_bytes())
    data[200:4000] = bytes(3800)
    (tmp_path / "damaged").write_bytes(data)
    (tmp_path / "damaged").replace(path)  # the old one stays mapped
    followed.compact()
    assert_each_once(followed, library)


def test_a_file_that_cannot_be_opened_at_last_is_built(followed, library, monkeypatch):
    import faiss

    real = faiss.read_index

    def read(path, *flags):
        if not flags:  # it is to be merged, not mapped
            raise RuntimeError("could not open")
        return real(path, *flags)

    monkeypatch.setattr(faiss, "read_index", read)
    followed.compact()
    assert_each_once(followed, library)
