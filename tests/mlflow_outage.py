"""Jobs while their MLflow server is killed, stopped or started again: what they took, and what it holds in the end."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mlflow_server import Server
from notebook_cells import enter, furnish, gen, gen_json, written

from gen_toolkit.settings import load_settings
from gen_toolkit.tracking.store import client
from gen_toolkit.tracking.writer import drain

USE = "import gen_toolkit as gt"
KEEP = "gt.keep('n', limit)\ngt.keep('words', ['a list'])"
NOTEBOOKS = {"plain": [USE, KEEP], "asking": [USE, KEEP, "where = 'mlflow'"]}  # the second waits for its MLflow run
PATIENCE = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "3"}  # of the courier's: else the test would wait for it, as no job does
LONGEST = 5.0
"""Seconds that a server which is down may add to a run."""


@dataclass(frozen=True)
class Ran:
    name: str
    number: int
    state: str
    """The server's, when it began."""
    seconds: float
    row: dict[str, Any]


@dataclass(frozen=True)
class Outage:
    ran: Sequence[Ran]
    told: dict[str, list[Any]]
    """MLflow's runs, by the id that we gave them."""
    histories: dict[str, list[float]]
    """All points of the metric `n` of each of those."""
    left: int
    """Events that were not delivered when the server was there again."""

    def slowest(self, *states: str) -> float:
        return max(each.seconds for each in self.ran if each.state in states)


def outage(root: Path, server: Server, plan: Sequence[tuple[str, int]], names: Sequence[str]) -> Outage:
    """Run jobs one after the other, so many in each state of the server. It is up at the end, and asked."""
    with pytest.MonkeyPatch.context() as patch:
        enter(furnish(root, mlflow=False), patch)
        patch.setenv("MLFLOW_TRACKING_URI", server.uri)
        for name, cells in NOTEBOOKS.items():
            written(root / f"notebooks/{name}.ipynb", *cells)
            gen_json("promote", f"notebooks/{name}.ipynb", "--as", name, cwd=root)
        assert gen("warm", "start", cwd=root).returncode == 0
        try:
            return _played(root, server, plan, names)
        finally:
            gen("warm", "stop", cwd=root)


def _played(root: Path, server: Server, plan: Sequence[tuple[str, int]], names: Sequence[str]) -> Outage:
    ran: list[Ran] = []
    _run(root, server, names[0], 0)  # the first of its template
    for state, count in plan:
        done = _bring(server, state)
        for _ in range(count):
            number = len(ran) + 1
            name = names[number % len(names)]
            seconds, row = _run(root, server, name, number)
            ran.append(Ran(name, number, state, seconds, row))
        done()
    left = drain(seconds=150)
    mlflow = client(server.uri)
    experiment = mlflow.get_experiment_by_name(load_settings().experiment)
    assert experiment is not None
    told: dict[str, list[Any]] = {}
    for run in mlflow.search_runs([experiment.experiment_id], max_results=1000):
        told.setdefault(run.data.tags["gen_toolkit.run"], []).append(run)
    histories = {
        ours: [point.value for point in mlflow.get_metric_history(runs[0].info.run_id, "n")]
        for ours, runs in told.items()
    }
    return Outage(ran, told, histories, left)


def _run(root: Path, server: Server, name: str, number: int) -> tuple[float, dict[str, Any]]:
    start = time.monotonic()
    done = gen("run", name, "-p", f"limit={number}", "--json", cwd=root, MLFLOW_TRACKING_URI=server.uri, **PATIENCE)
    seconds = time.monotonic() - start
    assert done.returncode == 0, done.stderr
    return seconds, json.loads(done.stdout)


def _bring(server: Server, state: str) -> Callable[[], object]:
    """The server into that state; what is to be done before the next."""
    match state:
        case "killed":
            server.stop()
            return server.start
        case "stopped":
            server.signal(signal.SIGSTOP)
            return lambda: server.signal(signal.SIGCONT)
        case "restarted":  # while runs go on
            server.stop()
            thread = threading.Thread(target=server.start)
            thread.start()
            return thread.join
        case _:
            assert state == "up"
            return lambda: None


def assert_nothing_was_lost(outage: Outage) -> None:
    """All succeeded, none was held up, and MLflow has each of them, its attempt and its numbers once."""
    assert [each.row["state"] for each in outage.ran] == ["succeeded"] * len(outage.ran)
    assert outage.left == 0
    healthy = outage.slowest("up")
    late = [each for each in outage.ran if each.seconds > healthy + LONGEST]
    assert late == []
    for each in outage.ran:
        for ours in (each.row["id"], each.row["attempt"]):
            (run,) = outage.told[ours]
            assert run.info.status == "FINISHED"
            assert run.data.params["p.limit"] == str(each.number)
            assert outage.histories[ours] == [each.number]
    assert {len(runs) for runs in outage.told.values()} == {1}
