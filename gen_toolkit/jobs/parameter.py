"""A parameter: its name, type, default and description; and all of a notebook's. Plain data that checks values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gen_toolkit.errors import InputError, ParameterError, nearest
from gen_toolkit.jobs.values import adapter, as_json, source_of, validated
from gen_toolkit.secret import Secret


@dataclass(frozen=True)
class Parameter:
    """One parameter of a notebook."""

    name: str
    type: Any
    annotation: str
    default: Any
    description: str = ""

    def check(self, value: Any, *, from_text: bool = False, strict: bool = False) -> Any:
        """`value` as this parameter's type: read from what a command line gave, or taken as it is (`strict`)."""
        from pydantic import ValidationError

        fix = f"It is declared as {self.annotation}."
        try:
            checked = validated(self.type, value, from_text=from_text, strict=strict)
            source_of(checked)  # what cannot be written into a cell is refused here, before anything starts
            json.dumps(as_json(checked), ensure_ascii=False).encode("utf-8")  # nor what no record could hold
        except ValidationError as error:
            said = error.errors()[0]
            where = ".".join(str(part) for part in said["loc"])
            raise ParameterError(
                f"parameter {self.name}: {said['msg'][:1].lower()}{said['msg'][1:]}{where and f' (at {where})'}; "
                f"it was {_shown(value)}",
                fix=fix,
                parameter=self.name,
            ) from None
        except InputError as error:
            raise ParameterError(
                f"parameter {self.name}: {error.message}", fix=error.fix or fix, parameter=self.name
            ) from None
        except UnicodeEncodeError:
            raise ParameterError(
                f"parameter {self.name}: it holds half a character",
                fix="Give a text that is UTF-8.",
                parameter=self.name,
            ) from None
        except TypeError as error:  # a bound that the type cannot be compared with
            raise ParameterError(f"parameter {self.name}: {error}", fix=fix, parameter=self.name) from None
        return checked


def _shown(value: Any) -> str:
    try:
        return repr(str(value)[:60])
    except ValueError:  # of more digits than Python writes
        return "a very large number"


@dataclass(frozen=True)
class Parameters:
    """All parameters of a notebook, in order."""

    items: tuple[Parameter, ...]

    def values(self, given: Mapping[str, Any], *, from_text: bool = False) -> dict[str, Any]:
        """Defaults with what is given, every value of its declared type. Raises ParameterError."""
        known = {item.name: item for item in self.items}
        for name in given:
            if name not in known:
                raise ParameterError(
                    f"there is no parameter {name!r}; there are: {', '.join(known) or 'none'}",
                    fix=nearest(name, known) or "Leave it out.",
                    parameter=name,
                )
        return {
            name: item.check(given[name], from_text=from_text) if name in given else item.default
            for name, item in known.items()
        }

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema of the whole set: part of the release, and what forms and validators read."""
        properties: dict[str, Any] = {}
        definitions: dict[str, Any] = {}
        for item in self.items:
            shape: dict[str, Any] = {"type": "string"} if item.type is Secret else adapter(item.type).json_schema()
            definitions |= shape.pop("$defs", {})  # a reference in it counts from the root
            described = {"description": item.description} if item.description else {}
            properties[item.name] = {**shape, "default": as_json(item.default), **described}
        schema = {"type": "object", "properties": properties, "additionalProperties": False}
        return {**schema, "$defs": definitions} if definitions else schema
