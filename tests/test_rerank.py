"""Reranking: order, depth, and each hit's best sentence; loading, with a stand-in for sentence-transformers."""

from __future__ import annotations

import sys

import pytest

from rag.errors import DependencyMissing, ModelCorrupt
from rag.rerank import CrossReranker, rerank
from rag.types import Hit
from tests.fakes import FakeReranker

QUESTION = "Which mayor opened the bridge?"  # counts: mayor, opened, bridge


def hit(number, text, title="Title"):
    return Hit("id", "version", title, "/a/b.txt", number, 0, len(text), text, 0.0)


HITS = [
    hit(1, "Nothing here."),
    hit(2, "A bridge. The mayor opened it, she said. The end."),
    hit(3, "The bridge was opened by the mayor."),
    hit(4, "One mayor."),
]


def test_hits_are_ordered_by_the_model_s_scores_ties_as_they_came():
    ranked = rerank(QUESTION, HITS, FakeReranker(), depth=10, keep=10)
    assert [h.paragraph for h in ranked] == [2, 3, 4, 1]
    assert [h.score for h in ranked] == [10, 10, pytest.approx(20 / 3 - 10), -10]


def test_depth_limits_what_is_read_and_keep_what_comes_back():
    reranker = FakeReranker()
    ranked = rerank(QUESTION, HITS, reranker, depth=2, keep=1)
    assert [h.paragraph for h in ranked] == [2]
    assert reranker.calls[0] == (QUESTION, ("Title\nNothing here.", f"Title\n{HITS[1].text}"))


def test_the_quote_is_the_best_sentence_and_a_part_of_the_text():
    ranked = {h.paragraph: h for h in rerank(QUESTION, HITS, FakeReranker(), depth=10, keep=10)}
    assert ranked[2].quote == "The mayor opened it, she said."
    assert ranked[3].quote == ranked[3].text
    assert all(h.quote in h.text for h in ranked.values())


def test_the_model_reads_the_sentences_of_the_best_three_only():
    reranker = FakeReranker()
    hits = [hit(n, f"The mayor opened bridge {n}. It is old.") for n in range(6)]
    rerank(QUESTION, hits, reranker, depth=10, keep=10)
    assert len(reranker.calls) == 1 + 3


def test_of_a_paragraph_without_end_only_the_likeliest_sentences_are_read():
    text = " ".join(f"This is line {n} of a text." for n in range(3000)) + " The mayor opened the bridge."
    reranker = FakeReranker()
    (ranked,) = rerank(QUESTION, [hit(1, text)], reranker, depth=10, keep=10)
    assert ranked.quote == "The mayor opened the bridge."
    assert [len(texts) for _, texts in reranker.calls] == [1, 24]


def test_no_hits_are_no_work():
    assert rerank(QUESTION, [], FakeReranker(), depth=5, keep=5) == ()


# --- loading: the real library is in tests/real --------------------------------------------------------------------


def test_a_package_that_is_missing_is_named_with_the_command(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(DependencyMissing, match=r"The package torch is not installed\. pip install torch"):
        CrossReranker(tmp_path, threads=1)


def test_a_folder_that_is_no_model_is_named(stand_in, tmp_path):
    with pytest.raises(ModelCorrupt, match=rf"{tmp_path}/bad cannot be loaded as a reranking model: .*config\.json"):
        CrossReranker(tmp_path / "bad", threads=1)


def test_a_reranker_gives_one_number_a_text(stand_in, tmp_path):
    reranker = CrossReranker(tmp_path / "good", threads=1)
    assert reranker.scores("Who?", ["a", "b", "c"]) == [0.0, 1.0, 2.0]
    assert reranker.scores("Who?", []) == []
    assert reranker._model.options["local_files_only"] is True
