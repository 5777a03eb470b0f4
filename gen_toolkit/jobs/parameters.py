"""The parameters cell: read with `ast`, never executed; values checked against its types.

Allowed: imports from typing, datetime, pathlib, enum, annotated_types and `from gen_toolkit import
Secret`; Enum classes with literal members; and lines `name: annotation = value  # description`. The
annotation may be left out where the literal tells the type.
"""

from __future__ import annotations

import ast
import datetime
import enum
import io
import json
import keyword
import math
import pathlib
import tokenize
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gen_toolkit.errors import ParameterError, nearest
from gen_toolkit.secret import Secret

_MODULES = {"typing", "datetime", "pathlib", "enum", "annotated_types"}
_CALLS: dict[str, Any] = {
    "date": datetime.date,
    "datetime": datetime.datetime,
    "timedelta": datetime.timedelta,
    "Path": pathlib.Path,
    "Secret": Secret,
}
_NAMES: dict[str, Any] = {
    **{t.__name__: t for t in (int, float, bool, str, list, dict)},
    **_CALLS,
    **{n: getattr(typing, n) for n in ("Literal", "Annotated", "Optional", "Union", "Any", "List", "Dict")},
}
_FORM = "Write lines of the form: name: type = value  # description. See docs/parameters.md."


@dataclass(frozen=True)
class Parameter:
    """One parameter of a notebook."""

    name: str
    type: Any
    annotation: str
    default: Any
    description: str = ""

    def check(self, value: Any, *, from_text: bool = False) -> Any:
        """`value` as this parameter's type. With `from_text` it is what a command line gave."""
        from pydantic import ValidationError

        try:
            return _validated(self.type, value, from_text)
        except ValidationError as error:
            said = error.errors()[0]
            where = ".".join(str(part) for part in said["loc"])
            raise ParameterError(
                f"parameter {self.name}: {said['msg'][:1].lower()}{said['msg'][1:]}{where and f' (at {where})'}; "
                f"it was {str(value)[:60]!r}",
                fix=f"It is declared as {self.annotation}.",
                parameter=self.name,
            ) from None


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
        from pydantic import TypeAdapter

        properties = {}
        for item in self.items:
            shape = {"type": "string"} if item.type is Secret else TypeAdapter(item.type).json_schema()
            described = {"description": item.description} if item.description else {}
            properties[item.name] = {**shape, "default": as_json(item.default), **described}
        return {"type": "object", "properties": properties, "additionalProperties": False}


def read_parameters(source: str) -> Parameters:
    """The parameters that a cell declares. Raises ParameterError naming the line."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise ParameterError(
            f"the parameters cell cannot be parsed, line {error.lineno}: {error.msg}",
            fix=_FORM,
            line=error.lineno,
        ) from None
    comments = _comments(source)
    names = dict(_NAMES)
    items: list[Parameter] = []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            _allow_import(node)
        elif isinstance(node, ast.ClassDef):
            names[node.name] = _enum_class(node, names)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            continue  # a docstring
        else:
            item = _parameter(node, names, comments)
            if item.name in {known.name for known in items}:
                raise _refused(node, f"parameter {item.name!r} stands twice")
            items.append(item)
    return Parameters(tuple(items))


def _parameter(node: ast.stmt, names: Mapping[str, Any], comments: Mapping[int, str]) -> Parameter:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        name, annotation = node.target.id, ast.unparse(node.annotation)
        kind = _type(node.annotation, names)
        default = _value(node.value, names)
    elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        name, default = node.targets[0].id, _value(node.value, names)
        if default is None or isinstance(default, enum.Enum):
            raise _refused(node, f"parameter {name!r} needs an annotation: its value does not tell the type")
        kind = type(default) if not isinstance(default, pathlib.Path) else pathlib.Path
        annotation = kind.__name__
    else:
        raise _refused(node, "this is no parameter")
    if name.startswith("_") or keyword.iskeyword(name):
        raise _refused(node, f"{name!r} cannot be the name of a parameter")
    item = Parameter(name, kind, annotation, default, comments.get(node.end_lineno or node.lineno, ""))
    return Parameter(name, kind, annotation, item.check(default), item.description)


def _refused(node: ast.AST, what: str) -> ParameterError:
    line = getattr(node, "lineno", 0)
    return ParameterError(f"parameters cell, line {line}: {what}", fix=_FORM, line=line)


def _allow_import(node: ast.ImportFrom) -> None:
    names = {alias.name for alias in node.names}
    if node.level or (node.module not in _MODULES and not (node.module == "gen_toolkit" and names == {"Secret"})):
        raise _refused(node, f"an import from {node.module} is not allowed here")
    if any(alias.asname for alias in node.names):
        raise _refused(node, "an import under another name is not allowed here")


def _enum_class(node: ast.ClassDef, names: Mapping[str, Any]) -> Any:
    bases = {ast.unparse(base) for base in node.bases}
    if not bases & {"Enum", "StrEnum", "enum.Enum"} or node.decorator_list or node.keywords:
        raise _refused(node, f"class {node.name} is no Enum")
    members = {}
    for line in node.body:
        if isinstance(line, ast.Assign) and len(line.targets) == 1 and isinstance(line.targets[0], ast.Name):
            members[line.targets[0].id] = _value(line.value, names)
        elif not (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)) and not isinstance(
            line, ast.Pass
        ):
            raise _refused(line, f"class {node.name} may hold members with literal values only")
    return enum.Enum(node.name, members)


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """The value of a literal, of an Enum's member, or of an allowed call with literals."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
        arguments = [_value(argument, names) for argument in node.args]
        keywords = {k.arg: _value(k.value, names) for k in node.keywords if k.arg}
        try:
            return _CALLS[node.func.id](*arguments, **keywords)
        except (TypeError, ValueError, OverflowError) as error:
            raise _refused(node, f"{ast.unparse(node)} has no value: {error}") from None
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        members = getattr(names.get(node.value.id), "__members__", {})
        if node.attr in members:
            return members[node.attr]
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise _refused(node, f"{ast.unparse(node)[:60]} is an expression, not a literal") from None


