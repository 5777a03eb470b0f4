"""How often the 95 % intervals hold the truth, and how often the verdict finds what is not there.

Right and wrong are summed exactly; grades and groups are simulated from a fixed seed. Beside ours stand
the intervals that were not taken; where all grades are equal they are unknown and hold nothing, while ours
knows all right and all wrong. tests/evals/test_coverage.py holds ours to bounds.

Run: .venv/bin/python benchmarks/coverage.py [SIMULATIONS]
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy
from scipy import stats

from gen_toolkit.evals.intervals import Estimate, estimate, wilson
from gen_toolkit.evals.paired import mcnemar, paired_test, sign_flip

Draw = Callable[[Any, tuple[int, ...]], Any]
BOOTSTRAPS = 999
OTHERS = ("t", "percentile-t", "BCa")


def marks(values: list[float], chances: list[float]) -> tuple[Draw, float]:
    mean = math.fsum(v * c for v, c in zip(values, chances, strict=True))
    return lambda generator, shape: generator.choice(values, p=chances, size=shape), mean


def mostly_one(share: float) -> tuple[Draw, float]:
    """1 with this chance, else anything from 0 to 1."""

    def draw(generator: Any, shape: tuple[int, ...]) -> Any:
        return numpy.where(generator.random(shape) < share, 1.0, generator.random(shape))

    return draw, share + (1 - share) / 2


GRADES: dict[str, tuple[Draw, float]] = {
    "normal": (lambda generator, shape: generator.normal(size=shape), 0.0),
    "marks 1 to 5, most 5": marks([1, 2, 3, 4, 5], [0.02, 0.03, 0.1, 0.25, 0.6]),
    "0, half, 1; most 1": marks([0, 0.5, 1], [0.05, 0.15, 0.8]),
    "similarity near 1 (beta 8, 1.2)": (lambda generator, shape: generator.beta(8, 1.2, shape), 8 / 9.2),
    "all or nothing (beta 0.3, 0.3)": (lambda generator, shape: generator.beta(0.3, 0.3, shape), 0.5),
    "waiting times (exponential)": (lambda generator, shape: generator.exponential(size=shape), 1.0),
}
HARD: dict[str, tuple[Draw, float]] = {
    "0.9 are 1, the rest anything": mostly_one(0.9),
    "0.97 are 1, the rest anything": mostly_one(0.97),
    "0, half, 1; 0.97 are 1": marks([0, 0.5, 1], [0.01, 0.02, 0.97]),
    "long tail (lognormal)": (lambda generator, shape: generator.lognormal(0, 1, shape), math.exp(0.5)),
}


def coverage_of_wilson(count: int, share: float) -> float:
    """The chance that Wilson's interval of `count` rows holds the true share: a sum over all outcomes."""
    right = numpy.arange(count + 1)
    limits = numpy.array([wilson(r, count) for r in right])
    return float(stats.binom.pmf(right, count, share)[(limits[:, 0] <= share) & (share <= limits[:, 1])].sum())


def coverage_over_shares(count: int) -> float:
    """The mean of `coverage_of_wilson` over true shares from 0.02 to 0.98."""
    right, shares = numpy.arange(count + 1), numpy.linspace(0.02, 0.98, 961)
    limits = numpy.array([wilson(r, count) for r in right])
    held = (limits[:, :1] <= shares) & (shares <= limits[:, 1:])
    return float((stats.binom.pmf(right[:, None], count, shares) * held).sum(axis=0).mean())


def coverage_of_grades(name: str, count: int, simulations: int) -> float:
    """The share of the intervals that hold the true mean; one that is unknown holds nothing."""
    draw, mean = (GRADES | HARD)[name]
    samples = draw(numpy.random.default_rng(0), (simulations, count)).tolist()
    return sum(holds(estimate(sample), mean) for sample in samples) / simulations


def holds(found: Estimate | None, mean: float) -> bool:
    return found is not None and found.low is not None and found.high is not None and found.low <= mean <= found.high


def coverage_of_others(name: str, count: int, simulations: int) -> dict[str, float]:
    """The intervals that were not taken: Student's t, and two bootstraps, on the same samples."""
    draw, mean = (GRADES | HARD)[name]
    held = dict.fromkeys(OTHERS, 0)
    generator, samples = numpy.random.default_rng(1), draw(numpy.random.default_rng(0), (simulations, count))
    quantile = stats.t.ppf(0.975, count - 1)
    for sample in samples:
        middle, error = sample.mean(), sample.std(ddof=1) / math.sqrt(count)
        if error < 1e-12:
            continue  # all equal: none of these says anything
        held["t"] += abs(middle - mean) <= quantile * error
        again = sample[generator.integers(0, count, (BOOTSTRAPS, count))]
        means, errors = again.mean(axis=1), again.std(axis=1, ddof=1) / math.sqrt(count)
        with numpy.errstate(all="ignore"):
            leans = numpy.sort(numpy.nan_to_num((means - middle) / errors))
        low, high = leans[round(0.025 * (BOOTSTRAPS + 1)) - 1], leans[round(0.975 * (BOOTSTRAPS + 1)) - 1]
        held["percentile-t"] += middle - high * error <= mean <= middle - low * error
        held["BCa"] += _bca_holds(sample, means, mean)
    return {kind: times / simulations for kind, times in held.items()}


