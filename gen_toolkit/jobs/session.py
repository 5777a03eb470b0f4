"""Run a notebook from top to bottom as a person would: a session of its own, no job, no ledger row."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gen_toolkit import scope
from gen_toolkit.database.engine import Database, open_database
from gen_toolkit.database.place import references, variables
from gen_toolkit.events import Recorded, RunStarted, emit
from gen_toolkit.ipynb import code_hash, read_notebook, write_notebook
from gen_toolkit.jobs.environment import kernel_environment
from gen_toolkit.jobs.fixed import DUE_MARK, HASH_SEED
from gen_toolkit.jobs.job import silent
from gen_toolkit.jobs.prepare import with_parameters
from gen_toolkit.jobs.supervise import Ending, Progress, drop_work, supervise
from gen_toolkit.jobs.values import as_json
from gen_toolkit.settings import Resolved, load_settings
from gen_toolkit.tracking import spool
from gen_toolkit.tracking.run import CODE_TAG
from gen_toolkit.tracking.source import NOTEBOOK_MARK
from gen_toolkit.tracking.store import environment as tracking_environment

_BEGUN = "gen_toolkit.executed"
"""Tag of a session in which every cell was executed once, in order, and succeeded: when it was begun."""


@dataclass(frozen=True)
class Session:
    """A notebook that was run through, and how that ended."""

    id: str
    folder: Path
    ending: Ending


@dataclass(frozen=True)
class Executed:
    """An execution of a notebook from top to bottom, in a kernel of its own, that succeeded."""

    run: str
    attempt: str
    """The run that everything inside belongs to: of a job its last attempt, of a session itself."""
    at: float
    """When it was meant to run, as `gt.due()` said in it: seconds since 1970."""
    seconds: float
    folder: Path
    """Holds `notebook.ipynb`."""
    parameters: Mapping[str, Any]


def run_through(path: Path, values: Mapping[str, Any], progress: Progress = silent) -> Session:
    """Execute every cell of the notebook in a kernel; the executed copy lies in the session's folder."""
    settings = load_settings()
    session = scope.new_id()
    folder = settings.workspace.prepare() / "sessions" / session
    folder.mkdir(parents=True, mode=0o700)
    notebook, begun = read_notebook(path), time.time()
    write_notebook(folder / "prepared.ipynb", with_parameters(notebook, values))
    own = {
        NOTEBOOK_MARK: str(path),
        "GEN_TOOLKIT_WORKSPACE": str(settings.workspace.root),
        DUE_MARK: repr(begun),
        "PYTHONHASHSEED": HASH_SEED,
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
    if ending.state == "succeeded":
        _record(session, code_hash(notebook), values, begun)
        drop_work(folder)
    return Session(session, folder, ending)


def executed(database: Database, session: str, settings: Resolved) -> Executed | None:
    """What is on record of a session that was run through and succeeded; None of any other."""
    tags = spool.tags_of(database, session)
    folder = settings.workspace.records / "sessions" / session
    if _BEGUN not in tags or not (folder / "notebook.ipynb").is_file():
        return None
    recorded = spool.events_of(database, session, Recorded)[-1]
    parameters = {name.removeprefix("p."): value for name, value in recorded.params.items()}
    return Executed(session, session, float(tags[_BEGUN]), recorded.metrics["seconds"], folder, parameters)


def _record(session: str, code: str, values: Mapping[str, Any], begun: float) -> None:
    """On the session's run. One that kept nothing and opened no run has none."""
    if not spool.events_of(open_database(), session, RunStarted):
        return
    emit(
        Recorded(
            run=session,
            params={f"p.{name}": as_json(value) for name, value in values.items()},
            metrics={"seconds": time.time() - begun},
            tags={CODE_TAG: code, _BEGUN: repr(begun)},
        )
    )
