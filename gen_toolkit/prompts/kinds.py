"""Types of a prompt's variables, as front matter writes them: `str`, `list[str]`, `int | None`, `Literal['a', 'b']`."""

from __future__ import annotations

import ast
import types
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from gen_toolkit.errors import PromptError

_PLAIN: dict[str, Any] = {
    "str": str,
    "int": Integral,
    "float": Real,
    "bool": bool,
    "list": list | tuple,
    "dict": dict,
    "any": object,
}


@dataclass(frozen=True)
class Kind:
    """A type. `name` is one of the plain ones, `Literal` or `|`; `inner` what stands in its brackets."""

    name: str
    inner: tuple[Kind, ...] = ()
    literals: tuple[Any, ...] = ()

    @classmethod
    def of(cls, declared: Any) -> Kind:
        """From its text, or from a Python type. Raises PromptError where it is none of ours."""
        said = declared if isinstance(declared, str) else _spelled(declared)
        try:
            return _read(ast.parse(said.strip(), mode="eval").body)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise PromptError(
                f"{said!r} is no type of a variable",
                fix="Use str, int, float, bool, any, list[…], dict[str, …], Literal['a', 'b'] or … | None.",
            ) from None

    def fits(self, value: Any) -> bool:
        """Whether a value is of this type. Nothing is converted: `1` is no text, `True` is no number."""
        if self.name == "None":
            return value is None
        if self.name == "|":
            return any(kind.fits(value) for kind in self.inner)
        if self.name == "Literal":
            return any(type(value) is type(known) and value == known for known in self.literals)
        if self.name in {"int", "float"} and isinstance(value, bool):
            return False
        if not isinstance(value, _PLAIN[self.name]):
            return False
        if self.name == "list" and self.inner:
            return all(self.inner[0].fits(element) for element in value)
        if self.name == "dict" and self.inner:
            return all(isinstance(key, str) and self.inner[0].fits(element) for key, element in value.items())
        return True

    def sample(self, text: str = "sample") -> Any:
        """A value of this type, with `text` in every place that takes any text."""
        match self.name:
            case "Literal":
                return self.literals[0]
            case "|":
                likeliest = sorted(self.inner, key=lambda kind: (not kind.takes_text, kind.name == "None"))
                return likeliest[0].sample(text)
            case "list":
                return [(self.inner[0] if self.inner else Kind("str")).sample(text)]
            case "dict":
                return _Anything((self.inner[0] if self.inner else Kind("str")).sample(text))
        return {"int": 1, "float": 0.5, "bool": True, "None": None}.get(self.name, text)

    @property
    def takes_text(self) -> bool:
        """Whether a text of any content can stand somewhere in a value of this type."""
        if self.name in {"list", "dict"} and not self.inner:
            return True
        return self.name in {"str", "any"} or any(kind.takes_text for kind in self.inner)

    def __str__(self) -> str:
        if self.name == "|":
            return " | ".join(map(str, self.inner))
        if self.name == "Literal":
            return f"Literal[{', '.join(map(repr, self.literals))}]"
        if not self.inner:
            return self.name
        return f"{self.name}[{'str, ' if self.name == 'dict' else ''}{self.inner[0]}]"


class _Anything(dict[str, Any]):
    """A mapping that has every key."""

    def __init__(self, value: Any) -> None:
        super().__init__(name=value)
        self._value = value

    def __missing__(self, key: str) -> Any:
        return self._value


def _spelled(declared: Any) -> str:
    if isinstance(declared, type) and not isinstance(declared, types.GenericAlias):
        return declared.__name__
    return str(declared).replace("typing.", "")


def _read(node: ast.expr) -> Kind:
    match node:
        case ast.Constant(value=None):
            return Kind("None")
        case ast.Name(id="Any"):
            return Kind("any")
        case ast.Name(id=name) if name in _PLAIN:
            return Kind(name)
        case ast.BinOp(op=ast.BitOr()):
            either = [_read(side) for side in (node.left, node.right)]
            kinds = tuple(dict.fromkeys(k for kind in either for k in (kind.inner if kind.name == "|" else (kind,))))
            return Kind("|", kinds) if len(kinds) > 1 else kinds[0]
        case ast.Subscript(value=ast.Name(id="list"), slice=inner):
            return Kind("list", (_read(inner),))
        case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[ast.Name(id="str"), inner])):
            return Kind("dict", (_read(inner),))
        case ast.Subscript(value=ast.Name(id="Literal"), slice=inner):
            values = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return Kind("Literal", literals=tuple(_literal(value) for value in values))
    raise ValueError(ast.unparse(node))


def _literal(node: ast.expr) -> Any:
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str | int | float | None):
        raise ValueError(ast.unparse(node))
    return node.value
