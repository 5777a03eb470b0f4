"""What the kernel's environment gets only after the kernel has started: MLflow's id of the run.

MLflow takes its time to answer, and most of a notebook needs no answer. Before the first cell that uses MLflow
it must have come (the supervisor waits for it, and not for ever); earlier cells do not wait.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from gen_toolkit.jobs.link import Link
from gen_toolkit.jobs.mlflow_use import first_use, included_files
from gen_toolkit.scope import RELEASE_MARK

_STEP = 0.05  # seconds; a run that is stopped does not wait


class Late:
    """Brings it to the kernel once, between two cells."""

    def __init__(self, link: Link, notebook: Any) -> None:
        self._link = link
        release = os.environ.get(RELEASE_MARK)
        self._wanted_from = first_use(notebook.cells, included_files(Path(release)) if release else [])
        self._is_done = self._wanted_from is None

    def bring_to(self, client: Any, cell: int) -> None:
        """`client` is connected to the kernel; no cell is running, and that of this index is next."""
        if self._is_done:
            return
        must_wait = self._wanted_from is not None and cell >= self._wanted_from
        while must_wait and not self._link.stopped.is_set() and not self._link.late_has_come.wait(_STEP):
            pass
        if self._link.late_has_come.is_set():
            self._is_done = True
            if self._link.late:  # an expression that leaves no name behind, and no number
                code = f"__import__('os').environ.update({self._link.late!r})"
                client.execute(code, silent=True, store_history=False, allow_stdin=False)
