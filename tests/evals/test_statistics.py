"""Intervals and tests, against sums done here by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen_toolkit.evals.statistics import estimate, mcnemar, paired_t, wilson

Z = 1.959963984540054  # the normal quantile of 0.975
T4 = 2.7764451051977987  # Student's t, 4 degrees of freedom, 0.975


def _wilson_in_closed_form(right: int, count: int) -> tuple[float, float]:
    share, square = right / count, Z * Z / count
    middle = (share + square / 2) / (1 + square)
    half = Z * math.sqrt(share * (1 - share) / count + square / (4 * count)) / (1 + square)
    return middle - half, middle + half


@pytest.mark.parametrize(("right", "count"), [(0, 1), (1, 1), (0, 10), (10, 10), (7, 10), (50, 100), (999, 1000)])
def test_wilsons_interval_is_the_closed_form(right: int, count: int) -> None:
    assert wilson(right, count) == pytest.approx(_wilson_in_closed_form(right, count), abs=1e-9)


def test_wilsons_interval_gives_the_published_example() -> None:
    # R. G. Newcombe, Statistics in Medicine 17, 1998, table I: 81 of 263
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


@given(better=st.integers(0, 40), worse=st.integers(0, 40))
def test_mcnemars_p_is_the_binomial_sum(better: int, worse: int) -> None:
    trials = better + worse
    tail = sum(math.comb(trials, k) for k in range(min(better, worse) + 1)) / 2**trials
    assert mcnemar(better, worse) == pytest.approx(min(1.0, 2 * tail))
    assert mcnemar(better, worse) == mcnemar(worse, better)


@pytest.mark.parametrize(("better", "worse", "p"), [(0, 0, 1.0), (5, 0, 0.0625), (6, 0, 0.03125), (8, 1, 0.0390625)])
def test_mcnemars_p_of_a_few_rows(better: int, worse: int, p: float) -> None:
    assert mcnemar(better, worse) == pytest.approx(p)


def test_right_and_wrong_get_wilsons_interval_and_other_numbers_students() -> None:
    counted = estimate([1.0, 0.0, 1.0, 1.0])
    assert counted is not None
    assert (counted.mean, counted.rows) == (0.75, 4)
    assert (counted.low, counted.high) == pytest.approx(_wilson_in_closed_form(3, 4))
    measured = estimate([1.0, 2.0, 3.0, 4.0, 5.0])
    assert measured is not None
    half = T4 * math.sqrt(2.5) / math.sqrt(5)
    assert (measured.mean, measured.low, measured.high) == pytest.approx((3.0, 3.0 - half, 3.0 + half))


def test_too_little_to_say_is_said() -> None:
    assert estimate([]) is None
    one = estimate([0.5])
    assert one is not None
    assert (one.low, one.high) == (None, None)
    assert str(one) == "0.500"


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30))
def test_the_mean_lies_in_its_interval(values: list[float]) -> None:
    found = estimate(values)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    slack = 1e-9 * max(1.0, *map(abs, values))
    assert found.low - slack <= found.mean <= found.high + slack


@pytest.mark.parametrize(
    ("differences", "p"),
    [([], 1.0), ([0.5], 1.0), ([0.0, 0.0], 1.0), ([0.5, 0.5], 0.0), ([1.0, -1.0], 1.0), ([1.0, 3.0], 0.2951672353)],
)
def test_the_paired_t_test_knows_its_edges(differences: list[float], p: float) -> None:
    # of 1 and 3: t = 2 / (sqrt(2) / sqrt(2)) = 2, one degree of freedom: p = 1 - 2 atan(2) / pi
    assert paired_t(differences) == pytest.approx(p)
