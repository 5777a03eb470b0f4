"""Execute a notebook as a job: prepare, record, supervise, finish, tell MLflow. The whole story of a run."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gen_toolkit import scope
from gen_toolkit.amount import Amount
from gen_toolkit.database.engine import Database, open_database
from gen_toolkit.database.place import references, variables
from gen_toolkit.errors import DatabaseError
from gen_toolkit.events import FileRecorded, Recorded, RunEnded, RunStarted, emit
from gen_toolkit.ipynb import Notebook, read_notebook, source, tags, write_notebook
from gen_toolkit.jobs.environment import kernel_environment, remember_secrets
from gen_toolkit.jobs.ledger import Ledger, RunRow
from gen_toolkit.jobs.limits import UNLIMITED, Limits
from gen_toolkit.jobs.outcome import outcome_of
from gen_toolkit.jobs.supervise import Ending, Progress, ended_in_order, supervise
from gen_toolkit.jobs.values import as_json, injected_source
from gen_toolkit.secret import Secret
from gen_toolkit.settings import Resolved, load_settings
from gen_toolkit.tracking.find import await_mlflow_run
from gen_toolkit.tracking.source import NOTEBOOK_MARK, git_commit
from gen_toolkit.tracking.store import environment as tracking_environment


def silent(_cell: int, _of: int, _line: str) -> None:
    """A progress that shows nothing."""


@dataclass(frozen=True)
class Job:
    """What is to be executed, validated and ready."""

    name: str
    kind: str
    """`job`: a release; `try`: a notebook as a job would run it."""
    notebook: Notebook
    source: str
    """Path of the notebook, as people know it."""
    values: Mapping[str, Any]
    release_folder: Path
    """Holds the manifest with frozen prompts and pins."""
    release: int | None = None
    digest: str | None = None
    secrets: Sequence[str] = ()
    """Environment variables that the kernel may see."""
    limits: Limits = UNLIMITED
    daily_budget: str | None = None
    """What all jobs of this name may spend on one day (UTC)."""

    @property
    def references(self) -> list[str]:
        """Of every secret that the notebook may read."""
        given = {value.reference for value in self.values.values() if isinstance(value, Secret)}
        return sorted(given | {f"env:{name}" for name in self.secrets})


@dataclass(frozen=True)
class Finished:
    """A run that ended, and the signal that ended it, if one asked this process to stop."""

    run: RunRow
    signal: int | None = None


def execute(job: Job, progress: Progress = silent) -> Finished:
    """Execute `job` and record how it ended. Whatever happens to it, the ledger says so."""
    settings = load_settings()
    database = open_database(settings)
    ledger = Ledger(database)
    remember_secrets(job.references)
    run = _prepare(job, settings)
    ledger.submit(run)
    emit(_started(run, job, settings))
    with ended_in_order() as hold_off_signals:
        try:
            ending = supervise(
                run.id,
                run.folder,
                environment=_environment(job, run, settings),
                late_environment=lambda: _mlflow_environment(run.id),
                cwd=settings.workspace.root,
                limits=job.limits,
                progress=progress,
                secrets=[*job.references, *references(settings)],
            )
        except BaseException:
            ledger.finish(run.id, "killed")
            emit(RunEnded(run=run.id, state="killed"))
            raise
        hold_off_signals()  # a second Ctrl-C must not leave a run that nobody knows the end of
        return Finished(_finish(run, ending, database, ledger), ending.signal)


def _prepare(job: Job, settings: Resolved) -> RunRow:
    """A folder of the run's own, with the notebook that will be executed."""
    run_id = scope.new_id()
    folder = settings.workspace.prepare() / "runs" / run_id
    try:
        folder.mkdir(parents=True, mode=0o700)
        write_notebook(folder / "prepared.ipynb", with_parameters(job.notebook, job.values))
    except OSError as error:
        raise DatabaseError(
            f"the run's folder {folder} cannot be written: {error.strerror}",
            fix="Check free space and permissions.",
        ) from None
    return RunRow(
        id=run_id,
        kind=job.kind,
        name=job.name,
        notebook=job.source,
        folder=folder,
        parameters={name: as_json(value) for name, value in job.values.items()},
        release=job.release,
        digest=job.digest,
        created_at=time.time(),
    )


def with_parameters(notebook: Notebook, values: Mapping[str, Any]) -> Notebook:
    """The notebook with a cell behind its parameters cell that sets `values`."""
    injected: dict[str, Any] = {
        "cell_type": "code",
        "id": "injected-parameters",
        "metadata": {"tags": ["injected-parameters"]},
        "source": injected_source(values),
        "execution_count": None,
        "outputs": [],
    }
    cells = [cell for cell in notebook["cells"] if "injected-parameters" not in tags(cell)]
    if values:
        place = next(i for i, cell in enumerate(cells) if "parameters" in tags(cell))
        cells.insert(place + 1, injected)
    cells = [{**cell, "source": source(cell)} for cell in cells]
    return {**notebook, "cells": cells}


