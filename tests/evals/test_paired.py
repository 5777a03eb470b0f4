"""The chance of a difference where there is none, against scipy, statsmodels and all ways counted."""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels_tables import TABLES

from gen_toolkit.evals.paired import mcnemar, paired_test, sign_flip, smallest_p


def test_mcnemars_p_is_scipys_and_statsmodels_on_1000_tables() -> None:
    for *_, better, worse, p in TABLES["right_wrong"]:
        assert mcnemar(better, worse) == pytest.approx(p, abs=1e-9)
        if better + worse:
            assert mcnemar(better, worse) == pytest.approx(stats.binomtest(better, better + worse).pvalue, abs=1e-9)


@given(better=st.integers(0, 300), worse=st.integers(0, 300))
def test_mcnemars_p_is_the_binomial_sum(better: int, worse: int) -> None:
    trials = better + worse
    tail = Fraction(sum(math.comb(trials, k) for k in range(min(better, worse) + 1)), 2**trials)
    assert mcnemar(better, worse) == pytest.approx(float(min(Fraction(1), 2 * tail)), rel=1e-9)
    assert mcnemar(better, worse) == mcnemar(worse, better)


@pytest.mark.parametrize(("better", "worse", "p"), [(0, 0, 1.0), (5, 0, 0.0625), (6, 0, 0.03125), (8, 1, 0.0390625)])
def test_mcnemars_p_of_a_few_rows(better: int, worse: int, p: float) -> None:
    assert mcnemar(better, worse) == p


def _all_ways(differences: list[float]) -> float:
    """The share of all ways of sign whose sum is as large: one by one."""
    limit = abs(sum(differences)) - 1e-9
    ways = itertools.product([1, -1], repeat=len(differences))
    return float(numpy.mean([abs(sum(s * d for s, d in zip(way, differences, strict=True))) >= limit for way in ways]))


def test_few_grades_are_permuted_in_all_ways() -> None:
    generator = random.Random(0)
    for _ in range(1000):
        differences = [
            round(generator.gauss(0.3, 1), generator.choice([0, 1, 6])) for _ in range(generator.randint(1, 7))
        ]
        assert sign_flip(differences) == pytest.approx(_all_ways(differences), abs=1e-9)


def test_few_grades_give_scipys_permutation_test() -> None:
    generator = numpy.random.default_rng(0)
    for _ in range(30):
        mine, theirs = generator.normal(0.4, 1, 8), generator.normal(0, 1, 8)
        expected = stats.permutation_test((mine, theirs), _mean_difference, permutation_type="samples", vectorized=True)
        assert sign_flip((mine - theirs).tolist()) == pytest.approx(expected.pvalue, abs=1e-9)


def _mean_difference(mine: numpy.ndarray, theirs: numpy.ndarray, axis: int) -> numpy.ndarray:
    return numpy.mean(mine - theirs, axis=axis)


@pytest.mark.parametrize("unit", [1.0, 0.5, 1 / 3, 0.05, 3e-10, 7e12])
def test_many_marks_are_counted_exactly(unit: float) -> None:
    generator = random.Random(0)
    differences = [unit * generator.choice([-2, -1, 1, 1, 2, 3]) for _ in range(18)]
    ways = numpy.array(list(itertools.product([1, -1], repeat=18)), dtype=numpy.int8)
    sums = ways @ numpy.array(differences)
    expected = (numpy.abs(sums) >= abs(sum(differences)) - 1e-9 * unit).mean()
    assert sign_flip(differences) == pytest.approx(expected, abs=1e-9)


@given(wins=st.integers(0, 60), losses=st.integers(0, 60), same=st.integers(0, 20))
def test_of_right_and_wrong_the_permutation_test_is_mcnemars(wins: int, losses: int, same: int) -> None:
    differences = [1.0] * wins + [-1.0] * losses + [0.0] * same
    assert sign_flip(differences) == pytest.approx(mcnemar(wins, losses), abs=1e-9)


def test_many_grades_are_permuted_at_random_and_come_near_the_exact_p() -> None:
    generator = random.Random(0)
    differences = [generator.gauss(0.6, 1) for _ in range(18)]
    ways = numpy.array(list(itertools.product([1, -1], repeat=18)), dtype=numpy.int8)
    expected = (numpy.abs(ways @ numpy.array(differences)) >= abs(sum(differences))).mean()
    assert 0.01 < expected < 0.2
    assert sign_flip(differences) == pytest.approx(expected, abs=0.008)


def test_the_same_rows_in_any_order_and_with_sides_exchanged_have_the_same_p() -> None:
    generator = random.Random(0)
    differences = [generator.gauss(0.2, 1) for _ in range(60)]
    p = sign_flip(differences)
    assert sign_flip(generator.sample(differences, 60)) == p
    assert sign_flip([-d for d in differences]) == p
    assert sign_flip([d * 1e6 for d in differences]) == pytest.approx(p, abs=1e-9)


def test_p_is_never_0_for_random_ways() -> None:
    assert sign_flip([1 + n * math.pi for n in range(100)]) == 1 / 20_000


@pytest.mark.parametrize("differences", [[], [0.0], [0.0] * 9, [1.0, -1.0], [0.3]])
def test_nothing_that_differs_or_one_row_has_p_1(differences: list[float]) -> None:
    assert sign_flip(differences) == 1.0


def test_what_rounding_leaves_of_equal_scores_is_no_difference() -> None:
    dust = 0.1 + 0.2 - 0.3
    assert dust != 0
    marks = [0.1] * 12 + [-0.1] * 6
    assert sign_flip([*marks, dust]) == sign_flip(marks) == pytest.approx(mcnemar(12, 6), abs=1e-12)
    groups = [*range(18), *[18] * 3]
    assert paired_test([*marks, 0.1, 0.2, -0.3], groups, right_wrong=False)[0] == sign_flip(marks)


def test_rows_of_a_group_change_sides_together() -> None:
    differences, groups = [1.0] * 12, [n // 2 for n in range(12)]
    assert paired_test(differences, None, right_wrong=True) == (2 * 0.5**12, "exact McNemar")
    assert paired_test(differences, None, right_wrong=False) == (2 * 0.5**12, "paired permutation")
    assert paired_test(differences, groups, right_wrong=True) == (2 * 0.5**6, "permutation by group")


@pytest.mark.parametrize("units", [0, 1, 2, 6, 11])
def test_the_smallest_p_is_that_of_rows_which_all_agree(units: int) -> None:
    assert smallest_p(units) == mcnemar(units, 0) == sign_flip([0.3] * units)
