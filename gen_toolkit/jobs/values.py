"""Values of parameters: checked against a type, read from text, written as source, told as JSON."""

from __future__ import annotations

import datetime
import enum
import json
import math
import pathlib
import types
import typing
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gen_toolkit.errors import ParameterError
from gen_toolkit.secret import Secret

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_MOST_BITS = 14_000  # about 4,200 digits: Python neither prints nor reads more


def validated(kind: Any, value: Any, *, from_text: bool = False, strict: bool = False) -> Any:
    """`value` as `kind`. Strictly it must be one already, so that a job sees what the notebook sees."""
    if kind is Secret:
        if strict and not isinstance(value, Secret):
            raise ParameterError("a text is no Secret", fix='Write Secret("env:NAME") or Secret("file:/path").')
        return value if isinstance(value, Secret) else Secret(str(value))
    if isinstance(value, str) and not strict:
        value = _decoded(kind, value) if from_text else _member(_options(kind), value)
    return adapter(kind).validate_python(value, strict=strict)


def adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import ConfigDict, TypeAdapter

    return TypeAdapter(kind, config=ConfigDict(allow_inf_nan=False))


def _options(kind: Any) -> list[Any]:
    """What a value may be: the parts of a union, without their bounds."""
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        return _options(typing.get_args(kind)[0])
    if origin in (typing.Union, types.UnionType):
        return [option for part in typing.get_args(kind) for option in _options(part)]
    return [kind]


def _decoded(kind: Any, text: str) -> Any:
    """Text from a command line: itself where a text is declared, JSON where a list, a dict or anything may be."""
    options = _options(kind)
    if type(None) in options and text in {"null", "None", "none"}:
        return None
    if str in options:
        return text
    if Any in options:
        return _json(text)
    if any(option in (list, dict) or typing.get_origin(option) in (list, dict) for option in options):
        return _json(text)
    return _member(options, text)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text  # the type's own message says what is wrong


def _member(options: list[Any], text: str) -> Any:
    """What a text names among the values of a Literal, or the members of an Enum, by name or value."""
    for option in options:
        if isinstance(option, enum.EnumMeta):
            members: Mapping[str, enum.Enum] = option.__members__
            by_value = {str(member.value): member for member in members.values()}
            if text in members or text in by_value:
                return members.get(text) or by_value[text]
        for value in typing.get_args(option) if typing.get_origin(option) is typing.Literal else ():
            if str(value) == text:
                return value
    return text


def injected_source(values: Mapping[str, Any]) -> str:
    """The cell that sets validated values: only their `repr`, so nothing in them is ever code."""
    return "# Parameters\n" + "".join(f"{name} = {source_of(value)}\n" for name, value in values.items())


def source_of(value: Any) -> str:
    """A value as Python writes it, with the names that a parameters cell imports. Raises ParameterError."""
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, pathlib.PurePath):
        return f"Path({str(value)!r})"
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return f"datetime.fromisoformat({value.isoformat()!r})"  # the zone's own name is not imported
    if isinstance(value, datetime.date | datetime.timedelta):
        return repr(value).removeprefix("datetime.")
    if isinstance(value, list):
        return f"[{', '.join(map(source_of, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{source_of(key)}: {source_of(item)}' for key, item in value.items())}}}"
    if isinstance(value, float) and not math.isfinite(value):
        raise ParameterError(f"{value} is no number", fix="Give a finite number.")
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        raise ParameterError("the number is too large to be written down", fix="Give a smaller one, or a text.")
    if value is None or isinstance(value, bool | int | float | str | Secret):
        return repr(value)
    raise ParameterError(f"a {type(value).__name__} cannot be a parameter's value", fix="Use a list, a dict or a text.")


def as_json(value: Any) -> Any:
    """A parameter's value as plain data; a secret as its reference."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Secret):
        return value.reference
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return str(adapter(datetime.timedelta).dump_python(value, mode="json"))  # ISO 8601, as its schema says
    if isinstance(value, pathlib.PurePath):
        return str(value)
    if isinstance(value, list):
        return [as_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    return value


def as_text(value: Any) -> str:
    """A parameter's value as `-p name=…` takes it: JSON where it is a list or a dict, the name of an Enum's member."""
    if isinstance(value, enum.Enum):
        return value.name
    plain = as_json(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
