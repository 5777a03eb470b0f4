"""gt.evaluate against a baseline: what was asked for, and rows that belong together."""

from __future__ import annotations

from typing import Any

import pytest

import gen_toolkit as gt
from gen_toolkit.errors import DatasetError, InputError

pytestmark = pytest.mark.usefixtures("store")

ROWS = [{"n": n, "document": n // 4} for n in range(40)]


def right(value: Any, row: Any) -> bool:
    return bool(value)


def most(row: Any) -> bool:
    return bool(row["n"] % 10)


def half(row: Any) -> bool:
    return bool(row["n"] % 2)


def test_the_difference_that_matters_reaches_the_verdict() -> None:
    base = gt.evaluate(half, ROWS, scorer=right)
    (verdict,) = gt.evaluate(most, ROWS, scorer=right, baseline=base, detect=0.05).verdicts
    assert (verdict.finding, verdict.detect) == ("better", 0.05)
    (verdict,) = gt.evaluate(half, ROWS, scorer=right, baseline=base, detect=0.05).verdicts
    assert (verdict.finding, verdict.rows_needed) == ("too few rows", 175)
    (verdict,) = base.compare(base, detect=0.3)
    assert verdict.finding == "no difference shown"


def test_rows_of_a_document_count_together_in_intervals_and_verdicts() -> None:
    base = gt.evaluate(lambda row: row["document"] % 2 == 0, ROWS, scorer=right)
    alone = base.scores["right"]
    result = gt.evaluate(lambda row: row["document"] != 1, ROWS, scorer=right, baseline=base, group="document")
    (verdict,) = result.verdicts
    assert (verdict.groups, verdict.test, verdict.p) == (10, "permutation by group", 2 * 2**-4)
    grouped = gt.evaluate(lambda row: row["document"] % 2 == 0, ROWS, scorer=right, group="document").scores["right"]
    assert alone is not None
    assert grouped is not None
    assert (alone.groups, grouped.groups, grouped.mean) == (None, 10, alone.mean)
    assert (grouped.high or 0) - (grouped.low or 0) > 1.5 * ((alone.high or 0) - (alone.low or 0))


def test_what_could_not_work_is_refused_before_the_first_row() -> None:
    asked: list[Any] = []
    with pytest.raises(DatasetError, match=r"grouped by column 'documnt', and there is none.*n, document"):
        gt.evaluate(asked.append, ROWS, scorer=right, group="documnt")
    with pytest.raises(InputError, match="detect=-1 is no difference"):
        gt.evaluate(asked.append, ROWS, scorer=right, detect=-1)
    assert asked == []
