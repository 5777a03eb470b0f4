"""Rows that belong together, against statsmodels and matrices."""

from __future__ import annotations

import random
from typing import Any

import numpy
import pytest
from scipy import stats
from statsmodels_tables import TABLES

from gen_toolkit.evals.clusters import effective_rows, spread, totals
from gen_toolkit.evals.intervals import estimate, grouped_t


def test_groups_of_one_size_give_statsmodels_error_and_interval() -> None:
    for size, values, error, low, high in TABLES["groups"]:
        found = spread(values, [n // size for n in range(len(values))])
        assert found is not None
        assert found.error == pytest.approx(error, abs=1e-9)
        assert found.freedom == pytest.approx(found.groups - 1, abs=1e-9)
        if error > 1e-9:
            assert grouped_t(found) == pytest.approx((low, high), abs=1e-9)


def _by_matrices(values: list[float], groups: list[int]) -> tuple[float, float]:
    """(variance, degrees of freedom) of a mean as Bell and McCaffrey define them, for a design of ones."""
    count = len(values)
    design: Any = numpy.ones((count, 1))
    bread = numpy.linalg.inv(design.T @ design)
    annihilator = numpy.eye(count) - design @ bread @ design.T
    residuals = annihilator @ numpy.array(values)
    variance, columns = 0.0, []
    for group in sorted(set(groups)):
        member = numpy.array(groups) == group
        eigenvalues, vectors = numpy.linalg.eigh(annihilator[numpy.ix_(member, member)])
        root = vectors @ numpy.diag(eigenvalues**-0.5) @ vectors.T
        weights = bread @ design[member].T @ root
        variance += float((weights @ residuals[member])[0] ** 2)
        columns.append(annihilator[:, member] @ weights.T)
    inner = numpy.hstack(columns)
    eigenvalues = numpy.linalg.eigvalsh(inner.T @ inner)
    return variance, float(eigenvalues.sum() ** 2 / (eigenvalues**2).sum())


def test_the_closed_form_for_unequal_groups_is_the_matrix_form_on_1000_tables() -> None:
    generator = random.Random(0)
    for _ in range(1000):
        groups = [g for g in range(generator.randint(2, 6)) for _ in range(generator.randint(1, 6))]
        values = [generator.gauss(g % 3, 1) for g in groups]
        found = spread(values, groups)
        variance, freedom = _by_matrices(values, groups)
        assert found is not None
        assert found.error**2 == pytest.approx(variance, abs=1e-9)
        assert found.freedom == pytest.approx(freedom, rel=1e-9)


def test_copying_every_row_makes_nothing_surer() -> None:
    values = [0.1, 0.4, 0.5, 0.7, 0.9]
    once = stats.t.interval(0.95, 4, loc=numpy.mean(values), scale=stats.sem(values))
    found = estimate(values * 20, [n % 5 for n in range(100)])
    assert found is not None
    assert (found.low, found.high) == pytest.approx(once, abs=1e-9)


def test_one_group_says_nothing() -> None:
    assert spread([1.0, 2.0], ["a", "a"]) is None
    assert grouped_t(None) == (None, None)


def test_groups_that_come_out_the_same_leave_the_interval_open() -> None:
    found = spread([0.2, 0.4] * 3, [n // 2 for n in range(6)])
    assert found is not None
    assert found.error == 0.0
    assert grouped_t(found) == (None, None)
    assert effective_rows(0.01, found, 1.0) == 6  # rows differ within, groups do not: no more than there are


def test_totals_follow_the_order_of_the_groups() -> None:
    assert totals([1.0, 2.0, 4.0, 8.0], ["b", "a", "b", "c"]) == [5.0, 2.0, 8.0]
