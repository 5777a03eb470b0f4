"""Structured answers: fields that are right, and schemas that are met."""

from __future__ import annotations

import dataclasses
import enum
from typing import Any, Literal

import pydantic
import pytest
from hostile import CORPUS

import gen_toolkit as gt
from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import DatasetError, ScorerError


class Kind(enum.Enum):
    FILM = "film"


class Film(pydantic.BaseModel):
    title: str
    year: int
    kind: Kind = Kind.FILM


@dataclasses.dataclass
class Plain:
    title: str
    year: int


ROW = {
    "title": "Alien",
    "year": 1979,
    "kind": "film",
    "answer": {"title": "Alien", "year": 1979},
    "raw": '{"year": 1979}',
}


def score(scorer: Any, value: Any, row: dict[str, Any] = ROW) -> gt.Score:
    found = scorer(value, Row(row, "r"))
    assert isinstance(found, gt.Score)
    return found


@pytest.mark.parametrize(
    "value",
    [
        {"title": "Alien", "year": 1979, "more": 1},
        {"title": "Alien", "year": 1979.0},
        '{"title": "Alien", "year": 1979}',
        ' {"title": "Alien", "year": 1979}\n',
        Film(title="Alien", year=1979),
        Plain("Alien", 1979),
    ],
    ids=str,
)
def test_an_object_in_any_form_has_its_fields_compared(value: Any) -> None:
    for scorer in (
        gt.scorers.json_fields(["title", "year"]),
        gt.scorers.json_fields({"title": "title", "year": "year"}, require="all"),
        gt.scorers.json_fields(column="answer"),
        gt.scorers.json_fields("year", column="raw"),
    ):
        assert score(scorer, value) == gt.Score(1.0, "")


def test_the_score_is_the_share_of_right_fields_or_all_of_them() -> None:
    said = {"title": "Aliens", "year": 1979}
    share = score(gt.scorers.json_fields(["title", "year", "kind"]), said)
    assert share.value == pytest.approx(1 / 3)
    assert share.reason == "title is 'Aliens', expected 'Alien'; kind is missing"
    assert score(gt.scorers.json_fields(["title", "year"], require="all"), said).value == 0.0


@pytest.mark.parametrize(
    ("said", "right", "same"),
    [
        (1, 1.0, True),
        (True, 1, False),
        (True, True, True),
        ("1", 1, False),
        (None, None, True),
        (None, 0, False),
        ([1, {"a": 2.0}], [1.0, {"a": 2}], True),
        ([1, 2], [2, 1], False),
        ({"a": True}, {"a": 1}, False),
        ("é", "e\u0301", False),
    ],
)
def test_fields_compare_as_json_does(said: Any, right: Any, same: bool) -> None:
    assert score(gt.scorers.json_fields(["x"]), {"x": said}, {"x": right}).value == float(same)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("not JSON", "it is not JSON"),
        ('```json\n{"title": "Alien"}\n```', "it is not JSON"),
        ('{"title": NaN}', "it is not JSON: NaN is no JSON number"),
        ('{"title": 1, "title": 2}', "it is not JSON: a key stands twice"),
        ("[" * 100_000, "it is not JSON"),
        ({"title": object()}, "it is not JSON"),
        ({"title": float("nan")}, "it is not JSON"),
        ("[1]", "it is list, not an object"),
        ("5", "it is int, not an object"),
        (None, "it is NoneType, not an object"),
        ({}, "title is missing"),
    ],
    ids=lambda v: str(v)[:30],
)
def test_a_value_that_is_no_object_is_wrong_and_says_so(value: Any, reason: str) -> None:
    for scorer in (gt.scorers.json_fields(["title"]), gt.scorers.json_fields("title", column="answer")):
        found = score(scorer, value)
        assert found.value == 0.0
        assert reason in found.reason


@pytest.mark.parametrize("held", [None, "none", "{}", {}, {"title": "x"}, [1]], ids=repr)
def test_a_row_without_the_expected_fields_is_an_error_that_names_it(held: Any) -> None:
    with pytest.raises(ScorerError, match="column 'answer' of row r holds"):
        score(gt.scorers.json_fields(["year"], column="answer"), {"year": 1}, {"answer": held})
    with pytest.raises(DatasetError, match="no column 'year'"):
        score(gt.scorers.json_fields(["year"]), {"year": 1}, {"answer": held})


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"fields": []},
        {"fields": [1]},
        {"fields": ["a", ""]},
        {"fields": {"a": ""}},
        {"fields": {"a": "b"}, "column": "c"},
        {"fields": ["a"], "require": "most"},
    ],
    ids=str,
)
def test_fields_that_say_nothing_are_refused_when_the_scorer_is_made(options: Any) -> None:
    with pytest.raises(ScorerError) as raised:
        gt.scorers.json_fields(**options)
    assert raised.value.fix


