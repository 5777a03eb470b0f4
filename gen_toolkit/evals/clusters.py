"""Rows that belong together (a document, a user, repeats of a row): how much they are worth."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """How sure the mean of grouped rows is."""

    mean: float
    error: float
    """Standard error of the mean, robust against rows of a group being alike."""
    freedom: float
    """Degrees of freedom of that error; groups less one where groups are of one size."""
    rows: int
    groups: int
    equal_groups: float
    """As many groups of one size would be as sure, were the rows of a group all the same."""


def spread(values: Sequence[float], groups: Sequence[Hashable]) -> Spread | None:
    """The mean over all rows with its cluster-robust standard error; None with fewer than two groups.

    Sources: E. Miller, "Adding error bars to evals", arXiv 2411.00640, 2024 (why); the error: K.-Y. Liang,
    S. L. Zeger, Biometrika 73, 1986, with the correction for few and unequal groups known as CR2 and its
    degrees of freedom by R. M. Bell, D. F. McCaffrey, Survey Methodology 28, 2002. For a mean both have a
    closed form. With w the share of the rows that a group has and S the sum of its residuals: variance
    Σ S²/(1 − w) / n²; freedom 1 / (Σ w² + (Σ a)² − Σ a²), a = w²/(1 − w). For groups of one size this is the
    textbook's G/(G − 1) · Σ S² / n² with G − 1 degrees of freedom.
    """
    count = len(values)
    mean = math.fsum(values) / count
    sums, sizes = totals([value - mean for value in values], groups), totals([1.0] * count, groups)
    if len(sizes) < 2:
        return None
    shares = [size / count for size in sizes]
    variance = math.fsum(s * s / (1 - w) for s, w in zip(sums, shares, strict=True)) / count**2
    squares = math.fsum(w * w for w in shares)
    bent = [w * w / (1 - w) for w in shares]
    freedom = 1 / (squares + math.fsum(bent) ** 2 - math.fsum(a * a for a in bent))
    noise = 1e-13 * max(map(abs, values))  # what rounding leaves of residuals that cancel
    error = math.sqrt(variance)
    return Spread(mean, error if error > noise else 0.0, freedom, count, len(sizes), 1 / squares)


def shared_groups(groups: Sequence[Hashable] | None) -> Sequence[Hashable] | None:
    """The groups as they are; None where no two rows share one, for then rows stand for themselves."""
    return None if groups is None or len(set(groups)) == len(groups) else groups


def totals(values: Sequence[float], groups: Sequence[Hashable]) -> list[float]:
    """The sum of the values of each group, in the order of their first rows."""
    found: dict[Hashable, list[float]] = {}
    for value, group in zip(values, groups, strict=True):
        found.setdefault(group, []).append(value)
    return [math.fsum(members) for members in found.values()]


def effective_rows(variance: float, spreads: Spread, correction: float) -> float:
    """How many rows without groups would be as sure as these are.

    `variance` is that of one row. Never more than there are: that rows of a group differ more than
    others is chance as a rule. Where no row differs (variance 0) nothing is known of how alike the rows
    of a group are, and a group counts as one row. `correction` (at most 1) is for the few degrees of
    freedom of the error.
    """
    if variance <= 0:
        return spreads.equal_groups
    alike = variance / spreads.error**2 if spreads.error else math.inf
    return min(alike, float(spreads.rows)) * correction
