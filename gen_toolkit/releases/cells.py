"""The Python of a notebook's cells: magics and shell lines become the calls that IPython makes of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from gen_toolkit.ipynb import Notebook, code_cells, source, tags

GENERATED = frozenset({"injected-parameters", "release"})
"""Tags of cells that tools write, and that no rule is about."""

_PYTHON_INSIDE = {"capture", "code_wrap", "debug", "prun", "time", "timeit"}  # cell magics whose body is Python
_TIMED = re.compile(r"^([ \t]*)%(?:time|prun)[ \t]+(?=[^-\s])", re.MULTILINE)  # what follows is a statement
_SHELLS = {"!", "bash", "script", "sh", "sx", "system"}  # cell magics whose body goes to a shell
_CELL_MAGIC = re.compile(r"\s*%%(\w+|!)([^\n]*)(?:\n|$)")
_STREAMS = re.compile(r"--(?:out|err|proc)[ =]+([^\W\d]\w*)")


@dataclass(frozen=True)
class Code:
    """A code cell: its number (from 1, over all cells), its tags, its Python, the cell magic around that, and what a
    shell reads of it."""

    number: int
    tags: tuple[str, ...]
    python: str
    magic: str = ""
    shell: str = ""

    @cached_property
    def tree(self) -> ast.Module | None:
        """None where it does not parse: that is the syntax rule's finding, and no other rule's."""
        try:
            return ast.parse(self.python)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None

    def walk(self) -> Iterator[ast.AST]:
        return iter(self._nodes)

    @cached_property
    def _nodes(self) -> tuple[ast.AST, ...]:
        return tuple(ast.walk(self.tree)) if self.tree else ()  # many rules ask


def read_code(notebook: Notebook) -> tuple[Code, ...]:
    """The code cells that people wrote."""
    return tuple(
        _code(index + 1, cell_tags, source(cell))
        for index, cell in code_cells(notebook)
        if not GENERATED & set(cell_tags := tags(cell))
    )


def _code(number: int, cell_tags: list[str], text: str) -> Code:
    magic, shell, names = "", "", ""
    while found := _CELL_MAGIC.match(text):
        magic, line, text = found[1], found[2].strip(), text[found.end() :]
        names += "".join(f"{name} = None\n" for name in _names(magic, line))
        if magic not in _PYTHON_INSIDE:
            shell = text if magic in _SHELLS else ""
            text = f"get_ipython().run_cell_magic({magic!r}, {line!r}, '')"  # another language
            break
    return Code(number, tuple(cell_tags), names + _transformed(text), magic, shell)


def _names(magic: str, line: str) -> list[str]:
    """What a cell magic defines: `%%capture out`, `%%bash --out listing`."""
    if magic == "capture":
        return [word for word in line.split() if word.isidentifier()]
    return _STREAMS.findall(line)


def _transformed(text: str) -> str:
    """What IPython would execute. Without a sign of its syntax, the text itself."""
    text = _TIMED.sub(r"\1", text)  # it defines names, which code in a text would not
    if not any(sign in text for sign in "%!?"):
        return text
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        return str(TransformerManager().transform_cell(text))
    except SyntaxError:
        return text  # ast says the same, with the line
