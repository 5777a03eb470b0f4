"""Run a notebook from top to bottom as a person would: a session of its own, no job, no ledger row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gen_toolkit import scope
from gen_toolkit.database.place import references, variables
from gen_toolkit.ipynb import read_notebook, write_notebook
from gen_toolkit.jobs.environment import kernel_environment
from gen_toolkit.jobs.job import silent
from gen_toolkit.jobs.prepare import with_parameters
from gen_toolkit.jobs.supervise import Ending, Progress, supervise
from gen_toolkit.settings import load_settings
from gen_toolkit.tracking.source import NOTEBOOK_MARK
from gen_toolkit.tracking.store import environment as tracking_environment


@dataclass(frozen=True)
class Session:
    """A notebook that was run through, and how that ended."""

    id: str
    folder: Path
    ending: Ending


def run_through(path: Path, values: Mapping[str, Any], progress: Progress = silent) -> Session:
    """Execute every cell of the notebook in a kernel; the executed copy lies in the session's folder."""
    settings = load_settings()
    session = scope.new_id()
    folder = settings.workspace.prepare() / "sessions" / session
    folder.mkdir(parents=True, mode=0o700)
    write_notebook(folder / "prepared.ipynb", with_parameters(read_notebook(path), values))
    own = {
        NOTEBOOK_MARK: str(path),
        "GEN_TOOLKIT_WORKSPACE": str(settings.workspace.root),
        **tracking_environment(settings),
    }
    ending = supervise(
        session,
        folder,
        environment=kernel_environment(variables(settings), own),
        late_environment=dict,
        cwd=settings.workspace.root,
        progress=progress,
        mark=scope.SESSION_MARK,
        secrets=references(settings),
    )
    return Session(session, folder, ending)
