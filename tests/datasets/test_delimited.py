"""CSV files: a column holds numbers only where every field is written as one; texts stay texts."""

from __future__ import annotations

import csv
import io
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gen_toolkit as gt
from gen_toolkit.datasets.delimited import read_delimited


def column(workspace: Path, *fields: str) -> list[Any]:
    with (workspace / "a.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["a", "b"], *([field, "x"] for field in fields)])
    return [row["a"] for row in gt.dataset("a.csv")]


@pytest.mark.parametrize(
    ("fields", "values"),
    [
        (["1", "-20", "0"], [1, -20, 0]),
        (["1", "", "3"], [1, None, 3]),
        (["1", "0.5", "-2.25", "-0.0", "3.0"], [1, 0.5, -2.25, -0.0, 3.0]),
        (["1e-05", "1e+20", "2.5e-3", "0.00001"], [1e-05, 1e20, 0.0025, 1e-05]),
        (["123456789012345678", "0.5"], [123456789012345678, 0.5]),
        (["True", "false", ""], [True, False, None]),
        (["", ""], [None, None]),
    ],
)
def test_a_column_of_numbers_or_claims_holds_them(workspace: Path, fields: list[str], values: list[Any]) -> None:
    found = column(workspace, *fields)
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


@pytest.mark.parametrize(
    "fields",
    [
        ["NA", "null", "None", "nan", "NaN", "N/A", "-", "inf", "#N/A"],
        ["1", "2", "NA"],
        ["007", "008"],
        ["1", "2", "x"],
        ["1,000", "2"],
        [" 1", "2"],
        ["1 ", "2"],
        ["+1", "2"],
        ["12e4", "13e5"],
        ["1e+400"],
        ["1e-400"],
        ["10000000000000000000"],
        ["-0"],
        ["1.10", "1.9", "2.0"],
        ["0.50", "1.25"],
        ["1.0e+3"],
        ["0.10000000000000001"],
        ["12345678901234567.5"],
        ["1_000"],
        ["٣"],
        ["12345678901234567890"],
        ["0x10"],
        ["yes", "no"],
        ["True", "1"],
        ["2026-01-02"],
        [" ", "\t"],
    ],
    ids=str,
)
def test_whatever_else_is_written_is_a_text_as_it_is(workspace: Path, fields: list[str]) -> None:
    assert column(workspace, *fields) == fields


@settings(deadline=None)
@given(rows=st.lists(st.lists(st.text(max_size=6), min_size=2, max_size=2), min_size=1, max_size=6))
def test_every_text_comes_back_as_it_was_written(
    rows: list[list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    def is_text(field: str) -> bool:
        return not any("\ud800" <= c <= "\udfff" for c in field)

    rows = [["text", "x", *("" if not is_text(f) else f for f in row)] for row in rows]
    path = tmp_path_factory.getbasetemp() / "any.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["a", "b", "c", "d"], *rows, ["text"] * 4])
    table = read_delimited(path, ",")
    assert [list(row.values()) for row in table.rows[:-1]] == [[f or None for f in row] for row in rows]


def test_a_byte_order_mark_belongs_to_no_column_and_says_the_encoding(workspace: Path) -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        (workspace / "a.csv").write_text("text,n\nÄ,1\n", encoding=encoding)
        assert [dict(row) for row in gt.dataset("a.csv")] == [{"text": "Ä", "n": 1}]


def test_blank_lines_are_no_rows_and_line_breaks_in_texts_make_none(workspace: Path) -> None:
    (workspace / "a.csv").write_bytes(b'\r\na,b\r\n\r\n"x\r\ny",1\r\n   \r\nz,2\r\n\r\n')
    assert [dict(row) for row in gt.dataset("a.csv")] == [{"a": "x\r\ny", "b": 1}, {"a": "z", "b": 2}]


def test_a_row_without_any_value_is_a_row(workspace: Path) -> None:
    (workspace / "a.csv").write_text("a,b\n1,x\n,\n", encoding="utf-8")
    assert [dict(row) for row in gt.dataset("a.csv")] == [{"a": 1, "b": "x"}, {"a": None, "b": None}]


def test_a_column_without_a_name_is_called_as_pandas_calls_it(workspace: Path) -> None:
    (workspace / "a.csv").write_text(",text\n0,x\n", encoding="utf-8")
    assert gt.dataset("a.csv").columns == ["Unnamed: 0", "text"]


def test_the_csv_modules_own_limit_is_as_it_was_also_after_reading_in_threads(workspace: Path) -> None:
    before = csv.field_size_limit()
    (workspace / "a.csv").write_text("a,b\n" + "x" * 300_000 + ",1\n", encoding="utf-8")
    failed: list[BaseException] = []

    def read() -> None:
        try:
            assert len(gt.dataset(workspace / "a.csv")[0]["a"]) == 300_000
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == []
    assert csv.field_size_limit() == before
    with pytest.raises(csv.Error, match="field larger"):
        list(csv.reader(io.StringIO("x" * (before + 1))))
