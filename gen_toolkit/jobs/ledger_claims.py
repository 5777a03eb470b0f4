"""Statements of the ledger by which a run is asked for and a process gets it. All inside a write transaction."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gen_toolkit import scope, text
from gen_toolkit.database.sql import ColumnElement, Connection, Row, and_, insert_new, now, or_, select
from gen_toolkit.database.tables import attempts, runs
from gen_toolkit.errors import NotFound, ResumeRefused
from gen_toolkit.jobs.rows import Lease, NewRun, Reason
from gen_toolkit.process import steady, this_process

_RESUMABLE = {"queued", "failed", "timed out", "killed", "cancelled", "lost"}


def time_of(connection: Connection) -> float:
    """Seconds since 1970 by the database's clock."""
    return float(connection.execute(select(now())).scalar_one())


def insert(connection: Connection, run: NewRun, state: str, reason: Reason | None = None) -> bool:
    """A new run. False where its name has one for that instant already: then nothing is changed."""
    at = time_of(connection)
    row = {
        "id": run.id,
        "kind": run.kind,
        "name": run.name,
        "release": run.release,
        "digest": run.digest,
        "notebook": run.notebook,
        "parameters": text.scrub(json.dumps(dict(run.parameters), ensure_ascii=False)),
        "due": run.due,
        "parent": run.parent,
        "retries": json.dumps(dict(run.retries)) if run.retries else None,
        "state": state,
        "token": 0,
        "attempts": 0,
        "created_at": at,
        "ended_at": at if state == "skipped" else None,
        "reason": reason_text(reason),
    }
    insert_new(connection, runs, [row])
    return connection.execute(select(runs.c.id).where(runs.c.id == run.id)).first() is not None


def free(at: float) -> ColumnElement[bool]:
    """Runs that wait, and that nobody has kept for himself."""
    return and_(runs.c.state == "queued", or_(runs.c.lease_until.is_(None), runs.c.lease_until < at))


def claim(
    connection: Connection, worker: str, slots: int, ttl: float, parent: str | None, apart: Collection[str]
) -> list[Lease]:
    """Those that have waited longest. Of the names in `apart` no two runs are held at once."""
    asked, at = steady(), time_of(connection)
    query = (
        select(runs)
        .where(free(at), runs.c.kind == "job", or_(runs.c.not_before.is_(None), runs.c.not_before <= at))
        .order_by(runs.c.id)
        .with_for_update(skip_locked=True)
    )
    query = query.where(runs.c.parent.is_(None) if parent is None else runs.c.parent == parent)
    if not apart:
        query = query.limit(slots)
    busy = _running(connection, apart) if apart else set()
    leases: list[Lease] = []
    for row in connection.execute(query).all():
        if len(leases) == slots:
            break
        if row.name in busy:
            continue
        leases.append(give(connection, row, worker, ttl, at, asked))
        if row.name in apart:
            busy.add(row.name)
    return leases


def _running(connection: Connection, names: Collection[str]) -> set[str]:
    query = select(runs.c.name).where(runs.c.state == "running", runs.c.name.in_(names)).distinct()
    return set(connection.execute(query).scalars())


def take(
    connection: Connection,
    run: str,
    worker: str,
    ttl: float,
    attempt: str | None = None,
    folder: Path | None = None,
) -> Lease | None:
    """One run that waits, whatever it waits for; None where another has it, or it waits no longer."""
    asked, at = steady(), time_of(connection)
    mine = and_(runs.c.state == "queued", runs.c.worker == worker)
    row = connection.execute(select(runs).where(runs.c.id == run, or_(free(at), mine)).with_for_update()).first()
    return None if row is None else give(connection, row, worker, ttl, at, asked, attempt, folder)


def resume(connection: Connection, run: str, worker: str, ttl: float) -> Lease:
    """A run that did not succeed, for one more attempt. Raises ResumeRefused, NotFound."""
    asked, at = steady(), time_of(connection)
    row = connection.execute(select(runs).where(runs.c.id == run).with_for_update()).first()
    if row is None:
        raise NotFound(f"there is no run {run}", fix="`gen runs list` shows the runs.", run=run)
    kept = row.state == "queued" and row.lease_until is not None and row.lease_until >= at and row.worker != worker
    if row.state not in _RESUMABLE or kept:
        raise refusal(row.id, row.state, row.worker)
    return give(connection, row, worker, ttl, at, asked)


def refusal(run: str, state: str, worker: str | None) -> ResumeRefused:
    what, fix = {
        "running": (f"is under way (attempt of {worker})", f"Wait for it, or end it: gen cancel {run[:13]}"),
        "queued": (f"is about to be tried again by {worker}", f"Wait for it, or end it: gen cancel {run[:13]}"),
        "succeeded": ("succeeded: there is nothing left to do", "Start another: gen run NAME"),
        "skipped": ("was skipped and never started", "Start another: gen run NAME"),
    }[state]
    return ResumeRefused(f"run {run[:13]} {what}", fix=fix, run=run, state=state)


def give(
    connection: Connection,
    row: Row[Any],
    worker: str,
    ttl: float,
    at: float,
    asked: float,
    attempt: str | None = None,
    folder: Path | None = None,
) -> Lease:
    """The run to `worker`: a new token, which ends whatever right somebody had before, and a new attempt."""
    lease = Lease(row.id, attempt or scope.new_id(), row.attempts + 1, row.token + 1, ttl, asked)
    held = {
        "state": "running",
        "worker": worker,
        "token": lease.token,
        "lease_until": at + ttl,
        "not_before": None,
        "cancel_asked": None,
        "attempts": lease.number,
        "attempt": lease.attempt,
        "folder": str(folder) if folder else None,
        "started_at": at,
        "ended_at": None,
        "reason": None,
    }
    connection.execute(runs.update().where(runs.c.id == row.id).values(held))
    began = {
        "id": lease.attempt,
        "run": row.id,
        "number": lease.number,
        "token": lease.token,
        "process": this_process(),
        "folder": held["folder"],
        "state": "running",
        "started_at": at,
        "told": 0,
    }
    connection.execute(attempts.insert().values(began))
    return lease


def reason_text(reason: Reason | None) -> str | None:
    return None if reason is None else text.scrub(json.dumps(asdict(reason)))
