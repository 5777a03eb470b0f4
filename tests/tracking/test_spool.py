"""Events wait for MLflow, are delivered once, and one that is refused blocks no other."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow_store import Store, new_session

import gen_toolkit as gt
from gen_toolkit import scope
from gen_toolkit.database.engine import Database, open_database
from gen_toolkit.events import Recorded, RunEnded, RunStarted, emit
from gen_toolkit.process import this_process
from gen_toolkit.settings import load_settings
from gen_toolkit.tracking import spool
from gen_toolkit.tracking.store import client
from gen_toolkit.tracking.writer import wake_thread

pytestmark = pytest.mark.usefixtures("delivered")  # MLflow is told as users have it

DOWN = "http://127.0.0.1:9"


def work() -> Any:
    """Something of every kind of event but files."""
    asked = gt.ScriptedModel({"*": "x"})
    with gt.run("outer"):
        gt.keep("n", 1)
        gt.keep("t", "text")
        return gt.evaluate(
            gt.Prompt("p", user="{{ a }}").save(), [{"a": 1}, {"a": 2}], scorer=lambda v, r: r["a"] == 1, model=asked
        )


def state(store: Store) -> list[Any]:
    """All that MLflow knows, without its own ids."""
    told = []
    for run in store.runs():
        points = {
            name: [(m.value, m.timestamp, m.step) for m in store.mlflow.get_metric_history(run.info.run_id, name)]
            for name in run.data.metrics
        }
        files = [f.path for f in store.mlflow.list_artifacts(run.info.run_id)]
        told.append(
            (run.info.status, run.info.start_time, run.info.end_time, run.data.params, run.data.tags, points, files)
        )
    return told


def test_delivering_everything_twice_leaves_the_same_state(either_database: str, store: Store) -> None:
    result = work()
    once = state(store)
    assert len(once) == 3
    store.sql("update spool set delivered_at = null")  # killed between delivering and writing that down
    assert store.drain() == 0
    assert state(store) == once
    assert len(store.artifact(result.run, "rows.json")["data"]) == 2


def test_a_run_that_was_deleted_in_the_ui_is_not_made_again(store: Store) -> None:
    with gt.run("mine") as run:
        store.mlflow.delete_run(store.run(run.id).info.run_id)
    assert store.drain() == 0
    assert store.runs("run") == []


def test_a_run_that_a_hanging_server_made_twice_is_there_once_in_the_end(store: Store) -> None:
    with gt.run("mine") as run:
        gt.keep("n", 1)
        experiment = store.run(run.id).info.experiment_id
        for name in ("made when nobody waited any more", "and again"):
            store.mlflow.create_run(experiment, tags={"gen_toolkit.run": run.id}, run_name=name)
    told = store.run(run.id)
    assert (told.info.run_name, told.info.status, told.data.metrics["n"]) == ("mine", "FINISHED", 1)


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(64)
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("kind", ["down", "silent"])
def test_the_work_does_not_wait_for_mlflow(
    store: Store, monkeypatch: pytest.MonkeyPatch, silent: str, kind: str
) -> None:
    import mlflow  # noqa: F401 - only then is a run looked for

    monkeypatch.setenv("MLFLOW_TRACKING_URI", DOWN if kind == "down" else silent)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "3")
    start = time.monotonic()
    with gt.run("mine"):
        gt.keep("n", 1)
        gt.evaluate(lambda row: 1, [{"a": 1}], scorer=lambda v, r: True)
    assert time.monotonic() - start < 6
    assert spool.count_waiting(open_database()) > 5


def test_a_store_that_is_down_does_not_hold_up_another(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", DOWN)
        with gt.run("to the dead one"):
            pass
    dead = spool.count_waiting(open_database())
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    new_session()
    with gt.run("to the living one") as run:
        pass
    assert store.drain(seconds=10) == dead
    assert store.run(run.id).info.status == "FINISHED"


@pytest.mark.parametrize(
    "poison",
    [
        ("recorded", {"metrics": {"F1 (macro)": 1.0}}),
        ("recorded", {"params": {"a//b": "x"}}),
        ("recorded", {"of": "a newer toolkit"}),
        ("from-the-future", {}),
        ("value-kept", {"name": "a//b", "value": 1}),
        ("prompt-used", {"name": "nobody", "version": 3}),
    ],
    ids=str,
)
def test_an_event_that_mlflow_refuses_blocks_no_other(
    either_database: str, store: Store, poison: tuple[str, dict[str, Any]]
) -> None:
    with gt.run("mine") as run:
        kind, data = poison
        event = json.dumps({"run": run.id, "time": 1.0, **data})
        settings = load_settings()
        store.sql(
            "insert into spool (run, kind, event, tracking_uri, experiment) values (?, ?, ?, ?, ?)",
            run.id, kind, event, settings.tracking_uri, settings.experiment,
        )  # fmt: skip
        gt.keep("after", 1)
    assert store.drain() == 0
    assert store.run(run.id).data.metrics["after"] == 1
    assert store.run(run.id).info.status == "FINISHED"
    refused = store.sql("select kind, problem from spool where problem is not null")
    assert [kind for kind, _ in refused] == [poison[0]]
    assert all("\n" not in problem for _, problem in refused)


def test_long_values_are_cut_and_not_refused(store: Store) -> None:
    with gt.run("mine") as run:
        emit(Recorded(run=run.id, params={"p": "x" * 9000}, tags={"t": "y" * 9000}, metrics={"m": float("inf")}))
    told = store.run(run.id).data
    assert (len(told.params["p"]), told.params["p"][-1], len(told.tags["t"])) == (6000, "…", 5000)
    assert "m" not in told.metrics


def _dead_process() -> str:
    child = subprocess.run(
        [sys.executable, "-c", "from gen_toolkit.process import this_process; print(this_process())"],
        capture_output=True,
        text=True,
        check=True,
    )
    return child.stdout.strip()


def test_the_runs_of_a_dead_process_are_closed_and_those_of_a_living_one_are_not(
    either_database: str, store: Store
) -> None:
    dead = _dead_process()
    starts = {
        name: RunStarted(run=scope.new_id(), name=name, run_kind=kind, tags={"gen_toolkit.process": process})
        for name, kind, process in (
            ("session", "session", dead),
            ("evaluation", "evaluation", dead),
            ("mine", "run", this_process()),
            ("elsewhere", "run", "another-host 1 1"),
        )
    }
    for event in starts.values():
        emit(event)
    said = {run.info.run_name: run.info.status for run in store.runs()}
    assert said == {"session": "FINISHED", "evaluation": "KILLED", "mine": "RUNNING", "elsewhere": "RUNNING"}
    assert store.run(starts["evaluation"].run).data.tags["gen_toolkit.state"] == "lost"


def test_a_run_is_closed_in_the_store_where_it_was_opened(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    emit(RunStarted(run=scope.new_id(), name="x", run_kind="run", tags={"gen_toolkit.process": _dead_process()}))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", DOWN)
    assert store.drain() == 0
    (run,) = store.runs("run")
    assert run.info.status == "KILLED"


def test_only_one_writes_at_a_time(store: Store) -> None:
    with gt.run("mine"):
        pass
    waiting = spool.count_waiting(open_database())
    descriptor = os.open(store.root / "mlruns" / "writer.lock", os.O_CREAT | os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)  # another process writes
    start = time.monotonic()
    assert store.drain(seconds=0.3) == waiting
    assert time.monotonic() - start < 2
    os.close(descriptor)
    assert store.drain() == 0


@pytest.mark.postgres
def test_of_machines_that_share_a_database_one_writes_at_a_time(postgres: object, store: Store) -> None:
    with gt.run("mine"):
        pass
    waiting = spool.count_waiting(open_database())
    other = Database(open_database().place)  # as on another machine, where our file is not locked
    with other.elected("deliver") as theirs:
        assert theirs
        assert store.drain(seconds=0.3) == waiting
    other.engine.dispose()
    assert store.drain() == 0


@pytest.mark.postgres
def test_what_goes_into_another_machines_file_is_left_to_that_machine(postgres: object, store: Store) -> None:
    with gt.run("mine") as run:
        pass
    spool.put(open_database(), RunStarted(run="theirs", name="x", run_kind="run"), "sqlite:////not/here/m.db", "e")
    assert store.drain() == 0
    assert store.run(run.id).info.status == "FINISHED"
    assert spool.count_waiting(open_database()) == 1


def test_many_writers_at_once_deliver_each_event_once(either_database: str, store: Store) -> None:
    for n in range(5):
        with gt.run(f"r{n}"):
            gt.keep("n", n)
    threads = [threading.Thread(target=store.drain) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(run.info.run_name for run in store.runs("run")) == [f"r{n}" for n in range(5)]
    assert spool.count_waiting(open_database()) == 0


def test_a_process_that_works_in_two_workspaces_writes_for_both(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = shutil.copytree(store.root, tmp_path / "other")
    for root in (store.root, other):
        monkeypatch.chdir(root)
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        new_session()
        with gt.run(root.name):
            pass
        wake_thread(load_settings())
    until = time.monotonic() + 20
    for root in (store.root, other):
        monkeypatch.chdir(root)
        while spool.count_waiting(open_database()):
            assert time.monotonic() < until
            time.sleep(0.05)
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        assert [run.info.run_name for run in Store(root).runs("run")] == [root.name]


def test_what_a_script_kept_is_in_mlflow_when_it_has_ended(either_database: str, store: Store, tmp_path: Path) -> None:
    program = (
        "import os, gen_toolkit as gt\n"
        "from gen_toolkit.tracking import writer\n"
        "writer._PATIENCE_AT_EXIT = 60\n"
        "gt.keep('first', 1)\n"
        "with gt.run('mine'): gt.keep('second', 2)\n"
        f"os.chdir({str(tmp_path)!r})\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", program], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    (session,) = client(store.uri).search_runs(["1"], "tags.`gen_toolkit.kind` = 'session'")
    (mine,) = client(store.uri).search_runs(["1"], "tags.`gen_toolkit.kind` = 'run'")
    assert (session.data.metrics["first"], session.info.status) == (1, "FINISHED")
    assert (mine.data.metrics["second"], mine.info.status) == (2, "FINISHED")
    assert not (tmp_path / "mlruns").exists()


def test_a_killed_script_has_lost_nothing_and_its_runs_are_closed(store: Store) -> None:
    program = (
        "import os, signal, gen_toolkit as gt\n"
        "with gt.run('mine'):\n    gt.keep('n', 1)\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True).returncode == -9
    assert {run.info.run_name: (run.info.status, run.data.metrics) for run in store.runs("run")} == {
        "mine": ("KILLED", {"n": 1})
    }


def test_the_ends_state_says_what_mlflow_shows(store: Store) -> None:
    states = {
        "succeeded": "FINISHED",
        "failed": "FAILED",
        "timed out": "FAILED",
        "cancelled": "KILLED",
        "lost": "KILLED",
    }
    for name in states:
        run = scope.new_id()
        emit(RunStarted(run=run, name=name, run_kind="run"))
        emit(RunEnded(run=run, state=name))
    assert {run.info.run_name: run.info.status for run in store.runs()} == states
