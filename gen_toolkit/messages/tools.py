"""What may be given as `tools=`: functions, and dicts in the form of the API."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gen_toolkit import text
from gen_toolkit.errors import PromptError
from gen_toolkit.messages.faults import schema_fault
from gen_toolkit.messages.function import signature_of
from gen_toolkit.messages.tool import Tool, check_name

_HOLDS = {"name", "description", "parameters", "strict"}
_NO_PARAMETERS = {"type": "object", "properties": {}}


def tools_of(given: Any) -> tuple[Tool, ...]:
    """The tools that `tools=` means. Raises PromptError for what is none, and for two of one name."""
    if given is None:
        return ()
    if isinstance(given, str | Mapping) or not isinstance(given, Sequence):
        raise PromptError(f"tools={text.one_line(repr(given), 60)} is no list", fix="Write tools=[function, …].")
    tools = tuple(_tool(each) for each in given)
    names = [tool.name for tool in tools]
    for name in names:
        if names.count(name) > 1:
            raise PromptError(f"there are {names.count(name)} tools {name!r}", fix="Give each a name of its own.")
    return tools


def _tool(given: Any) -> Tool:
    if isinstance(given, Tool):
        return given
    return _from_dict(given) if isinstance(given, Mapping) else signature_of(given).tool


def _from_dict(given: Mapping[str, Any]) -> Tool:
    """`{"type": "function", "function": {"name": …, "description": …, "parameters": JSON Schema}}`."""
    told = given.get("function")
    if set(given) != {"type", "function"} or given["type"] != "function" or not isinstance(told, Mapping):
        raise PromptError(
            f"{text.one_line(repr(dict(given)), 80)} is no tool",
            fix='Give a function, or {"type": "function", "function": {"name": …, "parameters": …}}.',
        )
    check_name(told.get("name"))
    if fault := _fault(told):
        raise PromptError(f"tool {told['name']!r}: {fault}", fix="Correct it, or give a function.")
    parameters = json.loads(json.dumps(told.get("parameters", _NO_PARAMETERS)))
    return Tool(told["name"], told.get("description", ""), parameters, told.get("strict"))


def _fault(told: Mapping[str, Any]) -> str | None:
    if strange := set(told) - _HOLDS:
        return f"it may hold {', '.join(sorted(_HOLDS))}, and holds {', '.join(map(repr, strange))}"
    if not isinstance(told.get("description", ""), str) or told.get("strict") not in (None, True, False):
        return "its description is no text, or strict is neither true nor false"
    parameters = told.get("parameters", _NO_PARAMETERS)
    if not isinstance(parameters, Mapping) or parameters.get("type") != "object":
        return "its parameters are no JSON Schema of an object"
    try:
        json.dumps(parameters, allow_nan=False)
    except (TypeError, ValueError) as error:
        return f"its parameters are no plain data ({error})"
    fault = schema_fault(parameters)
    return f"its parameters are no JSON Schema ({fault})" if fault else None
