"""How sure a score is, and whether a difference is shown. scipy does the sums, and is loaded late."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95
SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class Estimate:
    """A mean with its interval. `low` and `high` are None where too little is known."""

    mean: float
    low: float | None
    high: float | None
    rows: int

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.mean:.3f}"
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


def estimate(values: Sequence[float]) -> Estimate | None:
    """The mean and its 95 % interval; None without values.

    Right and wrong (only 0 and 1): Wilson's score interval (E. B. Wilson, JASA 22, 1927). Anything
    else: Student's t (from two rows on).
    """
    count = len(values)
    if not count:
        return None
    mean = math.fsum(values) / count
    if all(value in (0.0, 1.0) for value in values):
        low, high = wilson(int(sum(values)), count)
        return Estimate(mean, low, high, count)
    if count < 2:
        return Estimate(mean, None, None, count)
    from scipy import stats

    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1))
    half = float(stats.t.ppf(0.5 + CONFIDENCE / 2, count - 1)) * deviation / math.sqrt(count)
    return Estimate(mean, mean - half, mean + half, count)


def wilson(right: int, count: int) -> tuple[float, float]:
    """Wilson's score interval of a proportion, without continuity correction."""
    from scipy import stats

    interval = stats.binomtest(right, count).proportion_ci(CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


def mcnemar(better: int, worse: int) -> float:
    """Two-sided p of the exact McNemar test: rows that only one of the two got right.

    Source: Q. McNemar, Psychometrika 12, 1947; exact form by the binomial distribution.
    """
    if better + worse == 0:
        return 1.0
    from scipy import stats

    return float(stats.binomtest(better, better + worse, 0.5).pvalue)


def paired_t(differences: Sequence[float]) -> float:
    """Two-sided p of the paired t test, for scores that are not right or wrong."""
    if len(differences) < 2 or all(d == differences[0] for d in differences):
        return 1.0 if not differences or differences[0] == 0 else 0.0 if len(differences) > 1 else 1.0
    from scipy import stats

    return float(stats.ttest_1samp(differences, 0.0).pvalue)
