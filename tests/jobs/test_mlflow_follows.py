"""A command that runs a job does not load MLflow, and leaves it a process that is no part of the run."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from notebook_cells import enter, environment_of_nobody, furnish, written

from gen_toolkit.database.engine import open_database
from gen_toolkit.process import marked
from gen_toolkit.surface import RUN_MARK
from gen_toolkit.tracking.spool import count_waiting
from gen_toolkit.tracking.store import client

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("delivered")]

PROGRAM = """
import atexit, sys
atexit.register(lambda: print("MLFLOW", "mlflow" in sys.modules, file=sys.stderr))
from gen_toolkit.cli.begin import main
main()
"""
CELLS = ["import gen_toolkit as gt\nimport mlflow", "gt.keep('n', 7)"]


def test_mlflow_is_told_of_a_cold_run_by_another_process_once_and_nothing_of_the_run_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = furnish(tmp_path / "work")
    path = written(root / "notebooks/it.ipynb", *CELLS)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "try", str(path), "--json"],
        cwd=root,
        env=environment_of_nobody(),
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("MLFLOW False\n")
    row = json.loads(done.stdout)
    assert marked(RUN_MARK, row["attempt"]) == []
    enter(root, monkeypatch)
    until = time.monotonic() + 100
    while count_waiting(open_database()):
        assert time.monotonic() < until, "nobody delivers"
        time.sleep(0.1)
    mlflow = client(f"sqlite:///{root}/mlruns/mlflow.db")
    experiment = mlflow.get_experiment_by_name(root.name)
    assert experiment is not None
    told = {run.data.tags["gen_toolkit.run"]: run for run in mlflow.search_runs([experiment.experiment_id])}
    assert told.keys() == {row["id"], row["attempt"]}
    assert {run.info.status for run in told.values()} == {"FINISHED"}
    assert {run.data.metrics["n"] for run in told.values()} == {7}
