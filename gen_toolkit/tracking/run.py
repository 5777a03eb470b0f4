"""gt.run: everything inside the block belongs to one tracked run."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gen_toolkit import scope
from gen_toolkit.amount import Amount
from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import InputError
from gen_toolkit.events import FileRecorded, Recorded, RunEnded, RunStarted, emit
from gen_toolkit.ipynb import Notebook, code_cells, code_hash, read_notebook, source
from gen_toolkit.journal.totals import totals
from gen_toolkit.settings import load_settings
from gen_toolkit.surface import cell_text, surface
from gen_toolkit.tracking.find import await_mlflow_run
from gen_toolkit.tracking.resume import taken_up
from gen_toolkit.tracking.source import notebook_path, source_name, source_tags
from gen_toolkit.tracking.store import import_mlflow, prepare_environment

CODE_TAG = "gen_toolkit.code"
"""Of a run: the hash of the code of the notebook that it is of (`ipynb.code_hash`)."""


@dataclass(frozen=True)
class Run:
    """A tracked run that is under way."""

    id: str
    name: str
    kind: str
    resumes: str | None = None
    """The first run of the chain that this one goes on with."""

    def __repr__(self) -> str:
        return f"Run({self.id[:13]}, {self.name!r}{f', resumes {self.resumes[:13]}' if self.resumes else ''})"


@contextlib.contextmanager
def run(
    name: str, *, calls: scope.Mode | None = None, budget: str | Amount | None = None, resume: bool = False
) -> Iterator[Run]:
    """Open a tracked run; evaluations, kept values and `mlflow.*` calls inside belong to it.

    `calls` says how model calls get their answers inside: `live` (call), `reuse` (call what has no
    recorded answer yet), `replay` (never call; an unseen request is an error).

    `budget` is what the calls inside may take together ("0.50 USD", "200000 tokens", or both with a comma
    between), besides the budgets of the runs around; by default the setting `budgets.run`. A call that
    might cross it is not made: BudgetExceeded.

    `resume` takes up the last run of that name that was left unfinished, by an error, an interrupt or a
    kill, else starts one: calls that were answered then are answered from the journal (`reuse`, unless
    `calls` says otherwise). Inside a job the job itself is what is resumed.
    """
    _check_mode(calls)
    made = Run(scope.new_id(), name, "run")
    with contextlib.ExitStack() as stack:
        if resume and scope.current().owner is None:
            root = stack.enter_context(taken_up(open_database(), name, made.id))
            made = replace(made, resumes=root if root != made.id else None)
            stack.enter_context(scope.inside(owner=root, default_mode="reuse"))
        stack.enter_context(_recorded(made, budget=budget, mode=calls))
        stack.enter_context(_fluent(made))
        yield made


@contextlib.contextmanager
def opened(
    kind: str,
    name: str,
    *,
    params: dict[str, Any] | None = None,
    budget: str | Amount | None = None,
    parts: Sequence[str] = (),
    **changes: Any,
) -> Iterator[Run]:
    """A run of any kind: says when it starts, what it took, and how it ends, whatever happens inside.

    `parts` are the ids of runs inside whose calls count as its own; they may be added while it goes on.
    """
    with _recorded(Run(scope.new_id(), name, kind), params, budget, parts, **changes) as made:
        yield made


@contextlib.contextmanager
def _recorded(
    made: Run,
    params: dict[str, Any] | None = None,
    budget: str | Amount | None = None,
    parts: Sequence[str] = (),
    **changes: Any,
) -> Iterator[Run]:
    changes = {key: value for key, value in changes.items() if value is not None}  # not given: as outside
    _check_mode(changes.get("mode"))
    tags = source_tags() | ({"gen_toolkit.resumes": made.resumes} if made.resumes else {})
    changes["budgets"] = scope.with_run_budget(made.resumes or changes.get("owner") or made.id, made.name, budget)
    parent = scope.current().run or open_session()
    prepare_environment(load_settings())
    emit(RunStarted(run=made.id, name=made.name, run_kind=made.kind, parent=parent, params=params or {}, tags=tags))
    start = time.monotonic()
    state = "failed"
    try:
        record_notebook(made.id)
        with scope.inside(run=made.id, **changes):
            yield made
        state = "succeeded"
    except (KeyboardInterrupt, asyncio.CancelledError):
        state = "cancelled"
        raise
    finally:
        _record_totals(made.id, time.monotonic() - start, parts)
        emit(RunEnded(run=made.id, state=state))


def _check_mode(calls: object) -> None:
    if calls not in {None, "live", "reuse", "replay"}:
        raise InputError(f"calls={calls!r} is no mode", fix="Use 'live', 'reuse' or 'replay'.")


def _record_totals(run: str, seconds: float, parts: Sequence[str]) -> None:
    took = totals(open_database(), run, *parts)
    metrics: dict[str, float] = {"calls": took.calls, "seconds": seconds}
    if took.usage.input_tokens is not None and took.usage.output_tokens is not None:
        metrics |= {"input_tokens": took.usage.input_tokens, "output_tokens": took.usage.output_tokens}
    if took.cost is not None:
        metrics["cost_usd"] = float(took.cost)
    tags = {"gen_toolkit.cost": "unknown" if took.cost is None else "known"}
    emit(Recorded(run=run, metrics=metrics, tags=tags))


def record_notebook(run: str) -> None:
    """Keep the notebook as it is on disk, with the hash of its code, beside the run's results.

    Without the hash where the cell that runs is not in the file: what was not saved is not what would be promoted.
    """
    path = notebook_path()
    if path is None or not path.is_file() or surface() == "job":
        return
    notebook = read_notebook(path)
    if _is_saved(notebook):
        emit(Recorded(run=run, tags={CODE_TAG: code_hash(notebook)}))
    emit(FileRecorded(run=run, file="notebook.ipynb", content=path.read_text(encoding="utf-8")))


def _is_saved(notebook: Notebook) -> bool:
    text = cell_text()
    return text is None or any(source(cell).strip() == text.strip() for _, cell in code_cells(notebook))


_opened_session: str | None = None


def open_session() -> str:
    """The session's own run, opened at the first `gt.run`, `gt.keep` or evaluation of this process."""
    global _opened_session
    session = scope.session()
    if _opened_session != session:
        _opened_session = session
        settings = load_settings()
        prepare_environment(settings)
        if surface() != "job":
            import_mlflow()  # now, and not on the writer's thread while a cell imports parts of it
        emit(RunStarted(run=session, name=source_name(), run_kind="session", tags=source_tags()))
        atexit.register(_close_session, session, os.getpid(), settings.workspace.root)
    return session


