"""Whether two results differ on the same rows: the chance of such a difference where there is none."""

from __future__ import annotations

import math
import random
from collections.abc import Hashable, Sequence
from fractions import Fraction
from typing import Any

from gen_toolkit.evals.clusters import totals

SIGNIFICANCE = 0.05

_ENUMERATED = 16  # so many signs are all tried: 65,536 ways
_COUNTED = 200_000_000  # steps that counting may take: a fraction of a second
_DRAWS = 19_999  # else so many random ways: at p = 0.05 the second digit is certain, the third is not


def paired_test(
    differences: Sequence[float], groups: Sequence[Hashable] | None, right_wrong: bool
) -> tuple[float, str]:
    """(two-sided p, name of the test) of differences of paired rows being around zero.

    Where groups are given, the group is what is flipped: under the null hypothesis the two sides may be
    exchanged in a whole group, not row by row.
    """
    if groups is not None:
        return sign_flip(totals(differences, groups)), "permutation by group"
    if right_wrong:
        return mcnemar(sum(d > 0 for d in differences), sum(d < 0 for d in differences)), "exact McNemar"
    return sign_flip(differences), "paired permutation"


def mcnemar(better: int, worse: int) -> float:
    """Two-sided p of the exact McNemar test: rows that only one of the two got right.

    Source: Q. McNemar, Psychometrika 12, 1947; exact form: twice the smaller tail of the binomial
    distribution with one half.
    """
    if better == worse:
        return 1.0
    from scipy import special

    return min(1.0, 2 * float(special.bdtr(min(better, worse), better + worse, 0.5)))


def sign_flip(differences: Sequence[float]) -> float:
    """Two-sided p of the paired permutation test of a sum: how many ways of sign give as much or more.

    Source: R. A. Fisher, The Design of Experiments, 1935, § 21; E. J. G. Pitman, J. R. Statist. Soc.
    Suppl. 4, 1937. Exact for up to 16 differences, and for any number that are whole multiples of one
    unit (marks from 1 to 5, halves, per cent). Else over random signs from a fixed seed, the ways seen
    counted in (B. Phipson, G. K. Smyth, Stat. Appl. Genet. Mol. Biol. 9, 2010), so that p is never too
    small. The order of the rows does not matter.
    """
    dust = 1e-12 * max(map(abs, differences), default=0.0)  # what rounding leaves of sums that cancel
    moved = sorted((d for d in differences if abs(d) > dust), key=abs)
    if not moved:
        return 1.0
    if len(moved) <= _ENUMERATED:
        return _by_all_ways(moved)
    whole = _as_whole(moved)
    if whole is not None and len(whole) * sum(map(abs, whole)) <= _COUNTED:
        return _by_counting(whole)
    return _by_random_ways(moved)


def smallest_p(units: int) -> float:
    """The p of `mcnemar` and `sign_flip` where all of `units` rows (or groups) differ alike and the same way."""
    return min(1.0, 2.0 ** (1 - units))


def _by_all_ways(moved: Sequence[float]) -> float:
    import numpy

    sums = numpy.array([moved[0]])  # one sign held: the other half of the ways mirrors this one
    for size in moved[1:]:
        sums = numpy.concatenate([sums + size, sums - size])
    return float((numpy.abs(sums) >= _at_least(moved)).mean())


def _by_counting(whole: Sequence[int]) -> float:
    """Exact: the distribution of the sum of the positive ones, one difference after another."""
    import numpy

    sizes = [abs(size) for size in whole]
    last = (sum(sizes) - abs(sum(whole))) // 2  # the sum has the observed size where the smaller side is this large
    chances = numpy.zeros(last + 1)
    chances[0] = 1.0
    for size in sizes:
        chances *= 0.5
        if size <= last:
            chances[size:] += chances[:-size].copy()
    return min(1.0, 2 * float(chances.sum()))


def _by_random_ways(moved: Sequence[float]) -> float:
    import numpy

    sizes = numpy.abs(numpy.array(moved))
    generator = random.Random(0)  # noqa: S311 - a draw, not a secret
    row = (len(sizes) + 7) // 8
    at_once = max(1, 4_000_000 // len(sizes))
    limit, hits = _at_least(moved), 0
    for start in range(0, _DRAWS, at_once):
        count = min(at_once, _DRAWS - start)
        drawn: Any = numpy.frombuffer(generator.randbytes(row * count), dtype=numpy.uint8).reshape(count, row)
        signs = numpy.unpackbits(drawn, axis=1, count=len(sizes)).astype(float)
        hits += int((numpy.abs(2 * (signs @ sizes) - sizes.sum()) >= limit).sum())
    return (hits + 1) / (_DRAWS + 1)


def _at_least(moved: Sequence[float]) -> float:
    """The size of the observed sum, less what rounding may add to one that is equal to it."""
    return abs(math.fsum(moved)) - 1e-11 * math.fsum(map(abs, moved))


def _as_whole(moved: Sequence[float]) -> list[int] | None:
    """The differences, smallest first, as whole multiples of one unit; None where there is no such unit."""
    known: dict[float, Fraction] = {}
    unit = 1
    for value in moved:
        if value not in known:
            ratio = Fraction(value) / Fraction(moved[0])  # so that it does not matter what is counted in
            known[value] = ratio.limit_denominator(1000)
            unit = math.lcm(unit, known[value].denominator)
            if unit > 10_000 or abs(known[value] - ratio) > Fraction(1, 10**9):
                return None
    whole = [int(known[value] * unit) for value in moved]
    common = math.gcd(*whole)
    return [value // common for value in whole]
