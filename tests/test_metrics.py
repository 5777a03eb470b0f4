"""What can be a metric."""

from __future__ import annotations

import pytest

from gen_toolkit.metrics import as_metric


@pytest.mark.parametrize(("value", "metric"), [(1, 1.0), (True, 1.0), (0.5, 0.5), (10**308, 1e308), (-3, -3.0)])
def test_numbers_are(value: float, metric: float) -> None:
    assert as_metric(value) == metric


@pytest.mark.parametrize("value", [None, "1", [1], {"n": 1}, 10**400, -(10**400)], ids=type)
def test_what_no_float_holds_is_none(value: object) -> None:
    assert as_metric(value) is None
