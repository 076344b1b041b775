"""Deciding: the logistic function by hand, and that what was fitted is whole and points the right way."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from rag import decide
from rag.config import ROOT
from rag.decide import Signals, probability, threshold
from tests.bench import fit_decision

NAMES = [field.name for field in dataclasses.fields(Signals)]
GOOD = Signals(score=6.0, premise=0.0, fresh=None, yes=3.0)
BAD = Signals(score=-8.0, premise=1.0, fresh=None, yes=-3.0)


def test_the_probability_is_a_logistic_function_of_the_scaled_signals(monkeypatch):
    fitted = {"intercept": 0.5, "weights": dict.fromkeys(NAMES, 0.0), "scaling": dict.fromkeys(NAMES, (0.0, 1.0))}
    fitted["weights"] |= {"score": 2.0, "yes": 1.0}
    fitted["scaling"] |= {"score": (4.0, 2.0), "yes": (1.0, 4.0)}
    monkeypatch.setattr(decide, "_fitted", lambda: fitted)
    total = 0.5 + 2 * (4.5 - 4) / 2 + (3 - 1) / 4  # a score of 6 counts as 4.5
    assert probability(GOOD) == pytest.approx(1 / (1 + math.exp(-total)))
    # what was not asked is worth its mean
    assert probability(dataclasses.replace(GOOD, yes=None)) == pytest.approx(1 / (1 + math.exp(-1.0)))


@pytest.mark.parametrize(("wild", "cut"), [(40.0, 4.0), (-40.0, -4.0)])
def test_the_yes_of_a_model_with_another_scale_counts_no_more_than_the_surest_of_the_one_that_was_fitted(wild, cut):
    # Log odds of 40 once outvoted everything else.
    assert probability(dataclasses.replace(BAD, yes=wild)) == probability(dataclasses.replace(BAD, yes=cut))
    assert probability(dataclasses.replace(GOOD, yes=3.8)) < probability(dataclasses.replace(GOOD, yes=4.0))


def test_of_a_long_question_more_is_expected():
    assert [decide.expected(n) for n in (0, 2, 3, 5, 6, 20)] == [0, 0, 1, 3, 3.5, 3.5]


def test_what_was_fitted_is_whole():
    fitted = json.loads((ROOT / "rag" / "decide.json").read_text(encoding="utf-8"))
    assert list(fitted["weights"]) == list(fitted["scaling"]) == NAMES
    assert all(deviation > 0 for _, deviation in fitted["scaling"].values())
    assert 0 < threshold("talkative") < threshold("balanced") < threshold("careful") < 1
    assert threshold("always") == 0


def test_what_was_fitted_believes_good_signals_and_not_bad_ones():
    assert probability(GOOD) > threshold("careful")
    assert probability(BAD) < threshold("talkative")
    for name, worse in {"score": -2.0, "yes": -4.0, "premise": 1.0}.items():
        assert probability(dataclasses.replace(GOOD, **{name: worse})) < probability(GOOD), name


def test_what_is_fitted_is_what_is_weighed():
    # The scores were once fitted uncut, and cut when it came to deciding.
    rows = [{"signals": dataclasses.asdict(signals)} for signals in (GOOD, BAD, dataclasses.replace(BAD, score=-20.0))]
    found = fit_decision.weighed(rows)
    assert found.shape == (3, len(NAMES))
    assert found[:, NAMES.index("score")].tolist() == [4.5, -8.0, -9.5]
    assert math.isnan(found[0, NAMES.index("fresh")])


def test_each_fold_is_scaled_without_the_questions_that_it_is_judged_by(monkeypatch):
    # Mean and deviation were once those of all questions.
    seen = []

    def fit(values, labels, weight):
        seen.append(values)
        return LogisticRegression().fit(values, labels, sample_weight=weight)

    monkeypatch.setattr(fit_decision, "fit", fit)
    raw = np.array([[1.0, np.nan], [2.0, 1.0], [4.0, 5.0], [8.0, 2.0], [1000.0, 9.0]] * 2)
    fit_decision.out_of_fold(raw, np.array([0, 1] * 5), np.ones(10), np.array([0, 1, 2, 3, 4] * 2))
    assert [list(training.mean(axis=0)) for training in seen] == [pytest.approx([0, 0])] * fit_decision.FOLDS
