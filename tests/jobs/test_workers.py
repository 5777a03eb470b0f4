"""Workers: so many places for all who share them, let go with orders, and alive when their starter is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gen_toolkit.jobs.slots import take_slot
from gen_toolkit.jobs.stops import stops
from gen_toolkit.jobs.workers import Workers
from gen_toolkit.workspace import Workspace

HERE = Path(__file__).parent
TESTS = HERE.parent


@pytest.fixture
def hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """As long as it is there, workers work."""
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(HERE), str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")])
    )
    path = tmp_path / "hold"
    path.touch()
    yield path
    path.unlink(missing_ok=True)


def made(tmp_path: Path, limit: int = 2) -> Workers:
    return Workers("fake_worker", tmp_path / "places", limit, Workspace(tmp_path, None))


def hear(workers: Workers, event: str, orders: Callable[[], Any] = lambda: None) -> list[dict[str, Any]]:
    """Listen until the event has come; all that was said."""
    said: list[dict[str, Any]] = []
    until = time.monotonic() + 30
    while event not in [one["event"] for one in said]:
        assert time.monotonic() < until, said
        said += workers.listen(0.2, orders)
    return said


def test_a_worker_is_let_go_with_orders_and_says_what_it_does(tmp_path: Path, hold: Path) -> None:
    workers = made(tmp_path)
    assert workers.start()
    assert (len(workers), workers.waiting, workers.without_run) == (1, 1, 1)
    hear(workers, "printed", lambda: {"run": "r1", "hold": str(hold)})
    assert (workers.waiting, workers.without_run, workers.runs) == (0, 0, ["r1"])
    hold.unlink()
    said = hear(workers, "gone")
    assert [one["event"] for one in said] == ["succeeded", "gone"]
    assert said[-1] == {"event": "gone", "run": "r1", "status": 0}
    assert len(workers) == 0


def test_without_orders_a_worker_goes_away(tmp_path: Path, hold: Path) -> None:
    workers = made(tmp_path)
    workers.start()
    assert hear(workers, "gone") == [{"event": "gone", "run": None, "status": 0}]


def test_places_are_counted_over_all_who_share_them_and_come_back(tmp_path: Path, hold: Path) -> None:
    one, other = made(tmp_path), made(tmp_path)
    assert one.start()
    assert other.start()
    assert not one.start()
    assert not other.start()
    hear(one, "gone")
    assert other.start()
    hear(other, "gone")
    hear(other, "gone")


@pytest.mark.chaos
def test_a_worker_whose_starter_was_killed_keeps_its_place_and_finishes(tmp_path: Path, hold: Path) -> None:
    code = (
        "from pathlib import Path; from gen_toolkit.jobs.workers import Workers\n"
        "from gen_toolkit.workspace import Workspace\n"
        f"w = Workers('fake_worker', Path({str(tmp_path / 'places')!r}), 1, Workspace(Path('.').resolve(), None))\n"
        "w.start()\n"
        f"while True:\n    for m in w.listen(1, lambda: {{'run': 'r1', 'hold': {str(hold)!r}}}): print(m, flush=True)\n"
    )
    starter = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    claimed = eval(starter.stdout.readline())
    starter.kill()
    starter.wait()
    starter.stdout.close()
    heir = made(tmp_path, 1)
    assert not heir.start()
    assert Path(f"/proc/{claimed['pid']}").exists()
    hold.unlink()
    until = time.monotonic() + 30
    while not heir.start():
        assert time.monotonic() < until
        time.sleep(0.05)
    hear(heir, "gone")


def test_a_stop_ends_them(tmp_path: Path, hold: Path) -> None:
    workers = made(tmp_path)
    workers.start()
    hear(workers, "claimed", lambda: {"run": "r1", "hold": str(hold)})
    workers.stop()
    assert hear(workers, "gone")[-1]["status"] == -signal.SIGTERM


def test_there_are_as_many_places_as_the_limit_says(tmp_path: Path) -> None:
    first, second = take_slot(tmp_path, 2), take_slot(tmp_path, 2)
    assert first is not None
    assert second is not None
    assert take_slot(tmp_path, 2) is None
    os.close(first)
    third = take_slot(tmp_path, 2)
    assert third is not None
    os.close(second)
    os.close(third)


def test_signals_are_counted_and_wake_who_listens(tmp_path: Path, hold: Path) -> None:
    workers = made(tmp_path)
    with stops() as asked:
        workers.watch(asked.fileno())
        os.kill(os.getpid(), signal.SIGTERM)
        began = time.monotonic()
        workers.listen(20, lambda: None)
        assert time.monotonic() - began < 10
        os.kill(os.getpid(), signal.SIGINT)
        assert asked.count == 2
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
