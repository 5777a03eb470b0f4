"""Traces while MLflow is locked or slow, and evaluations side by side: nothing is lost, nothing waits for MLflow."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

import pytest
from mlflow.tracing.client import TracingClient
from mlflow_store import Store

import gen_toolkit as gt
from gen_toolkit.tracking import listener, writer

pytestmark = pytest.mark.usefixtures("delivered")  # what goes wrong beside MLflow, too

ROWS = [{"text": f"row {n}", "label": "good" if n % 2 else "bad"} for n in range(60)]
LABEL = gt.Prompt("label", user="{{ text }}?", output=Literal["good", "bad"])
RIGHT = gt.scorers.exact("label", name="accuracy")


def evaluated(name: str) -> Any:
    return gt.evaluate(LABEL, ROWS, scorer=RIGHT, model=gt.ScriptedModel({"*": "good"}), traces="all", name=name)


def counted(store: Store) -> dict[str, int]:
    """How many traces MLflow's database holds, by the name of their run."""
    assert store.drain(60) == 0
    connection = sqlite3.connect(store.root / "mlruns" / "mlflow.db")
    query = (
        "SELECT runs.name, count(*) FROM runs JOIN trace_request_metadata AS linked ON linked.value = runs.run_uuid "
        "WHERE linked.key = 'mlflow.sourceRun' GROUP BY runs.name"
    )
    found = dict(connection.execute(query).fetchall())
    connection.close()
    return found


@pytest.fixture
def _writes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the background writer, as in a notebook."""
    monkeypatch.setattr(listener, "wake_writer", writer.wake_thread)


def timed(work: Callable[[], Any]) -> float:
    start = time.monotonic()
    work()
    return time.monotonic() - start


@pytest.mark.usefixtures("_writes")
def test_an_evaluation_does_not_wait_for_a_locked_mlflow_and_loses_nothing(store: Store) -> None:
    evaluated("before")
    assert counted(store) == {"before": 60}
    usual = timed(lambda: evaluated("usual"))
    assert store.drain(60) == 0
    somebody = sqlite3.connect(store.root / "mlruns" / "mlflow.db", isolation_level=None)
    somebody.execute("BEGIN EXCLUSIVE")
    took = timed(lambda: evaluated("locked"))
    somebody.execute("ROLLBACK")
    somebody.close()
    assert took - usual < 5
    assert counted(store) == {"before": 60, "usual": 60, "locked": 60}


@pytest.mark.usefixtures("_writes")
def test_an_evaluation_does_not_wait_for_a_slow_mlflow_and_loses_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = type(TracingClient(store.uri).store)
    real, slow = kind.log_spans, threading.Event()

    def log_spans(self: Any, *given: Any, **more: Any) -> Any:
        slow.wait(20)
        return real(self, *given, **more)

    monkeypatch.setattr(kind, "log_spans", log_spans)
    took = timed(lambda: evaluated("slow"))
    slow.set()
    assert took < 10
    assert counted(store) == {"slow": 60}


def test_two_evaluations_at_once_in_one_process_keep_their_traces_apart(store: Store) -> None:
    async def both() -> None:
        models = [gt.ScriptedModel({"*": "good"}), gt.ScriptedModel({"*": "bad"})]
        await asyncio.gather(
            *(
                gt.aevaluate(LABEL, ROWS, scorer=RIGHT, model=model, traces="all", name=name)
                for model, name in zip(models, ("one", "two"), strict=True)
            )
        )

    asyncio.run(both())
    assert counted(store) == {"one": 60, "two": 60}


SCRIPT = """
import sys
import gen_toolkit as gt
rows = [{"text": f"row {n}", "label": "good"} for n in range(60)]
gt.evaluate(gt.Prompt("label", user="{{ text }}?"), rows, scorer=gt.scorers.exact("label", name="accuracy"),
            model=gt.ScriptedModel({"*": "good"}), traces="all", name=sys.argv[1])
"""


def test_two_evaluations_at_once_in_two_processes_lose_nothing(store: Store) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", SCRIPT, name], cwd=store.root) for name in ("one", "two")]
    assert [process.wait(120) for process in processes] == [0, 0]
    assert counted(store) == {"one": 60, "two": 60}
