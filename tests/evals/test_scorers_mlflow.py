"""MLflow's own scorers in an evaluation of the toolkit."""

from __future__ import annotations

from typing import Any

import pytest
from mlflow_store import Store

import gen_toolkit as gt
from gen_toolkit.errors import ScorerError
from gen_toolkit.evals.result import RowResult

ROWS = [{"question": "2 + 2?", "expected_response": "4"}]


@pytest.fixture(autouse=True)
def _store(store: Store) -> Store:
    return store


def scored(function: Any, value: Any = "4", **options: Any) -> RowResult:
    from mlflow.genai import scorer

    made = gt.scorers.mlflow(scorer(function), **options)
    return gt.evaluate(lambda row: value, ROWS, scorer=made).rows[0]


def test_a_scorer_of_mlflow_is_given_inputs_outputs_and_expectations() -> None:
    given: dict[str, Any] = {}

    def matches(inputs: Any, outputs: Any, expectations: Any) -> bool:
        given.update(inputs=inputs, outputs=outputs, expectations=expectations)
        return bool(outputs == expectations["expected_response"])

    row = scored(matches, expectations=["expected_response"])
    assert row.scores["matches"] == gt.Score(1.0)
    assert given == {"inputs": {"question": "2 + 2?"}, "outputs": "4", "expectations": {"expected_response": "4"}}


def test_an_expectation_may_stand_in_a_column_of_another_name() -> None:
    def matches(outputs: Any, expectations: Any) -> bool:
        return bool(outputs == expectations["answer"])

    assert scored(matches, expectations={"answer": "expected_response"}).scores["matches"].value == 1.0


@pytest.mark.parametrize(
    ("value", "score"),
    [
        (True, gt.Score(1.0, "so")),
        (0.25, gt.Score(0.25, "so")),
        ("yes", gt.Score(1.0, "so", "yes")),
        ("no", gt.Score(0.0, "so", "no")),
        ("fair", gt.Score(0.5, "so", "fair")),
    ],
)
def test_its_feedback_is_a_score_with_the_rationale_as_reason(value: Any, score: gt.Score) -> None:
    from mlflow.entities import Feedback

    def judge(outputs: Any) -> Any:
        return Feedback(value=value, rationale="so")

    assert scored(judge, grades={"fair": 0.5}).scores["judge"] == score


def test_a_word_without_a_worth_none_and_an_error_are_errors_at_the_row_and_no_scores() -> None:
    from mlflow.entities import AssessmentError, Feedback

    def raises() -> Any:
        raise ValueError("broken")

    for said, message in (
        (lambda: "excellent", "'excellent', which is no number"),
        (lambda: None, "returned Score"),
        (lambda: Feedback(error=AssessmentError(error_code="OUT", error_message="no model")), "failed: no model"),
        (raises, "broken"),
    ):
        row = scored(lambda outputs, said=said: said(), name="mine")
        assert row.scores == {}
        assert message in str(row.error)


def test_of_several_assessments_one_is_named() -> None:
    from mlflow.entities import Feedback

    def both(outputs: Any) -> Any:
        return [Feedback(name="tone", value=1.0), Feedback(name="truth", value=0.0)]

    assert scored(both, feedback="truth").scores["both"].value == 0.0
    assert "2 assessments (tone, truth)" in str(scored(both).error)


def test_a_scorer_that_is_a_class_works_as_it_is() -> None:
    from mlflow.genai.scorers import Scorer

    class Short(Scorer):
        name: str = "short"

        def __call__(self, *, outputs: Any) -> bool:
            return len(outputs) < 5

    result = gt.evaluate(lambda row: "4", ROWS, scorer=gt.scorers.mlflow(Short()))
    assert result.mean("short") == 1.0


def test_what_is_no_scorer_of_mlflows_is_refused() -> None:
    with pytest.raises(ScorerError, match="function is no scorer of MLflow's"):
        gt.scorers.mlflow(lambda value, row: True)
    from mlflow.genai import scorer

    def matches(outputs: Any) -> bool:
        return True

    made = gt.scorers.mlflow(scorer(matches), expectations=["wanted"])
    with pytest.raises(ScorerError, match="'wanted'"):
        gt.evaluate(lambda row: "4", ROWS, scorer=made)
