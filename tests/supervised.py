"""A notebook under the supervisor alone: no release, no ledger, no MLflow."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notebook_cells import source_of, written

from gen_toolkit.jobs.environment import kernel_environment
from gen_toolkit.jobs.limits import Limits
from gen_toolkit.jobs.orders import Orders
from gen_toolkit.jobs.supervise import Ending, supervise


@dataclass(frozen=True)
class Supervised:
    """What an execution left."""

    ending: Ending
    folder: Path

    @property
    def notebook(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "notebook.ipynb").read_text()))

    @property
    def log(self) -> str:
        return (self.folder / "log.txt").read_text()

    def shown(self, cell: int) -> str:
        """What cell number `cell` printed."""
        outputs = self.notebook["cells"][cell - 1]["outputs"]
        return "".join(source_of({"source": output["text"]}) for output in outputs if output["output_type"] == "stream")


def silent(_cell: int, _of: int, _line: str) -> None:
    """Nobody watches."""


def supervised(
    folder: Path,
    *cells: str | dict[str, Any],
    orders: Orders | None = None,
    progress: Callable[[int, int, str], None] = silent,
    environment: dict[str, str] | None = None,
    **limits: float,
) -> Supervised:
    """Execute the cells in `folder`, whose name is the run's id. The kernel's cwd is the folder above."""
    folder.mkdir(parents=True, exist_ok=True)
    written(folder / "prepared.ipynb", *cells, parameters=None)
    ending = supervise(
        folder.name,
        folder,
        environment={**kernel_environment([], {}), **(environment or {})},
        late_environment=dict,
        cwd=folder.parent,
        progress=progress,
        limits=Limits(**limits),  # type: ignore[arg-type]  # names are given as they are
        orders=orders,
    )
    return Supervised(ending, folder)
