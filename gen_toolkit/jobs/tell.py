"""What the ledger knows, told to its copies: the saved notebook, and (as events) MLflow.

In MLflow the run is the parent, each attempt a run inside it. What the kernel says lands in the attempt's;
numbers and kept values of the last attempt stand in both.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gen_toolkit.errors import NotebookError
from gen_toolkit.events import FileRecorded, JobEnded, Recorded, RunEnded, RunStarted, emit
from gen_toolkit.ipynb import read_notebook, write_notebook
from gen_toolkit.jobs.rows import Attempt, Lease, Reason, RunRow
from gen_toolkit.metrics import as_metric
from gen_toolkit.settings import Resolved
from gen_toolkit.tracking.source import git_head


def tell_start(run: RunRow, lease: Lease, settings: Resolved, more: Mapping[str, str] = MappingProxyType({})) -> None:
    """Said again with each attempt: the one before may have died before it could. `more` are further tags."""
    labels = {
        **more,
        "mlflow.source.name": run.notebook,
        "mlflow.source.type": "NOTEBOOK",
        "mlflow.user": os.environ.get("USER", ""),
    }
    commit = git_head(settings.workspace.root)
    if commit:
        labels["mlflow.source.git.commit"] = commit
    if run.release:
        labels["gen_toolkit.release"] = f"{run.name}/{run.release}"
    params = {f"p.{name}": value for name, value in run.parameters.items()}
    emit(RunStarted(run=run.id, name=run.title, run_kind=run.kind, parent=run.parent, params=params, tags=labels))
    title = f"{run.title} · attempt {lease.number}"
    emit(
        RunStarted(run=lease.attempt, name=title, run_kind="attempt", parent=run.id, params=params, tags=labels)
    )  # fmt: skip


def tell_end(run: RunRow, attempt: Attempt) -> None:
    """Numbers, files and the end of an attempt; and of its run, if that is its last one."""
    emit(Recorded(run=attempt.id, **_facts(attempt.outcome, attempt.seconds)))
    kept = json.dumps(attempt.outcome.get("kept", {}), ensure_ascii=False, indent=1)
    emit(FileRecorded(run=attempt.id, file="outputs.json", content=kept))
    path = attempt.folder / "notebook.ipynb" if attempt.folder else None
    if path is not None and path.exists():
        content = path.read_text(encoding="utf-8", errors="replace")  # damaged, perhaps: then as it is
        emit(FileRecorded(run=attempt.id, file="notebook.ipynb", content=content))
    emit(RunEnded(run=attempt.id, state=attempt.state))
    if run.is_open or run.attempt != attempt.id:
        return
    facts = _facts(run.outcome, run.seconds)
    metrics = {name: as_metric(value) for name, value in run.outcome.get("kept", {}).items()}
    facts["metrics"] |= {name: metric for name, metric in metrics.items() if metric is not None}
    facts["tags"]["gen_toolkit.attempts"] = str(run.attempts)
    emit(Recorded(run=run.id, **facts))
    emit(FileRecorded(run=run.id, file="outputs.json", content=kept))
    emit(RunEnded(run=run.id, state=run.state))
    if run.kind != "try" and run.parent is None:
        _tell_people(run)


def _tell_people(run: RunRow) -> None:
    """Of a piece of work as a whole, not of its parts."""
    why = run.reason or Reason("")
    emit(
        JobEnded(
            run=run.id,
            name=run.name,
            state=run.state,
            release=run.release,
            due=None if run.due is None else int(run.due),
            seconds=round(run.seconds, 3),
            cost_usd=run.outcome.get("cost_usd"),
            cell=why.cell,
            error=why.error,
            message=why.message,
        )
    )


def _facts(took: dict[str, Any], seconds: float) -> dict[str, Any]:
    metrics = {"seconds": seconds, "calls": took.get("calls", 0)}
    metrics |= {n: took[n] for n in ("input_tokens", "output_tokens", "reused") if took.get(n) is not None}
    if took.get("cost_usd") is not None:
        metrics["cost_usd"] = float(took["cost_usd"])
    params = {n: ", ".join(took[key]) for n, key in (("model", "models"), ("prompt", "prompts")) if took.get(key)}
    return {
        "metrics": metrics,
        "params": params,
        "tags": {"gen_toolkit.cost": "unknown" if took.get("cost_usd") is None else "known"},
    }


def mark_notebook(attempt: Attempt) -> None:
    """Let the saved notebook tell the ledger's truth: papermill calls killed cells completed."""
    if attempt.folder is None:
        return
    path = attempt.folder / "notebook.ipynb"
    prepared = attempt.folder / "prepared.ipynb"
    if not path.exists() and prepared.exists():
        shutil.copyfile(prepared, path)
    if not path.exists():
        return
    try:
        notebook = read_notebook(path)
    except NotebookError:
        return  # whoever damaged it may still have its record
    metadata = notebook.setdefault("metadata", {})
    metadata["gen_toolkit"] = {
        "run": attempt.run,
        "attempt": attempt.id,
        "state": attempt.state,
        "reason": attempt.reason.message if attempt.reason else None,
    }
    if attempt.state != "succeeded":
        metadata.setdefault("papermill", {})["exception"] = True
        stopped = (attempt.reason and attempt.reason.cell) or _first_not_run(notebook)
        for number, cell in enumerate(notebook["cells"], 1):
            status = "failed" if number == stopped else "pending" if number > stopped else "completed"
            said = cell.setdefault("metadata", {}).setdefault("papermill", {})
            said |= {"status": status, "exception": number == stopped}
    write_notebook(path, notebook)


def _first_not_run(notebook: dict[str, Any]) -> int:
    """Where it stopped when nobody was left to say so: as far as the saved notebook got."""
    numbered = enumerate(notebook["cells"], 1)
    waiting = (n for n, cell in numbered if cell["cell_type"] == "code" and cell.get("execution_count") is None)
    return next(waiting, len(notebook["cells"]))
