"""A function as a tool: what a model is told of it, and how the arguments it writes are checked. It is never run."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from gen_toolkit import text
from gen_toolkit.errors import PromptError
from gen_toolkit.messages.docstring import read_docstring
from gen_toolkit.messages.faults import fault_of
from gen_toolkit.messages.tool import Tool, ToolCall, check_name


@dataclass(frozen=True)
class Signature:
    """A function's parameters, as a model is told of them and as its arguments are checked."""

    tool: Tool
    names: tuple[str, ...]
    arguments: Any
    """A pydantic model; its fields are numbered, so that a parameter may have any name."""

    def checked(self, call: ToolCall) -> dict[str, Any]:
        """See ToolCall.checked."""
        from pydantic import ValidationError

        try:
            found = self.arguments.model_validate_json(call.written or "{}")
        except ValidationError as error:
            raise call.mismatch(fault_of(error)) from None
        fields = {_field(number): name for number, name in enumerate(self.names)}
        return {name: getattr(found, field) for field, name in fields.items() if field in found.model_fields_set}


def signature_of(function: Callable[..., Any]) -> Signature:
    """What a model is told of a function. Raises PromptError naming the parameter that it cannot be told of."""
    if not inspect.isroutine(function):
        raise PromptError(f"{text.one_line(repr(function), 60)} is no function", fix="Give a function as the tool.")
    return _signature(function)


@lru_cache(256)
def _signature(function: Callable[..., Any]) -> Signature:
    from pydantic import ConfigDict, Field, create_model
    from pydantic.json_schema import GenerateJsonSchema

    class Schema(GenerateJsonSchema):
        """Without what says nothing: titles, and defaults that JSON cannot hold."""

        ignored_warning_kinds = GenerateJsonSchema.ignored_warning_kinds | {"non-serializable-default"}

        def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's own signature
            return False

    name = function.__name__
    check_name(name)
    about, described = read_docstring(inspect.getdoc(function))
    hints = _hints(function)
    fields: dict[str, Any] = {}
    for number, (parameter, its) in enumerate(hints.items()):
        _check(its.hint, name, parameter)
        hint = _described(its.hint, described.get(parameter))
        default = ... if its.default is inspect.Parameter.empty else its.default
        fields[_field(number)] = (hint, Field(default, alias=parameter))
    arguments = create_model(name, __config__=ConfigDict(extra="forbid"), **fields)
    schema = arguments.model_json_schema(schema_generator=Schema)
    del schema["title"]
    return Signature(Tool(name, about, schema), tuple(hints), arguments)


@dataclass(frozen=True)
class _Parameter:
    hint: Any
    default: Any


def _hints(function: Callable[..., Any]) -> dict[str, _Parameter]:
    """Type and default of each parameter, all of which must be given by name."""
    name = function.__name__
    try:
        hints, parameters = get_type_hints(function, include_extras=True), inspect.signature(function).parameters
    except (NameError, AttributeError, SyntaxError, TypeError, ValueError) as error:
        raise PromptError(
            f"tool {name!r}: its annotations cannot be read ({error})",
            fix="Define the types where the module can see them.",
        ) from None
    found = {}
    for parameter in parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise PromptError(
                f"tool {name!r}: a model cannot give {str(parameter.replace(annotation=parameter.empty))!r} by name",
                fix="Name each parameter, without * and /.",
                parameter=parameter.name,
            )
        if parameter.name not in hints:
            raise PromptError(
                f"tool {name!r}: parameter {parameter.name!r} has no type",
                fix=f"Annotate it: {parameter.name}: str.",
                parameter=parameter.name,
            )
        found[parameter.name] = _Parameter(hints[parameter.name], parameter.default)
    return found


def _check(hint: Any, name: str, parameter: str) -> None:
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticUserError

    try:
        TypeAdapter(hint).json_schema()
    except (PydanticUserError, TypeError) as error:
        raise PromptError(
            f"tool {name!r}: parameter {parameter!r} has a type that JSON cannot hold ({type(error).__name__})",
            fix="Use texts, numbers, lists, dicts, enums, dates or pydantic models.",
            parameter=parameter,
        ) from None


def _described(hint: Any, said: str | None) -> Any:
    """The hint with what the docstring says; an own `Field(description=…)` comes later, and wins."""
    from pydantic import Field

    if not said:
        return hint
    if get_origin(hint) is Annotated:
        kind, *more = get_args(hint)
        return Annotated[(kind, Field(description=said), *more)]
    return Annotated[hint, Field(description=said)]


def _field(number: int) -> str:
    return f"p{number}"
