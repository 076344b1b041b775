"""Reranking: order, depth, and each hit's best sentence; loading, with a stand-in for sentence-transformers."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import DependencyMissing, ModelCorrupt
from rag.rerank import BARE, LEAD, RECENT, UNSURE, CrossReranker, recency, rerank
from rag.types import Hit
from tests.fakes import FakeReranker
from tests.hostile import texts

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
    assert [h.score for h in ranked] == [10 + LEAD, 10, pytest.approx(20 / 3 - 10), -10 + LEAD]


def test_the_score_is_a_mean_with_the_title_and_without_it():
    # With its title every paragraph of the article has all words of the question.
    hits = [hit(3, "Nothing here.", "The mayor opened the bridge"), hit(4, "A bridge.", "The mayor opened the bridge")]
    ranked = rerank(QUESTION, hits, FakeReranker(), depth=10, keep=10)
    assert [h.paragraph for h in ranked] == [4, 3]
    bare = 20 / 3 - 10
    assert [h.score for h in ranked] == [
        pytest.approx((1 - BARE) * 10 + BARE * bare),
        pytest.approx((1 - BARE) * 10 - BARE * 10),
    ]


def test_hits_are_read_without_their_titles_for_as_long_as_the_next_one_may_be_the_best():
    # As many have all words with the title as stand in it; without it the first ones have none.
    hits = [hit(n, "Nothing.", "The mayor opened the bridge") for n in range(3, 6)]
    hits += [hit(6, "The mayor opened the bridge."), hit(7, "One bridge."), hit(8, "Another bridge.")]
    reranker = FakeReranker()
    ranked = rerank(QUESTION, hits, reranker, depth=6, keep=6)
    assert [len(texts) for _, texts in reranker.calls] == [6, 2, 2]  # 10 is reached by the fourth, and the fifth has less
    assert [h.paragraph for h in ranked] == [6, 3, 4, 5, 7, 8]
    lowest = pytest.approx((1 - BARE) * 10 - BARE * 10)
    assert [h.score for h in ranked] == [10, lowest, lowest, lowest, pytest.approx(20 / 3 - 10), pytest.approx(20 / 3 - 10)]


def test_of_many_that_may_be_the_best_twelve_are_read_without_their_titles_and_the_others_stay_behind():
    hits = [hit(n, "Nothing.", "The mayor opened the bridge") for n in range(3, 20)]
    reranker = FakeReranker()
    ranked = rerank("mayor opened bridge harbour", hits, reranker, depth=17, keep=17)
    assert [len(texts) for _, texts in reranker.calls] == [6, 11, 2, 2, 2, 2, 2, 2]
    assert len({h.score for h in ranked}) == 1


def test_after_a_sure_hit_no_more_are_read_and_the_others_come_behind_as_they_were_found():
    hits = [hit(n, "One mayor.") for n in range(3, 12)]
    hits[5] = hit(8, "The mayor opened the bridge.")
    reranker = FakeReranker()
    ranked = rerank(QUESTION, hits, reranker, depth=9, keep=8)
    assert len(reranker.calls[0][1]) == 6
    assert [h.paragraph for h in ranked] == [8, 3, 4, 5, 6, 7, 9, 10]
    assert [h.score for h in ranked[5:]] == [ranked[5].score] * 3
    del reranker.calls[:]
    hits[5] = hit(8, "The mayor opened it.")  # not sure: all are read
    rerank(QUESTION, hits, reranker, depth=9, keep=8)
    assert [len(texts) for _, texts in reranker.calls][:2] == [6, 3]


def test_what_was_not_read_is_never_first_whatever_is_added_for_its_date():
    hits = [hit(n, "The mayor opened the bridge.") for n in range(3, 9)]
    unread = Hit("new", "version", "Title", "/a/c.txt", 9, 0, 8, "Nothing.", -1.0)
    ranked = rerank(QUESTION, [*hits, unread], FakeReranker(), depth=10, keep=10, bonus={"new": 5.0})
    assert ranked[-1].document == "new"
    assert ranked[-1].score <= ranked[0].score - 4


def test_what_is_added_for_the_date_counts_for_what_is_read_first():
    hits = [hit(n, "The mayor opened the bridge.") for n in range(3, 12)]
    new = Hit("new", "version", "Title", "/a/c.txt", 9, 0, 8, "The mayor opened it, the bridge.", 0.0)
    reranker = FakeReranker()
    ranked = rerank(QUESTION, [*hits, new], reranker, depth=10, keep=10, bonus={"new": RECENT})
    assert reranker.calls[0][1][0] == f"Title\n{new.text}"
    assert (ranked[0].document, ranked[0].score) == ("new", 10 + RECENT)


def test_a_window_that_was_not_read_does_not_repeat_its_paragraph():
    hits = [hit(n, "The mayor opened the bridge.") for n in range(3, 9)]
    window = Hit("id", "version", "Title", "/a/b.txt", 3, 0, 28, hits[0].text, 0.0, searched="the bridge.")
    assert len(rerank(QUESTION, [*hits, window], FakeReranker(), depth=10, keep=10)) == 6


def test_a_bonus_is_added_to_all_paragraphs_of_its_document():
    ranked = rerank(QUESTION, HITS, FakeReranker(), depth=10, keep=10, bonus={"id": 2.5, "another": 9.0})
    assert [h.score for h in ranked][:2] == [10 + 2.5 + LEAD, 10 + 2.5]


SAILED = [
    hit(3, "One mayor."),
    hit(4, "A harbour."),
    hit(5, "The owls came with a voyage."),
    hit(6, "A mayor, an owls voyage."),
]
ASKED, CONVERSATION = "Which mayor left harbour?", "Which mayor left harbour? owls voyage"


def test_where_no_hit_is_sure_the_conversation_orders_those_after_the_best_one():
    reranker = FakeReranker()
    alone = rerank(ASKED, SAILED, reranker, depth=10, keep=10)
    assert [h.paragraph for h in alone] == [3, 4, 6, 5]
    del reranker.calls[:]
    ranked = rerank(ASKED, SAILED, reranker, depth=10, keep=10, context=CONVERSATION)
    assert [h.paragraph for h in ranked] == [3, 6, 4, 5]
    assert reranker.calls[1] == (CONVERSATION, tuple(f"Title\n{h.text}" for h in SAILED))
    assert ranked[0].score == alone[0].score  # how sure it is, the question alone says


def test_for_a_follow_up_all_hits_are_read():
    reranker = FakeReranker()
    hits = [hit(n, "The mayor opened the bridge.") for n in range(3, 12)]
    rerank(QUESTION, hits, reranker, depth=9, keep=5, context=CONVERSATION)
    assert [len(texts) for _, texts in reranker.calls] == [9, 9]


def test_a_sure_hit_needs_no_conversation():
    reranker = FakeReranker()
    rerank("mayor?", SAILED, reranker, depth=10, keep=10, context=CONVERSATION)
    assert CONVERSATION not in {question for question, _ in reranker.calls}


def test_a_question_that_stands_in_for_a_follow_up_says_how_sure_the_best_hit_is_but_does_not_order():
    ranked = rerank("mayor voyage", SAILED, FakeReranker(), depth=10, keep=10, typed="harbour mayor left")
    assert [h.paragraph for h in ranked] == [3, 4, 6, 5]
    assert ranked[0].score == 10
    assert rerank("mayor", [], FakeReranker(), depth=10, keep=10, typed="owls") == ()


@pytest.mark.parametrize(
    ("published", "asked_on", "recent"),
    [
        ("2024-05-03", "2024-05-03", True),
        ("2024-05-03", "2024-05-13", True),
        ("2024-05-03", "2024-05-14", False),
        ("2024-05-03", "2024-05-02", True),  # another time zone
        ("2024-05-03", "2024-05-01", False),
        ("2023-05-03", "2024-05-03", False),
        ("", "2024-05-03", False),
        ("2024-05-03", "", False),
    ],
)
def test_an_article_is_recent_for_ten_days(published, asked_on, recent):
    assert recency(published, asked_on) == (RECENT if recent else 0)


@pytest.mark.parametrize("odd", ["0000-00-00", "2024-02-30", "20240503T10", "May 3", "\ud800"])
def test_a_date_that_cannot_be_read_is_none(odd):
    # It once ended the question with a ValueError.
    assert recency(odd, "2024-05-03") == recency("2024-05-03", odd) == 0


@given(st.one_of(texts, st.dates().map(str)), st.one_of(texts, st.dates().map(str)))
def test_no_date_is_an_error(published, asked_on):
    assert recency(published, asked_on) in (0, RECENT)


def test_depth_limits_what_is_read_and_keep_what_comes_back():
    reranker = FakeReranker()
    ranked = rerank(QUESTION, HITS, reranker, depth=2, keep=1)
    assert [h.paragraph for h in ranked] == [2]
    assert reranker.calls[0] == (QUESTION, ("Title\nNothing here.", f"Title\n{HITS[1].text}"))
    assert reranker.calls[1] == (QUESTION, (HITS[1].text, "Nothing here."))


def test_the_quote_is_the_best_sentence_and_a_part_of_the_text():
    ranked = {h.paragraph: h for h in rerank(QUESTION, HITS, FakeReranker(), depth=10, keep=10)}
    assert ranked[2].quote == "The mayor opened it, she said."
    assert ranked[3].quote == ranked[3].text
    assert all(h.quote in h.text for h in ranked.values())


def test_the_model_reads_the_sentences_of_the_best_three_only():
    reranker = FakeReranker()
    hits = [hit(n, f"The mayor opened bridge {n}. It is old.") for n in range(6)]
    rerank(QUESTION, hits, reranker, depth=10, keep=10)
    assert len(reranker.calls[-1][1]) == 3 * 2  # read together


def test_the_sentences_of_a_hit_that_is_far_behind_are_chosen_by_their_words():
    hits = [hit(3, "The mayor opened it. A bridge, this one."), hit(4, "It rained. One mayor came.")]
    reranker = FakeReranker()
    ranked = rerank(QUESTION, hits, reranker, depth=10, keep=10)
    assert [h.quote for h in ranked] == ["The mayor opened it.", "One mayor came."]
    assert reranker.calls[-1] == (QUESTION, ("The mayor opened it.", "A bridge, this one."))


def test_of_a_paragraph_without_end_only_the_likeliest_sentences_are_read():
    text = " ".join(f"This is line {n} of a text." for n in range(3000)) + " The mayor opened the bridge."
    reranker = FakeReranker()
    (ranked,) = rerank(QUESTION, [hit(1, text)], reranker, depth=10, keep=10)
    assert ranked.quote == "The mayor opened the bridge."
    assert [len(texts) for _, texts in reranker.calls] == [1, 1, 24]


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


OPENING = "The ferry Gull ran aground."
CAPTAIN = "Who is the captain of the ferry Gull?"  # counts: captain, ferry, gull


def opened(hit):
    return "" if hit.paragraph == 1 else OPENING


def test_where_no_hit_is_sure_they_are_read_again_behind_the_opening_of_their_article():
    hits = [hit(3, "The ferry is old."), hit(4, "Captain Reyk spoke.")]
    plain = rerank(CAPTAIN, hits, FakeReranker(), depth=10, keep=10)
    assert [h.paragraph for h in plain] == [3, 4]
    ranked = rerank(CAPTAIN, hits, FakeReranker(), depth=10, keep=10, opening=opened)
    assert [h.paragraph for h in ranked] == [4, 3]
    assert ranked[0].score == 10 - 2.0
    assert ranked[0].text == "Captain Reyk spoke."


def test_where_a_hit_is_sure_nothing_is_read_again():
    hits = [hit(3, "The captain of the ferry Gull is Reyk."), hit(4, "Captain Reyk spoke.")]
    reranker = FakeReranker()
    ranked = rerank(CAPTAIN, hits, reranker, depth=10, keep=10, opening=opened)
    assert ranked[0].score >= UNSURE
    assert not any(OPENING in text for _, texts in reranker.calls for text in texts)


def test_one_sentence_of_a_long_paragraph_may_answer():
    long = "Nothing else. " * 100 + "The captain of the ferry Gull is Reyk. " + "Nothing more. " * 10

    class Distracted(FakeReranker):
        def scores(self, question, texts):
            return [
                -10.0 if len(text) > 1000 else score
                for text, score in zip(texts, super().scores(question, texts), strict=True)
            ]

    (ranked,) = rerank(CAPTAIN, [hit(3, long)], Distracted(), depth=10, keep=10)
    assert ranked.score == 10 - 1.0
    assert ranked.quote == "The captain of the ferry Gull is Reyk."
