"""Scorers of structured answers: which fields are right, and whether the whole fits a schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from gen_toolkit import text
from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import ScorerError
from gen_toolkit.evals.score import Score, Scorer
from gen_toolkit.evals.scorers_check import column_name, one_of, shown


@dataclass(frozen=True)
class _Fields:
    fields: Mapping[str, str]
    """Field of the value → column of the row, or field of the object in `column`."""
    column: str | None
    require: str
    name: str
    range = (0.0, 1.0)
    inline = True

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,) if self.column is not None else tuple(self.fields.values())

    def __call__(self, value: Any, row: Row) -> Score:
        expected = self._expected(row)
        try:
            said = plain_json(value)
        except ValueError as error:
            return Score(0.0, f"it is not JSON: {text.one_line(error, 120)}")
        if not isinstance(said, dict):
            return Score(0.0, f"it is {type(said).__name__}, not an object with fields")
        wrong = [
            f"{name} is missing" if name not in said else f"{name} is {shown(said[name])}, expected {shown(right)}"
            for name, right in expected.items()
            if name not in said or not same_json(said[name], right)
        ]
        share = 1 - len(wrong) / len(expected)
        return Score(share if self.require == "share" else float(not wrong), "; ".join(wrong))

    def _expected(self, row: Row) -> dict[str, Any]:
        if self.column is None:
            return {name: row[column] for name, column in self.fields.items()}
        try:
            held = plain_json(row[self.column])
        except ValueError:
            held = None
        missing = [name for name in self.fields if name not in held] if isinstance(held, dict) else ["an object"]
        if not held or missing:
            raise ScorerError(
                f"scorer {self.name!r}: column {self.column!r} of row {row.id} holds {shown(row[self.column])}, "
                f"without {', '.join(missing) or 'fields'}",
                fix="Fill it in, or leave the row out with dataset.where(…).",
                scorer=self.name,
                column=self.column,
                row=row.id,
            )
        return {name: held[name] for name in self.fields or held}


def json_fields(
    fields: Sequence[str] | Mapping[str, str] | None = None,
    *,
    column: str | None = None,
    require: Literal["share", "all"] = "share",
    name: str = "json_fields",
) -> Scorer:
    """The share of fields that are right, or with `require="all"` right when all are.

    The value is an object: a mapping, a pydantic model, a dataclass, or a text that is read as JSON.
    Expected is each field's column of the same name, or of another name: `{"year": "release_year"}`; or
    with `column` the object (or JSON text) in that column: of it the `fields`, by default all.
    Fields compare as JSON does: 1 is 1.0, "1" and true are not. Fields that nobody asks for are ignored.
    """
    one_of(require, ("share", "all"), "require", "json_fields")
    names: list[Any] = [fields] if isinstance(fields, str) else list(fields or [])
    if fields is None and column is not None:
        return _Fields({}, column_name(column, "json_fields"), require, name)
    if not names or not all(isinstance(one, str) and one for one in names):
        raise ScorerError(
            f"scorer 'json_fields' compares fields, and {shown(fields)} names none",
            fix='Write json_fields(["title", "year"]), or json_fields(column="answer").',
            scorer="json_fields",
        )
    if column is not None and isinstance(fields, Mapping):
        raise ScorerError(
            "scorer 'json_fields': fields of other columns and column= cannot both say what is expected",
            fix="Leave column= out, or give the fields as a list.",
            scorer="json_fields",
        )
    pairs = dict(fields) if isinstance(fields, Mapping) else {one: one for one in names}
    for other in pairs.values():
        column_name(other, "json_fields")
    return _Fields(pairs, None if column is None else column_name(column, "json_fields"), require, name)


@dataclass(frozen=True)
class _Schema:
    problem: Callable[[Any], str] = field(repr=False)
    name: str
    range = (0.0, 1.0)
    inline = True

    def __call__(self, value: Any, row: Row) -> Score:  # noqa: ARG002 - how scorers are called
        try:
            said = plain_json(value)
        except ValueError as error:
            return Score(0.0, f"it is not JSON: {text.one_line(error, 120)}")
        problem = self.problem(said)
        return Score(float(not problem), problem)


def json_schema(schema: Any, *, name: str = "json_schema") -> Scorer:
    """Right when the value fits the schema: a JSON Schema as a dict, a pydantic model, or another type.

    A value that is a text is read as JSON. JSON Schema is checked by the jsonschema package in the draft
    that `$schema` names, else the newest; nothing is fetched: `$ref` reaches what stands in the schema. Types
    are checked by pydantic, strictly: "1" is no int.
    """
    from gen_toolkit.evals.scorers_schema import problem_of_schema, problem_of_type

    return _Schema(problem_of_schema(schema) if isinstance(schema, dict) else problem_of_type(schema), name)


def plain_json(value: Any) -> Any:
    """Plain data of a value: a text is read as JSON, objects become mappings. Raises ValueError."""
    if not isinstance(value, str) or hasattr(value, "value"):  # a member of a text Enum is its value
        from pydantic_core import PydanticSerializationError, to_jsonable_python

        try:
            plain = to_jsonable_python(value)
            json.dumps(plain, allow_nan=False)
        except PydanticSerializationError as error:
            raise ValueError(str(error)) from None
        return plain
    try:
        return json.loads(value, parse_constant=_no_constant, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def same_json(one: Any, other: Any) -> bool:
    """Equal as JSON: numbers by value, true and 1 apart."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    return bool(one == other)
