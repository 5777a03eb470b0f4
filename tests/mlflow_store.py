"""A real MLflow store in the workspace of a test (a copy of a prepared one: making it takes seconds)."""

from __future__ import annotations

import atexit
import functools
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gen_toolkit import scope
from gen_toolkit.database.engine import open_database
from gen_toolkit.settings import load_settings
from gen_toolkit.tracking import find, listener
from gen_toolkit.tracking import run as run_module
from gen_toolkit.tracking.store import client
from gen_toolkit.tracking.writer import drain


@functools.cache
def _prepared() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mlflow.db"
        client(f"sqlite:///{path}").search_experiments()
        client(f"sqlite:///{path}").search_registered_models()
        clean = Path(folder) / "copy.db"
        with sqlite3.connect(path) as source, sqlite3.connect(clean) as target:
            source.backup(target)
        source.close()
        target.close()
        return clean.read_bytes()


class Store:
    """What MLflow holds after everything that waited was delivered."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.uri = f"sqlite:///{root / 'mlruns' / 'mlflow.db'}"

    @property
    def mlflow(self) -> Any:
        return client(self.uri)

    def drain(self, seconds: float = 20.0) -> int:
        return drain(seconds=seconds)

    def runs(self, kind: str | None = None) -> list[Any]:
        """MLflow's runs of the workspace's experiment, oldest first."""
        self.drain()
        experiment = self.mlflow.get_experiment_by_name(load_settings().experiment)
        if experiment is None:
            return []
        found = self.mlflow.search_runs([experiment.experiment_id], order_by=["attributes.start_time ASC"])
        return [r for r in found if kind is None or r.data.tags.get("gen_toolkit.kind") == kind]

    def run(self, ours: str) -> Any:
        """MLflow's run of our id."""
        (found,) = [r for r in self.runs() if r.data.tags.get("gen_toolkit.run") == ours]
        return found

    def artifact(self, ours: str, file: str) -> Any:
        run = self.run(ours)
        with tempfile.TemporaryDirectory() as folder:
            path = self.mlflow.download_artifacts(run.info.run_id, file, folder)
            return json.loads(Path(path).read_text(encoding="utf-8"))

    def sql(self, statement: str, *values: Any) -> list[Any]:
        """A statement on the toolkit's own database, for what no public name shows."""
        database = open_database()
        with database.write() as connection:
            marked = statement if database.path else statement.replace("?", "%s")
            result = connection.exec_driver_sql(marked, values)
            return [tuple(row) for row in result] if result.returns_rows else []


def new_session() -> None:
    """Forget the session of the test before: a session belongs to one workspace."""
    atexit.unregister(run_module._close_session)
    scope._session = None
    run_module._opened_session = None


@pytest.fixture
def store(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The workspace's own MLflow store. No thread writes behind the test's back: `store` delivers when it looks."""
    records = workspace / "mlruns"
    records.mkdir(mode=0o700)
    (records / "mlflow.db").write_bytes(_prepared())
    monkeypatch.setattr(listener, "wake_writer", lambda settings: None)
    new_session()
    yield Store(workspace)
    new_session()
    shutil.rmtree(records / "artifacts", ignore_errors=True)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work waits for its MLflow run: else a slow machine gives `mlflow.*` calls a run of their own."""
    monkeypatch.setattr(find, "_PATIENCE", 30.0)