def _environment(job: Job, run: RunRow, settings: Resolved) -> dict[str, str]:
    own = {
        scope.ROOT_MARK: run.root or run.id,
        scope.RELEASE_MARK: str(job.release_folder),
        NOTEBOOK_MARK: job.source,
        scope.BUDGETS_MARK: scope.written(_budgets(job, run)),
        "GEN_TOOLKIT_WORKSPACE": str(settings.workspace.root),
        **tracking_environment(settings),
    }
    included = job.release_folder / "include"
    if included.is_dir():
        own["PYTHONPATH"] = os.pathsep.join(filter(None, [str(included), os.environ.get("PYTHONPATH")]))
    return kernel_environment([*job.secrets, *variables(settings)], own)


def _budgets(job: Job, run: RunRow) -> tuple[scope.Budget, ...]:
    """What the run and all its processes are held to: what holds here, its own, and its pipeline's."""
    held = scope.with_run_budget(run.root or run.id, run.title, None)
    if job.daily_budget is None:
        return held
    limit = Amount.of(job.daily_budget)
    return (*held, scope.Budget(f"pipeline:{job.name}", limit, f"pipeline {job.name!r}", daily=True))


def _mlflow_environment(run: str) -> dict[str, str]:
    """Where the notebook's own `mlflow.*` calls land: in this run, when MLflow answers in time."""
    found = await_mlflow_run(run)
    return {"MLFLOW_RUN_ID": found} if found else {}


def _started(run: RunRow, job: Job, settings: Resolved) -> RunStarted:
    labels = {
        "mlflow.source.name": job.source,
        "mlflow.source.type": "NOTEBOOK",
        "mlflow.user": os.environ.get("USER", ""),
    }
    commit = git_commit(settings.workspace.root)
    if commit:
        labels["mlflow.source.git.commit"] = commit.removesuffix("-dirty")
    if job.release:
        labels["gen_toolkit.release"] = f"{job.name}/{job.release}"
    params = {f"p.{name}": value for name, value in run.parameters.items()}
    return RunStarted(run=run.id, name=run.title, run_kind=job.kind, params=params, tags=labels)


def _finish(run: RunRow, ending: Ending, database: Database, ledger: Ledger) -> RunRow:
    """The ledger first, then the copies: the notebook's own word, MLflow."""
    outcome = {**outcome_of(database, run), **ending.measured.to_json()}
    ledger.finish(run.id, ending.state, ending.reason, outcome)
    finished = ledger.find(run.id)
    mark_notebook(finished)
    tell_mlflow(finished)
    return finished


def mark_notebook(run: RunRow) -> None:
    """Let the saved notebook tell the ledger's truth: papermill calls killed cells completed."""
    path = run.folder / "notebook.ipynb"
    prepared = run.folder / "prepared.ipynb"
    if not path.exists() and prepared.exists():
        shutil.copyfile(prepared, path)
    if not path.exists():
        return
    notebook = read_notebook(path)
    metadata = notebook.setdefault("metadata", {})
    metadata["gen_toolkit"] = {
        "run": run.id,
        "state": run.state,
        "reason": run.reason.message if run.reason else None,
    }
    if run.state != "succeeded":
        metadata.setdefault("papermill", {})["exception"] = True
        stopped = (run.reason and run.reason.cell) or _first_not_run(notebook)
        for number, cell in enumerate(notebook["cells"], 1):
            status = "failed" if number == stopped else "pending" if number > stopped else "completed"
            said = cell.setdefault("metadata", {}).setdefault("papermill", {})
            said |= {"status": status, "exception": number == stopped}
    write_notebook(path, notebook)


def _first_not_run(notebook: Notebook) -> int:
    """Where it stopped when nobody was left to say so: as far as the saved notebook got."""
    numbered = enumerate(notebook["cells"], 1)
    waiting = (n for n, cell in numbered if cell["cell_type"] == "code" and cell.get("execution_count") is None)
    return next(waiting, len(notebook["cells"]))


def tell_mlflow(run: RunRow) -> None:
    """Metrics, files and the end of a run, as events: MLflow follows when it can."""
    took = run.outcome
    metrics = {"seconds": run.seconds, "calls": took.get("calls", 0)}
    metrics |= {n: took[n] for n in ("input_tokens", "output_tokens") if took.get(n) is not None}
    if took.get("cost_usd") is not None:
        metrics["cost_usd"] = float(took["cost_usd"])
    params = {n: ", ".join(took[key]) for n, key in (("model", "models"), ("prompt", "prompts")) if took.get(key)}
    labels = {"gen_toolkit.cost": "unknown" if took.get("cost_usd") is None else "known"}
    emit(Recorded(run=run.id, metrics=metrics, params=params, tags=labels))
    kept = json.dumps(took.get("kept", {}), ensure_ascii=False, indent=1)
    emit(FileRecorded(run=run.id, file="outputs.json", content=kept))
    path = run.folder / "notebook.ipynb"
    if path.exists():
        emit(FileRecorded(run=run.id, file="notebook.ipynb", content=path.read_text(encoding="utf-8")))
    emit(RunEnded(run=run.id, state=run.state))
