"""A request on the wire: messages pass without loss, tools and outputs in the forms that servers know."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from gen_toolkit.errors import InputError
from gen_toolkit.messages.output import Output
from gen_toolkit.messages.request import Request
from gen_toolkit.messages.tool import Tool
from gen_toolkit.models.wire import chat_body, encode

HELLO = ({"role": "user", "content": "hi"},)
CLOSED = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
OPEN = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city"]}


class Person(BaseModel):
    name: str


def body(*messages: dict[str, Any], structured: str = "schema", output: Any = None, **more: Any) -> dict[str, Any]:
    request = Request(messages=messages or HELLO, model="m", output=Output.of(output), **more)
    return json.loads(encode(chat_body(request, structured)))  # type: ignore[no-any-return]


def test_messages_pass_without_loss() -> None:
    messages = [
        {"role": "developer", "content": "Be brief.", "name": "boss"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "what?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}],
        },
        {"role": "tool", "tool_call_id": "1", "content": "ünïcode \u2028 \ud800"},
        {"role": "user", "content": "and?", "cache_control": {"type": "ephemeral"}, "audio": {"id": "x"}},
    ]
    assert body(*messages) == {"messages": messages, "model": "m"}


def test_a_tool_is_strict_where_nothing_of_it_may_be_left_out() -> None:
    sent = body(tools=(Tool("weather", "Tells it.", CLOSED), Tool("forecast", "", OPEN)))["tools"]
    assert sent == [
        {
            "type": "function",
            "function": {"name": "weather", "description": "Tells it.", "parameters": CLOSED, "strict": True},
        },
        {"type": "function", "function": {"name": "forecast", "description": "", "parameters": OPEN}},
    ]


def test_json_mode_asks_for_an_object_and_says_of_what_form() -> None:
    sent = body(structured="json", output=Person)
    assert sent["response_format"] == {"type": "json_object"}
    system, user = sent["messages"]
    assert (system["role"], user) == ("system", HELLO[0])
    assert "JSON" in system["content"]
    assert json.loads(system["content"].partition("\n")[2]) == Person.model_json_schema()


def test_by_the_prompt_alone_nothing_but_the_prompt_changes() -> None:
    sent = body(structured="prompt", output=Person)
    assert sent.keys() == {"messages", "model"}
    assert json.loads(sent["messages"][0]["content"].partition("\n")[2]) == Person.model_json_schema()
    labels = body(structured="prompt", output=Literal["yes", "no"])["messages"][0]["content"]
    assert labels.endswith('nothing else: "yes", "no"')


@pytest.mark.parametrize("role", ["system", "developer"])
def test_the_instruction_joins_the_system_message_that_is_there(role: str) -> None:
    sent = body({"role": role, "content": "Be brief."}, HELLO[0], structured="prompt", output=Literal["a", "b"])
    assert [message["role"] for message in sent["messages"]] == [role, "user"]
    assert sent["messages"][0]["content"].startswith("Be brief.\n\nAnswer with one of these")
    parts = [{"type": "text", "text": "Be brief."}]
    sent = body({"role": role, "content": parts}, structured="prompt", output=Literal["a", "b"])
    assert [part["type"] for part in sent["messages"][0]["content"]] == ["text", "text"]
    assert sent["messages"][0]["content"][0] == parts[0]


@pytest.mark.parametrize("structured", ["schema", "json", "prompt"])
def test_how_a_server_is_held_to_an_output_is_no_part_of_the_request(structured: str) -> None:
    request = Request(messages=HELLO, model="m", output=Output.of(Person))
    before = request.hash, json.dumps(request.messages)
    chat_body(request, structured)
    assert (request.hash, json.dumps(request.messages)) == before


def test_choose_bounds_the_answer_by_the_option_that_the_model_knows() -> None:
    assert body(choose=("a", "b"))["max_tokens"] == 1
    sent = body(choose=("a", "b"), options={"max_completion_tokens": 9})
    assert (sent["max_completion_tokens"], "max_tokens" in sent) == (1, False)


@pytest.mark.parametrize("content", [b"bytes", {"a", "set"}, float("nan"), object()])
def test_what_json_cannot_hold_is_refused_before_a_call(content: Any) -> None:
    with pytest.raises(InputError, match="cannot be sent as JSON"):
        body({"role": "user", "content": content})


def test_a_message_without_a_bottom_is_refused_before_a_call() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InputError, match="cannot be sent as JSON"):
        body({"role": "user", "content": deep})
    while deep:  # freed step by step: the interpreter would go as deep
        deep = deep[0]


@pytest.mark.parametrize("streams", [True, False])
def test_how_an_answer_comes_is_no_option(streams: bool) -> None:
    with pytest.raises(InputError, match=r"gt\.stream"):
        body(options={"stream": streams})
