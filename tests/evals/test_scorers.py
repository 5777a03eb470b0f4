"""Scorers: a number a row, or an error that never becomes one."""

from __future__ import annotations

import enum
from typing import Any

import pytest

import gen_toolkit as gt
from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import DatasetError, ScorerError
from gen_toolkit.evals.score import as_score
from gen_toolkit.evals.scorers import scorer_list


class Label(enum.Enum):
    GOOD = "good"


@pytest.mark.parametrize(
    ("value", "expected", "right"),
    [
        ("good", "good", 1.0),
        ("good", "bad", 0.0),
        (Label.GOOD, "good", 1.0),
        (3, 3, 1.0),
        ("3", 3, 1.0),
        (3, "3", 0.0),
        (None, "None", 0.0),
        (["a"], ["a"], 1.0),
    ],
)
def test_exact_compares_the_value_with_the_column(value: Any, expected: Any, right: float) -> None:
    score = gt.scorers.exact("label")(value, Row({"label": expected}, "r"))
    assert score.value == right
    assert score.reason == ("" if right else f"expected {expected!r}")


def test_exact_of_a_row_without_the_column_is_an_error() -> None:
    with pytest.raises(DatasetError, match="no column 'label'"):
        gt.scorers.exact("label")("x", Row({"other": 1}, "r"))


@pytest.mark.parametrize(("given", "value"), [(True, 1.0), (False, 0.0), (3, 3.0), (0.5, 0.5), (gt.Score(0.2), 0.2)])
def test_a_scorer_returns_a_bool_a_number_or_a_score(given: Any, value: float) -> None:
    assert as_score("s", given).value == value


@pytest.mark.parametrize("given", [None, "1", [1], float("nan"), float("inf"), gt.Score(float("nan"))], ids=repr)
def test_anything_else_is_an_error_and_no_score(given: Any) -> None:
    with pytest.raises(ScorerError, match="scorer 's' returned"):
        as_score("s", given)


def test_any_function_is_a_scorer_and_goes_by_its_name() -> None:
    def long_enough(value: Any, row: Row) -> bool:
        return len(value) > 3

    class Judge:
        def __call__(self, value: Any, row: Row) -> bool:
            return True

    made = scorer_list([long_enough, lambda value, row: 1, Judge(), gt.scorers.exact("label", name="accuracy")])
    assert [scorer.name for scorer in made] == ["long_enough", "score", "Judge", "accuracy"]
    assert made[0]("text", Row({}, "r")) is True


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("exact", "'exact' is no scorer"),
        (None, "None is no scorer"),
        ([gt.scorers.exact("a"), gt.scorers.exact("b")], "two scorers are called 'exact'"),
        (gt.scorers.exact("a", name="F1 (macro)"), "cannot be a scorer's name"),
        (gt.scorers.exact("a", name=""), "cannot be a scorer's name"),
        (gt.scorers.exact("a", name="../x"), "cannot be a scorer's name"),
        (gt.scorers.exact("a", name="a//b"), "cannot be a scorer's name"),
    ],
    ids=str,
)
def test_what_is_no_scorer_is_refused(given: Any, says: str) -> None:
    with pytest.raises(ScorerError, match=says):
        scorer_list(given)
