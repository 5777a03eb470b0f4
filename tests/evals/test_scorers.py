"""Scorers: a number a row, or an error that never becomes one."""

from __future__ import annotations

import enum
from typing import Any

import pytest

import gen_toolkit as gt
from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import DatasetError, ScorerError
from gen_toolkit.evals.score import columns_of
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


def test_exact_takes_a_claim_for_what_a_csv_file_calls_it() -> None:
    for said in ("true", "True", True):
        assert gt.scorers.exact("label")(said, Row({"label": True}, "r")).value == 1.0
        assert gt.scorers.exact("label")(said, Row({"label": False}, "r")).value == 0.0


def test_any_function_is_a_scorer_and_goes_by_its_name() -> None:
    def long_enough(value: Any, row: Row) -> bool:
        return len(value) > 3

    class Judge:
        def __call__(self, value: Any, row: Row) -> bool:
            return True

    made = scorer_list([long_enough, lambda value, row: 1, Judge(), gt.scorers.exact("label", name="accuracy")])
    assert [scorer.name for scorer in made] == ["long_enough", "score", "Judge", "accuracy"]
    assert made[0]("text", Row({}, "r")) is True


def test_a_function_may_declare_its_range_and_columns_as_attributes() -> None:
    def judge(value: Any, row: Row) -> float:
        return 7.0

    judge.range = (0, 5)  # type: ignore[attr-defined]
    judge.column = "label"  # type: ignore[attr-defined]
    (made,) = scorer_list(judge)
    assert (made.name, made.range, columns_of(made)) == ("judge", (0.0, 5.0), ("label",))  # type: ignore[attr-defined]
    judge.range = (5, 0)  # type: ignore[attr-defined]
    with pytest.raises(ScorerError, match=r"scorer 'judge': range=\(5, 0\) is no range"):
        scorer_list(judge)


def test_every_public_name_is_there_and_no_other_is_offered() -> None:
    assert dir(gt.scorers) == sorted(gt.scorers.__all__)
    assert all(callable(getattr(gt.scorers, name)) for name in gt.scorers.__all__)


@pytest.mark.parametrize(
    "make",
    [
        gt.scorers.exact,
        gt.scorers.normalised,
        gt.scorers.contains,
        gt.scorers.number,
        gt.scorers.labels,
        lambda column: gt.scorers.json_fields(column=column),
        lambda column: gt.scorers.json_fields({"a": column}),
        lambda column: gt.scorers.custom(lambda value, row: 1, columns=[column]),
    ],
)
@pytest.mark.parametrize("column", ["", 5, ["label"]], ids=repr)
def test_a_scorer_of_no_column_is_refused_when_it_is_made(make: Any, column: Any) -> None:
    with pytest.raises(ScorerError) as raised:
        make(column)
    assert raised.value.fix


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
        (lambda value: True, r"scorer 'score' cannot be called with \(value, row\): too many positional"),
        (lambda value, row, more: True, r"cannot be called with \(value, row\): missing a required"),
    ],
)
def test_what_is_no_scorer_is_refused(given: Any, says: str) -> None:
    with pytest.raises(ScorerError, match=says):
        scorer_list(given)
