"""Following a run of another process: whatever becomes of it, its news are told in order, and the end is the last."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import DatabaseError
from gen_toolkit.events import RunStarted, ValueKept
from gen_toolkit.jobs import follow as following
from gen_toolkit.jobs.attempt_log import LOG
from gen_toolkit.jobs.follow import follow
from gen_toolkit.jobs.ledger import Again, Ledger, Reason
from gen_toolkit.jobs.rows import FAN_OUT, Lease, NewRun
from gen_toolkit.jobs.steps import FILE
from gen_toolkit.tracking import spool

NOBODY = f"{socket.gethostname()} 4194304 1"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_LEDGER_EVERY", "_RECONCILE_EVERY"):
        monkeypatch.setattr(following, name, 0.0)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(open_database())


def begun(ledger: Ledger, folder: Path, **facts: Any) -> Lease:
    folder.mkdir()
    lease = ledger.begin(
        NewRun(facts.pop("name", "label"), facts.pop("kind", "job"), "x.ipynb", {}, **facts), folder=folder
    )
    assert lease is not None
    return lease


def cell(folder: Path, number: int, prints: str = "") -> None:
    log = folder / LOG
    size = log.stat().st_size if log.exists() else 0
    step = {"event": "cell", "cell": number, "of": 9, "line": "x", "at": 1.0, "log": size}
    with (folder / FILE).open("a") as file:
        file.write(json.dumps(step) + "\n")
    with log.open("a") as file:
        file.write(prints)


def heard(run: str, *acts: Callable[[], Any]) -> list[dict[str, Any]]:
    """All events until the run ends; at each pause the next of `acts` is done."""
    left = iter(acts)

    def pause(_: float) -> None:
        next(left)()

    return [event for event in follow(open_database(), run, pause=pause) if event["event"] != "still"]


def names(events: list[dict[str, Any]]) -> list[str]:
    return [event["event"] for event in events]


def test_cells_output_kept_values_and_costs_are_told_and_the_end_last(ledger: Ledger, tmp_path: Path) -> None:
    lease, folder = begun(ledger, tmp_path / "a"), tmp_path / "a"
    cell(folder, 1, "before\n")
    inner = RunStarted(run="inner", name="evaluation", run_kind="evaluation", parent=lease.attempt)

    def keeps() -> None:
        for event in (
            inner,
            ValueKept(run=lease.attempt, name="n", value=1),
            ValueKept(run="inner", name="m", value=2),
        ):
            spool.put(open_database(), event, "sqlite:///x", "e")

    events = heard(
        lease.run,
        lambda: cell(folder, 2, "after\n"),
        keeps,
        lambda: ledger.finish(lease, "succeeded", None, {"kept": {"n": 1}}),
    )
    assert names(events) == [
        "attempt", "cell", "output", "spent", "cell", "output", "kept", "kept", "attempt-ended", "ended"
    ]  # fmt: skip
    assert [event["text"] for event in events if event["event"] == "output"] == ["before\n", "after\n"]
    assert [(event["name"], event["value"]) for event in events if event["event"] == "kept"] == [("n", 1), ("m", 2)]
    assert events[3] == {"event": "spent", "calls": 0, "cost_usd": "0"}
    assert events[-1]["run"]["state"] == "succeeded"
    assert json.loads(json.dumps(events)) == events


def test_a_second_attempt_follows_the_first(ledger: Ledger, tmp_path: Path) -> None:
    first, folders = begun(ledger, tmp_path / "a"), (tmp_path / "a", tmp_path / "b")
    cell(folders[0], 1, "first\n")

    def again() -> None:
        cell(folders[0], 2, "its last words")
        ledger.finish(first, "failed", Reason("no answer"), {}, again=Again(0.0))

    def second() -> None:
        lease = ledger.take(first.run)
        assert lease is not None
        folders[1].mkdir()
        cell(folders[1], 1, "second\n")
        ledger.record(lease, folder=folders[1])
        ledger.finish(lease, "succeeded")

    events = heard(first.run, again, second)
    assert [event["number"] for event in events if event["event"] == "attempt"] == [1, 2]
    assert [event["text"] for event in events if event["event"] == "output"] == [
        "first\n",
        "its last words",
        "second\n",
    ]
    assert [event["state"] for event in events if event["event"] == "attempt-ended"] == ["failed", "succeeded"]
    (waits,) = [event for event in events if event["event"] == "waits"]
    assert waits["why"] == "no answer"


def test_a_run_that_waits_is_waited_for(ledger: Ledger, tmp_path: Path) -> None:
    run = NewRun("label", "job", "x.ipynb", {})
    ledger.submit(run)

    def done() -> None:
        lease = ledger.take(run.id)
        assert lease is not None
        ledger.finish(lease, "failed", Reason("no"))

    events = heard(run.id, lambda: None, done)
    assert names(events)[0] == "waits"
    assert names(events)[-2:] == ["attempt-ended", "ended"]
    assert names(events).count("waits") == 1


def test_a_run_whose_supervisor_is_gone_is_told_as_lost(ledger: Ledger, tmp_path: Path) -> None:
    lease = begun(ledger, tmp_path / "a")
    cell(tmp_path / "a", 4, "so far\n")
    events = heard(lease.run, lambda: ledger.record(lease, process=NOBODY))
    assert events[-1]["run"]["state"] == "lost"
    assert events[-1]["run"]["reason"]["cell"] == 4


def test_of_a_run_with_parts_is_told_how_many_have_ended(ledger: Ledger, tmp_path: Path) -> None:
    parent = begun(ledger, tmp_path / "a", kind=FAN_OUT)
    parts = [NewRun("label", "job", "x.ipynb", {}, parent=parent.run) for _ in range(2)]
    for part in parts:
        ledger.submit(part)
    events = heard(parent.run, lambda: ledger.cancel(parts[0].id), lambda: ledger.finish(parent, "failed", Reason("1")))
    assert [(event["ended"], event["of"]) for event in events if event["event"] == "parts"] == [(0, 2), (1, 2)]


def test_a_database_that_is_away_for_a_while_is_waited_for(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = begun(ledger, tmp_path / "a")
    real = Ledger.find

    def away(*_: Any) -> Any:
        raise DatabaseError("the server is away")

    def leave() -> None:
        monkeypatch.setattr(Ledger, "find", away)

    def come_back() -> None:
        monkeypatch.setattr(Ledger, "find", real)
        ledger.finish(lease, "succeeded")

    assert heard(lease.run, leave, lambda: None, come_back)[-1]["run"]["state"] == "succeeded"
    other = begun(ledger, tmp_path / "b")
    monkeypatch.setattr(following, "_PATIENCE", -1.0)
    with pytest.raises(DatabaseError, match="is away"):
        heard(other.run, leave, lambda: None)
