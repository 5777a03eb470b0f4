"""Before an attempt starts: its folder with the notebook that will be executed, and the environment of its kernel."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gen_toolkit import scope
from gen_toolkit.amount import Amount
from gen_toolkit.database.place import variables
from gen_toolkit.errors import DatabaseError
from gen_toolkit.ipynb import Notebook, source, tags, write_notebook
from gen_toolkit.jobs.environment import kernel_environment
from gen_toolkit.jobs.fixed import fixed_environment
from gen_toolkit.jobs.job import Job
from gen_toolkit.jobs.rows import Lease, RunRow
from gen_toolkit.jobs.values import injected_source
from gen_toolkit.settings import Resolved
from gen_toolkit.tracking.source import NOTEBOOK_MARK
from gen_toolkit.tracking.store import environment as tracking_environment

RELEASE = "release"
"""Folder of what a try ran, beside its notebook: its next attempt runs the same."""


def prepared_folder(job: Job, attempt: str, settings: Resolved) -> Path:
    """A folder of the attempt's own, with the notebook that will be executed. Raises DatabaseError."""
    folder = settings.workspace.prepare() / "runs" / attempt
    try:
        if folder.exists():
            return folder  # made before the run was asked for
        folder.mkdir(parents=True, mode=0o700)
        write_notebook(folder / "prepared.ipynb", with_parameters(job.notebook, job.values))
        if job.kind == "try":
            shutil.copytree(job.release_folder, folder / RELEASE)
    except OSError as error:
        # of the files that could not be copied each has its reason, and the error as a whole none
        why = error.args[0][0][2] if isinstance(error, shutil.Error) else error.strerror
        raise DatabaseError(
            f"the run's folder {folder} cannot be written: {why}",
            fix="Check free space and permissions.",
        ) from None
    return folder


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


def environment_of(job: Job, run: RunRow, lease: Lease, folder: Path, settings: Resolved) -> dict[str, str]:
    """What the kernel sees: an allow-list, the run's marks, and what the run fixes for all its attempts."""
    release = folder / RELEASE if job.kind == "try" else job.release_folder
    own = {
        scope.ROOT_MARK: run.id,
        scope.ATTEMPT_MARK: str(lease.number),
        scope.RELEASE_MARK: str(release),
        NOTEBOOK_MARK: job.source,
        scope.BUDGETS_MARK: scope.written(_budgets(job, run)),
        "GEN_TOOLKIT_WORKSPACE": str(settings.workspace.root),
        **fixed_environment(run),
        **tracking_environment(settings),
    }
    if job.is_shared:
        own[scope.SHARED_MARK] = "1"
        own["GEN_TOOLKIT_CALLS"] = "replay" if os.environ.get("GEN_TOOLKIT_CALLS") == "replay" else "reuse"
    included = release / "include"
    if included.is_dir():
        own["PYTHONPATH"] = os.pathsep.join(filter(None, [str(included), os.environ.get("PYTHONPATH")]))
    return kernel_environment([*job.secrets, *variables(settings)], own)


def _budgets(job: Job, run: RunRow) -> tuple[scope.Budget, ...]:
    """What the run and all its processes are held to: what holds here, its own, and its pipeline's."""
    held = scope.with_run_budget(run.id, run.title, None)
    if job.daily_budget is None:
        return held
    limit = Amount.of(job.daily_budget)
    return (*held, scope.Budget(f"pipeline:{job.name}", limit, f"pipeline {job.name!r}", daily=True))
