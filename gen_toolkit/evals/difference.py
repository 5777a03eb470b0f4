"""How large a paired difference is: its interval, and its size in units that can be compared."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

from gen_toolkit.evals.clusters import Spread, effective_rows, spread
from gen_toolkit.evals.intervals import UNKNOWN, Interval, Z, graded_interval, is_constant, student


def difference_interval(differences: Sequence[float], groups: Sequence[Hashable] | None, right_wrong: bool) -> Interval:
    """The 95 % interval of a mean difference of paired rows; unknown where there is too little to go by.

    Right and wrong: `tango`, where groups are given `grouped_tango`. Grades: the interval of a mean, over
    the differences.
    """
    if not differences:
        return UNKNOWN
    if not right_wrong:
        return graded_interval(differences, groups)
    wins, losses = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    if groups is None:
        return tango(wins, losses, len(differences))
    return grouped_tango(wins, losses, spread(differences, groups))


def tango(wins: float, losses: float, rows: float) -> tuple[float, float]:
    """Tango's score interval of the difference of two paired proportions.

    Source: T. Tango, "Equivalence test and confidence interval for the difference in proportions for the
    paired-sample design", Statistics in Medicine 17, 1998; recommended by M. W. Fagerland, S. Lydersen,
    P. Laake, Statistics in Medicine 33, 2014. The limits are where the score statistic, with the variance
    that is most likely under the limit, is as large as the normal quantile; found by halving. It leaves out
    0 wherever the exact McNemar test finds a difference (Newcombe's interval need not).
    """
    seen = (wins - losses) / rows

    def is_outside(difference: float) -> bool:
        a = 2 * rows
        b = (2 * rows - wins + losses) * difference - wins - losses
        c = -losses * difference * (1 - difference)
        lost = (math.sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)  # most likely share of losses
        variance = rows * (2 * lost + difference * (1 - difference))
        return (wins - losses - rows * difference) ** 2 > Z * Z * variance

    def limit(outside: float) -> float:
        inside = seen
        while inside != (middle := (inside + outside) / 2) != outside:
            inside, outside = (inside, middle) if is_outside(middle) else (middle, outside)
        return inside

    return limit(-1.0), limit(1.0)


def grouped_tango(wins: int, losses: int, spreads: Spread | None) -> Interval:
    """Tango's interval with as many rows as the groups are worth; unknown with fewer than two groups.

    Sources as at `intervals.grouped_wilson`; for this pairing Z. Yang, X. Sun, J. W. Hardin,
    Pharmaceutical Statistics 11, 2012.
    """
    if spreads is None:
        return UNKNOWN
    variance = (wins + losses) / spreads.rows - spreads.mean**2
    worth = effective_rows(variance, spreads, (Z / student(spreads.freedom)) ** 2) / spreads.rows
    return tango(wins * worth, losses * worth, spreads.rows * worth)


def effect(differences: Sequence[float], right_wrong: bool) -> float | None:
    """The size of the difference, comparable between scorers; None where nothing differs or all does alike.

    Right and wrong: Cohen's g, the share of the rows won among those won or lost, less one half (0.05 is
    small, 0.15 medium, 0.25 large). Grades: Cohen's d of pairs, the mean difference over the standard
    deviation of the differences (0.2, 0.5, 0.8). Source: J. Cohen, Statistical Power Analysis for the
    Behavioral Sciences, 2nd ed. 1988, ch. 5 and 2.
    """
    if right_wrong:
        wins, moved = sum(d > 0 for d in differences), sum(d != 0 for d in differences)
        return wins / moved - 0.5 if moved else None
    spread_out = deviation(differences)
    return math.fsum(differences) / len(differences) / spread_out if spread_out else None


def deviation(differences: Sequence[float]) -> float | None:
    """The standard deviation of the differences (n − 1 below); None with fewer than two rows."""
    count = len(differences)
    if count < 2:
        return None
    if is_constant(differences):
        return 0.0
    mean = math.fsum(differences) / count
    scale = max(abs(d - mean) for d in differences)
    return scale * math.sqrt(math.fsum(((d - mean) / scale) ** 2 for d in differences) / (count - 1))


def design_effect(differences: Sequence[float], groups: Sequence[Hashable] | None) -> float:
    """How many times the rows grouped as they are must be to be as sure as rows that stand for themselves.

    At least 1. Source: L. Kish, Survey Sampling, 1965, § 8.2; with the error of `clusters.spread`.
    """
    spreads, alone = (None if groups is None else spread(differences, groups)), deviation(differences)
    if spreads is None or not alone:
        return 1.0
    return max(1.0, (spreads.error / alone) ** 2 * spreads.rows)
