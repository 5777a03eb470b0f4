"""What the kernel's environment gets only after the kernel has started: MLflow's id of the run.

MLflow takes its time to answer, and most of a notebook needs no answer. Where a cell or an included file
speaks of MLflow, no cell begins before it has come (the supervisor waits for it, and not for ever);
elsewhere it is there from the next cell on.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from gen_toolkit.jobs.link import Link
from gen_toolkit.scope import RELEASE_MARK

_WORD = "mlflow"
_STEP = 0.05  # seconds; a run that is stopped does not wait


class Late:
    """Brings it to the kernel once, between two cells."""

    def __init__(self, link: Link, notebook: Any) -> None:
        self._link = link
        self._must_wait = _speaks_of_mlflow(notebook)
        self._is_done = False

    def bring_to(self, client: Any) -> None:
        """`client` is connected to the kernel; no cell is running."""
        if self._is_done:
            return
        while self._must_wait and not self._link.stopped.is_set() and not self._link.late_has_come.wait(_STEP):
            pass
        if self._link.late_has_come.is_set():
            self._is_done = True
            if self._link.late:  # an expression that leaves no name behind, and no number
                code = f"__import__('os').environ.update({self._link.late!r})"
                client.execute(code, silent=True, store_history=False, allow_stdin=False)


def _speaks_of_mlflow(notebook: Any) -> bool:
    if any(_WORD in cell.source for cell in notebook.cells if cell.cell_type == "code"):
        return True
    release = os.environ.get(RELEASE_MARK)
    included = sorted((Path(release) / "include").rglob("*.py")) if release else []
    return any(_WORD in path.read_text(encoding="utf-8", errors="replace") for path in included)
