"""What Python code executes besides itself: modules that it imports, files that it runs. Read with `ast`."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterable, Iterator
from importlib.util import resolve_name

_IMPORTING = {"import_module", "__import__"}


def imports_of(nodes: Iterable[ast.AST], package: str = "") -> Iterator[tuple[str, int]]:
    """(dotted name, line) of each module that is named by a literal, and of each name that is taken out of one: it may
    be a module, too. `package` is where relative names begin."""
    for node in nodes:
        for name in _named(node):
            with contextlib.suppress(ImportError):  # above the package: it cannot be imported either
                yield resolve_name(name, package), getattr(node, "lineno", 0)


def runs_of(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The files that `%run` names."""
    for arguments in map(_run, nodes):
        if "-m" not in arguments:
            yield from [word.strip("'\"") for word in arguments if not word.startswith("-")][:1]


def _named(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            base = "." * level + (module or "")
            between = "." if module else ""
            yield from [base] if module else []
            yield from (f"{base}{between}{alias.name}" for alias in names if alias.name != "*")
        case ast.Call(args=[ast.Constant(value=str(name)), *_]) if _called(node) in _IMPORTING and name:
            yield name
        case ast.Call() if "-m" in (arguments := _run(node))[:-1]:
            yield arguments[arguments.index("-m") + 1]


def _run(node: ast.AST) -> list[str]:
    """The arguments of `%run`, as IPython reads the line."""
    match node:
        case ast.Call(args=[ast.Constant(value="run"), ast.Constant(value=str(line))]):
            return line.split() if _called(node) == "run_line_magic" else []
    return []


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