def _type(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """The type an annotation names; only known names, subscripts and unions."""
    match node:
        case ast.Constant(value=None):
            return None
        case ast.Constant(value=str(text)):
            return _type(ast.parse(text, mode="eval").body, names)
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return typing.Union[_type(left, names), _type(right, names)]  # noqa: UP007 - made at run time
        case ast.Subscript(value=ast.Name(id="Literal"), slice=inner):
            values = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return typing.Literal[tuple(_value(value, names) for value in values)]
        case ast.Subscript(value=ast.Name(id="Annotated"), slice=ast.Tuple(elts=[kind, *bounds])):
            return typing.Annotated[(_type(kind, names), *(_bound(bound, names) for bound in bounds))]
        case ast.Subscript(value=outer, slice=inner):
            parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return _type(outer, names)[tuple(_type(part, names) for part in parts)]
    raise _refused(node, f"the type {ast.unparse(node)[:60]} is not known here")


def _bound(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """A constraint of annotated_types: Ge(0), Interval(ge=0, le=1), …"""
    import annotated_types

    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        kind = getattr(annotated_types, node.func.id, None)
        if isinstance(kind, type):
            keywords = {k.arg: _value(k.value, names) for k in node.keywords if k.arg}
            return kind(*[_value(argument, names) for argument in node.args], **keywords)
    if isinstance(node, ast.Constant):
        return node.value  # a note for the reader
    raise _refused(node, f"{ast.unparse(node)[:60]} is no bound of annotated_types")


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {t.start[0]: t.string.lstrip("# ").strip() for t in tokens if t.type == tokenize.COMMENT}


def _validated(kind: Any, value: Any, from_text: bool) -> Any:
    from pydantic import ConfigDict, TypeAdapter

    if kind is Secret:
        return value if isinstance(value, Secret) else Secret(str(value))
    if isinstance(kind, enum.EnumMeta) and isinstance(value, str) and value in kind.__members__:
        return kind[value]
    configuration = None if isinstance(kind, type) and hasattr(kind, "__members__") else ConfigDict(allow_inf_nan=False)
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(kind, config=configuration)
    except Exception:  # noqa: BLE001 - pydantic refuses a configuration for types that carry their own
        adapter = TypeAdapter(kind)
    if not from_text or not isinstance(value, str):
        return adapter.validate_python(value)
    return adapter.validate_python(_decoded(kind, value))


def _decoded(kind: Any, text: str) -> Any:
    """Text from a command line: itself where a text is declared, JSON where a list, dict or None may be."""
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        return _decoded(typing.get_args(kind)[0], text)
    options = typing.get_args(kind) if origin in (typing.Union, types.UnionType) else (kind,)
    if type(None) in options and text in {"null", "None", "none"}:
        return None
    if str in options:
        return text
    if any(option in (list, dict) or typing.get_origin(option) in (list, dict) for option in options):
        try:
            return json.loads(text)
        except ValueError:
            return text  # the type's own message says what is wrong
    if origin is typing.Literal:
        return next((value for value in typing.get_args(kind) if str(value) == text), text)
    return text


def injected_source(values: Mapping[str, Any]) -> str:
    """The cell that sets validated values: only their `repr`, so nothing in them is ever code."""
    return "# Parameters\n" + "".join(f"{name} = {_repr(name, value)}\n" for name, value in values.items())


def _repr(name: str, value: Any) -> str:
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, pathlib.PurePath):
        return f"Path({str(value)!r})"
    if isinstance(value, datetime.date | datetime.timedelta):
        return repr(value).removeprefix("datetime.").replace("tzinfo=datetime.", "tzinfo=")
    if isinstance(value, float) and not math.isfinite(value):
        raise ParameterError(f"parameter {name}: {value} is no number", fix="Give a finite number.", parameter=name)
    return repr(value)


def as_json(value: Any) -> Any:
    """A parameter's value as plain data; a secret as its reference."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Secret):
        return value.reference
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, pathlib.PurePath):
        return str(value)
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    return value
