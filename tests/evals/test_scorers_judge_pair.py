"""Which of two answers is better: asked in both orders, so that the place decides nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

import gen_toolkit as gt
from gen_toolkit.errors import ScorerError
from gen_toolkit.evals.result import Result

pytestmark = pytest.mark.usefixtures("store")

ROWS = [{"question": "a?", "old": "short"}, {"question": "b?", "old": "short"}]


def said(grade: str, reason: str = "because") -> str:
    return json.dumps({"reason": reason, "grade": grade})


def by_length(messages: Any) -> str:
    """A judge that likes the longer answer, in whatever place it stands."""
    first, second = _answers(messages)
    return said("first is better" if len(first) > len(second) else "second is better", "it says more")


def first_always(messages: Any) -> str:
    return said("first is better", "it comes first")


def torn(messages: Any) -> str:
    first, _ = _answers(messages)
    return said("tie" if first == "short" else "first is better")


def _answers(messages: Any) -> tuple[str, str]:
    user = messages[1]["content"]
    return user.split("the first answer:\n")[1].split("\n")[1], user.split("the second answer:\n")[1].split("\n")[1]


def compared(judge: Any, value: str, **options: Any) -> Result:
    scorer = gt.scorers.pairwise("Which says more?", "old", model=gt.ScriptedModel(judge), **options)
    return gt.evaluate(lambda row: value, ROWS, scorer=scorer)


@pytest.mark.parametrize(("value", "score"), [("much longer", 1.0), ("tiny", 0.0)])
def test_the_better_answer_wins_in_whatever_place_it_stands(value: str, score: float) -> None:
    result = compared(by_length, value)
    label = "better" if score else "worse"
    assert [row.scores["pairwise"] for row in result.rows] == [gt.Score(score, "it says more", label)] * 2
    assert [row.calls for row in result.rows] == [2, 2]


@pytest.mark.parametrize("judge", [first_always, torn])
def test_a_judge_that_goes_by_the_place_says_nothing(judge: Any) -> None:
    result = compared(judge, "other")
    for row in result.rows:
        assert (row.scores["pairwise"].value, row.scores["pairwise"].label) == (0.5, "tie")
        assert row.scores["pairwise"].reason.startswith("depends on the order")


def test_equal_answers_are_a_tie_without_a_call() -> None:
    result = compared(by_length, "short")
    assert [row.scores["pairwise"] for row in result.rows] == [gt.Score(0.5, "the two are the same", "tie")] * 2
    assert result.calls == 0


def test_nonsense_in_one_of_the_two_orders_is_an_error_and_no_score() -> None:
    def half(messages: Any) -> str:
        return said("first is better") if _answers(messages)[0] == "short" else "the first one, I think"

    result = compared(half, "other")
    assert [row.scores for row in result.rows] == [{}, {}]
    assert len(result.failed) == 2


def test_a_result_is_compared_with_row_by_row() -> None:
    def old(row: Any) -> str:
        if row["question"] == "b?":
            raise ValueError("no answer")
        return "short"

    model = gt.ScriptedModel(by_length)
    baseline = gt.evaluate(old, ROWS, scorer=lambda value, row: True)
    scorer = gt.scorers.pairwise("Which says more?", baseline, model=model)
    result = gt.evaluate(lambda row: "much longer", ROWS, scorer=scorer)
    assert result.rows[0].scores["pairwise"].value == 1.0
    assert "has no value for row" in str(result.rows[1].error)
    assert len(model.requests) == 2


def test_the_other_answer_is_shown_as_an_answer_only() -> None:
    model = gt.ScriptedModel(by_length)
    gt.evaluate(lambda row: "x", ROWS[:1], scorer=gt.scorers.pairwise("r", "old", model=model))
    assert model.requests[0].messages[1]["content"].count("short") == 1


def test_what_it_cannot_compare_with_is_refused_before_any_call() -> None:
    with pytest.raises(ScorerError, match="nothing to compare with"):
        gt.scorers.pairwise("r", 5, model=gt.ScriptedModel("x"))  # type: ignore[arg-type]
    with pytest.raises(ScorerError, match="'older'"):
        gt.evaluate(lambda row: "x", ROWS, scorer=gt.scorers.pairwise("r", "older", model=gt.ScriptedModel("x")))


def test_a_pairwise_judge_is_calibrated_by_what_people_prefer() -> None:
    rows = [{"old": "short", "value": "x" * n, "label": "better" if n > 5 else "worse"} for n in (1, 2, 3, 8, 9, 10)]
    scorer = gt.scorers.pairwise("Which says more?", "old", model=gt.ScriptedModel(by_length)).calibrate(rows)
    assert scorer.agreement is not None
    assert scorer.agreement.kappa == 1.0
    assert scorer.agreement.labels == ("worse", "tie", "better")
