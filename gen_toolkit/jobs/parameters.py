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
import keyword
import pathlib
import tokenize
import typing
from collections.abc import Mapping
from typing import Any

from gen_toolkit.errors import InputError, ParameterError
from gen_toolkit.jobs.parameter import Parameter as Parameter
from gen_toolkit.jobs.parameter import Parameters as Parameters
from gen_toolkit.jobs.values import adapter
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


def read_parameters(source: str) -> Parameters:
    """The parameters that a cell declares. Raises ParameterError naming the line."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        where = f", line {error.lineno}" if error.lineno else ""
        raise ParameterError(
            f"the parameters cell cannot be parsed{where}: {error.msg}", fix=_FORM, line=error.lineno
        ) from None
    except (ValueError, RecursionError, MemoryError) as error:
        why = "it holds half a character" if isinstance(error, ValueError) else "it is nested too deep"
        raise ParameterError(f"the parameters cell cannot be parsed: {why}", fix=_FORM) from None
    comments = _comments(source)
    names = dict(_NAMES)
    items: list[Parameter] = []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            _allow_import(node)
        elif isinstance(node, ast.ClassDef):
            if node.name in names:
                raise _refused(node, f"class {node.name} takes the name of something else")
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
        kind = _known_type(node.annotation, names)
        default = _value(node.value, names)
    elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        name, default = node.targets[0].id, _value(node.value, names)
        kind = pathlib.Path if isinstance(default, pathlib.Path) else type(default)
        if kind not in _NAMES.values():
            raise _refused(node, f"parameter {name!r} needs an annotation: its value does not tell the type")
        annotation = kind.__name__
    else:
        raise _refused(node, "this is no parameter")
    if name.startswith("_") or keyword.iskeyword(name):
        raise _refused(node, f"{name!r} cannot be the name of a parameter")
    if name in names:
        raise _refused(node, f"{name!r} cannot be both a parameter and a type")  # cells need the type
    item = Parameter(name, kind, annotation, default, comments.get(node.end_lineno or node.lineno, ""))
    try:
        default = item.check(default, strict=True)
    except ParameterError as error:
        raise _refused(node, error.message, error.fix) from None
    return Parameter(name, kind, annotation, default, item.description)


def _refused(node: ast.AST, what: str, fix: str = _FORM) -> ParameterError:
    line = getattr(node, "lineno", 0)
    return ParameterError(f"parameters cell, line {line}: {what}", fix=fix, line=line)


def _allow_import(node: ast.ImportFrom) -> None:
    names = {alias.name for alias in node.names}
    if node.level or (node.module not in _MODULES and not (node.module == "gen_toolkit" and names == {"Secret"})):
        raise _refused(node, f"an import from {node.module} is not allowed here")
    if any(alias.asname for alias in node.names):
        raise _refused(node, "an import under another name is not allowed here")


def _enum_class(node: ast.ClassDef, names: Mapping[str, Any]) -> Any:
    bases = {ast.unparse(base) for base in node.bases}
    enums = {"Enum", "StrEnum", "IntEnum"}
    if not bases & enums or bases - enums - {"str", "int"} or node.decorator_list or node.keywords:
        raise _refused(node, f"class {node.name} is no Enum")
    members = {}
    for line in node.body:
        if isinstance(line, ast.Assign) and len(line.targets) == 1 and isinstance(line.targets[0], ast.Name):
            members[line.targets[0].id] = _value(line.value, names)
        elif not (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)) and not isinstance(
            line, ast.Pass
        ):
            raise _refused(line, f"class {node.name} may hold members with literal values only")
    try:
        return enum.Enum(node.name, members)
    except (TypeError, ValueError) as error:
        raise _refused(node, f"class {node.name} is no Enum: {error}") from None


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """The value of a literal, of an Enum's member, or of an allowed call with literals."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
        arguments = [_value(argument, names) for argument in node.args]
        keywords = {k.arg: _value(k.value, names) for k in node.keywords if k.arg}
        try:
            return _CALLS[node.func.id](*arguments, **keywords)
        except InputError as error:
            raise _refused(node, error.message, error.fix) from None
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


def _known_type(node: ast.expr, names: Mapping[str, Any]) -> Any:
    try:
        kind = _type(node, names)
        if kind is not Secret:
            adapter(kind)
    except ParameterError:
        raise
    except Exception:  # noqa: BLE001 - typing and pydantic refuse a type in many ways
        raise _refused(node, f"the type {ast.unparse(node)[:60]} is not known here") from None
    return kind


def _type(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """The type an annotation names; only known names, subscripts and unions."""
    match node:
        case ast.Constant(value=None):
            return None
        case ast.Constant(value=str(text)):
            return _type(ast.parse(text, mode="eval").body, names)
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.BinOp(left=left, op=ast.BitOr(), right=right) if not (_is_quoted(left) or _is_quoted(right)):
            return typing.Union[_type(left, names), _type(right, names)]  # noqa: UP007 - made at run time
        case ast.Subscript(value=ast.Name(id="Literal"), slice=inner):
            values = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return typing.Literal[tuple(_value(value, names) for value in values)]
        case ast.Subscript(value=ast.Name(id="Annotated"), slice=ast.Tuple(elts=[kind, *bounds])):
            return typing.Annotated[(_type(kind, names), *(_bound(bound, names) for bound in bounds))]
        case ast.Subscript(value=outer, slice=inner):
            parts = [_type(part, names) for part in (inner.elts if isinstance(inner, ast.Tuple) else [inner])]
            return _type(outer, names)[tuple(parts) if len(parts) > 1 else parts[0]]
    raise _refused(node, f"the type {ast.unparse(node)[:60]} is not known here")


def _is_quoted(node: ast.expr) -> bool:
    """Python itself knows no `|` between a text and a type."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


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
