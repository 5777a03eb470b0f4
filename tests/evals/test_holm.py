"""Many comparisons held together."""

from __future__ import annotations

import itertools
import random

import pytest
from statsmodels_tables import TABLES

from gen_toolkit.evals.holm import holm


def test_adjusted_ps_are_statsmodels() -> None:
    for ps, adjusted in TABLES["holm"]:
        assert holm(ps) == pytest.approx(adjusted, abs=1e-9)


def test_holm_rejects_what_all_families_that_hold_it_reject_on_1000_tables() -> None:
    # closed testing: R. Marcus, E. Peritz, K. R. Gabriel, Biometrika 63, 1976, each family by Bonferroni
    generator = random.Random(0)
    for _ in range(1000):
        ps = [generator.random() ** 3 for _ in range(generator.randint(1, 6))]
        families = [f for size in range(1, len(ps) + 1) for f in itertools.combinations(range(len(ps)), size)]
        bonferroni = {family: min(1.0, len(family) * min(ps[i] for i in family)) for family in families}
        expected = [max(p for family, p in bonferroni.items() if i in family) for i in range(len(ps))]
        assert holm(ps) == pytest.approx(expected, abs=1e-9)


def test_one_comparison_needs_no_correction_and_none_give_none() -> None:
    assert holm([0.04]) == [0.04]
    assert holm([]) == []
    assert holm([0.6, 0.9]) == [1.0, 1.0]
