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
_CELL_MAGIC = re.compile(r"\s*%%(\w+)([^\n]*)(?:\n|$)")


@dataclass(frozen=True)
class Code:
    """A code cell: its number (from 1, over all cells), its tags, its Python, and the cell magic around that."""

    number: int
    tags: tuple[str, ...]
    python: str
    magic: str = ""

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
    magic = ""
    while found := _CELL_MAGIC.match(text):
        magic = found[1]
        if magic not in _PYTHON_INSIDE:
            text = f"get_ipython().run_cell_magic({magic!r}, {found[2].strip()!r}, '')"  # another language
            break
        text = text[found.end() :]
    return Code(number, tuple(cell_tags), _transformed(text), magic)


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
