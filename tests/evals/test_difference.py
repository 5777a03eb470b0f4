"""How large a paired difference is."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial import Polynomial

from gen_toolkit.evals.difference import design_effect, deviation, difference_interval, effect, tango
from gen_toolkit.evals.intervals import Z, skewed_t
from gen_toolkit.evals.paired import mcnemar


def _tango_by_roots(wins: int, losses: int, rows: int) -> tuple[float, float]:
    """The limits as roots of a polynomial of degree four: Z. Yang, X. Sun, J. W. Hardin, 2013.

    The score equation gives the share lost as a polynomial in the limit; put into the quadratic equation
    that the most likely share fulfils, nothing but the limit is left.
    """
    x, square = Polynomial([Fraction(0), Fraction(1)]), Fraction(Z) ** 2
    lost = ((wins - losses - rows * x) ** 2 / (square * rows) - x * (1 - x)) / 2
    equation = 2 * rows * lost**2 + ((2 * rows - wins + losses) * x - wins - losses) * lost - losses * x * (1 - x)
    real = [float(root.real) for root in Polynomial(equation.coef.astype(float)).roots() if abs(root.imag) < 1e-6]

    def polished(root: float) -> float:  # Newton's steps in fractions: floats lose digits near a second root
        for _ in range(3):
            root -= float(equation(Fraction(root)) / equation.deriv()(Fraction(root)))
        return root

    return polished(min(real)), polished(max(real))


def test_the_interval_of_shares_is_tangos_closed_form_on_1000_tables() -> None:
    generator = random.Random(0)
    for _ in range(1000):
        rows = generator.randint(2, 400)
        wins = generator.randint(1, rows - 1)
        losses = generator.randint(1, rows - wins)
        assert tango(wins, losses, rows) == pytest.approx(_tango_by_roots(wins, losses, rows), abs=1e-9)


def test_the_interval_of_shares_gives_the_published_example() -> None:
    # M. W. Fagerland, S. Lydersen, P. Laake, Statistics in Medicine 33, 2014: 1 and 7 of 21
    assert tango(1, 7, 21) == pytest.approx((-0.517, -0.026), abs=5e-4)


@pytest.mark.parametrize("rows", [1, 5, 80])
def test_where_no_row_or_every_row_differs_tangos_interval_has_a_short_form(rows: int) -> None:
    reach = Z**2 / (rows + Z**2)
    assert tango(0, 0, rows) == pytest.approx((-reach, reach), abs=1e-9)
    assert tango(rows, 0, rows) == pytest.approx(((rows - Z**2) / (rows + Z**2), 1.0), abs=1e-9)
    assert tango(0, rows, rows) == pytest.approx((-1.0, (Z**2 - rows) / (rows + Z**2)), abs=1e-9)


@given(rows=st.integers(1, 200), data=st.data())
def test_the_interval_holds_the_difference_seen_and_mirrors_with_the_sides(rows: int, data: st.DataObject) -> None:
    wins = data.draw(st.integers(0, rows))
    losses = data.draw(st.integers(0, rows - wins))
    low, high = tango(wins, losses, rows)
    assert -1 <= low <= (wins - losses) / rows <= high <= 1
    assert tango(losses, wins, rows) == pytest.approx((-high, -low), abs=1e-12)


def test_where_mcnemars_test_finds_a_difference_the_interval_leaves_out_0() -> None:
    for moved in range(1, 61):
        for wins in range(moved + 1):
            if mcnemar(wins, moved - wins) < 0.05:
                for rows in (moved, 10 * moved):
                    low, high = tango(wins, moved - wins, rows)
                    assert low > 0 or high < 0


def test_grades_get_the_interval_of_their_mean_difference() -> None:
    differences = [1.0, 0.0, 0.0, 1.0, 1.0]  # steps of marks from 1 to 5, not right and wrong
    assert difference_interval(differences, None, right_wrong=False) == skewed_t(differences)
    assert difference_interval(differences, None, right_wrong=True) == tango(3, 0, 5)
    for right_wrong in (False, True):
        assert difference_interval([], None, right_wrong) == (None, None)
        assert difference_interval(differences, ["a"] * 5, right_wrong) == (None, None)


def test_groups_widen_the_interval_of_shares_and_one_that_never_differs_counts_once() -> None:
    differences = [1.0] * 30 + [0.0] * 60 + [-1.0] * 10
    groups = [n // 10 for n in range(100)]
    low, high = difference_interval(differences, groups, right_wrong=True)
    alone = tango(30, 10, 100)
    assert low is not None
    assert high is not None
    assert low < alone[0] < alone[1] < high
    assert difference_interval([0.0] * 100, groups, right_wrong=True) == pytest.approx(tango(0, 0, 10))


@pytest.mark.parametrize(
    ("differences", "right_wrong", "expected"),
    [
        ([1.0] * 3 + [-1.0] + [0.0] * 6, True, 0.25),
        ([0.0] * 6, True, None),
        ([1.0, 2.0, 3.0], False, 2.0),
        ([0.5] * 6, False, None),
        ([0.5], False, None),
        ([], False, None),
    ],
)
def test_the_effect_is_cohens_g_or_his_d_of_pairs(
    differences: list[float], right_wrong: bool, expected: float | None
) -> None:
    assert effect(differences, right_wrong) == expected


@given(values=st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20))
def test_the_deviation_is_numpys(values: list[float]) -> None:
    assert deviation(values) == pytest.approx(float(numpy.std(values, ddof=1)), abs=1e-9)


def test_copies_of_rows_are_needed_as_often_as_they_were_copied() -> None:
    differences = [0.1, -0.4, 0.5, 0.7, -0.2, 0.3]
    grouped = design_effect(differences * 10, [n % 6 for n in range(60)])
    plain = deviation(differences * 10)
    assert plain is not None
    error = deviation(differences)
    assert error is not None
    assert grouped == pytest.approx((error / math.sqrt(6) / plain) ** 2 * 60)
    assert 9 < grouped < 13
    assert design_effect(differences, None) == design_effect([0.5] * 4, ["a", "a", "b", "b"]) == 1.0
    assert design_effect([1.0, -1.0] * 6, [n // 2 for n in range(12)]) == 1.0  # never below
