"""How sure a mean is: Wilson's interval for right and wrong, Student's with a correction for skew for grades."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from gen_toolkit.evals.clusters import Spread, effective_rows, shared_groups, spread

CONFIDENCE = 0.95
Z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)

Interval = tuple[float, float] | tuple[None, None]
UNKNOWN: Interval = (None, None)


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % interval. `low` and `high` are None where too little is known."""

    mean: float
    low: float | None
    high: float | None
    rows: int
    groups: int | None = None
    """How many groups the rows fall into; None where rows stand for themselves."""

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.mean:.3f}"
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


def estimate(values: Sequence[float], groups: Sequence[Hashable] | None = None) -> Estimate | None:
    """The mean of rows drawn from many more, and its 95 % interval; None without values.

    Right and wrong (only 0 and 1): `wilson`. Anything else: `skewed_t`, unknown where all values are
    equal, for then nothing says how much others would differ. `groups` names the group of each value;
    where any two rows share one, the interval counts on the groups, not on the rows (`clusters`).
    """
    count = len(values)
    if not count:
        return None
    mean, shared = math.fsum(values) / count, shared_groups(groups)
    if not is_right_wrong(values):
        interval = graded_interval(values, shared)
    elif shared is None:
        interval = wilson(sum(values), count)
    else:
        interval = grouped_wilson(mean, spread(values, shared))
    return Estimate(mean, interval[0], interval[1], count, None if shared is None else len(set(shared)))


def graded_interval(values: Sequence[float], groups: Sequence[Hashable] | None) -> Interval:
    """The interval of a mean of grades: `skewed_t`, or `grouped_t` where groups are given."""
    return skewed_t(values) if groups is None else grouped_t(spread(values, groups))


def is_right_wrong(values: Sequence[float]) -> bool:
    return all(value in (0.0, 1.0) for value in values)


def is_constant(values: Sequence[float]) -> bool:
    """Whether values are equal but for the rounding of floats."""
    return max(values) - min(values) <= 1e-12 * max(map(abs, values))


def wilson(right: float, count: float) -> tuple[float, float]:
    """Wilson's score interval of a proportion, without continuity correction.

    Source: E. B. Wilson, "Probable inference", JASA 22, 1927; recommended among its kind by L. D. Brown,
    T. T. Cai, A. DasGupta, Statistical Science 16, 2001.
    """
    share, square = right / count, Z * Z / count
    middle = share + square / 2
    half = math.sqrt(square * (share * (1 - share) + square / 4))
    low, high = (middle - half) / (1 + square), (middle + half) / (1 + square)
    return max(0.0, min(low, share)), min(1.0, max(high, share))  # at 0 and 1 rounding would cut off the share itself


def skewed_t(values: Sequence[float]) -> Interval:
    """Student's t interval of a mean, bent by the skew of the values; exactly Student's where there is none.

    Student's statistic T of skewed values leans to one side. P. Hall, "On the removal of skewness by
    transformation", J. R. Statist. Soc. B 54, 1992, makes it symmetrical to the next order by
    g(T) = T + s T²/3 + s² T³/27 + s/6, with s the skewness over √n; the limits are where g(T) is plus and
    minus Student's quantile. Chosen by coverage (benchmarks/coverage.py): where nine in ten grades are 1, 30
    rows hold the mean in 0.83 of the intervals with the plain t, 0.87 with a BCa bootstrap, 0.94 with a
    percentile-t bootstrap, 0.96 with this; which draws no random numbers and has no infinite limits.
    """
    count = len(values)
    if count < 2 or is_constant(values):
        return UNKNOWN
    mean = math.fsum(values) / count
    away = [value - mean for value in values]
    scale = max(map(abs, away))  # squares of very small and very large numbers leave the range of floats
    second = math.fsum((d / scale) ** 2 for d in away) / count
    skew = math.fsum((d / scale) ** 3 for d in away) / count / second**1.5 / math.sqrt(count)
    error, quantile = scale * math.sqrt(second / (count - 1)), student(count - 1)
    return mean - error * _unbent(quantile, skew), mean - error * _unbent(-quantile, skew)


def _unbent(bent: float, skew: float) -> float:
    """T for a given g(T), see `skewed_t`."""
    shifted = bent - skew / 6
    product = skew * shifted
    if abs(product) < 1e-100:
        return shifted
    if abs(product) < 0.5:
        return 3 * math.expm1(math.log1p(product) / 3) / skew  # no digits lost where the skew is small
    return 3 * (math.cbrt(1 + product) - 1) / skew


def student(freedom: float) -> float:
    """The upper quantile of Student's t for a 95 % interval."""
    from scipy import special

    return float(special.stdtrit(freedom, 0.5 + CONFIDENCE / 2))


def grouped_t(spreads: Spread | None) -> Interval:
    """Student's t interval on the cluster-robust standard error; sources at `clusters.spread`.

    Not bent by skew: with unequal groups the bend loses coverage (seen in simulation).
    """
    if spreads is None or not spreads.error:
        return UNKNOWN
    half = student(spreads.freedom) * spreads.error
    return spreads.mean - half, spreads.mean + half


def grouped_wilson(share: float, spreads: Spread | None) -> Interval:
    """Wilson's interval with as many rows as the groups are worth.

    Sources: effective sample size: J. N. K. Rao, A. J. Scott, "A simple method for the analysis of
    clustered binary data", Biometrics 48, 1992; its correction for few groups: E. L. Korn,
    B. I. Graubard, Survey Methodology 24, 1998; with Wilson's interval: N. Dean, M. Pagano, Journal of
    Survey Statistics and Methodology 3, 2015.
    """
    if spreads is None:
        return UNKNOWN
    rows = effective_rows(share * (1 - share), spreads, (Z / student(spreads.freedom)) ** 2)
    return wilson(share * rows, rows)
