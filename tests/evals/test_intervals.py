"""How sure a mean is, against scipy, statsmodels and sums done here by hand."""

from __future__ import annotations

import math
import random

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels_tables import TABLES

from gen_toolkit.evals.intervals import estimate, skewed_t, wilson

T4 = 2.7764451051977987  # Student's t, 4 degrees of freedom, 0.975
VALUES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30)


def test_wilsons_interval_is_scipys_and_statsmodels_on_1000_tables() -> None:
    for right, count, low, high, *_ in TABLES["right_wrong"]:
        interval = stats.binomtest(right, count).proportion_ci(0.95, method="wilson")
        assert wilson(right, count) == pytest.approx((interval.low, interval.high), abs=1e-9)
        assert wilson(right, count) == pytest.approx((low, high), abs=1e-9)


def test_wilsons_interval_gives_the_published_example() -> None:
    # R. G. Newcombe, Statistics in Medicine 17, 1998, table I: 81 of 263
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


@pytest.mark.parametrize("count", [1, 3, 10, 1000])
def test_all_right_and_all_wrong_stay_within_0_and_1_and_hold_the_share(count: int) -> None:
    low, high = wilson(count, count)
    assert 0 < low < high == 1.0
    assert wilson(0, count) == (0.0, pytest.approx(1 - low))


def test_grades_that_lean_to_no_side_get_exactly_students_interval() -> None:
    generator = random.Random(0)
    for _ in range(1000):
        half = [generator.gauss(0, 1) for _ in range(generator.randint(1, 20))]
        values = [3 + d for d in half] + [3 - d for d in half]
        expected = stats.t.interval(0.95, len(values) - 1, loc=3, scale=stats.sem(values))
        assert skewed_t(values) == pytest.approx(expected, abs=1e-9)


def test_the_limits_of_grades_are_where_halls_transformation_meets_students_quantile() -> None:
    generator = random.Random(0)
    for _ in range(1000):
        values = numpy.array([generator.betavariate(6, 1) for _ in range(generator.randint(3, 60))])
        count, error = len(values), stats.sem(values)
        skew = stats.skew(values) / math.sqrt(count)

        def lean(limit: float, values: numpy.ndarray = values, skew: float = skew, error: float = error) -> float:
            t = (values.mean() - limit) / error
            return float(t + skew * t**2 / 3 + skew**2 * t**3 / 27 + skew / 6)

        quantile = stats.t.ppf(0.975, count - 1)
        low, high = skewed_t(values.tolist())
        for limit, target in ((low, quantile), (high, -quantile)):
            found = optimize.brentq(lambda x, target=target, lean=lean: lean(x) - target, -1e3, 1e3, xtol=1e-13)
            assert limit == pytest.approx(found, abs=1e-9)


def test_the_interval_reaches_further_to_the_side_of_the_long_tail() -> None:
    found = estimate([0.9] * 15 + [1.0] * 14 + [0.1])
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert found.mean - found.low > 2 * (found.high - found.mean) > 0


def test_right_and_wrong_get_wilsons_interval_and_other_numbers_students() -> None:
    counted = estimate([1.0, 0.0, 1.0, 1.0])
    assert counted is not None
    assert (counted.mean, counted.rows, counted.groups) == (0.75, 4, None)
    assert (counted.low, counted.high) == wilson(3, 4)
    assert str(counted) == "0.750 [0.301, 0.954]"
    measured = estimate([1.0, 2.0, 3.0, 4.0, 5.0])
    assert measured is not None
    half = T4 * math.sqrt(2.5) / math.sqrt(5)
    assert (measured.mean, measured.low, measured.high) == pytest.approx((3.0, 3.0 - half, 3.0 + half))


@pytest.mark.parametrize("values", [[0.5], [0.7] * 40, [0.1 + 0.2, 0.3], [2.0, 2.0]])
def test_grades_that_are_all_equal_have_a_mean_and_no_interval(values: list[float]) -> None:
    found = estimate(values)
    assert found is not None
    assert (found.mean, found.low, found.high) == (pytest.approx(values[0]), None, None)
    assert str(found) == f"{values[0]:.3f}"


def test_without_values_there_is_no_estimate() -> None:
    assert estimate([]) is None


@given(values=VALUES)
def test_the_mean_lies_in_its_interval(values: list[float]) -> None:
    found = estimate(values)
    assert found is not None
    if found.low is None or found.high is None:
        assert max(values) == pytest.approx(min(values))
    else:
        slack = 1e-9 * max(1.0, *map(abs, values))
        assert found.low - slack <= found.mean <= found.high + slack


@given(values=VALUES, seed=st.integers(0, 9))
def test_the_order_of_the_rows_does_not_matter(values: list[float], seed: int) -> None:
    assert estimate(random.Random(seed).sample(values, len(values))) == estimate(values)


@pytest.mark.parametrize("factor", [1e-250, 1e-3, 1e3, 1e250])
def test_the_unit_of_the_grades_does_not_matter(factor: float) -> None:
    values = [0.1, 0.5, 0.9, 0.9, 1.0]
    plain, scaled = skewed_t(values), skewed_t([value * factor for value in values])
    assert [limit / factor for limit in scaled if limit is not None] == pytest.approx(list(plain), rel=1e-9)


def test_groups_of_one_row_are_no_groups() -> None:
    for values in ([1.0, 0.0, 1.0], [0.3, 0.5, 0.9]):
        assert estimate(values, ["a", "b", "c"]) == estimate(values)


def test_rows_of_one_group_alone_say_nothing_of_others() -> None:
    for values in ([1.0, 0.0, 1.0], [0.3, 0.5, 0.9]):
        found = estimate(values, ["a"] * 3)
        assert found is not None
        assert (found.low, found.high, found.rows, found.groups) == (None, None, 3, 1)


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_groups_that_are_all_right_or_all_wrong_count_one_row_each(score: float) -> None:
    found = estimate([score] * 60, [n // 6 for n in range(60)])
    assert found is not None
    assert (found.low, found.high) == pytest.approx(wilson(score * 10, 10))
    assert (found.rows, found.groups) == (60, 10)


@given(
    right=st.lists(st.booleans(), min_size=4, max_size=60),
    size=st.integers(2, 7),
)
def test_naming_groups_never_makes_a_share_look_surer(right: list[bool], size: int) -> None:
    values = [float(r) for r in right]
    alone, found = estimate(values), estimate(values, [n // size for n in range(len(values))])
    assert alone is not None
    assert found is not None
    if found.low is not None and found.high is not None and alone.low is not None and alone.high is not None:
        assert found.high - found.low >= alone.high - alone.low - 1e-9