def _bca_holds(sample: Any, means: Any, mean: float) -> bool:
    middle = sample.mean()
    away = sample - middle
    bias = stats.norm.ppf(((means < middle).mean() + (means <= middle).mean()) / 2)
    bend = (away**3).sum() / 6 / (away**2).sum() ** 1.5
    z = numpy.array([-1.96, 1.96])
    low, high = numpy.quantile(means, stats.norm.cdf(bias + (bias + z) / (1 - bend * (bias + z))))
    return bool(low <= mean <= high)


def grouped(generator: Any, sizes: Any, alike: float, share: float | None) -> tuple[list[float], list[int]]:
    """Rows in groups of these sizes, correlated by `alike` within: right or wrong with this share, or normal."""
    groups = numpy.repeat(numpy.arange(len(sizes)), sizes)
    if share is None:
        shared = generator.normal(0, math.sqrt(alike), len(sizes))[groups]
        return (shared + generator.normal(0, math.sqrt(1 - alike), len(groups))).tolist(), groups.tolist()
    weight = (1 - alike) / alike
    chances = generator.beta(share * weight, (1 - share) * weight, len(sizes))[groups]
    return (generator.random(len(groups)) < chances).astype(float).tolist(), groups.tolist()


def coverage_of_groups(sizes: Any, alike: float, share: float | None, simulations: int) -> tuple[float, float]:
    """(coverage with the groups named, coverage as if rows stood for themselves)."""
    generator, held, naive = numpy.random.default_rng(0), 0, 0
    for _ in range(simulations):
        values, groups = grouped(generator, sizes, alike, share)
        held += holds(estimate(values, groups), share or 0.0)
        naive += holds(estimate(values), share or 0.0)
    return held / simulations, naive / simulations


def false_finds_of_mcnemar(rows: int, discordance: float) -> float:
    """The chance of p < 0.05 where there is no difference: a sum over all outcomes."""
    found = 0.0
    for moved in range(rows + 1):
        wins = [w for w in range(moved + 1) if mcnemar(w, moved - w) < 0.05]
        found += float(stats.binom.pmf(moved, rows, discordance) * stats.binom.pmf(wins, moved, 0.5).sum())
    return found


def false_finds_of_groups(sizes: Any, alike: float, simulations: int) -> float:
    """The share of p < 0.05 by group, where both sides are right half the time, alike within groups."""
    generator, found = numpy.random.default_rng(0), 0
    for _ in range(simulations):
        mine, groups = grouped(generator, sizes, alike, 0.5)
        theirs, _ = grouped(generator, sizes, alike, 0.5)
        p, _ = paired_test([m - t for m, t in zip(mine, theirs, strict=True)], groups, right_wrong=True)
        found += p < 0.05
    return found / simulations


def false_finds_of_grades(name: str, rows: int, simulations: int) -> float:
    """The share of p < 0.05 where both sides are drawn alike."""
    draw, _ = (GRADES | HARD)[name]
    mine, theirs = draw(numpy.random.default_rng(0), (2, simulations, rows))
    return float(numpy.mean([sign_flip(row) < 0.05 for row in (mine - theirs).tolist()]))


def table(title: str, head: list[str], rows: list[list[Any]]) -> None:
    print(f"## {title}\n\n| " + " | ".join(head) + " |\n" + "|---" * len(head) + "|")
    for row in rows:
        print("| " + " | ".join(f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row) + " |")
    print(flush=True)


def main() -> None:
    from measure import machine

    warnings.simplefilter("ignore")
    simulations = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    print(f"{machine()}; exact sums, and {simulations:,} simulations a line\n")
    counts = (30, 100, 1000)
    table(
        "Right and wrong: Wilson",
        ["true share", *(f"{n} rows" for n in counts)],
        [
            *([str(p), *(coverage_of_wilson(n, p) for n in counts)] for p in (0.5, 0.9, 0.99)),
            ["mean over 0.02 to 0.98", *map(coverage_over_shares, counts)],
        ],
    )
    lines = []
    for name in GRADES | HARD:
        for n in counts:
            others = coverage_of_others(name, n, simulations) if n <= 100 else {}
            lines.append([name, n, coverage_of_grades(name, n, simulations), *(others.get(k, "") for k in OTHERS)])
    table("Grades", ["grades", "rows", "ours", *OTHERS], lines)
    lines = []
    for said, sizes in (
        ("10 groups of 6", [6] * 10),
        ("50 groups of 6", [6] * 50),
        ("20 groups of 2 to 20", [*range(2, 21), 20]),
    ):
        for kind, share in (("normal", None), ("right 0.5", 0.5), ("right 0.9", 0.9)):
            lines += [[said, kind, a, *coverage_of_groups(sizes, a, share, simulations)] for a in (0.1, 0.5)]
    table("Groups", ["rows", "scores", "alike", "ours", "groups not named"], lines)
    table(
        "Found where there is nothing (5 % at most)",
        ["test", "rows", "found"],
        [
            *(["exact McNemar, 0.2 differ", n, false_finds_of_mcnemar(n, 0.2)] for n in counts[:2]),
            ["permutation by group, 20 of 2 to 20", 229, false_finds_of_groups([*range(2, 21), 20], 0.5, simulations)],
            *([f"permutation, {name}", 30, false_finds_of_grades(name, 30, simulations)] for name in GRADES),
        ],
    )


if __name__ == "__main__":
    main()
