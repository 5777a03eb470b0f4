"""The courier: one a workspace, held by nothing and holding nothing, it delivers once what commands leave behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command_lines import command_line
from mlflow_store import Store

from gen_toolkit.database.engine import open_database
from gen_toolkit.events import Recorded, RunEnded, RunStarted, emit
from gen_toolkit.process import marked
from gen_toolkit.settings import load_settings
from gen_toolkit.surface import RUN_MARK
from gen_toolkit.tracking import courier, hand_over, writer
from gen_toolkit.tracking.spool import count_waiting

pytestmark = pytest.mark.usefixtures("delivered")  # MLflow is told as users have it
SHELL_MARK = "COURIER_TEST"
COMMAND = """
import os, sys
from gen_toolkit import scope
from gen_toolkit.events import Recorded, RunEnded, RunStarted, emit
from gen_toolkit.jobs.courier import start_courier
from gen_toolkit.tracking.hand_over import by_courier
by_courier(start_courier)
for number in range(int(sys.argv[1])):
    run = scope.new_id()
    emit(RunStarted(run=run, name=f"{os.getpid()}-{number}", run_kind="job"))
    emit(Recorded(run=run, metrics={"m": number}))
    emit(RunEnded(run=run, state="succeeded"))
print("mlflow" in sys.modules)
"""


def say_something() -> None:
    emit(RunStarted(run="r", name="r", run_kind="job"))
    emit(Recorded(run="r", metrics={"m": 1}))
    emit(RunEnded(run="r", state="succeeded"))


def until(true: Callable[[], object], seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.05)
    return found


def couriers(root: Path) -> list[int]:
    """Processes of the workspace that are couriers."""
    return [pid for pid in marked("GEN_TOOLKIT_WORKSPACE", str(root)) if is_courier(pid)]


def is_courier(pid: int) -> bool:
    """A courier has a session of its own; a program that it starts has its name until it has become that program."""
    with contextlib.suppress(ProcessLookupError):
        return "tracking.courier" in command_line(pid) and os.getsid(pid) == pid
    return False


@pytest.fixture
def at_work(store: Store) -> Iterator[Store]:
    """A workspace whose couriers are gone when the test is over."""
    yield store
    for pid in couriers(store.root):
        os.kill(pid, signal.SIGKILL)


def command(runs: int, **environment: str) -> subprocess.Popen[str]:
    """A command in a session of its own, that emits the events of so many runs and ends."""
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(runs)],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_one_at_a_time_has_the_lock(store: Store) -> None:
    records = load_settings().workspace.records
    first = courier.take(records)
    assert first is not None
    assert courier.take(records) is None
    copy = os.dup(first)
    os.close(first)
    assert courier.take(records) is None  # handed on: the copy holds it
    os.close(copy)
    again = courier.take(records)
    assert again is not None
    os.close(again)


def delivered(lock: int) -> bool:
    return courier._deliver_until_idle(load_settings(), lock)


@pytest.fixture
def lock(store: Store) -> Iterator[int]:
    taken = courier.take(load_settings().workspace.records)
    assert taken is not None
    yield taken
    os.close(taken)


def test_it_delivers_waits_for_more_and_goes(store: Store, lock: int, monkeypatch: pytest.MonkeyPatch) -> None:
    say_something()
    monkeypatch.setattr(courier, "IDLE", 0.3)
    started = time.monotonic()
    assert delivered(lock)
    assert time.monotonic() - started > 0.3
    assert count_waiting(open_database()) == 0
    assert store.run("r").data.metrics["m"] == 1


def test_it_gives_up_on_an_mlflow_that_takes_nothing_and_what_waits_stays(
    store: Store, lock: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    say_something()
    monkeypatch.setattr(courier, "_PATIENCE", 0.5)
    assert not delivered(lock)
    assert count_waiting(open_database()) == 3


@pytest.mark.parametrize("gone", ["deleted", "moved"])
def test_where_the_workspace_is_gone_it_ends_and_makes_nothing(store: Store, lock: int, gone: str) -> None:
    say_something()
    if gone == "deleted":
        shutil.rmtree(store.root / "mlruns")
    else:
        (store.root / "mlruns").rename(store.root / "elsewhere")
    assert not delivered(lock)
    assert not (store.root / "mlruns").exists()


@pytest.mark.parametrize(
    ("why", "waits"), [("nothing", False), ("setting", True), ("first process", True), ("its child", True)]
)
def test_a_command_waits_where_the_setting_says_so_or_a_container_ends_with_it(
    store: Store, monkeypatch: pytest.MonkeyPatch, why: str, waits: bool
) -> None:
    woken: list[str] = []
    monkeypatch.setattr(writer, "wake_thread", lambda _: woken.append("thread"))
    monkeypatch.setattr(hand_over, "_start", lambda settings, lock: woken.append("courier"))
    monkeypatch.setattr(hand_over, "_PAUSE", 0.0)
    monkeypatch.setattr(os, "getppid", lambda: 1 if why == "its child" else 7)
    if why == "setting":
        monkeypatch.setenv("GEN_TOOLKIT_DELIVERY", "wait")
    if why == "first process":
        monkeypatch.setattr(os, "getpid", lambda: 1)
    hand_over.wake_writer(load_settings())
    until(lambda: woken)
    assert woken == ["thread" if waits else "courier"]


def test_no_second_courier_is_started_while_one_is_up(store: Store, lock: int, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    monkeypatch.setattr(hand_over, "_start", lambda settings, lock: started.append(lock))
    monkeypatch.setattr(os, "getppid", lambda: 7)
    hand_over.wake_writer(load_settings())
    hand_over._send(load_settings())
    assert started == []


def test_a_command_leaves_a_process_that_is_part_of_nothing_and_ends_by_itself(at_work: Store) -> None:
    mine = f"of-{os.getpid()}"  # no other suite on this machine has it
    done = command(2, **{"GEN_TOOLKIT_SESSION": mine, SHELL_MARK: mine})
    out, said = done.communicate(timeout=60)  # at the end of its output nobody holds it any more
    assert (out, said, done.returncode) == ("False\n", "", 0)
    (pid,) = couriers(at_work.root)
    assert os.readlink(f"/proc/{pid}/cwd") == "/"
    assert {os.readlink(f"/proc/{pid}/fd/{number}") for number in (0, 1, 2)} == {"/dev/null"}
    assert os.getsid(pid) not in (os.getsid(0), done.pid)
    assert marked("GEN_TOOLKIT_SESSION", mine) == []
    left = [each for each in marked(SHELL_MARK, mine) if is_courier(each)]
    assert left == [pid]  # else its environment is the command's: what MLflow's store may need
    until(lambda: count_waiting(open_database()) == 0)
    until(lambda: couriers(at_work.root) == [])
    told = at_work.runs("job")
    assert [run.data.metrics["m"] for run in told] == [0, 1]
    assert {run.info.status for run in told} == {"FINISHED"}


def test_many_commands_at_once_leave_one_courier_and_every_event_is_delivered_once(at_work: Store) -> None:
    commands = [command(3) for _ in range(4)]
    most = 0
    while any(each.poll() is None for each in commands) or count_waiting(open_database()):
        most = max(most, len(couriers(at_work.root)))
        time.sleep(0.02)
    for each in commands:
        each.communicate()
    assert most == 1
    told = at_work.runs("job")
    assert len(told) == len({run.data.tags["gen_toolkit.run"] for run in told}) == 12


def test_what_a_killed_courier_leaves_is_delivered_by_the_next_command(at_work: Store) -> None:
    command(20).communicate(timeout=60)
    (pid,) = until(lambda: couriers(at_work.root))
    until(lambda: count_waiting(open_database()) < 60)
    os.kill(pid, signal.SIGKILL)
    command(1).communicate(timeout=60)
    until(lambda: count_waiting(open_database()) == 0)
    told = at_work.runs("job")
    assert len(told) == 21
    histories = [at_work.mlflow.get_metric_history(run.info.run_id, "m") for run in told]
    assert {len(history) for history in histories} == {1}


def test_a_run_inside_a_run_leaves_it_to_that(at_work: Store) -> None:
    command(1, **{RUN_MARK: "outer"}).communicate(timeout=60)
    assert couriers(at_work.root) == []
    assert count_waiting(open_database()) == 3
