"""How many rows it takes to show a difference."""

from __future__ import annotations

import math
from statistics import NormalDist

from gen_toolkit.errors import InputError
from gen_toolkit.evals.paired import SIGNIFICANCE, smallest_p

POWER = 0.8


def rows_for_right_wrong(
    difference: float, discordance: float, *, power: float = POWER, significance: float = SIGNIFICANCE
) -> int:
    """Rows on which the exact McNemar test shows a true difference of two shares with this power.

    `difference` is that of the shares (0.1 for ten points), `discordance` the share of the rows that only
    one of the two gets right: know it from a trial, it is at least the difference. Source: R. J. Connor,
    "Sample size for testing differences in proportions for the paired-sample design", Biometrics 43, 1987,
    and 1 / difference more: the exact test counts like McNemar's with its correction, |b − c| − 1.
    """
    _check(difference, power)
    if difference > 1:
        raise InputError(f"two shares cannot differ by {difference:g}", fix="Ten points are 0.1.")
    moved = min(1.0, max(discordance, difference))
    alpha, beta = _quantiles(significance, power)
    rows = ((alpha * math.sqrt(moved) + beta * math.sqrt(moved - difference**2)) / difference) ** 2 + 1 / difference
    return max(math.ceil(rows), fewest_units(significance))


def rows_for_grades(
    difference: float, deviation: float, *, power: float = POWER, significance: float = SIGNIFICANCE
) -> int:
    """Rows on which a paired test of grades shows a true mean difference with this power.

    `deviation` is the standard deviation of the differences: know it from a trial. Source: the normal
    approximation with the correction for Student's t by W. C. Guenther, "Sample size formulas for normal
    theory t tests", American Statistician 35, 1981; the permutation test needs as many for all but the
    fewest rows.
    """
    _check(difference, power)
    alpha, beta = _quantiles(significance, power)
    rows = ((alpha + beta) * deviation / difference) ** 2 + alpha**2 / 2
    return max(math.ceil(rows), fewest_units(significance))


def fewest_units(significance: float = SIGNIFICANCE) -> int:
    """The fewest rows (or groups) with which a paired test can show anything, all of them agreeing."""
    units = 1
    while smallest_p(units) >= significance:
        units += 1
    return units


def _quantiles(significance: float, power: float) -> tuple[float, float]:
    normal = NormalDist()
    return normal.inv_cdf(1 - significance / 2), normal.inv_cdf(power)


def _check(difference: float, power: float) -> None:
    if not 0 < difference < math.inf:
        raise InputError(f"a difference of {difference:g} cannot be shown", fix="Give a number above 0.")
    if not 0 < power < 1:
        raise InputError(f"power={power:g} is no chance", fix="Give a number between 0 and 1, such as 0.8.")
