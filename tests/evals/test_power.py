"""How many rows it takes to show a difference."""

from __future__ import annotations

import numpy
import pytest
from scipy import stats
from statsmodels_tables import TABLES

from gen_toolkit.errors import InputError
from gen_toolkit.evals.paired import mcnemar
from gen_toolkit.evals.power import fewest_units, rows_for_grades, rows_for_right_wrong


def _power_of_mcnemar(rows: int, discordance: float, difference: float) -> float:
    """The chance of p < 0.05: a sum over how many rows differ, and how many of those are won."""
    moved = numpy.arange(rows + 1)
    most_lost = stats.binom.ppf(0.025, moved, 0.5)
    most_lost -= stats.binom.cdf(most_lost, moved, 0.5) >= 0.025
    won = (1 + difference / discordance) / 2
    found = stats.binom.cdf(most_lost, moved, 1 - won) + stats.binom.cdf(most_lost, moved, won)
    return float((stats.binom.pmf(moved, rows, discordance) * found).sum())


def test_the_sum_of_chances_here_counts_what_the_test_finds() -> None:
    found = [w for w in range(13) if mcnemar(w, 12 - w) < 0.05]
    assert _power_of_mcnemar(12, 1.0, 0.4) == pytest.approx(float(stats.binom.pmf(found, 12, 0.7).sum()))


@pytest.mark.parametrize("discordance", [0.05, 0.1, 0.2, 0.4, 0.8])
@pytest.mark.parametrize("difference", [0.02, 0.05, 0.1, 0.2])
def test_the_rows_named_show_the_difference_in_four_of_five_trials(discordance: float, difference: float) -> None:
    rows = rows_for_right_wrong(difference, discordance)
    true = max(discordance, difference)  # as many rows differ at least
    assert 0.785 <= _power_of_mcnemar(rows, true, difference) <= 0.89
    assert _power_of_mcnemar(rows * 3 // 4, true, difference) < 0.75


def test_more_power_and_more_comparisons_need_more_rows() -> None:
    plain = rows_for_right_wrong(0.1, 0.3)
    assert plain < rows_for_right_wrong(0.1, 0.3, power=0.9)
    assert plain < rows_for_right_wrong(0.1, 0.3, significance=0.05 / 6)
    assert rows_for_grades(0.1, 0.3) < rows_for_grades(0.1, 0.3, significance=0.05 / 6)


def test_grades_need_the_rows_of_statsmodels_paired_t_test() -> None:
    for size, power, rows in TABLES["rows"]:
        assert rows_for_grades(3 * size, 3.0, power=power) == pytest.approx(rows, abs=1)


@pytest.mark.parametrize(("significance", "units"), [(0.05, 6), (0.05 / 2, 7), (0.05 / 12, 9), (0.0625, 6)])
def test_the_fewest_rows_that_could_show_anything(significance: float, units: int) -> None:
    assert fewest_units(significance) == units
    assert mcnemar(units, 0) < significance <= mcnemar(units - 1, 0)
    assert rows_for_grades(100.0, 0.1, significance=significance) >= units


@pytest.mark.parametrize("difference", [0.0, -0.1, float("nan"), float("inf")])
def test_what_is_no_difference_is_refused(difference: float) -> None:
    for rows in (lambda: rows_for_right_wrong(difference, 0.2), lambda: rows_for_grades(difference, 1.0)):
        with pytest.raises(InputError, match=r"cannot be shown.*number above 0"):
            rows()


def test_shares_cannot_differ_by_more_than_one_and_power_is_a_chance() -> None:
    with pytest.raises(InputError, match=r"cannot differ by 5.*Ten points are 0\.1"):
        rows_for_right_wrong(5, 0.2)
    assert rows_for_grades(5, 2.0) == 6
    with pytest.raises(InputError, match="power=80 is no chance"):
        rows_for_grades(5, 2.0, power=80)
