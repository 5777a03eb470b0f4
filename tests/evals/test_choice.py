"""How a label is got: the likeliest, or by a threshold, which can be tuned."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

import gen_toolkit as gt
from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import InputError
from gen_toolkit.evals.result import Result, RowResult


@pytest.mark.parametrize(
    ("threshold", "shares", "label"),
    [
        (None, {"a": 0.2, "b": 0.5, "c": 0.3}, "b"),
        (None, {"a": 0.5, "b": 0.5}, "a"),
        (0.6, {"a": 0.6, "b": 0.4}, "a"),
        (0.6, {"a": 0.59, "b": 0.41}, "b"),
        (0.0, {"a": 0.0, "b": 1.0}, "a"),
        (1.0, {"a": 0.99, "b": 0.01}, "b"),
    ],
)
def test_the_label_is_the_likeliest_or_the_first_from_the_threshold_on(
    threshold: float | None, shares: dict[str, float], label: str
) -> None:
    assert gt.Choose(threshold).pick(shares) == label


def test_a_threshold_decides_between_two_labels_only() -> None:
    with pytest.raises(InputError, match="between two labels, and there are 3"):
        gt.Choose(0.5).pick({"a": 0.2, "b": 0.5, "c": 0.3})


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan"), "0.5", [0.5], True])
def test_a_threshold_is_a_share(threshold: Any) -> None:
    with pytest.raises(InputError, match="is no share"):
        gt.Choose(threshold)


def _result(rows: list[tuple[float, str]]) -> Result:
    results = tuple(
        RowResult(Row({"label": label}, str(n)), probabilities={"yes": share, "no": 1 - share})
        for n, (share, label) in enumerate(rows)
    )
    return Result("t", "p", "m", "choose", "d", "", ("s",), results, 0.0)


@pytest.mark.parametrize("planted", [0.3, 0.5, 0.8])
def test_tuning_recovers_a_planted_threshold(planted: float) -> None:
    draw = random.Random(1)
    middle = math.log(planted / (1 - planted))
    odds = [middle + draw.gauss(0, 1.5) for _ in range(3000)]
    rows = [
        (1 / (1 + math.exp(-o)), "yes" if draw.random() < 1 / (1 + math.exp(-2 * (o - middle))) else "no") for o in odds
    ]
    assert gt.Choose.tuned(_result(rows), "label").threshold == pytest.approx(planted, abs=0.03)


def test_tuning_copes_with_rows_that_a_cut_separates_and_with_shares_of_0_and_1() -> None:
    tuned = gt.Choose.tuned(_result([(0.0, "no"), (0.2, "no"), (0.9, "yes"), (1.0, "yes")]), "label")
    assert tuned.threshold is not None
    assert 0.2 < tuned.threshold < 0.9


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([], "no probabilities"),
        ([(0.4, "yes"), (0.9, "yes")], "all 2 rows have the same label in 'label'"),
        ([(0.4, "no"), (0.9, "no")], "all 2 rows have the same label"),
        ([(0.9, "no"), (0.1, "yes")] * 9, "opposite of the labels"),
    ],
)
def test_what_cannot_be_tuned_on_is_refused(rows: list[tuple[float, str]], says: str) -> None:
    with pytest.raises(InputError, match=says):
        gt.Choose.tuned(_result(rows), "label")
