"""What a rule looks at, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from gen_toolkit.ipynb import Notebook
from gen_toolkit.jobs.parameters import Parameters
from gen_toolkit.releases.cells import Code
from gen_toolkit.releases.references import References
from gen_toolkit.workspace import Workspace

Level = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """One thing that stands in the way of promotion (`error`) or that a reviewer should know (`warning`)."""

    rule: str
    message: str
    fix: str
    cell: int | None = None
    """Number of the cell, counted from 1 over all cells."""
    level: Level = "error"

    def __str__(self) -> str:
        where = f"cell {self.cell}: " if self.cell else ""
        kind = "warning: " if self.level == "warning" else ""
        return f"{kind}{where}{self.message} [{self.rule}]. {self.fix}"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Subject:
    """A notebook under check, with what the rules look at."""

    path: Path
    notebook: Notebook
    parameters: Parameters
    references: References
    code: tuple[Code, ...]
    """The notebook's own code cells: not the injected one, not the one that promotion generates."""
    workspace: Workspace
    include: tuple[str, ...]
    files: Mapping[str, bytes]
    """What `include` names, by path in the workspace; read once, so that what is checked is what is released."""
    models: frozenset[str]
    """The names of the settings' aliases."""


Rule = Callable[[Subject], Iterator[Finding]]
