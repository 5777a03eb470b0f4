"""Declared columns: what fits is as declared, what does not is named by row, line, id and column."""

from __future__ import annotations

import datetime
import enum
import json
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas
import pydantic
import pytest

import gen_toolkit as gt
from gen_toolkit.errors import DatasetError

REVIEW = {"text": str, "label": Literal["good", "bad"]}


class Label(enum.Enum):
    GOOD = "good"
    BAD = "bad"


class Review(pydantic.BaseModel):
    text: Annotated[str, pydantic.Field(min_length=1)]
    label: Label
    stars: int = pydantic.Field(default=3, ge=1, le=5)


def _csv(workspace: Path, content: str) -> Path:
    path = workspace / "films.csv"
    path.write_text(content, encoding="utf-8")
    return path


def test_a_value_that_does_not_fit_is_named_by_file_row_line_id_and_column(workspace: Path) -> None:
    path = _csv(workspace, 'key,text,label\na,"fine\nfilm",good\nb,dull,maybe\nc,awful,no\n')
    with pytest.raises(
        DatasetError,
        match=r"films\.csv row 1 \(line 4, id b\), column 'label' holds 'maybe': input should be 'good' or 'bad' "
        r"\(1 more of 3 rows do not fit\)",
    ) as raised:
        gt.dataset(path, id="key", schema=REVIEW)
    error = raised.value
    assert (error.row, error.line, error.id, error.column, error.path) == (1, 4, "b", "label", str(path))
    assert [problem.split(" holds ")[1][:4] for problem in error.problems] == ["'may", "'no'"]


def test_without_an_id_column_the_row_is_named_by_its_content(workspace: Path) -> None:
    rows = [{"text": "a", "label": "good"}, {"text": "b", "label": None}]
    with pytest.raises(DatasetError, match=r"row 1 \(id \w{16}\), column 'label' has no value") as raised:
        gt.dataset(rows, schema=REVIEW)
    assert raised.value.id == gt.dataset(rows)[1].id


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (int, [0, 1]),
        (float, [0.0, 1.0]),
        (str, ["0", "1"]),
        (Literal[0, 1], [0, 1]),
        (Literal["0", "1"], ["0", "1"]),
        (bool, [False, True]),
        (int | None, [0, 1]),
        (Any, [0, 1]),
    ],
    ids=str,
)
def test_a_csv_field_is_read_as_its_column_is_declared(workspace: Path, kind: Any, values: list[Any]) -> None:
    path = _csv(workspace, "text,label\nx,0\ny,1\n")
    model = pydantic.create_model("Row", label=(kind, ...))
    for schema in ({"label": kind}, model):
        found = [row["label"] for row in gt.dataset(path, schema=schema)]
        assert found == values
        assert [type(value) for value in found] == [type(value) for value in values]


def test_a_leading_zero_and_a_written_out_number_survive_where_text_is_declared(workspace: Path) -> None:
    path = _csv(workspace, "code,price\n7,1.50\n8,2.00\n")
    assert dict(gt.dataset(path, schema={"price": str})[0]) == {"code": 7, "price": "1.50"}


def test_a_model_fills_its_defaults_and_gives_plain_data(workspace: Path) -> None:
    path = _csv(workspace, "text,label,stars,more\nfine,good,5,x\ndull,bad,,y\n")
    assert [dict(row) for row in gt.dataset(path, schema=Review)] == [
        {"text": "fine", "label": "good", "stars": 5, "more": "x"},
        {"text": "dull", "label": "bad", "stars": 3, "more": "y"},
    ]
    assert gt.dataset([{"text": "x", "label": "good"}], schema=Review)[0]["stars"] == 3


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"text": "x", "label": "good", "stars": 9}, "column 'stars' holds 9: input should be less than or equal to 5"),
        ({"text": "", "label": "good"}, "column 'text' holds '': string should have at least 1 character"),
        ({"text": 3, "label": "good"}, "column 'text' holds 3: input should be a valid string"),
        ({"text": "x", "label": "fine"}, "column 'label' holds 'fine'"),
        ({"text": "x", "label": ["good"]}, r"column 'label' holds \['good'\]"),
        ({"text": "x"}, "has no column 'label'"),
    ],
    ids=str,
)
def test_what_a_model_refuses_is_one_line(row: dict[str, Any], says: str) -> None:
    with pytest.raises(DatasetError, match=says) as raised:
        gt.dataset([row], schema=Review)
    assert "\n" not in str(raised.value)
    assert raised.value.fix


