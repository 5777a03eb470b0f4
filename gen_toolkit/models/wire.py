"""A request as it stands on the wire of an OpenAI-compatible server. No input, no output.

What comes back: answer.py, of a stream deltas.py, of a request for vectors embedding.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gen_toolkit.errors import InputError
from gen_toolkit.json_text import writer
from gen_toolkit.messages.request import Request
from gen_toolkit.messages.tool import Tool
from gen_toolkit.models.strict import is_strict, strict_form
from gen_toolkit.text import one_line

_MOST_LOGPROBS = 20  # the API's limit


def chat_body(request: Request, structured: str = "schema") -> dict[str, Any]:
    """The body of a request to /chat/completions. `structured` is the alias's way to hold a server to an output."""
    body = payload(request)
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if request.output is None or request.choose:
        return body
    if structured == "schema":
        body["response_format"] = schema_format(request)
        return body
    if structured == "json":
        body["response_format"] = {"type": "json_object"}
    body["messages"] = told(body["messages"], _instruction(request, bare_labels=structured == "prompt"))
    return body


def payload(request: Request, *, most_logprobs: int = _MOST_LOGPROBS) -> dict[str, Any]:
    """Messages, model and options as they are; for `choose` one token and its rivals."""
    if "stream" in request.options:
        raise InputError(
            "the option stream decides how an answer comes, not what it is", fix="Leave it out, and call gt.stream."
        )
    body: dict[str, Any] = {"messages": [dict(m) for m in request.messages], "model": request.model, **request.options}
    if request.choose:
        bound = "max_completion_tokens" if "max_completion_tokens" in request.options else "max_tokens"
        body.update({"logprobs": True, "top_logprobs": most_logprobs, bound: 1})
    return body


def schema_format(request: Request) -> dict[str, Any] | None:
    """`response_format` for servers that decode by a schema: strict where it has a strict form."""
    if request.output is None or request.choose:
        return None
    schema = _rooted(request)
    strict = strict_form(schema) if request.output.kind is not None else schema if is_strict(schema) else None
    said = (
        {"name": "output", "schema": schema} if strict is None else {"name": "output", "strict": True, "schema": strict}
    )
    return {"type": "json_schema", "json_schema": said}


_sendable = writer(allow_nan=False, compact=True)


def encode(body: Mapping[str, Any]) -> bytes:
    """JSON. Raises InputError where a message holds what JSON cannot."""
    try:
        return _sendable(body).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"a message holds what cannot be sent as JSON: {one_line(error)}",
            fix="Give texts, numbers, lists and dicts; a picture as a data: address.",
        ) from None


def _rooted(request: Request) -> dict[str, Any]:
    """The declared schema with an object at its root, which servers want: labels and lists are wrapped."""
    output = request.output
    assert output is not None
    if output.is_object:
        return output.schema
    inner = {name: part for name, part in output.schema.items() if name != "$defs"}
    return {
        "type": "object",
        "properties": {"value": inner},
        "required": ["value"],
        "additionalProperties": False,
        **{name: part for name, part in output.schema.items() if name == "$defs"},  # references start at the root
    }


def _tool(tool: Tool) -> dict[str, Any]:
    """Strict only where its parameters are so by themselves: one that may be left out has no strict form."""
    function = tool.to_json()
    return {"type": "function", "function": function | ({"strict": True} if is_strict(tool.parameters) else {})}


def _instruction(request: Request, *, bare_labels: bool) -> str:
    output = request.output
    assert output is not None
    if output.labels and bare_labels:
        labels = ", ".join(json.dumps(label, ensure_ascii=False) for label in output.labels)
        return f"Answer with one of these, as it stands here without the quotes, and with nothing else: {labels}"
    schema = json.dumps(_rooted(request), ensure_ascii=False)
    return f"Answer in JSON, with nothing before or after it. The answer must fit this JSON Schema:\n{schema}"


def told(messages: list[dict[str, Any]], instruction: str) -> list[dict[str, Any]]:
    """The messages with the instruction in the system message: some servers take only one, and only in front."""
    first = messages[0] if messages else {}
    if first.get("role") not in {"system", "developer"}:
        return [{"role": "system", "content": instruction}, *messages]
    said = first.get("content")
    parts = [*said, {"type": "text", "text": instruction}] if isinstance(said, list) else None
    return [{**first, "content": parts or (f"{said}\n\n{instruction}" if said else instruction)}, *messages[1:]]
