"""Runs in the ledger with folders and events, as if they had ended some days ago."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from gen_toolkit import scope
from gen_toolkit.database.engine import open_database
from gen_toolkit.database.sql import select
from gen_toolkit.database.tables import attempts, runs, spool
from gen_toolkit.events import Event, RunEnded, RunStarted, ValueKept
from gen_toolkit.jobs.attempt_log import LOG
from gen_toolkit.jobs.ledger import Ledger, Reason
from gen_toolkit.jobs.rows import Ended, Lease, NewRun
from gen_toolkit.tracking.spool import put
from gen_toolkit.workspace import find_workspace

DAY = 86400.0


def begun(name: str = "label", parent: str | None = None, kind: str = "job") -> tuple[Lease, Path]:
    attempt = scope.new_id()
    folder = find_workspace().runs / attempt
    folder.mkdir(parents=True)
    (folder / LOG).write_text("x" * 1000)
    run = NewRun(name, kind, "x.ipynb", {}, parent=parent)
    lease = Ledger(open_database()).begin(run, attempt=attempt, folder=folder)
    assert lease is not None
    tell(RunStarted(run=lease.run, name=name, run_kind="job"))
    tell(RunStarted(run=attempt, name=name, run_kind="attempt", parent=lease.run))
    return lease, folder


def ended(name: str = "label", days: float = 40, state: Ended = "succeeded", **facts: Any) -> tuple[str, Path]:
    """A run that ended so many days ago, all of it told and delivered."""
    lease, folder = begun(name, **facts)
    ledger = Ledger(open_database())
    ledger.finish(lease, state, None if state == "succeeded" else Reason("no"), {"kept": {"n": 1}})
    ledger.told(lease.attempt)
    tell(
        ValueKept(run=lease.attempt, name="n", value=1),
        RunEnded(run=lease.attempt, state=state),
        RunEnded(run=lease.run, state=state),
    )
    aged(lease.run, days)
    return lease.run, folder


def tell(*events: Event) -> None:
    for event in events:
        put(open_database(), event, "sqlite:///x", "e")


def aged(run: str, days: float) -> None:
    at = time.time() - days * DAY
    with open_database().write() as connection:
        inner = select(attempts.c.id).where(attempts.c.run == run)
        connection.execute(runs.update().where(runs.c.id == run).values(ended_at=at))
        mine = spool.update().where((spool.c.run == run) | spool.c.run.in_(inner) | (spool.c.parent == run))
        connection.execute(mine.values(delivered_at=at))
