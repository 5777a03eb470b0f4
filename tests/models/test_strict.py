"""Strict mode: what qualifies, and that a strict form never allows what the declared schema forbids."""

from __future__ import annotations

import enum
import json
from typing import Any, Literal

import jsonschema
import pytest
from pydantic import BaseModel, Field, TypeAdapter

from gen_toolkit.messages.output import Output
from gen_toolkit.messages.request import Request
from gen_toolkit.models.strict import is_strict, strict_form
from gen_toolkit.models.wire import schema_format


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Address(BaseModel):
    street: str
    number: int | None = None


class Person(BaseModel):
    """Somebody."""

    name: str = Field(description="as it is written", pattern="^[A-Z]")
    colour: Colour = Colour.RED
    home: Address = Field(description="where", default=Address(street="x"))
    others: list[Address] = []
    tags: list[Literal["a", "b"]] = Field(default_factory=list, max_length=3)


class Node(BaseModel):
    children: list[Node] = []


class Open(BaseModel):
    facts: dict[str, int]


class Loose(BaseModel):
    anything: Any


class Pair(BaseModel):
    both: tuple[int, str]


STRICT = [
    {"type": "string"},
    {"type": "object", "properties": {}, "additionalProperties": False},
    {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False},
    {"anyOf": [{"type": "string"}, {"type": "null"}]},
    {"type": ["string", "null"]},
    {"$ref": "#/$defs/X"},
    {"type": "array", "items": {"type": "integer", "minimum": 3}, "maxItems": 5},
    {"type": "string", "enum": ["a"], "description": "x"},
]
LOOSE = [
    True,
    {},
    {"enum": ["a"]},
    {"type": "object"},
    {"type": ["object", "null"]},
    {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False},
    {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
    {"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": False},
    {"type": "object", "properties": {}, "additionalProperties": True},
    {"type": "object", "additionalProperties": {"type": "string"}},
    {"type": "string", "default": "x"},
    {"type": "string", "minLength": 3},
    {"oneOf": [{"type": "string"}]},
    {"allOf": [{"type": "string"}]},
    {"type": "array", "prefixItems": [{"type": "string"}]},
    {"type": "array", "items": {}},
    {"type": "string", "$ref": "#/$defs/X"},
    {"anyOf": [{"type": "string"}, {}]},
    {"type": "string", "$defs": {"X": {}}},
    {"type": "string", "properties": 3},
    {"type": "string", "anyOf": 3},
]


@pytest.mark.parametrize("schema", STRICT, ids=json.dumps)
def test_a_schema_that_leaves_nothing_open_is_strict(schema: Any) -> None:
    assert is_strict(schema)


@pytest.mark.parametrize("schema", LOOSE, ids=json.dumps)
def test_a_schema_that_leaves_something_open_or_uses_more_than_servers_know_is_not(schema: Any) -> None:
    assert not is_strict(schema)


@pytest.mark.parametrize("declared", [Person, Node, Address, list[Person], Colour, Literal["a", "b"], Person | None])
def test_what_is_made_from_a_type_has_a_strict_form(declared: Any) -> None:
    made = sent(declared)
    assert made["strict"] is True
    assert is_strict(made["schema"])
    jsonschema.validators.validator_for(made["schema"]).check_schema(made["schema"])


@pytest.mark.parametrize("declared", [Open, Loose, Pair, dict[str, int]])
def test_what_has_none_is_sent_as_it_was_declared(declared: Any) -> None:
    made = sent(declared)
    assert "strict" not in made
    schema = TypeAdapter(declared).json_schema()
    assert made["schema"] in (schema, made["schema"] | {"properties": {"value": schema}})


FITTING = {"name": "Ann", "colour": "red", "home": {"street": "x", "number": None}, "others": [], "tags": ["a"]}


@pytest.mark.parametrize(
    "said",
    [
        FITTING,
        {**FITTING, "more": 1},
        {"name": "Ann"},
        {**FITTING, "home": {"street": "x", "z": 1}},
        {**FITTING, "name": 3},
        {**FITTING, "home": {"street": "x"}},
        {**FITTING, "name": "ann"},
        {**FITTING, "tags": ["a"] * 4},
        3,
    ],
)
def test_what_fits_the_strict_form_fits_what_was_declared(said: Any) -> None:
    declared = Person.model_json_schema()
    strict = strict_form(declared)
    assert strict is not None
    if fits(said, strict):
        assert fits(said, declared)
        assert Person.model_validate(said)
    assert fits(FITTING, strict)
    assert not fits({"name": "Ann"}, strict)


def test_the_declared_schema_stays_what_it_is() -> None:
    output = Output.of(Person)
    assert output is not None
    before = json.dumps(output.schema)
    request = Request(messages=(), output=output)
    known = request.hash
    schema_format(request)
    assert json.dumps(output.schema) == before
    assert request.hash == known == Request(messages=(), output=Output.of(Person)).hash


def test_a_schema_of_ones_own_is_strict_only_as_it_stands() -> None:
    own = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
    assert sent(own) == {"name": "output", "strict": True, "schema": own}
    loose = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert sent(loose) == {"name": "output", "schema": loose}


def fits(value: Any, schema: dict[str, Any]) -> bool:
    return bool(jsonschema.Draft202012Validator(schema).is_valid(value))


def sent(declared: Any) -> dict[str, Any]:
    made = schema_format(Request(messages=(), output=Output.of(declared)))
    assert made is not None
    found: dict[str, Any] = made["json_schema"]
    return found
