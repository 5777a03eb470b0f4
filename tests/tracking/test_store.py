"""What MLflow's store says on its own account is not ours to repeat."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from notebook_cells import with_mlflow

import gen_toolkit as gt
from gen_toolkit.tracking.writer import drain

pytestmark = pytest.mark.usefixtures("delivered")  # MLflow is told as users have it


def test_a_database_that_takes_nothing_prints_nothing(
    workspace: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with_mlflow(workspace)
    with gt.run("told"):
        pass
    assert drain(seconds=60) == 0
    with sqlite3.connect(workspace / "mlruns/mlflow.db") as database:
        database.execute("ALTER TABLE runs RENAME TO gone")
    with gt.run("waits"):
        pass
    assert drain(seconds=20) > 0
    assert "mlflow" not in {record.name.partition(".")[0] for record in caplog.records}
    assert capfd.readouterr() == ("", "")