SCHEMA = {
    "type": "object",
    "properties": {"title": {"$ref": "#/$defs/name"}, "year": {"type": "integer", "minimum": 1900}},
    "required": ["title"],
    "$defs": {"name": {"type": "string", "minLength": 1}},
}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"title": "Alien", "year": 1979}, ""),
        ('{"title": "Alien"}', ""),
        (Film(title="Alien", year=1979), ""),
        ({"title": "Alien", "year": "1979"}, "$.year: '1979' is not of type 'integer'"),
        ({"title": "", "year": 1979}, "$.title: "),
        ({}, "$: 'title' is a required property"),
        ("[]", "$: [] is not of type 'object'"),
        ("none", "it is not JSON"),
        (None, "$: None is not of type 'object'"),
    ],
    ids=str,
)
def test_a_json_schema_is_met_or_the_reason_says_where_not(value: Any, problem: str) -> None:
    found = score(gt.scorers.json_schema(SCHEMA), value)
    assert found.value == float(not problem)
    assert found.reason.startswith(problem)
    assert bool(found.reason) is bool(problem)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"title": "Alien", "year": 1979}, ""),
        (Film(title="Alien", year=1979), ""),
        ('{"title": "Alien", "year": 1979, "kind": "film"}', ""),
        ({"title": "Alien", "year": "1979"}, "$.year: Input should be a valid integer"),
        ({"title": "Alien"}, "$.year: Field required"),
        ({"title": "Alien", "year": 1, "kind": "book"}, "$.kind: Input should be 'film'"),
    ],
    ids=str,
)
def test_a_pydantic_model_is_a_schema_too(value: Any, problem: str) -> None:
    found = score(gt.scorers.json_schema(Film), value)
    assert (found.value, found.reason) == (float(not problem), problem)
    if not isinstance(value, str):
        assert score(gt.scorers.json_schema(list[Film]), [value]).reason == problem.replace("$", "$[0]", 1)


def test_a_schema_may_be_recursive_and_refer_to_the_language_of_schemas() -> None:
    tree = {"$id": "tree", "type": "object", "properties": {"below": {"type": "array", "items": {"$ref": "#"}}}}
    assert score(gt.scorers.json_schema(tree), {"below": [{"below": []}]}).value == 1.0
    assert score(gt.scorers.json_schema(tree), {"below": [{"below": 1}]}).value == 0.0
    meta = {"$ref": "https://json-schema.org/draft/2020-12/schema"}
    assert score(gt.scorers.json_schema(meta), {"type": "object"}).value == 1.0


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"type": "objekt"}, "cannot use the schema"),
        ({"$ref": "#/$defs/nothing"}, "'#/\\$defs/nothing' refers to nothing in it"),
        ({"properties": {"a": {"$ref": "https://example.com/a.json"}}}, "nothing is fetched"),
        ("object", "is no type"),
        (None, "is no type"),
        ([1], "is no type"),
    ],
    ids=str,
)
def test_a_schema_that_cannot_be_used_is_refused_when_it_is_given(schema: Any, says: str) -> None:
    with pytest.raises(ScorerError, match=says) as raised:
        gt.scorers.json_schema(schema)
    assert raised.value.fix


def test_a_type_of_labels_is_a_schema() -> None:
    scorer = gt.scorers.json_schema(Literal["a", "b"])
    assert [score(scorer, value).value for value in ('"a"', '"c"', "a")] == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("text", CORPUS, ids=ascii)
def test_hostile_texts_are_only_texts(text: str) -> None:
    assert score(gt.scorers.json_fields(["x"]), {"x": text}, {"x": text}).value == 1.0
    assert score(gt.scorers.json_schema(SCHEMA), text).value == 0.0
    assert "\n" not in score(gt.scorers.json_fields(["x"]), {"x": text}, {"x": 1}).reason
