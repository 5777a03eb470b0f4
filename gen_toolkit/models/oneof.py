"""Tools for a model that has been taught none: it answers by a schema that is one call, or one answer. Pure.

{"name": "weather", "arguments": {"city": "Oslo"}}     or     {"answer": "It is cold."}
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gen_toolkit.errors import InputError
from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Request
from gen_toolkit.messages.tool import Tool, ToolCall
from gen_toolkit.models import answer, wire


def offered(request: Request) -> tuple[Tool, ...]:
    """The tools that may be called, as the option `tool_choice` says: all, none, or one by its name."""
    choice = request.options.get("tool_choice")
    if choice == "none":
        return ()
    if not isinstance(choice, Mapping):
        return request.tools
    wanted = choice.get("function", choice)
    name = wanted.get("name") if isinstance(wanted, Mapping) else None
    found = tuple(tool for tool in request.tools if tool.name == name)
    if not found:
        raise InputError(
            f"tool_choice names {name!r}, which is none of the tools", fix="Name one of the functions in tools=[…]."
        )
    return found


def oneof_schema(request: Request, tools: Sequence[Tool]) -> dict[str, Any]:
    """The schema of an answer: a call of one of the tools or, unless a call is asked for, an answer of the model's."""
    definitions: dict[str, Any] = {}
    branches = [_closed(name={"const": tool.name}, arguments=_moved(tool, definitions)) for tool in tools]
    if request.options.get("tool_choice") in (None, "auto"):
        output: dict[str, Any] = request.output.schema if request.output else {"type": "string"}
        definitions |= output.get("$defs", {})
        branches.append(_closed(answer={name: part for name, part in output.items() if name != "$defs"}))
    return {"oneOf": branches, **({"$defs": definitions} if definitions else {})}


def told(messages: Sequence[Mapping[str, Any]], tools: Sequence[Tool]) -> list[dict[str, Any]]:
    """The messages with what can be called in front, and earlier calls and their results as plain turns."""
    functions = json.dumps([tool.to_json() for tool in tools], ensure_ascii=False)
    return wire.told(
        [_plain(message) for message in messages],
        f"You can call these functions: {functions}\n"
        'To call one, answer {"name": its name, "arguments": {…}}. To answer yourself, answer {"answer": …}.',
    )


def picked(request: Request, reply: Reply) -> Reply:
    """The reply that was meant: a call, or an answer. Raises BadReply where the output ended before either did."""
    try:
        said = json.loads(reply.text)
        call = ToolCall("call-1", str(said["name"]), json.dumps(said["arguments"])) if "name" in said else None
        text = "" if call else said["answer"]
    except (ValueError, TypeError, KeyError, RecursionError):
        fix = "Allow more output: raise max_tokens." if reply.finish_reason == "length" else None
        raise answer.bad(request, "an unfinished call of a tool", final=True, billed=None, fix=fix) from None
    text = text if isinstance(text, str) else json.dumps(text)
    if call is not None:
        reply = replace(reply, finish_reason="tool_calls", tool_calls=(call,))
    return replace(reply, text=text, value=text, pieces=(len(text),) if text else ())


def _closed(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _moved(tool: Tool, definitions: dict[str, Any]) -> Any:
    """The parameters of a tool, its definitions at the root under names of its own: references start there."""

    def rewritten(schema: Any) -> Any:
        if isinstance(schema, list):
            return [rewritten(each) for each in schema]
        if not isinstance(schema, Mapping):
            return schema
        found = {name: rewritten(inner) for name, inner in schema.items() if name != "$defs"}
        reference = found.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/$defs/"):
            found["$ref"] = f"#/$defs/{tool.name}.{reference.removeprefix('#/$defs/')}"
        return found

    for name, schema in tool.parameters.get("$defs", {}).items():
        definitions[f"{tool.name}.{name}"] = rewritten(schema)
    return rewritten(tool.parameters)


def _plain(message: Mapping[str, Any]) -> dict[str, Any]:
    """A turn in the form that the model itself would write, or read."""
    if message.get("role") == "tool":
        return {"role": "user", "content": f"The function answered: {answer.content_text(message.get('content'))}"}
    calls = message.get("tool_calls")
    if not isinstance(calls, list) or not calls:
        return dict(message)
    return {"role": "assistant", "content": "\n".join(_written(call.get("function", {})) for call in calls)}


def _written(function: Mapping[str, Any]) -> str:
    try:
        arguments = json.loads(function.get("arguments") or "{}")
    except ValueError:
        arguments = function.get("arguments")
    return json.dumps({"name": function.get("name"), "arguments": arguments})