def _close_session(session: str, process: int, workspace: Path) -> None:
    if os.getpid() == process:
        os.environ["GEN_TOOLKIT_WORKSPACE"] = str(workspace)  # the work may have gone to another folder
        emit(RunEnded(run=session, state="succeeded"))


@contextlib.contextmanager
def _fluent(made: Run) -> Iterator[None]:
    """Let `mlflow.*` calls in the block land in this run, when its MLflow run is there in time."""
    before = os.environ.get("MLFLOW_RUN_ID")
    mlflow_id = await_mlflow_run(made.id) if "mlflow" in sys.modules else None
    if mlflow_id:
        os.environ["MLFLOW_RUN_ID"] = mlflow_id  # read by mlflow.start_run, also when it starts one by itself
        _enter(mlflow_id)
    try:
        yield
    finally:
        if mlflow_id:
            _leave(mlflow_id)
            os.environ.pop("MLFLOW_RUN_ID", None)
            if before is not None:
                os.environ["MLFLOW_RUN_ID"] = before


def _enter(mlflow_id: str) -> None:
    """MLflow asks the environment only when no run is active: an outer run must step back by itself."""
    mlflow = sys.modules["mlflow"]
    if mlflow.active_run() is not None:
        with contextlib.suppress(Exception):  # MLflow's failures never stop the work
            mlflow.start_run(run_id=mlflow_id, nested=True)


def _leave(mlflow_id: str) -> None:
    mlflow = sys.modules["mlflow"]
    with contextlib.suppress(Exception):  # as above; the run's end is delivered by the writer
        active = mlflow.active_run()
        if active is not None and active.info.run_id == mlflow_id:
            mlflow.end_run()
