"""Rows to figures, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rag.evaluate.figures import (
    auc,
    balanced_accuracy,
    calibration_error,
    figures_by_kind,
    figures_of,
    interval,
    reliability,
    resampled,
    risk_coverage,
    share,
    verdict,
)
from rag.evaluate.scores import Rate
from tests.sets import claim, refused, row


def test_figures_by_hand():
    gold = {"has_gold": True}
    rows = [
        row(
            **gold,
            rank=1,
            right=True,
            f1=1.0,
            citations=2,
            supporting=1,
            claims=2,
            claims_supported=1,
            exact_quotes=2,
            total=1,
        ),
        row(
            **gold,
            rank=4,
            right=False,
            f1=0.5,
            citations=1,
            supporting=1,
            claims=1,
            claims_supported=1,
            exact_quotes=1,
            total=3,
        ),
        refused(**gold, rank=None, right=False, f1=0.0, total=2),
        refused(answerable=False),
        row(answerable=False),
        row(answerable=False, counted=False),
        refused(answerable=False, changed=True),
    ]
    figures = figures_of(rows)
    assert figures["questions"] == 7
    assert [figures[f"hit@{k}"] for k in (1, 3, 5)] == [Rate(1, 3), Rate(1, 3), Rate(2, 3)]
    assert figures["MRR@10"] == pytest.approx((1 + 1 / 4 + 0) / 3)
    assert figures["answered right"] == Rate(1, 3)
    assert figures["token F1"] == pytest.approx(0.5)
    assert figures["refused though answerable"] == Rate(1, 3)
    assert figures["refused when unanswerable"] == Rate(2, 3)  # the one that is not counted is left out
    assert figures["citation precision"] == Rate(2, 3)
    assert figures["citation recall"] == Rate(2, 3)
    assert figures["quotes exact"] == Rate(3, 3)
    assert figures["changed by the attack"] == Rate(1, 1)
    assert (figures["total s, median"], figures["total s, 90 %"]) == (2.0, 2.0)
    assert figures["first_token s, median"] is None
    assert "answered right" not in figures_of(rows, answers=False)
    assert figures_of([])["MRR@10"] is None


def test_asking_back_is_no_answer_and_right_only_where_a_question_is_vague():
    rows = [
        row("1", right=True),
        row("2", status="clarify", right=False),
        row("3", status="clarify", answerable=False, counted=False),
        refused("4", answerable=False, counted=False),
        row("5", answerable=False, counted=False),
        row("6", status="clarify", answerable=False),
    ]
    figures = figures_of(rows)
    assert figures["refused though answerable"] == Rate(1, 2)
    assert figures["asked back though answerable"] == Rate(1, 2)
    assert figures["asked back when vague"] == Rate(1, 3)
    assert figures["refused when unanswerable"] == Rate(1, 1)


def test_values_named_by_hand():
    rows = [
        row("1", groups=2, named=2, named_wrong=False),
        row("2", groups=2, named=1, named_wrong=True),
        refused("3", groups=1, named=0),
        row("4", groups=1, named=0, named_fake=True),
        row("5", groups=1, named=1, named_fake=False),
        row("6"),
    ]
    figures = figures_of(rows)
    assert figures["all right values named"] == Rate(1, 3)
    assert figures["any right value named"] == Rate(2, 3)
    assert figures["any wrong value named"] == Rate(1, 2)
    assert figures["altered documents: fake value named"] == Rate(1, 2)
    assert figures["altered documents: right value named"] == Rate(1, 2)


def test_rewrites_and_stages_are_told():
    rows = [
        row("1", follow_up=True, rewritten=True, retrieve=0.1, rerank=0.3),
        row("2", follow_up=True, retrieve=0.3),
        row("3"),
    ]
    figures = figures_of(rows)
    assert figures["follow-ups rewritten"] == Rate(1, 2)
    assert (figures["retrieve s, median"], figures["rerank s, median"]) == (pytest.approx(0.2), 0.3)


def test_kinds_are_apart_in_each_set():
    rows = [row("1", kind="a", right=True), row("2", kind="b", right=False), row("3", pack="q", right=True)]
    kinds = figures_by_kind(rows, answers=True)
    assert {pack: list(of) for pack, of in kinds.items()} == {"p": ["a", "b"], "q": ["–"]}
    assert [kinds["p"][kind]["answered right"] for kind in "ab"] == [Rate(1, 1), Rate(0, 1)]


# --- claims --------------------------------------------------------------------------------------------------------


def test_claims_by_hand():
    # supported: 3 of 4 seen; not supported: 1 of 2 seen
    given = [(True, 0.9), (True, 0.8), (True, 0.5), (True, 0.1), (False, 0.7), (False, 0.2)]
    figures = figures_of([claim(str(n), label, support) for n, (label, support) in enumerate(given)])
    assert figures["claims: balanced accuracy"].value == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert figures["claims: accuracy"] == Rate(4, 6)
    assert figures["claims: F1 of supported"].value == pytest.approx(2 * 3 / (4 + 4))
    assert figures["claims: F1 of unsupported"].value == pytest.approx(2 * 1 / (2 + 2))
    # of the 8 pairs, those with the higher support at the supported one: 0.9 and 0.8 two each, 0.5 one, 0.1 none
    assert figures["claims: AUC"].value == pytest.approx(5 / 8)
    low, high = figures["claims: balanced accuracy"].interval
    assert 0 <= low < 0.625 < high <= 1
    assert figures["refused though answerable"] == figures["citation precision"] == Rate(0, 0)


def test_auc_and_balanced_accuracy_need_both_labels_and_auc_halves_ties():
    n, ones = np.array([0.5, 0.5]), np.ones(2)
    assert math.isnan(auc(n, ones))
    assert math.isnan(balanced_accuracy(n, ones))
    assert auc(n, np.array([1.0, 0.0])) == 0.5
    slow = np.random.default_rng(1)
    n, d = slow.integers(0, 5, 40) / 5, slow.integers(0, 2, 40).astype(float)
    pairs = [(a > b) + (a == b) / 2 for a in n[d == 1] for b in n[d == 0]]
    assert auc(n, d) == pytest.approx(sum(pairs) / len(pairs))


# --- verdicts and probabilities ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (row(right=True), True),
        (row(right=False), False),
        (row(right=False, free_text=True), None),  # other words may be right
        (row(right=True, free_text=True), True),
        (row(right=False, named_fake=True), True),  # as the documents say
        (row(right=None), None),
        (row(right=True, changed=True), False),
        (row(right=True, error="too long"), False),
        (refused(right=False), False),
        (refused(right=False, free_text=True), False),
        (row(status="clarify", right=False), False),
        (refused(answerable=False), True),
        (row(answerable=False), False),
        (row(answerable=False, counted=False), None),
        (claim("1", True, 0.7), True),
        (claim("1", False, 0.7), False),
        (row(label=True, support=None), None),
    ],
)
def test_verdicts(given, expected):
    assert verdict(given) is expected


SURE = [
    row("1", right=True, probability=0.95),
    row("2", right=True, probability=0.92),
    row("3", right=False, probability=0.92),
    row("4", answerable=False, probability=0.4),
    refused("5", right=False, probability=0.1),
]


def test_reliability_by_hand():
    low, high = reliability(SURE)
    assert (low.low, low.high, low.right) == (0.4, 0.5, Rate(0, 1))
    assert (high.low, high.probability, high.right) == (0.9, pytest.approx(2.79 / 3), Rate(2, 3))
    figures = figures_of(SURE)
    assert figures["calibration error"].value == pytest.approx((0.4 + abs(2 - 2.79)) / 4)
    assert figures["Brier score"] == pytest.approx((0.05**2 + 0.08**2 + 0.92**2 + 0.4**2) / 4)
    assert calibration_error(np.array([1.0]), np.array([1.0])) == 0  # of the last bin
    assert reliability([row(right=True)]) == ()
    assert figures_of([row(right=True)])["calibration error"] is None


def test_risk_and_coverage_by_hand():
    # of five questions; those of one probability are given together
    expected = ((1 / 5, 0), (3 / 5, 1 / 3), (4 / 5, 2 / 4))
    assert np.array(risk_coverage(SURE)) == pytest.approx(np.array(expected))
    assert risk_coverage([row(right=True)]) == ()


# --- resampling ----------------------------------------------------------------------------------------------------


def ratio(n, d):
    return n.sum() / d.sum()


def test_the_interval_of_a_mean_is_as_wide_as_theory_says():
    n = np.tile([0.0, 1.0], 200)
    low, high = interval(resampled(ratio, [(n, np.ones(400))], list(range(400)))[0])
    half = 1.96 * math.sqrt(0.25 / 400)
    assert (low, high) == pytest.approx((0.5 - half, 0.5 + half), abs=0.01)


def test_rows_of_one_document_are_drawn_together():
    n = np.repeat(np.tile([0.0, 1.0], 10), 20)  # twenty documents whose questions all end alike
    apart = interval(resampled(ratio, [(n, np.ones(400))], list(range(400)))[0])
    together = interval(resampled(ratio, [(n, np.ones(400))], list(np.repeat(np.arange(20), 20)))[0])
    assert together[1] - together[0] > 3 * (apart[1] - apart[0])
    few = interval(resampled(ratio, [(n, np.ones(400))], list(np.repeat(np.arange(2), 200)))[0])
    assert few == apart  # two documents say too little


def test_shares_are_resampled_quickly_as_slowly():
    n, d = np.array([1.0, 0, 2, 1] * 5), np.array([1.0, 1, 2, 3] * 5)
    owner = list(np.repeat(np.arange(10), 2))
    slow = resampled(lambda n, d: n.sum() / d.sum(), [(n, d)], owner)
    assert resampled(share, [(n, d)], owner) == pytest.approx(slow)


def test_both_runs_are_drawn_alike_and_the_same_every_time():
    n = np.random.default_rng(1).random(50)
    values = resampled(ratio, [(n, np.ones(50)), (n + 1, np.ones(50))], list(range(50)))
    assert values[1] - values[0] == pytest.approx(np.ones(len(values[0])))
    assert (resampled(ratio, [(n, np.ones(50))], list(range(50)))[0] == values[0]).all()
    assert interval(resampled(ratio, [(np.array([]), np.array([]))], [])[0]) is None
