"""What a notebook's code names: prompts it loads or saves, models it calls, values it keeps. Read with `ast`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from gen_toolkit.ipynb import Notebook, code_cells, source, tags

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
    toolkit: set[str] = field(default_factory=set)
    """What the toolkit is called: `gt`."""
    secrets: set[str] = field(default_factory=set)
    dynamic: list[tuple[int, str]] = field(default_factory=list)


def find_references(notebook: Notebook, parameters: set[str]) -> References:
    """Walk every code cell that can be parsed (others are the syntax rule's finding)."""
    found = References()
    for number, cell in code_cells(notebook):
        if {"injected-parameters", "release"} & set(tags(cell)):
            continue
        try:
            tree = ast.parse(python_of(source(cell)))
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            _visit(node, number + 1, found, parameters)
    return found


def python_of(text: str) -> str:
    """A cell's text with magics and shell lines blanked, so that it parses."""
    lines = text.split("\n")  # what ends a line of Python, and nothing else
    if lines and lines[0].lstrip().startswith("%%"):
        return ""
    return "\n".join("pass" if line.lstrip().startswith(("%", "!")) else line for line in lines)


def _visit(node: ast.AST, cell: int, found: References, parameters: set[str]) -> None:
    if isinstance(node, ast.Import):
        found.imports.update(alias.name.partition(".")[0] for alias in node.names)
        found.toolkit.update(alias.asname or alias.name for alias in node.names if alias.name == "gen_toolkit")
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        found.imports.add(node.module.partition(".")[0])
    elif isinstance(node, ast.Call):
        _visit_call(node, cell, found, parameters)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        found.fragments.update(_INCLUDE.findall(node.value))


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
    """A name or None as baseline is a result of the notebook's own, not a reference into the registry."""
    return isinstance(node, ast.Name) or (isinstance(node, ast.Constant) and node.value is None)


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
