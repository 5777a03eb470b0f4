"""What a parameter's type allows, for those who show it: a command's help, a form, a page."""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gen_toolkit.secret import Secret

_SIGNS = (("ge", ">="), ("gt", ">"), ("le", "<="), ("lt", "<"), ("multiple_of", "a multiple of"))


@dataclass(frozen=True)
class Shape:
    """A type taken apart: the type itself, whether None is allowed, and its bounds."""

    base: Any
    """Without bounds and None; a union of several types stays one."""
    optional: bool
    bounds: dict[str, Any]
    """Of `ge`, `gt`, `le`, `lt`, `multiple_of`, `min_length` and `max_length` those that are set."""

    @property
    def choices(self) -> list[Any] | None:
        """The values it can have, where those are named: of a Literal or an Enum."""
        if isinstance(self.base, enum.EnumMeta):
            return list(self.base)
        if typing.get_origin(self.base) is typing.Literal:
            return list(typing.get_args(self.base))
        return None


def shape_of(kind: Any) -> Shape:
    bounds: dict[str, Any] = {}
    optional = False
    while True:
        if typing.get_origin(kind) is typing.Annotated:
            kind, *metadata = typing.get_args(kind)
            bounds |= {name: value for each in metadata for name, value in _bounds(each)}
        elif type(None) in (parts := _union(kind)) and len(parts) > 1:
            optional = True
            kind = typing.Union[tuple(part for part in parts if part is not type(None))]  # noqa: UP007 - at run time
        else:
            return Shape(kind, optional, bounds)


def _union(kind: Any) -> tuple[Any, ...]:
    return typing.get_args(kind) if typing.get_origin(kind) in (typing.Union, types.UnionType) else (kind,)


def _bounds(metadata: Any) -> Iterator[tuple[str, Any]]:
    import annotated_types

    each = list(metadata) if isinstance(metadata, annotated_types.GroupedMetadata) else [metadata]
    for bound in each:
        for name in ("ge", "gt", "le", "lt", "multiple_of", "min_length", "max_length"):
            if isinstance(bound, annotated_types.BaseMetadata) and getattr(bound, name, None) is not None:
                yield name, getattr(bound, name)


def described(kind: Any) -> str:
    """A type in the words of a help: `int >= 1 and <= 100`, `fast | careful`, `date | null`."""
    shape = shape_of(kind)
    allowed = " | ".join(map(_name, _union(shape.base)))
    limits = [f"{sign} {_plain(shape.bounds[name])}" for name, sign in _SIGNS if name in shape.bounds]
    least, most = shape.bounds.get("min_length"), shape.bounds.get("max_length")
    if least or most is not None:
        unit = "characters" if shape.base is str else "items"
        limits.append(f"of {least or 0} to {most} {unit}" if most is not None else f"of {least} {unit} or more")
    return f"{allowed} {' and '.join(limits)}".rstrip() + (" | null" if shape.optional else "")


def _name(kind: Any) -> str:
    if kind is Secret:
        return "secret: env:NAME or file:/path"
    if typing.get_origin(kind) is typing.Annotated:
        return described(kind)
    if (choices := Shape(kind, False, {}).choices) is not None:
        return " | ".join(each.name if isinstance(each, enum.Enum) else _plain(each) for each in choices)
    if typing.get_origin(kind) in (list, dict):
        return f"{typing.get_origin(kind).__name__} of {' to '.join(map(described, typing.get_args(kind)))}"
    return str(getattr(kind, "__name__", kind))


def _plain(value: Any) -> str:
    return "null" if value is None else str(value)
