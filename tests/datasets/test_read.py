"""gt.dataset: the same rows from every form, and one line where something is wrong."""

from __future__ import annotations

import datetime
import decimal
import json
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest

import gen_toolkit as gt
from gen_toolkit.errors import DatasetError

ROWS = [{"text": "good, “so” good\nreally", "n": 1, "x": 0.5}, {"text": "bad", "n": 2, "x": None}]


def _write(path: Path) -> Path:
    frame = pandas.DataFrame(ROWS)
    match path.suffix:
        case ".csv":
            frame.to_csv(path, index=False)
        case ".tsv":
            frame.to_csv(path, index=False, sep="\t")
        case ".parquet":
            frame.to_parquet(path)
        case ".json":
            path.write_text(json.dumps(ROWS), encoding="utf-8")
        case ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n\n" for row in ROWS), encoding="utf-8")
    return path


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet", "json", "jsonl", "CSV"])
def test_every_form_of_file_gives_the_same_rows_and_digest(workspace: Path, ending: str) -> None:
    path = _write(workspace / f"films.{ending.lower()}").rename(workspace / f"films.{ending}")
    data = gt.dataset(path)
    assert [dict(row) for row in data] == ROWS
    assert data.digest == gt.dataset(ROWS).digest
    assert data.name == "films"


def test_a_data_frame_a_generator_and_a_dataset_give_the_same_rows_too() -> None:
    for source in (pandas.DataFrame(ROWS), (row for row in ROWS), gt.dataset(ROWS)):
        assert gt.dataset(source).digest == gt.dataset(ROWS).digest


def test_a_path_begins_at_the_workspace(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (workspace / "data").mkdir()
    _write(workspace / "data" / "films.csv")
    monkeypatch.chdir(workspace / "notebooks")
    assert len(gt.dataset("data/films.csv")) == 2


def test_a_file_inside_an_installed_package_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "films_of_a_test" / "data").mkdir(parents=True)
    (tmp_path / "films_of_a_test" / "__init__.py").write_text("raise RuntimeError('imported')")
    _write(tmp_path / "films_of_a_test" / "data" / "films.csv")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert len(gt.dataset("package:films_of_a_test/data/films.csv")) == 2


@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_a_byte_order_mark_and_strange_line_breaks_belong_to_no_row(workspace: Path, ending: str) -> None:
    row = {"text": "a\u2028b\x85c\x0bd"}
    said = json.dumps(row if ending == "jsonl" else [row], ensure_ascii=False)
    (workspace / f"a.{ending}").write_text(said + "\r\n", encoding="utf-8-sig", newline="")
    assert [dict(r) for r in gt.dataset(f"a.{ending}")] == [row]


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (float("nan"), None),
        (numpy.float64("nan"), None),
        (pandas.NaT, None),
        (pandas.NA, None),
        (numpy.int64(3), 3),
        (numpy.bool_(True), True),
        (numpy.array([1, 2]), [1, 2]),
        ((1, float("nan")), [1, None]),
        ({"deep": [float("nan")]}, {"deep": [None]}),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (pandas.Timestamp("2026-01-02 03:04"), "2026-01-02T03:04:00"),
    ],
    ids=repr,
)
def test_values_become_plain_data_in_a_list_and_in_a_frame(value: Any, plain: Any) -> None:
    frame = pandas.DataFrame({"a": pandas.Series([value, "other"], dtype=object)})
    for source in ([{"a": value}, {"a": "other"}], frame):
        data = gt.dataset(source)
        assert data[0]["a"] == plain
        assert type(data[0]["a"]) is type(plain)


def test_missing_numbers_of_a_typed_frame_are_none() -> None:
    frame = pandas.DataFrame({"n": [1, None], "s": ["a", None], "b": [True, None]}).convert_dtypes()
    assert dict(gt.dataset(frame)[1]) == {"n": None, "s": None, "b": None}
    assert dict(gt.dataset(frame)[0]) == {"n": 1, "s": "a", "b": True}


def test_parquet_with_lists_in_it_can_be_read(workspace: Path) -> None:
    pandas.DataFrame({"labels": [["a", "b"], []]}).to_parquet(workspace / "a.parquet")
    assert [r["labels"] for r in gt.dataset("a.parquet")] == [["a", "b"], []]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([{"k": "a"}, {"k": "a"}], r"rows 0 and 1 have the same id 'a' in column 'k'"),
        ([{"k": 1}, {"k": "1"}], r"rows 0 and 1 have the same id '1'"),
        ([{"k": "a"}, {"k": None}], r"row 1 has no value in the id column 'k'"),
        ([{"k": "a"}, {"k": ""}], r"row 1 has no value in the id column 'k'"),
        ([{"k": "a"}, {"other": 1}], r"row 1 has no value in the id column 'k'"),
    ],
)
def test_an_id_column_must_name_every_row_once(rows: list[dict[str, Any]], says: str) -> None:
    for source in (rows, gt.dataset(rows)):
        with pytest.raises(DatasetError, match=says) as raised:
            gt.dataset(source, id="k")
        assert raised.value.column == "k"


BROKEN: dict[str, tuple[bytes, str]] = {
    "empty.csv": (b"", "cannot be read"),
    "ragged.csv": (b"a,b\n1,2\n1,2,3\n", "line 3"),
    "longer.csv": (b"a,b\n1,2,3\n4,5,6\n", "more fields than its header"),
    "quote.csv": (b'a,b\n"1,2\n', "cannot be read"),
    "latin.csv": ("a\nÄ\n".encode("latin-1"), "utf-8"),
    "not.parquet": (b"PAR1 no", "cannot be read"),
    "empty.json": (b"", "cannot be read"),
    "half.json": (b'[{"a": 1}, {"a"', "cannot be read"),
    "number.json": (b"5", "cannot be read"),
    "texts.json": (b'[{"a": 1}, "b"]', "row 1 is str"),
    "deep.json": (b"[" * 100_000, "cannot be read"),
    "half.jsonl": (b'{"a": 1}\n{"a": \n', "line 2 is not JSON"),
    "list.jsonl": (b'{"a": 1}\n\n[1]\n', "row 3 is list"),
    "latin.jsonl": ('{"a": "Ä"}'.encode("latin-1"), "utf-8"),
    "what.xlsx": (b"PK", "no known form"),
    "none": (b"a", "no known form"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_one_line_that_says_where(workspace: Path, name: str) -> None:
    content, says = BROKEN[name]
    (workspace / name).write_bytes(content)
    with pytest.raises(DatasetError, match=says) as raised:
        gt.dataset(name)
    assert name in str(raised.value) or "row" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("nowhere.csv", "there is no file"),
        (".", "there is no file"),
        ("package:no_such_package_here/a.csv", "'no_such_package_here' is not installed.*pip install no-such"),
        ("package:../etc/passwd", "is not installed"),
        ("package:json/nothing.csv", "there is no file"),
        (5, "cannot be made of int"),
        ([{"a": 1}, ["b"]], "row 1 is list"),
        ([{"a": 1}, {"b": {1, 2}}], "row 1, column 'b' holds what JSON cannot"),
        ([{"a": decimal.Decimal(1)}], "row 0, column 'a'"),
        (pandas.DataFrame({"a": [object()]}), "row 0, column 'a'"),
        (pandas.DataFrame([[1, 2]], columns=["a", "a"]), "two columns are called 'a'"),
    ],
    ids=lambda v: str(v)[:30],
)
def test_what_cannot_be_a_dataset_is_refused_with_what_to_do(source: Any, says: str) -> None:
    with pytest.raises(DatasetError, match=says) as raised:
        gt.dataset(source)
    assert raised.value.fix
