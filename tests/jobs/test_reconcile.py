"""What a killed or silent supervisor leaves is put right: by the next command, or by a process that stays."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from notebook_cells import gen

from gen_toolkit.database.engine import open_database
from gen_toolkit.database.tables import attempts, runs
from gen_toolkit.events import Recorded, RunEnded
from gen_toolkit.jobs import reconcile as kind
from gen_toolkit.jobs.ledger import Again, Ledger, Reason
from gen_toolkit.jobs.reconcile import GONE, SILENT, LeaseWatch, reconcile
from gen_toolkit.jobs.retries import Retries
from gen_toolkit.jobs.rows import FAN_OUT, LEASE, Lease, NewRun
from gen_toolkit.process import _name, this_process
from gen_toolkit.surface import RUN_MARK
from gen_toolkit.tracking import spool

HOUR = 3600.0


@pytest.fixture
def ledger(either_database: str, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    monkeypatch.setattr("gen_toolkit.tracking.listener.wake_writer", lambda _: None)  # MLflow is not asked
    return Ledger(open_database())


def begun(ledger: Ledger, **facts: object) -> Lease:
    lease = ledger.begin(NewRun("label", "job", "x.ipynb", {}, **facts))  # type: ignore[arg-type]
    assert lease is not None
    return lease


def supervised_by(process: str, lease: Lease) -> None:
    with open_database().write() as connection:
        connection.execute(attempts.update().where(attempts.c.id == lease.attempt).values(process=process))


def dead_process() -> str:
    code = "from gen_toolkit.process import this_process; print(this_process())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def leased_until(lease: Lease, moment: float) -> None:
    with open_database().write() as connection:
        connection.execute(runs.update().where(runs.c.id == lease.run).values(lease_until=moment))


def elsewhere() -> str:
    return "another-host " + this_process().split(" ", 1)[1]


def test_a_run_whose_supervisor_is_gone_is_lost_and_one_whose_supervisor_lives_goes_on(ledger: Ledger) -> None:
    mine, theirs = begun(ledger), begun(ledger)
    supervised_by(dead_process(), theirs)
    left = subprocess.Popen(["sleep", "300"], env={**os.environ, RUN_MARK: theirs.attempt})
    assert [run.id for run in reconcile()] == [theirs.run]
    assert left.wait(timeout=30) == -9
    row = ledger.find(theirs.run)
    assert (row.state, row.reason) == ("lost", GONE)
    assert ledger.find(mine.run).state == "running"
    for run in (theirs.run, theirs.attempt):
        assert [event.state for event in spool.events_of(open_database(), run, RunEnded)] == ["lost"]
    assert not reconcile()
    assert not ledger.finish(theirs, "succeeded")


def test_the_working_folder_goes_when_a_success_is_on_record_and_stays_where_it_is_not(
    ledger: Ledger, tmp_path: Path
) -> None:
    """A supervisor may be killed when all cells have run, and before the ledger knows: that run is lost."""
    good, lost = begun(ledger), begun(ledger)
    for lease in (good, lost):
        (tmp_path / lease.attempt / "work").mkdir(parents=True)
        assert ledger.record(lease, folder=tmp_path / lease.attempt, process=dead_process())
    assert ledger.finish(good, "succeeded")
    assert [run.id for run in reconcile()] == [lost.run]
    assert [lease.attempt for lease in (good, lost) if (tmp_path / lease.attempt / "work").exists()] == [lost.attempt]


def test_what_the_queue_lost_waits_for_its_next_attempt_and_its_run_has_not_ended(ledger: Ledger) -> None:
    lease = begun(ledger, retries=Retries(queued=True).to_json())
    supervised_by(dead_process(), lease)
    assert [run.id for run in reconcile()] == [lease.run]
    row = ledger.find(lease.run)
    assert (row.state, row.reason) == ("queued", GONE)
    assert spool.events_of(open_database(), lease.run, RunEnded) == []
    (second,) = ledger.claim("me", 1)
    assert (second.run, second.number) == (lease.run, 2)


def kept_by(process: str, ledger: Ledger) -> Lease:
    """A run whose first attempt failed, and which that process means to try again in an hour."""
    lease = ledger.begin(NewRun("label", "job", "x.ipynb", {}), worker=process)
    assert lease is not None
    assert ledger.finish(lease, "failed", Reason("busy", 3, "OSError"), again=Again(HOUR, keep=True))
    ledger.told(lease.attempt)
    return lease


def test_a_run_whose_next_attempt_nobody_will_make_ends_as_its_last_one_did(ledger: Ledger) -> None:
    mine, theirs = kept_by(this_process(), ledger), kept_by(dead_process(), ledger)
    assert [run.id for run in reconcile()] == [theirs.run]
    row = ledger.find(theirs.run)
    assert (row.state, row.reason) == (
        "failed",
        Reason("busy; the process that was to try it again is gone", 3, "OSError"),
    )
    assert [event.state for event in spool.events_of(open_database(), theirs.run, RunEnded)] == ["failed"]
    assert ledger.find(mine.run).state == "queued"
    assert not reconcile()
    assert ledger.resume(theirs.run).number == 2


def test_a_run_that_another_machine_means_to_try_again_is_left_to_it_until_long_after(ledger: Ledger) -> None:
    lease = kept_by(elsewhere(), ledger)
    leased_until(lease, ledger.now() - LEASE / 2)
    assert not reconcile()
    leased_until(lease, ledger.now() - LEASE - 1)
    assert [run.id for run in reconcile()] == [lease.run]


def test_the_parts_of_a_run_whose_process_is_gone_wait_no_longer(ledger: Ledger) -> None:
    parent = ledger.begin(NewRun("label", FAN_OUT, "x.ipynb", {}))
    assert parent is not None
    part = NewRun("label", "job", "x.ipynb", {}, parent=parent.run)
    ledger.submit(part)
    supervised_by(dead_process(), parent)
    assert [run.id for run in reconcile()] == [parent.run]
    assert ledger.find(part.id).state == "cancelled"


def test_mlflow_is_told_that_a_run_was_cancelled_while_it_waited_for_its_next_attempt(ledger: Ledger) -> None:
    lease = kept_by(this_process(), ledger)
    assert spool.events_of(open_database(), lease.run, RunEnded) == []
    ledger.cancel(lease.run)
    reconcile()
    assert [event.state for event in spool.events_of(open_database(), lease.run, RunEnded)] == ["cancelled"]
    reconcile()
    assert len(spool.events_of(open_database(), lease.run, RunEnded)) == 1


def test_a_run_of_another_machine_is_lost_only_long_after_its_lease_is_over(ledger: Ledger) -> None:
    lease = begun(ledger)
    supervised_by(elsewhere(), lease)
    leased_until(lease, ledger.now() - LEASE / 2)
    assert not reconcile()
    leased_until(lease, ledger.now() - LEASE - 1)
    assert [run.id for run in reconcile()] == [lease.run]
    assert ledger.find(lease.run).reason == SILENT


def test_a_clock_that_jumps_takes_no_run_away_from_a_supervisor_on_this_machine(ledger: Ledger) -> None:
    """As long as something of the run is there: else it has ended it itself, having proven nothing for so long."""
    lease = begun(ledger)
    process = subprocess.Popen(["sleep", "300"], env={**os.environ, RUN_MARK: lease.attempt})
    try:
        for moment in (ledger.now() - 5 * HOUR, ledger.now() + 5 * HOUR):
            leased_until(lease, moment)
            assert not reconcile()
    finally:
        process.kill()
        process.wait()
    leased_until(lease, ledger.now() - 5 * HOUR)
    assert [run.id for run in reconcile()] == [lease.run]


def test_who_stays_ends_a_lease_that_it_has_seen_over_for_long_enough(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(kind, "steady", lambda: clock[0])
    stopped, renewed = begun(ledger), begun(ledger)
    process = subprocess.Popen(["sleep", "300"], env={**os.environ, RUN_MARK: stopped.attempt})
    watch = LeaseWatch()
    for lease, hours in ((stopped, -5), (renewed, 5)):  # over, and so long that no lease can be
        leased_until(lease, ledger.now() + hours * HOUR)
    assert not watch.look()
    ledger.beat(renewed)
    clock[0] = kind.SURE + 1
    assert [run.id for run in watch.look()] == [stopped.run]
    assert process.wait(timeout=30) == -9
    assert [ledger.find(lease.run).state for lease in (stopped, renewed)] == ["lost", "running"]
    assert not watch.look()


def test_an_end_that_its_copies_were_not_told_is_told_by_the_next_command_and_once(
    ledger: Ledger, tmp_path: Path
) -> None:
    lease = begun(ledger)
    ledger.record(lease, folder=tmp_path)
    ledger.finish(lease, "failed")

    def told_by(process: str) -> list[str]:
        with open_database().write() as connection:
            connection.execute(attempts.update().values(teller=process))
        assert not reconcile()
        return [event.state for event in spool.events_of(open_database(), lease.run, RunEnded)]

    sleeper = subprocess.Popen(["sleep", "60"])
    try:
        assert told_by(_name(sleeper.pid)) == []  # who is at it does it
    finally:
        sleeper.kill()
        sleeper.wait()
    (untold,) = ledger.untold()
    assert told_by(dead_process()) == ["failed"]
    assert ledger.untold() == []
    assert not ledger.take_telling(untold)
    assert told_by(dead_process()) == ["failed"]


def test_what_a_run_kept_or_left_does_not_keep_its_end_from_being_told(ledger: Ledger, tmp_path: Path) -> None:
    lease, folder = begun(ledger), tmp_path / "attempt"
    folder.mkdir()
    ledger.record(lease, folder=folder)
    (folder / "notebook.ipynb").write_bytes(b'{"cells": \xff')
    assert ledger.finish(lease, "succeeded", None, {"kept": {"vast": 10**400, "n": 3}})
    with open_database().write() as connection:
        connection.execute(attempts.update().values(teller=dead_process()))
    assert not reconcile()
    assert ledger.untold() == []
    assert [event.state for event in spool.events_of(open_database(), lease.run, RunEnded)] == ["succeeded"]
    (told,) = [event for event in spool.events_of(open_database(), lease.run, Recorded) if event.metrics]
    assert (told.metrics["n"], "vast" in told.metrics) == (3, False)


def test_in_a_workspace_that_can_only_be_read_runs_are_listed_as_they_are(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = begun(Ledger(open_database()))
    supervised_by(dead_process(), lease)
    open_database().engine.dispose()
    before = {path: stat.S_IMODE(path.stat().st_mode) for path in (workspace / "mlruns").iterdir()}
    (workspace / "sitecustomize.py").write_text(READ_ONLY)
    listed = gen("runs", "list", cwd=workspace, PYTHONPATH=f"{workspace}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    assert listed.returncode == 0, listed.stderr
    assert "lost" in listed.stdout
    shown = gen(
        "runs", "show", lease.run, "--json", cwd=workspace,
        PYTHONPATH=f"{workspace}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
    )  # fmt: skip
    assert '"state": "lost"' in shown.stdout, shown
    assert {path: stat.S_IMODE(path.stat().st_mode) for path in (workspace / "mlruns").iterdir()} == before
    assert Ledger(open_database()).find(lease.run).state == "running"


# Root may write anywhere: what the package asks is answered as a read-only disk would.
READ_ONLY = """
import os
_access = os.access
os.access = lambda path, mode, **how: not (mode & os.W_OK and "mlruns" in str(path)) and _access(path, mode, **how)
"""