def test_a_column_that_only_some_rows_lack_is_named_at_the_row() -> None:
    rows = [{"text": "a", "label": "good"}, {"text": "b"}]
    for schema in (REVIEW, Review):
        with pytest.raises(DatasetError, match=r"row 1 .*column 'label' is missing"):
            gt.dataset(rows, schema=schema)


def test_a_column_that_no_row_has_is_one_mistake_with_the_nearest_name(workspace: Path) -> None:
    path = _csv(workspace, "text,lable\n")
    with pytest.raises(DatasetError, match=r"no column 'label'; it has text, lable.*Did you mean 'lable'\?"):
        gt.dataset(path, schema=REVIEW)


def test_nested_values_are_checked_and_named_to_the_inside(workspace: Path) -> None:
    (workspace / "a.jsonl").write_text('{"meta": {"year": 1999}}\n{"meta": {"year": "late"}}\n', encoding="utf-8")

    class Meta(pydantic.BaseModel):
        year: int

    with pytest.raises(DatasetError, match=r"row 1 \(line 2, id \w+\), column 'meta' holds 'late' at year: input"):
        gt.dataset("a.jsonl", schema={"meta": Meta})


def test_mixed_types_of_a_json_column_are_found() -> None:
    with pytest.raises(DatasetError, match=r"row 1 .*column 'n' holds 'two'"):
        gt.dataset([{"n": 1}, {"n": "two"}], schema={"n": int})
    assert [row["n"] for row in gt.dataset([{"n": 1}, {"n": "2"}], schema={"n": int})] == [1, 2]


def test_what_pydantic_makes_of_a_value_is_plain_data_again() -> None:
    schema = {"day": datetime.date, "x": float, "label": Label}
    rows = [dict(row) for row in gt.dataset([{"day": "2026-01-02", "x": 1, "label": "bad"}], schema=schema)]
    assert rows == [{"day": "2026-01-02", "x": 1.0, "label": "bad"}]
    json.dumps(rows, allow_nan=False)


@pytest.mark.parametrize("held", ["nan", "inf"])
def test_a_number_that_json_has_not_does_not_fit(workspace: Path, held: str) -> None:
    path = _csv(workspace, f"x\n1\n{held}\n")
    for schema in ({"x": float}, pydantic.create_model("Row", x=(float, ...))):
        with pytest.raises(DatasetError, match=rf"row 1 .*column 'x' holds {held}, which JSON cannot"):
            gt.dataset(path, schema=schema)


def test_a_name_in_the_file_may_be_an_alias_of_the_model() -> None:
    class Titled(pydantic.BaseModel):
        text: str = pydantic.Field(alias="Review Text")

    assert dict(gt.dataset([{"Review Text": "x"}], schema=Titled)[0]) == {"Review Text": "x"}
    with pytest.raises(DatasetError, match="has no column 'Review Text'"):
        gt.dataset([{"text": "x"}], schema=Titled)


def test_a_rule_over_the_whole_row_is_named_by_the_row() -> None:
    class Range(pydantic.BaseModel):
        low: int
        high: int

        @pydantic.model_validator(mode="after")
        def _in_order(self) -> Range:
            if self.low > self.high:
                raise ValueError("low is above high")
            return self

    with pytest.raises(DatasetError, match=r"row 0 \(id \w+\) holds .*low is above high"):
        gt.dataset([{"low": 2, "high": 1}], schema=Range)


@pytest.mark.parametrize(
    "schema",
    [str, "text", ["text"], {"text": ["a", "b"]}, {"text": "no such type"}, {1: str}, Review(text="x", label="good")],
)
def test_what_is_no_schema_is_refused(schema: Any) -> None:
    with pytest.raises(DatasetError, match=r"is no (schema|type)") as raised:
        gt.dataset([{"text": "a"}], schema=schema)
    assert "pydantic model" in raised.value.fix


def test_a_frame_is_checked_like_any_other_source() -> None:
    frame = pandas.DataFrame({"n": [1.0, None]})
    assert [row["n"] for row in gt.dataset(frame, schema={"n": int | None})] == [1, None]
    with pytest.raises(DatasetError, match=r"row 1 .*column 'n' has no value"):
        gt.dataset(frame, schema={"n": int})


def test_the_same_rows_have_the_same_ids_with_and_without_a_schema_that_changes_nothing() -> None:
    rows = [{"text": "a", "label": "good"}, {"text": "b", "label": "bad"}]
    assert gt.dataset(rows, schema=REVIEW).digest == gt.dataset(rows).digest
