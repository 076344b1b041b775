"""The word index against BM25 written out, and its updates."""

from __future__ import annotations

import math

import pytest

from rag.lexical import Lexical

ROWS = [
    (11, "Owls hunt voles in the forest"),
    (12, "The forest burned; owls fled, owls returned"),
    (13, "Bridges span rivers"),
    (40, "Zebras graze"),
]


def terms(text):
    """Lower-case words without the stop words and plural endings of these rows: what the analysis comes to for them."""
    return [w.strip(".;,").lower().removesuffix("s") for w in text.split() if w.lower() not in ("the", "in", "of", "a")]


def bm25(question, rows):
    """Okapi BM25 as tantivy counts it: k1 = 1.2, b = 0.75, idf = ln(1 + (N - n + 0.5) / (n + 0.5))."""
    texts = {identity: terms(text) for identity, text in rows}
    average = sum(map(len, texts.values())) / len(texts)
    scores = dict.fromkeys(texts, 0.0)
    for term in dict.fromkeys(terms(question)):
        n = sum(term in words for words in texts.values())
        idf = math.log(1 + (len(texts) - n + 0.5) / (n + 0.5))
        for identity, words in texts.items():
            f = words.count(term)
            scores[identity] += idf * f * 2.2 / (f + 1.2 * (0.25 + 0.75 * len(words) / average))
    return sorted(((i, s) for i, s in scores.items() if s), key=lambda pair: -pair[1])


@pytest.fixture
def index(tmp_path):
    built = Lexical(tmp_path)
    built.build(ROWS, 1)
    return built


@pytest.mark.parametrize("question", ["owls", "owls forest", "zebras of the rivers", "vole", "OWLS, OWLS"])
def test_scores_are_bm25(index, question):
    found = index.search(question, 10)
    expected = bm25(question, ROWS)
    assert [i for i, _ in found] == [i for i, _ in expected]
    assert [s for _, s in found] == pytest.approx([s for _, s in expected], rel=0.02)


def test_words_are_found_in_another_form_case_and_accent(tmp_path):
    index = Lexical(tmp_path)
    index.build([(1, "The mayor’s decision on Zürich was criticised"), (2, "Nothing")], 1)
    for question in ("ZURICH", "decisions", "criticising", "mayors"):
        assert [i for i, _ in index.search(question, 5)] == [1]


def test_k_and_scope_limit_what_is_found(index):
    assert len(index.search("owls forest", 1)) == 1
    assert [i for i, _ in index.search("owls forest", 9, [11, 13, 999])] == [11]
    assert index.search("owls forest", 9, []) == []


def test_a_scope_does_not_change_the_scores(index):
    assert index.search("owls", 9, [11]) == [pair for pair in index.search("owls", 9) if pair[0] == 11]


@pytest.mark.parametrize("question", ["", "?!", "the of", '"', "AND OR NOT (", "text:owls +", "a" * 5000, "🦉 \u200b"])
def test_nothing_in_a_question_is_syntax(index, question):
    assert {i for i, _ in index.search(question, 9)} <= {11, 12}


def test_an_update_takes_out_and_puts_in(index, tmp_path):
    index.update([11, 13], [(50, "Owls came to the bridges")], 2)
    assert index.ids() == {12, 40, 50}
    assert {i for i, _ in index.search("owls", 9)} == {12, 50}
    again = Lexical(tmp_path)
    again.load()
    assert (again.generation, again.ids()) == (2, {12, 40, 50})
    assert again.search("owls", 9) == index.search("owls", 9)


def test_nothing_is_found_before_it_is_loaded_and_in_an_empty_one(tmp_path):
    index = Lexical(tmp_path)
    assert index.search("owls", 5) == []
    index.load()
    assert index.generation == -1
    index.build([], 1)
    assert index.search("owls", 5) == []
    assert index.ids() == set()
