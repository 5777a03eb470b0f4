"""Whether code uses MLflow: more than importing it. Only then its calls want a run to land in."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from gen_toolkit.ipynb import source

_WORD = "mlflow"


def first_use(cells: Sequence[Any], included: Iterable[Path]) -> int | None:
    """The index of the first cell that may call MLflow; 0 where an included file may, None where nothing does."""
    if any(uses_mlflow(path.read_text(encoding="utf-8", errors="replace")) for path in included):
        return 0
    code = ((number, source(cell)) for number, cell in enumerate(cells) if cell["cell_type"] == "code")
    return next((number for number, written in code if uses_mlflow(written)), None)


def included_files(release: Path) -> list[Path]:
    """The modules of its own that a release brings."""
    return sorted((release / "include").rglob("*.py"))


def uses_mlflow(code: str) -> bool:
    """False where it says no more than `import mlflow`. Where it is no plain Python the word decides."""
    if _WORD not in code:
        return False
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return True
    return any(map(_uses, ast.walk(tree)))


def _uses(node: ast.AST) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name == _WORD
        case ast.Constant(value=str(words)):
            return _WORD in words
        case ast.ImportFrom(module=module, names=names):
            return _WORD in (module or "") or any(_WORD in name.name for name in names)
        case ast.Import(names=names):
            return any(_WORD in name.name and name.asname is not None for name in names)
    return False
