"""A score is a finite number within its scorer's range, or an error that never becomes one."""

from __future__ import annotations

import decimal
import fractions
from typing import Any

import numpy
import pandas
import pytest

import gen_toolkit as gt
from gen_toolkit.errors import ScorerError
from gen_toolkit.evals.score import Score, as_score


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (True, 1.0),
        (False, 0.0),
        (3, 3.0),
        (0.5, 0.5),
        (numpy.bool_(True), 1.0),
        (numpy.int64(2), 2.0),
        (numpy.float32(0.5), 0.5),
        (numpy.array(0.25), 0.25),
        (fractions.Fraction(1, 4), 0.25),
        (Score(0.2), 0.2),
        (Score(True), 1.0),
        (Score(numpy.float64(0.5)), 0.5),
    ],
    ids=repr,
)
def test_a_scorer_returns_a_bool_a_number_or_a_score(given: Any, value: float) -> None:
    score = as_score("s", given)
    assert score.value == value
    assert type(score.value) is float


@pytest.mark.parametrize(
    "given",
    [
        None,
        "1",
        "",
        [1],
        {},
        1j,
        decimal.Decimal(1),
        numpy.array([1.0]),
        pandas.NA,
        float("nan"),
        float("inf"),
        numpy.float64("nan"),
        10**400,
        Score(float("nan")),
        Score(None),  # type: ignore[arg-type]
        Score("high"),  # type: ignore[arg-type]
        Score(Score(1.0)),  # type: ignore[arg-type]
    ],
    ids=repr,
)
def test_anything_else_is_an_error_and_no_score(given: Any) -> None:
    with pytest.raises(ScorerError, match="scorer 's' returned") as raised:
        as_score("s", given)
    assert (raised.value.scorer, bool(raised.value.fix)) == ("s", True)
    assert len(str(raised.value)) < 300


def test_a_number_out_of_the_declared_range_is_an_error_and_the_ends_belong_to_it() -> None:
    stars = gt.scorers.custom(lambda value, row: value, name="stars", range=(1, 5))
    assert [as_score(stars, given).value for given in (1, 5, Score(3))] == [1.0, 5.0, 3.0]
    for given in (0.99, 6, False, Score(-1)):
        with pytest.raises(ScorerError, match=r"scorer 'stars' returned .*not in its range from 1 to 5"):
            as_score(stars, given)


def test_a_reason_and_a_label_are_texts() -> None:
    score = as_score("s", Score(1, reason=None, label=3))  # type: ignore[arg-type]
    assert (score.reason, score.label) == ("", "3")
