"""The vector index against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.dense import Dense


def unit_rows(rng, n, dimension):
    vectors = rng.standard_normal((n, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def assert_same_ranking(found, ids, vectors, vector, k):
    """Compares with brute force; ids with equal scores may stand in any order, and any of them may be the last."""
    scores = dict(zip(ids.tolist(), (vectors @ vector).tolist(), strict=True))
    assert [score for _, score in found] == pytest.approx(sorted(scores.values(), reverse=True)[:k], abs=1e-5)
    assert [score for _, score in found] == pytest.approx([scores[i] for i, _ in found], abs=1e-5)
    assert len({i for i, _ in found}) == len(found)


@pytest.mark.parametrize("k", [1, 5, 50, 500])
def test_search_is_brute_force(tmp_path, k):
    rng = np.random.default_rng(1)
    vectors = unit_rows(rng, 200, 32)
    vectors[50:60] = vectors[0]  # ties
    ids = rng.permutation(10_000)[:200].astype(np.int64)
    index = Dense(tmp_path)
    index.build(ids, vectors, 3)
    for question in (vectors[0], *unit_rows(rng, 5, 32)):
        assert_same_ranking(index.search(question, k), ids, vectors, question, k)


@pytest.fixture(scope="module")
def forty(tmp_path_factory):
    """An index of 40 vectors with ids 0 to 39, and the vectors."""
    vectors = unit_rows(np.random.default_rng(2), 40, 8)
    index = Dense(tmp_path_factory.mktemp("dense"))
    index.build(np.arange(40, dtype=np.int64), vectors, 1)
    return index, vectors


@given(chosen=st.sets(st.integers(0, 39)), k=st.integers(1, 50))
def test_a_scope_is_brute_force_over_the_scope(forty, chosen, k):
    index, vectors = forty
    within = np.array(sorted(chosen), np.int64)
    found = index.search(vectors[3], k, np.append(within, 777))
    assert_same_ranking(found, within, vectors[within], vectors[3], k)


def test_an_index_that_was_written_is_read_back(tmp_path):
    vectors, ids = unit_rows(np.random.default_rng(3), 9, 4), np.arange(9, dtype=np.int64)
    built, loaded = Dense(tmp_path), Dense(tmp_path)
    built.build(ids, vectors, 12345678901234)
    loaded.load()
    assert loaded.generation == 12345678901234
    assert loaded.search(vectors[2], 9) == built.search(vectors[2], 9)


def test_nothing_is_found_before_it_is_loaded_in_an_empty_one_and_in_an_empty_scope(tmp_path):
    index, vector = Dense(tmp_path), np.ones(4, np.float32) / 2
    assert index.search(vector, 5) == []
    index.load()
    assert index.generation == -1
    index.build(np.zeros(0, np.int64), np.zeros((0, 0), np.float32), 1)
    assert index.search(vector, 5) == []
    index.build(np.array([7]), vector.reshape(1, 4), 2)
    assert index.search(vector, 5, np.zeros(0, np.int64)) == []
    assert index.search(vector, 5) == [(7, pytest.approx(1))]


def test_a_crash_between_file_and_stamp_leaves_the_old_stamp(tmp_path, monkeypatch):
    index = Dense(tmp_path)
    index.build(np.array([1]), np.eye(1, 4, dtype=np.float32), 1)
    monkeypatch.setattr("rag.dense.json.dumps", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        index.build(np.array([1, 2]), np.eye(2, 4, dtype=np.float32), 2)
    monkeypatch.undo()
    after = Dense(tmp_path)
    after.load()
    assert after.generation != 2
