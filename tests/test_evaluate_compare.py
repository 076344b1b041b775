"""Two runs compared, and baselines: by hand, and against what cannot be a run."""

from __future__ import annotations

import dataclasses
import json

import pytest

from rag.errors import EvaluationError
from rag.evaluate.compare import (
    as_baseline,
    compare,
    comparison_as_dict,
    comparison_as_table,
    mcnemar,
    outcomes,
    read_run,
)
from tests.sets import claim, refused, row


def changes(old, new, name="p"):
    return {change.name: change for change in compare(outcomes(old, True), outcomes(new, True)).sets[name]}


def test_mcnemar_by_hand():
    # of 5 discordant pairs 1 went one way: 2 * (1 + 5) / 32
    assert mcnemar(1, 4) == mcnemar(4, 1) == 2 * 6 / 32
    assert mcnemar(0, 0) == mcnemar(1, 1) == mcnemar(3, 2) == 1
    assert mcnemar(0, 10) == 2 / 1024


OLD = [row(str(n), right=n < 4, f1=n / 10, citations=2, supporting=1, total=float(n)) for n in range(10)]
NEW = [row(str(n), right=n > 1, f1=n / 10 + 0.1, citations=1, supporting=1, total=n + 1.0) for n in range(10)]


def test_figures_are_compared_by_hand():
    found = changes(OLD, NEW)
    right = found["answered right"]
    assert (right.old, right.new, right.of) == (0.4, 0.8, 10)
    assert right.difference == pytest.approx(0.4)
    assert (right.lost, right.gained, right.p) == (2, 6, mcnemar(2, 6))
    assert right.interval[0] < 0.4 < right.interval[1]
    precision = found["citation precision"]
    assert (precision.old, precision.new, precision.p) == (0.5, 1, None)
    assert found["token F1"].interval == pytest.approx(
        (0.1, 0.1)
    )  # each question has a tenth more: nothing is left to chance
    assert found["total s, median"].difference == pytest.approx(1)
    assert "claims: AUC" not in found


def test_only_questions_that_both_have_a_figure_for_are_compared():
    found = changes(
        [row("1", right=True), row("2", right=False), row("3", right=True)], [row("2", right=True), row("3"), row("4")]
    )
    assert (found["answered right"].of, found["answered right"].gained) == (1, 1)
    comparison = compare(outcomes(OLD, True), outcomes([*NEW[5:], row("other")], True))
    assert (comparison.questions, comparison.only_old, comparison.only_new) == (5, 5, 1)


def test_a_score_is_resampled_too():
    labels = [(str(n), n % 2 == 0) for n in range(40)]
    old = [claim(identity, label, 0.9) for identity, label in labels]
    new = [claim(identity, label, 0.9 if label else 0.1) for identity, label in labels]
    found = changes(old, new)
    assert (found["claims: AUC"].old, found["claims: AUC"].new) == (0.5, 1)
    assert found["claims: balanced accuracy"].interval == pytest.approx((0.5, 0.5))
    assert found["claims: accuracy"].gained == 20


def test_the_questions_that_changed_are_listed_by_set():
    old = [
        row("a", right=True, asked="Who?", text="Old. [1]"),
        refused("b", right=False),
        refused("c", pack="q", answerable=False),
    ]
    new = [row("a", right=False, asked="Who?", text="New. [1]"), row("b", right=True), row("c", pack="q", answerable=False)]
    comparison = compare(outcomes(old, True), outcomes(new, True))
    assert list(comparison.sets) == ["p", "q", "all"]
    assert comparison.worse == (("p", "a", "Who?", "Old. [1]", "New. [1]"), ("q", "c", "", "", ""))
    assert [one[:2] for one in comparison.better] == [("p", "b")]
    table = comparison_as_table(comparison)
    assert "right before, wrong now: 2\n  p a  Who?\n      Old. [1] → New. [1]\n  q c\n" in table
    assert comparison_as_dict(comparison)["better"] == [{"set": "p", "id": "b", "question": "", "old": "", "new": ""}]
    assert comparison_as_dict(comparison)["sets"]["p"]["answered right"]["of"] == 2


