"""Tools: the model says what it wants called, and nothing is ever run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal

import pytest
from hostile import CORPUS, strange_characters, strange_tags

import gen_toolkit as gt
from gen_toolkit import scope
from gen_toolkit.errors import OutputMismatch, PromptError

ran: list[str] = []


def get_weather(city: str, unit: Literal["C", "F"] = "C") -> str:
    """The weather in a city."""
    ran.append(city)
    return "fine"


def wants(*calls: dict[str, Any], text: str = "") -> gt.ScriptedModel:
    return gt.ScriptedModel([{"text": text, "tool_calls": list(calls)}])


CALL = {"name": "get_weather", "arguments": {"city": "Oslo"}}


def asked(model: gt.ScriptedModel, **more: Any) -> gt.Reply:
    return gt.chat("Weather?", model=model, tools=[get_weather], **more)


def awaited(model: gt.ScriptedModel, **more: Any) -> gt.Reply:
    return asyncio.run(gt.achat("Weather?", model=model, tools=[get_weather], **more))


def streamed(model: gt.ScriptedModel, **more: Any) -> gt.Reply:
    stream = gt.stream("Weather?", model=model, tools=[get_weather], **more)
    for _ in stream:
        pass
    assert stream.reply is not None
    return stream.reply


@pytest.mark.parametrize("ask", [asked, awaited, streamed])
def test_what_the_model_wants_called_is_returned_and_never_run(ask: Callable[..., gt.Reply]) -> None:
    model = wants(CALL)
    reply = ask(model, tool_choice="required")
    (call,) = reply.tool_calls
    assert (call.name, call.arguments, call.written) == ("get_weather", {"city": "Oslo"}, '{"city": "Oslo"}')
    assert call.checked(get_weather) == {"city": "Oslo"}
    assert ran == []
    (request,) = model.requests
    assert [tool.name for tool in request.tools] == ["get_weather"]
    assert request.options == {"tool_choice": "required"}


def test_the_next_question_holds_the_call_and_its_result() -> None:
    reply = asked(wants(CALL, CALL))
    first, second = reply.tool_calls
    model = gt.ScriptedModel("It is fine.")
    messages = [{"role": "user", "content": "Weather?"}, reply.message, first.result("fine"), second.result({"C": 3})]
    assert gt.chat(messages, model=model, tools=[get_weather]).text == "It is fine."
    sent = model.requests[0].messages
    assert sent[1]["content"] is None
    assert [call["id"] for call in sent[1]["tool_calls"]] == ["call-1", "call-2"]
    assert sent[2:] == (
        {"role": "tool", "tool_call_id": "call-1", "content": "fine"},
        {"role": "tool", "tool_call_id": "call-2", "content": '{"C":3}'},
    )


def test_a_call_of_a_tool_that_was_not_offered_is_kept_without_arguments() -> None:
    (call,) = asked(wants({"name": "rm_rf", "arguments": {"path": "/"}})).tool_calls
    assert (call.name, call.offered, call.arguments, call.written) == ("rm_rf", False, None, '{"path": "/"}')
    with pytest.raises(OutputMismatch, match="no such tool"):
        call.checked(get_weather)


def test_arguments_that_are_no_object_are_kept_as_they_were_written() -> None:
    (call,) = asked(wants({"name": "get_weather", "arguments": ["Oslo"]})).tool_calls
    assert (call.arguments, call.written) == (None, '["Oslo"]')


def test_a_declared_output_is_parsed_only_where_no_tool_is_called() -> None:
    called = asked(wants(CALL, text="let me see"), output=int)
    answered = asked(gt.ScriptedModel("7"), output=int)
    assert (called.value, called.text, len(called.tool_calls)) == (None, "let me see", 1)
    assert (answered.value, answered.tool_calls) == (7, ())


def test_tools_are_part_of_what_was_asked() -> None:
    model = wants(CALL)
    with scope.inside(mode="reuse", row=scope.Row("1")):
        first = asked(model)
    with scope.inside(mode="reuse", row=scope.Row("1")):
        again = asked(model)
    assert (again.source, again.tool_calls) == ("reuse", first.tool_calls)
    with scope.inside(mode="replay", row=scope.Row("1")), pytest.raises(gt.GenToolkitError, match="replay"):
        gt.chat("Weather?", model=model)


@pytest.mark.parametrize("tools", [[get_weather, get_weather], [lambda x: x], "get_weather", [3]])
def test_bad_tools_are_refused_before_the_call(tools: Any) -> None:
    model = gt.ScriptedModel("hi")
    with pytest.raises(PromptError):
        gt.chat("?", model=model, tools=tools)
    assert model.requests == []


@pytest.mark.parametrize("text", CORPUS, ids=ascii)
def test_calls_are_shown_and_never_obeyed(text: str) -> None:
    reply = asked(wants({"name": text, "arguments": {text: text}}, text=text))
    shown = reply._repr_mimebundle_()
    assert strange_tags(shown["text/html"]) == []
    assert strange_characters(shown["text/plain"]) == []
