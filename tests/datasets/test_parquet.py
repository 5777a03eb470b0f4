"""Parquet files: as they are, whole numbers with gaps included."""

from __future__ import annotations

import datetime
import decimal
from pathlib import Path
from typing import Any

import pandas
import pyarrow
import pyarrow.parquet
import pytest

import gen_toolkit as gt
from gen_toolkit.errors import DatasetError


def _rows(workspace: Path, **columns: Any) -> list[dict[str, Any]]:
    pyarrow.parquet.write_table(pyarrow.table(columns), workspace / "a.parquet")
    return [dict(row) for row in gt.dataset("a.parquet")]


def test_whole_numbers_with_gaps_stay_whole_and_nan_is_missing(workspace: Path) -> None:
    assert _rows(workspace, n=[1, None], x=[0.5, float("nan")]) == [{"n": 1, "x": 0.5}, {"n": None, "x": None}]


def test_nested_values_times_and_categories_become_plain_data(workspace: Path) -> None:
    when = datetime.datetime(2026, 1, 2, 3, 4)
    kinds = pyarrow.array(["a", "b"]).dictionary_encode()
    found = _rows(workspace, s=[{"a": [1, None]}, None], t=[when, None], k=kinds)
    assert found == [{"s": {"a": [1, None]}, "t": "2026-01-02T03:04:00", "k": "a"}, {"s": None, "t": None, "k": "b"}]


def test_a_frames_nameless_index_is_no_column_and_a_named_one_is(workspace: Path) -> None:
    frame = pandas.DataFrame({"text": ["x", "y"]}, index=["p", "q"])
    frame.to_parquet(workspace / "a.parquet")
    assert gt.dataset("a.parquet").columns == ["text"]
    frame.rename_axis("id").to_parquet(workspace / "a.parquet")
    assert [row.id for row in gt.dataset("a.parquet", id="id")] == ["p", "q"]


def test_a_folder_that_looks_like_a_partition_adds_no_column(workspace: Path) -> None:
    (workspace / "year=2020").mkdir()
    pandas.DataFrame({"text": ["x"]}).to_parquet(workspace / "year=2020" / "a.parquet")
    assert gt.dataset("year=2020/a.parquet").columns == ["text"]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (pyarrow.array([b"a", b"\xff"]), "row 0, column 'v' holds what JSON cannot"),
        (pyarrow.array([decimal.Decimal("1.5"), None]), "row 0, column 'v' holds what JSON cannot"),
        (pyarrow.array([1.0, float("inf")]), "row 1, column 'v' holds what JSON cannot"),
        (pyarrow.array([b"ok", b"\xff\xfe"]).cast(pyarrow.string(), safe=False), "row 1, column 'v' cannot be read"),
    ],
    ids=["bytes", "decimal", "inf", "no text"],
)
def test_what_is_no_plain_data_is_named_by_row_and_column(workspace: Path, values: Any, says: str) -> None:
    with pytest.raises(DatasetError, match=rf"a\.parquet {says}") as raised:
        _rows(workspace, v=values)
    assert raised.value.column == "v"
    assert raised.value.path.endswith("a.parquet")


def test_two_columns_of_one_name_are_refused(workspace: Path) -> None:
    table = pyarrow.Table.from_arrays([pyarrow.array([1]), pyarrow.array([2])], names=["a", "a"])
    pyarrow.parquet.write_table(table, workspace / "a.parquet")
    with pytest.raises(DatasetError, match="two columns that are called 'a'"):
        gt.dataset("a.parquet")