def test_searches_alone_are_compared_by_the_first_hit():
    searched = outcomes([refused("a", has_gold=True, rank=1), refused("b", has_gold=True, rank=2)], answers=False)
    answered = outcomes(
        [row("a", right=True, has_gold=True, rank=3), row("b", right=True, has_gold=True, rank=1)], answers=True
    )
    for old, new, worse in ((searched, answered, "a"), (answered, searched, "b")):
        comparison = compare(old, new)
        assert [one[1] for one in comparison.worse] == [worse]
        assert [change.name for change in comparison.sets["p"]] == ["hit@1", "hit@3", "hit@5", "MRR@10"]


def test_a_baseline_has_the_outcomes_and_no_text(write):
    secret = {"question": "SECRET", "asked": "SECRET", "text": "SECRET", "expected": ("SECRET",), "quotes": ("SECRET",)}
    secret |= {"gold": "SECRET", "cluster": "SECRET", "notice": "SECRET", "error": ""}
    rows = [dataclasses.replace(one, **secret) for one in OLD]
    rows += [claim(f"c{n}", n % 2 == 0, n / 10, pack="claims") for n in range(8)]
    text = as_baseline(rows, {"p": {"questions": 10, "x": {"interval": (1 / 3, 1)}}}, {"version": "0"}, answers=True)
    assert "SECRET" not in text
    assert len(text.splitlines()) < len(rows) + 20  # a question a line: what changed can be read in a diff
    kept = read_run(write("baseline.json", text))
    assert {key: outcome.parts for key, outcome in kept.items()} == {
        key: outcome.parts for key, outcome in outcomes(rows, True).items()
    }
    assert json.loads(text)["figures"] == {"p": {"questions": 10, "x": {"interval": [0.3333, 1]}}}
    comparison = compare(kept, outcomes(NEW, True))
    assert comparison.sets["p"] == compare(outcomes(OLD, True), outcomes(NEW, True)).sets["p"]


def test_a_run_of_an_earlier_version_is_read(write):
    new_fields = ("status", "counted", "asked", "probability", "retrieve", "cluster", "evidence")
    kinds = [("1", "answerable", True), ("2", "underspecified", False)]
    rows = [dataclasses.asdict(row(i, kind=k, answerable=a, question="Who?", right=a or None)) for i, k, a in kinds]
    for saved in rows:
        for name in new_fields:
            del saved[name]
    path = write("old.json", json.dumps({"figures": {"p": {"answered right": {}}}, "questions": [*rows], "failed": []}))
    kept = read_run(path)
    assert kept["p", "1"].parts["answered right"] == (1, 1)
    assert kept["p", "1"].asked == "Who?"
    assert "refused when unanswerable" not in kept["p", "2"].parts


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"run\.json is no saved run: it is not JSON"),
        (b"\xff", r"it is not JSON"),
        ("[]", r"run\.json is no saved run"),
        ("3", r"run\.json is no saved run"),
        ('{"text": "an answer"}', r"run\.json is no saved run: KeyError 'figures'"),
        ('{"figures": {}, "questions": [{"id": "1"}]}', r"is no saved run: KeyError"),
        ('{"columns": ["hit@1"], "questions": {"p": {"1": [1, 1]}}}', r"is no saved run: ValueError"),
        ('{"columns": ["hit@1"], "questions": {"p": {"1": ["yes"]}}}', r"is no saved run: ValueError"),
        ('{"columns": ["hit@1"], "questions": {"p": {"1": [[1]]}}}', r"is no saved run: IndexError"),
    ],
)
def test_what_is_no_run_is_told(write, content, message):
    with pytest.raises(EvaluationError, match=message):
        read_run(write("run.json", content))


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(EvaluationError, match=r"nowhere\.json cannot be read: No such file.*Save one with"):
        read_run(tmp_path / "nowhere.json")


def test_runs_without_a_common_question_are_told():
    with pytest.raises(EvaluationError, match="no question in common"):
        compare(outcomes(OLD, True), outcomes([row("other")], True))
