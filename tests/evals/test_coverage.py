"""What 95 % and p < 0.05 promise, held to it: exact sums, and simulations from fixed seeds."""

from __future__ import annotations

import numpy
import pytest
from scipy import stats

from benchmarks.coverage import (
    GRADES,
    HARD,
    coverage_of_grades,
    coverage_of_groups,
    coverage_of_wilson,
    coverage_over_shares,
    false_finds_of_grades,
    false_finds_of_groups,
    false_finds_of_mcnemar,
)
from gen_toolkit.evals.difference import tango
from gen_toolkit.evals.paired import mcnemar, sign_flip
from gen_toolkit.evals.verdict import Verdict, adjusted

SIMULATIONS = 2000


@pytest.mark.parametrize("count", [30, 100, 1000])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_intervals_of_right_and_wrong_hold_the_share(count: int, share: float) -> None:
    assert coverage_of_wilson(count, share) >= 0.92


@pytest.mark.parametrize("count", [30, 100, 1000])
def test_intervals_of_right_and_wrong_hold_95_percent_on_average(count: int) -> None:
    assert 0.945 <= coverage_over_shares(count) <= 0.96


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", GRADES)
def test_intervals_of_grades_hold_the_mean(name: str, count: int) -> None:
    assert 0.93 <= coverage_of_grades(name, count, SIMULATIONS) <= 0.97


def test_intervals_of_30_grades_hold_the_mean_nearly_as_often(capsys: pytest.CaptureFixture[str]) -> None:
    found = {name: coverage_of_grades(name, 30, SIMULATIONS) for name in GRADES | HARD}
    with capsys.disabled():
        print("\ncoverage at 30 rows: " + ", ".join(f"{name} {held:.3f}" for name, held in found.items()))
    assert min(found.values()) >= 0.9


@pytest.mark.parametrize("name", HARD)
def test_intervals_of_grades_that_hide_rare_ones_are_rather_too_wide(name: str) -> None:
    assert coverage_of_grades(name, 100, SIMULATIONS) >= 0.93


@pytest.mark.parametrize("share", [None, 0.5, 0.9], ids=["grades", "half right", "most right"])
@pytest.mark.parametrize("sizes", [[6] * 10, [6] * 50], ids=["10 groups", "50 groups"])
def test_intervals_of_groups_hold_the_mean_and_would_not_if_rows_were_taken_alone(
    sizes: list[int], share: float | None
) -> None:
    held, naive = coverage_of_groups(sizes, 0.5, share, 1000)
    assert held >= 0.93
    assert naive <= 0.75


@pytest.mark.parametrize(
    ("rows", "wins", "losses"), [(30, 0.2, 0.1), (30, 0.1, 0.1), (100, 0.15, 0.05), (100, 0.3, 0.2)]
)
def test_intervals_of_differences_hold_the_difference(rows: int, wins: float, losses: float) -> None:
    held = 0.0
    for won, chance in enumerate(stats.binom.pmf(range(rows + 1), rows, wins)):
        lost = range(rows + 1 - won)
        chances = chance * stats.binom.pmf(lost, rows - won, losses / (1 - wins))
        limits = [tango(won, n, rows) if chances[n] > 1e-9 else (1.0, -1.0) for n in lost]
        held += sum(c for c, (low, high) in zip(chances, limits, strict=True) if low <= wins - losses <= high)
    assert 0.93 <= held <= 0.975


@pytest.mark.parametrize("discordance", [0.05, 0.2, 0.6])
@pytest.mark.parametrize("rows", [10, 30, 100])
def test_of_equal_shares_at_most_5_percent_are_found_to_differ(rows: int, discordance: float) -> None:
    assert false_finds_of_mcnemar(rows, discordance) <= 0.05


@pytest.mark.parametrize("name", GRADES)
def test_of_equal_grades_at_most_5_percent_are_found_to_differ(name: str) -> None:
    assert false_finds_of_grades(name, 12, 10_000) <= 0.055


@pytest.mark.parametrize("name", ["marks 1 to 5, most 5", "0, half, 1; most 1"])
def test_of_equal_marks_in_many_rows_at_most_5_percent_are_found_to_differ(name: str) -> None:
    assert false_finds_of_grades(name, 100, SIMULATIONS) <= 0.055


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["normal", "waiting times (exponential)"])
def test_of_equal_grades_permuted_at_random_at_most_5_percent_are_found_to_differ(name: str) -> None:
    assert false_finds_of_grades(name, 30, 10_000) <= 0.055


def test_of_equal_groups_at_most_5_percent_are_found_to_differ() -> None:
    assert false_finds_of_groups([*range(2, 21), 20], 0.5, 1000) <= 0.055


def _verdict(differences: list[float], p: float) -> Verdict:
    wins, losses = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    mean = sum(differences) / len(differences)
    return Verdict("s", "no difference shown", mean, p, len(differences), wins, losses, "", "b")


@pytest.mark.parametrize("kind", ["right or wrong", "grades"])
def test_of_grids_without_a_difference_at_most_5_percent_find_one(kind: str) -> None:
    generator, found = numpy.random.default_rng(0), {"alone": 0, "held together": 0}
    for _ in range(SIMULATIONS):
        if kind == "grades":  # six prompts and the baseline that all are compared with
            sides = generator.normal(size=(7, 12))
            differences = (sides[1:] - sides[0]).tolist()
            ps = [sign_flip(row) for row in differences]
        else:
            sides = generator.random((7, 150)) < 0.7
            differences = (sides[1:].astype(float) - sides[0]).tolist()
            ps = [mcnemar(row.count(1.0), row.count(-1.0)) for row in differences]
        verdicts = [_verdict(row, p) for row, p in zip(differences, ps, strict=True)]
        found["alone"] += any(p < 0.05 for p in ps)
        found["held together"] += any(v.finding in ("better", "worse") for v in adjusted(verdicts))
    assert found["held together"] <= 0.055 * SIMULATIONS
    assert found["alone"] > 0.1 * SIMULATIONS  # so that it is Holm who holds them


def test_a_true_difference_is_found_as_often_as_the_rows_named_promise() -> None:
    generator = numpy.random.default_rng(0)
    trial = _verdict([1.0] * 20 + [-1.0] * 10 + [0.0] * 70, 0.1)
    rows = trial.rows_for(0.1)
    assert rows is not None
    outcomes = generator.choice([1.0, -1.0, 0.0], p=[0.2, 0.1, 0.7], size=(SIMULATIONS, rows)).tolist()
    found = sum(mcnemar(row.count(1.0), row.count(-1.0)) < 0.05 for row in outcomes)
    assert 0.77 <= found / SIMULATIONS <= 0.83
