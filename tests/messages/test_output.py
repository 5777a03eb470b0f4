"""The declared output: what fits becomes a value, everything else is an OutputMismatch; nothing is guessed."""

from __future__ import annotations

import enum
import json
from typing import Any, Literal

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from gen_toolkit.errors import OutputMismatch, PromptError
from gen_toolkit.messages.output import Output
from gen_toolkit.messages.request import Request
from gen_toolkit.models.wire import schema_format

Sentiment = Literal["positive", "negative"]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Person(BaseModel):
    name: str
    age: int = 0


class Node(BaseModel):
    children: list[Node] = []


PERSON_SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def output(declared: Any) -> Output:
    made = Output.of(declared)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("declared", "reply", "value"),
    [
        (Sentiment, "positive", "positive"),
        (Sentiment, " Positive.\n", "positive"),
        (Sentiment, '"negative"', "negative"),
        (Sentiment, '{"value": "negative"}', "negative"),
        (Colour, "Red", Colour.RED),
        ({"enum": ["a", "b"]}, "b", "b"),
        (Literal["Dr.", "St."], "Dr.", "Dr."),
        (Literal["us", "US"], "US", "US"),
        (Literal[1, 2], "2", 2),
        (Literal[1, 2], '{"value": 2}', 2),
        (Person, '{"name": "Ann", "age": 3}', Person(name="Ann", age=3)),
        (list[Person], '[{"name": "Ann"}]', [Person(name="Ann")]),
        (list[Person], '{"value": [{"name": "Ann"}]}', [Person(name="Ann")]),
        (PERSON_SCHEMA, '{"name": "Ann"}', {"name": "Ann"}),
        (int, "7", 7),
    ],
)
def test_an_answer_that_fits_becomes_a_value(declared: Any, reply: str, value: Any) -> None:
    assert output(declared).parse(reply) == value


@pytest.mark.parametrize(
    ("declared", "reply"),
    [
        (Sentiment, ""),
        (Sentiment, "positive or negative"),
        (Sentiment, "not positive"),
        (Sentiment, '{"value": "neutral"}'),
        (Sentiment, '{"value": 3}'),
        (Sentiment, '{"label": "positive"}'),
        (Sentiment, '"positive'),
        (Colour, "RED or BLUE"),
        (Literal["us", "US"], "Us"),
        (Person, "Ann, 3"),
        (Person, '{"age": 3}'),
        (Person, '{"name": "Ann", "age": "old"}'),
        (Person, '```json\n{"name": "Ann"\n```\n[1]'),
        (Person, "{'name': 'Ann'}, {'name': 'Bea'}"),
        (Person, '[{"name": "Ann"}]'),
        (PERSON_SCHEMA, '{"name": 3}'),
        (PERSON_SCHEMA, "null"),
        (Person, "[" * 100_000),
    ],
)
def test_an_answer_that_does_not_fit_is_one_typed_line(declared: Any, reply: str) -> None:
    with pytest.raises(OutputMismatch, match="reply of fast") as caught:
        output(declared).read(reply, alias="fast")
    assert caught.value.text == reply
    assert "\n" not in caught.value.reason
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("declared", "reply", "value", "repairs"),
    [
        (Sentiment, "positive", "positive", ()),
        (Sentiment, " positive\n", "positive", ()),
        (Sentiment, '{"value": "positive"}', "positive", ()),
        (Sentiment, "Positive", "positive", ("case",)),
        (Sentiment, "positive.", "positive", ("final full stop",)),
        (Sentiment, "POSITIVE.\n", "positive", ("case", "final full stop")),
        (Literal["Dr.", "St."], "Dr", "Dr.", ("final full stop",)),
        (Sentiment, "'positive'", "positive", ("single quotes",)),
        (Sentiment, "“Positive”", "positive", ("typographic quotes", "case")),
        (Sentiment, '```json\n{"value": "Positive"}\n```', "positive", ("fences", "case")),
        (Colour, "RED", Colour.RED, ("case",)),
        (Person, '{"name": "Ann"}', Person(name="Ann"), ()),
        (Person, '```json\n{"name": "Ann",}\n```', Person(name="Ann"), ("fences", "trailing comma")),
        (list[Person], "Here: {'value': [{'name': 'Ann'}]}", [Person(name="Ann")], ("text around", "single quotes")),
        (PERSON_SCHEMA, '{"name": "Ann"', {"name": "Ann"}, ("missing brackets",)),
    ],
)
def test_what_was_repaired_is_named(declared: Any, reply: str, value: Any, repairs: tuple[str, ...]) -> None:
    assert output(declared).read(reply) == (value, repairs)


def test_an_answer_that_reached_its_limit_is_not_completed() -> None:
    with pytest.raises(OutputMismatch, match=r"breaks off.*max_tokens"):
        output(list[str]).read('["a", "b"', cut=True)


def test_the_reason_is_a_precise_line_without_the_value_itself() -> None:
    with pytest.raises(OutputMismatch) as caught:
        output(Person).read('{"age": "old"}')
    assert caught.value.reason == (
        "name: Field required; age: Input should be a valid integer, unable to parse string as an integer"
    )


@given(st.text())
def test_labels_are_never_guessed(reply: str) -> None:
    try:
        value = output(Sentiment).parse(reply)
    except OutputMismatch:
        return
    assert value in reply.casefold()


def test_nothing_declared_is_no_output() -> None:
    assert Output.of(None) is None
    made = output(Person)
    assert Output.of(made) is made


@pytest.mark.parametrize(
    "declared",
    [3, "positive", object(), ["a", "b"], {"type": "strnig"}],
    ids=["int", "str", "object", "list", "schema"],
)
def test_what_cannot_be_an_output_is_refused_before_a_call(declared: Any) -> None:
    with pytest.raises(PromptError, match=r"cannot be an output.*pydantic model"):
        Output.of(declared)


@pytest.mark.parametrize(
    ("declared", "reply"),
    [
        (Sentiment, {"value": "positive"}),
        (list[Person], {"value": [{"name": "Ann", "age": 3}]}),
        (Node, {"value": {"children": [{"children": []}]}}),
        (Person, {"name": "Ann", "age": 3}),
    ],
)
def test_the_schema_a_server_gets_is_an_object_whose_references_hold(declared: Any, reply: Any) -> None:
    asked = schema_format(Request(messages=(), alias="a", provider="p", model="m", output=output(declared)))
    assert asked is not None
    schema = asked["json_schema"]["schema"]
    assert schema["type"] == "object"
    jsonschema.validate(reply, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"value": [{"children": 3}]}, schema)
    output(declared).parse(json.dumps(reply))
