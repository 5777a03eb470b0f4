"""What came before a job that ended: of other runs, and of its own attempts."""

from __future__ import annotations

from pathlib import Path

import pytest

from gen_toolkit.alerts import listener, send
from gen_toolkit.alerts.history import before
from gen_toolkit.database.engine import open_database
from gen_toolkit.database.sql import select
from gen_toolkit.database.tables import alerts
from gen_toolkit.events import JobEnded
from gen_toolkit.jobs.ledger import Ledger
from gen_toolkit.jobs.ledger_leases import Again
from gen_toolkit.jobs.rows import Ended, Lease, NewRun


@pytest.fixture(autouse=True)
def _channel(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send, "start_sender", lambda _: None)
    (workspace / "gen_toolkit.toml").write_text('[alerts.pager]\ncommand = ["true"]\n')


def begun() -> Lease:
    lease = Ledger(open_database()).begin(NewRun("label", "job", "x.ipynb", {}))
    assert lease is not None
    return lease


def ends(lease: Lease, state: Ended, again: Again | None = None) -> str:
    assert Ledger(open_database()).finish(lease, state, again=again)
    if again is None:
        listener.listen(JobEnded(run=lease.run, name="label", state=state))
    return lease.run


def resumed(run: str) -> Lease:
    return Ledger(open_database()).resume(run)


def told() -> list[tuple[str, str]]:
    with open_database().read() as connection:
        return [(row.run, row.occasion) for row in connection.execute(select(alerts).order_by(alerts.c.id))]


def test_a_run_that_failed_and_succeeds_when_it_is_resumed_is_a_recovery_told_once() -> None:
    run = ends(begun(), "failed")
    ends(resumed(run), "succeeded")
    ends(begun(), "succeeded")
    assert told() == [(run, "failure"), (run, "recovery")]


def test_what_is_resumed_after_another_run_told_the_recovery_is_no_news() -> None:
    run = ends(begun(), "failed")
    other = ends(begun(), "succeeded")
    ends(resumed(run), "succeeded")
    assert told() == [(run, "failure"), (other, "recovery")]


def test_a_run_that_succeeds_when_it_is_tried_again_by_itself_is_no_news() -> None:
    lease = begun()
    run = ends(lease, "failed", again=Again(0))
    ends(resumed(run), "succeeded")
    assert told() == []


def test_a_run_that_was_cancelled_and_resumed_is_no_news() -> None:
    run = ends(begun(), "cancelled")
    ends(resumed(run), "succeeded")
    assert told() == []
    assert not before(open_database(), "label", run).failed
