"""What a notebook's code names: prompts it loads or saves, models it calls, values it keeps. Read with `ast`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gen_toolkit.releases.cells import Code

_INCLUDE = re.compile(r"""\{%[-+]?\s*include\s+["']([^"']+)["']""")
_CALLS_WITH_MODEL = {"chat", "achat", "choose", "stream", "embed", "evaluate", "aevaluate", "Conversation"}
_SCORERS_WITH_MODEL = {"judge", "pairwise", "similarity"}


@dataclass
class References:
    """Facts found in the code. `dynamic` are references that are no literals: (cell, what)."""

    prompts: set[str] = field(default_factory=set)
    saved: set[str] = field(default_factory=set)
    """Names of prompts that the notebook defines itself."""
    prompt_files: set[str] = field(default_factory=set)
    fragments: set[str] = field(default_factory=set)
    """Names of fragments that texts of the notebook include."""
    models: set[str] = field(default_factory=set)
    model_parameters: set[str] = field(default_factory=set)
    """Parameters whose value is given as a model."""
    default_model: bool = False
    """Whether a call leaves the model to the settings."""
    keeps: bool = False
    imports: set[str] = field(default_factory=set)
    optional_imports: set[str] = field(default_factory=set)
    """Those that stand in a `try`: the notebook knows how to go on without them."""
    toolkit: set[str] = field(default_factory=set)
    """What the toolkit is called: `gt`."""
    secrets: set[str] = field(default_factory=set)
    dynamic: list[tuple[int, str]] = field(default_factory=list)


def find_references(code: Iterable[Code], parameters: set[str]) -> References:
    """Walk every cell that can be parsed (others are the syntax rule's finding)."""
    found = References()
    for cell in code:
        for node in cell.walk():
            _visit(node, cell.number, found, parameters)
    return found


def _visit(node: ast.AST, cell: int, found: References, parameters: set[str]) -> None:
    found.imports.update(_imported(node))
    if isinstance(node, ast.Import):
        found.toolkit.update(alias.asname or alias.name for alias in node.names if alias.name == "gen_toolkit")
    elif isinstance(node, ast.Try) and any(_catches_import(handler) for handler in node.handlers):
        inside = (part for line in node.body for part in ast.walk(line))
        found.optional_imports.update(name for part in inside for name in _imported(part))
    elif isinstance(node, ast.Call):
        _visit_call(node, cell, found, parameters)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        found.fragments.update(_INCLUDE.findall(node.value))


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module.partition(".")[0]


def _catches_import(handler: ast.ExceptHandler) -> bool:
    caught = ast.unparse(handler.type) if handler.type else "Exception"
    return any(name in caught for name in ("ImportError", "ModuleNotFoundError", "Exception"))


def _visit_call(node: ast.Call, cell: int, found: References, parameters: set[str]) -> None:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    first = node.args[0] if node.args else None
    keywords = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    if name == "keep":
        found.keeps = True
    elif name == "load_prompt" and (first := first or keywords.get("reference")) is not None:
        _literal(first, cell, "load_prompt", found.prompts, found)
    elif name == "from_file" and isinstance(node.func, ast.Attribute) and _is_prompt(node.func.value):
        if (first := first or keywords.get("path")) is not None:
            _literal(first, cell, "from_file", found.prompt_files, found)
    elif name == "Prompt" and isinstance(first, ast.Constant) and isinstance(first.value, str):
        found.saved.add(first.value)
    elif name == "Secret" and isinstance(first, ast.Constant) and str(first.value).startswith("env:"):
        found.secrets.add(str(first.value).removeprefix("env:"))
    if name in _CALLS_WITH_MODEL:
        if "baseline" in keywords and not _is_result(keywords["baseline"]):
            _literal(keywords["baseline"], cell, "baseline=", found.prompts, found)
        if "model" in keywords or _is_toolkits(node.func, found):
            _model(keywords.get("model"), found, parameters)
    elif name in _SCORERS_WITH_MODEL and _is_scorers(node.func, found):
        _model(keywords.get("model"), found, parameters)


def _is_scorers(function: ast.expr, found: References) -> bool:
    """`gt.scorers.judge`, or `scorers.judge`; a function of the notebook's own may be called `judge`, too."""
    room = function.value if isinstance(function, ast.Attribute) else None
    if isinstance(room, ast.Attribute):
        return room.attr == "scorers" and isinstance(room.value, ast.Name) and room.value.id in found.toolkit
    return isinstance(room, ast.Name) and room.id == "scorers"


def _is_toolkits(function: ast.expr, found: References) -> bool:
    """`gt.chat` and `chat` leave the model to the settings; `talk.chat` asks the conversation's own."""
    if not isinstance(function, ast.Attribute):
        return True
    return isinstance(function.value, ast.Name) and function.value.id in found.toolkit


def _is_prompt(node: ast.expr) -> bool:
    return (node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")) == "Prompt"


def _is_result(node: ast.expr) -> bool:
    """None, or what a name, an index or a call gives: a result or a prompt, not a reference into the registry."""
    if isinstance(node, ast.Call) and _makes_text(node.func):
        return False
    of_its_own = ast.Name | ast.Subscript | ast.Attribute | ast.Call | ast.Await
    return isinstance(node, of_its_own) or (isinstance(node, ast.Constant) and node.value is None)


def _makes_text(function: ast.expr) -> bool:
    """`str`, or a method of a text: `"{}@live".format`."""
    if isinstance(function, ast.Attribute):
        return isinstance(function.value, ast.Constant | ast.JoinedStr)
    return isinstance(function, ast.Name) and function.id == "str"


def _literal(node: ast.expr, cell: int, where: str, into: set[str], found: References) -> None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        into.add(node.value)
    else:
        found.dynamic.append((cell, f"{where}({ast.unparse(node)[:40]})"))


def _model(node: ast.expr | None, found: References, parameters: set[str]) -> None:
    if node is None:
        found.default_model = True
    for value in _names(node):
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            found.models.add(value.value)
        elif isinstance(value, ast.Name) and value.id in parameters:
            found.model_parameters.add(value.id)


def _names(node: ast.expr | None) -> Iterator[ast.expr]:
    if isinstance(node, ast.List | ast.Tuple):
        for element in node.elts:
            yield from _names(element)
    elif node is not None:
        yield node
