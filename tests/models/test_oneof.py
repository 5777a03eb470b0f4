"""Tools for a model that knows none: the schema of what it may answer, and what its answer meant."""

from __future__ import annotations

import json
from typing import Any, Literal

import jsonschema
import pytest
from pydantic import BaseModel

from gen_toolkit.errors import BadReply, InputError
from gen_toolkit.messages.output import Output
from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Request
from gen_toolkit.messages.tool import Tool, ToolCall
from gen_toolkit.models.oneof import offered, oneof_schema, picked, told


class Place(BaseModel):
    city: str


class Trip(BaseModel):
    start: Place
    end: Place


class Price(BaseModel):
    place: Place


TRIP = Tool("trip", "Plans a trip.", Trip.model_json_schema())
PRICE = Tool("price", "Names a price.", Price.model_json_schema())
OSLO = {"city": "Oslo"}


def asked(output: Any = None, **options: Any) -> Request:
    messages = ({"role": "user", "content": "hi"},)
    return Request(messages=messages, alias="local", tools=(TRIP, PRICE), output=Output.of(output), options=options)


@pytest.mark.parametrize(
    ("said", "fits"),
    [
        ({"name": "trip", "arguments": {"start": OSLO, "end": OSLO}}, True),
        ({"name": "price", "arguments": {"place": OSLO}}, True),
        ({"answer": "It is cold."}, True),
        ({"name": "trip", "arguments": {"start": OSLO}}, False),
        ({"name": "trip", "arguments": {"start": {"city": 3}, "end": OSLO}}, False),
        ({"name": "price", "arguments": {"start": OSLO, "end": OSLO}}, False),
        ({"name": "fly", "arguments": {}}, False),
        ({"answer": 3}, False),
        ({"answer": "x", "name": "trip"}, False),
        ("text", False),
    ],
    ids=str,
)
def test_an_answer_is_one_call_with_its_arguments_or_a_text(said: Any, fits: bool) -> None:
    schema = oneof_schema(asked(), (TRIP, PRICE))
    assert jsonschema.Draft202012Validator(schema).is_valid(said) is fits


@pytest.mark.parametrize(
    ("output", "right", "wrong"),
    [(Literal["yes", "no"], "yes", "perhaps"), (Trip, {"start": OSLO, "end": OSLO}, {"start": OSLO})],
)
def test_an_answer_of_its_own_has_the_declared_form(output: Any, right: Any, wrong: Any) -> None:
    validator = jsonschema.Draft202012Validator(oneof_schema(asked(output), (TRIP,)))
    assert [validator.is_valid({"answer": said}) for said in (right, wrong)] == [True, False]


@pytest.mark.parametrize(
    ("choice", "tools", "may_answer"),
    [
        (None, (TRIP, PRICE), True),
        ("auto", (TRIP, PRICE), True),
        ("required", (TRIP, PRICE), False),
        ({"type": "function", "function": {"name": "price"}}, (PRICE,), False),
        ("none", (), True),
    ],
    ids=str,
)
def test_the_choice_of_a_tool_is_kept_to(choice: Any, tools: Any, may_answer: bool) -> None:
    request = asked(**({} if choice is None else {"tool_choice": choice}))
    assert offered(request) == tools
    if tools:
        schema = oneof_schema(request, tools)
        assert jsonschema.Draft202012Validator(schema).is_valid({"answer": "x"}) is may_answer


@pytest.mark.parametrize("choice", [{"function": {"name": "fly"}}, {"type": "function"}, {"function": 3}], ids=str)
def test_a_choice_that_is_none_of_the_tools_is_refused(choice: Any) -> None:
    with pytest.raises(InputError, match="none of the tools"):
        offered(asked(tool_choice=choice))


def test_the_model_is_told_what_there_is_and_reads_earlier_calls_as_it_would_write_them() -> None:
    call = {"id": "a", "type": "function", "function": {"name": "price", "arguments": '{"place": {"city": "Oslo"}}'}}
    messages = told(
        [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "How much?"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "a", "content": "3 crowns"},
        ],
        (PRICE,),
    )
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user"]
    assert messages[0]["content"].startswith("Be brief.\n\n")
    assert "Names a price." in messages[0]["content"]
    assert json.loads(messages[2]["content"]) == {"name": "price", "arguments": {"place": OSLO}}
    assert "3 crowns" in messages[3]["content"]


def test_of_several_calls_none_is_left_out() -> None:
    calls = [{"id": n, "function": {"name": n, "arguments": w}} for n, w in (("a", "{}"), ("b", "broken"), ("c", ""))]
    (_, said) = told([{"role": "assistant", "content": None, "tool_calls": calls}], (PRICE,))
    assert [json.loads(line)["name"] for line in said["content"].splitlines()] == ["a", "b", "c"]


def test_a_call_is_a_call_and_an_answer_an_answer() -> None:
    written = json.dumps({"name": "price", "arguments": {"place": OSLO}})
    called = picked(asked(), Reply(text=written, finish_reason="stop"))
    assert called.tool_calls == (ToolCall("call-1", "price", json.dumps({"place": OSLO})),)
    assert (called.text, called.finish_reason, called.pieces) == ("", "tool_calls", ())
    said = picked(asked(), Reply(text='{"answer": "cold"}', finish_reason="stop"))
    assert (said.text, said.value, said.finish_reason, said.tool_calls) == ("cold", "cold", "stop", ())
    declared = picked(asked(Trip), Reply(text='{"answer": {"start": 1}}', finish_reason="stop"))
    assert json.loads(declared.text) == {"start": 1}


@pytest.mark.parametrize("text", ['{"name": "pri', '{"name": "price"}', "[]", "3", "{}", ""])
def test_an_output_that_ended_too_soon_says_what_to_do(text: str) -> None:
    with pytest.raises(BadReply) as caught:
        picked(asked(), Reply(text=text, finish_reason="length"))
    assert not caught.value.retryable
    assert "max_tokens" in caught.value.fix
