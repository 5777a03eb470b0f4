"""Statements of the ledger for whoever holds a run, and for ending what is held. All inside a write transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gen_toolkit import text
from gen_toolkit.database.sql import ColumnElement, Connection, and_, or_, select
from gen_toolkit.database.tables import attempts, runs
from gen_toolkit.errors import NotFound
from gen_toolkit.jobs.ledger_claims import reason_text, time_of
from gen_toolkit.jobs.rows import FAN_OUT, Ended, Lease, Reason, RunRow
from gen_toolkit.process import this_process

Word = Literal["ok", "cancel", "lost"]


@dataclass(frozen=True)
class Again:
    """The run is to be tried once more."""

    wait: float
    """Seconds until then."""
    keep: bool = False
    """Whether the process that had it means to try it itself, so that no other takes it."""


def beat(connection: Connection, lease: Lease) -> Word:
    """Renew the lease; `lost` where it is another's, or nobody's, by now."""
    values = {"lease_until": time_of(connection) + lease.ttl}
    if not connection.execute(runs.update().where(_held(lease)).values(values)).rowcount:
        return "lost"
    asked = connection.execute(select(runs.c.cancel_asked).where(runs.c.id == lease.run)).scalar_one()
    return "ok" if asked is None else "cancel"


def record(connection: Connection, lease: Lease, folder: Path | None, process: str | None) -> bool:
    """Facts of an attempt under way. False where the lease is lost: then nothing is changed."""
    if connection.execute(select(runs.c.id).where(_held(lease)).with_for_update()).first() is None:
        return False
    if folder is not None:
        connection.execute(runs.update().where(runs.c.id == lease.run).values(folder=str(folder)))
        connection.execute(attempts.update().where(attempts.c.id == lease.attempt).values(folder=str(folder)))
    if process is not None:
        connection.execute(attempts.update().where(attempts.c.id == lease.attempt).values(process=process))
    return True


def finish(
    connection: Connection,
    lease: Lease,
    state: Ended,
    reason: Reason | None,
    outcome: Mapping[str, Any],
    total: Mapping[str, Any],
    again: Again | None,
    seen: float | None,
) -> bool:
    """How an attempt ended. False where the lease is lost: then nothing is changed.

    Said twice by the same holder (a commit of which nobody knew whether it was kept) it is accepted twice.
    `seen`: only if the lease still is as it was seen, to the end of which nobody renewed it.
    """
    still = _held(lease) if seen is None else and_(_held(lease), runs.c.lease_until == seen)
    row = connection.execute(select(runs.c.cancel_asked, runs.c.kind).where(still).with_for_update()).first()
    if row is None:
        return seen is None and _said_before(connection, lease, state)
    at = time_of(connection)
    told = {
        "state": state,
        "ended_at": at,
        "reason": reason_text(reason),
        "outcome": text.scrub(json.dumps(dict(outcome), ensure_ascii=False)),
    }
    done = attempts.update().where(attempts.c.id == lease.attempt, attempts.c.state == "running")
    connection.execute(done.values({**told, "teller": this_process()}))
    told["outcome"] = text.scrub(json.dumps(dict(total), ensure_ascii=False))
    values: dict[str, Any] = {**told, "lease_until": None}
    if again is not None and row.cancel_asked is None:
        due = at + again.wait
        values |= {"state": "queued", "not_before": due, "lease_until": due + lease.ttl if again.keep else None}
    connection.execute(runs.update().where(runs.c.id == lease.run).values(values))
    if row.kind == FAN_OUT:
        _end_waiting(connection, runs.c.parent == lease.run, "cancelled", Reason("the run that it is a part of ended"))
    return True


def _said_before(connection: Connection, lease: Lease, state: str) -> bool:
    mine = attempts.c.id == lease.attempt, attempts.c.token == lease.token
    return connection.execute(select(attempts.c.state).where(*mine)).scalar() == state


def cancel(connection: Connection, run: str) -> str:
    """The state that the run is in then: what waits is cancelled at once, what runs is asked to stop.

    The parts of a run are cancelled with it.
    """
    at = time_of(connection)
    family = or_(runs.c.id == run, runs.c.parent == run)
    _end_waiting(connection, family, "cancelled", Reason("cancelled"))
    connection.execute(
        runs.update().where(family, runs.c.state == "running", runs.c.cancel_asked.is_(None)).values(cancel_asked=at)
    )
    state = connection.execute(select(runs.c.state).where(runs.c.id == run)).scalar()
    if state is None:
        raise NotFound(f"there is no run {run}", fix="`gen runs list` shows the runs.", run=run)
    return str(state)


def give_up(connection: Connection, run: RunRow, reason: Reason) -> bool:
    """End a run that waits for its next attempt, as the last one did. False where somebody has taken it up since."""
    last = connection.execute(select(attempts.c.state).where(attempts.c.id == run.attempt)).scalar_one()
    still = and_(runs.c.id == run.id, runs.c.token == run.token, runs.c.lease_until == run.lease_until)
    return _end_waiting(connection, still, last, reason)


def _end_waiting(connection: Connection, which: ColumnElement[bool], state: str, reason: Reason) -> bool:
    """Those that wait wait no longer. Of one that was tried the end is untold with its last attempt."""
    waiting = and_(which, runs.c.state == "queued")
    tried = select(runs.c.attempt).where(waiting, runs.c.attempt.is_not(None))
    connection.execute(attempts.update().where(attempts.c.id.in_(tried)).values(told=0, teller=None))
    ended = {"state": state, "ended_at": time_of(connection), "lease_until": None, "reason": reason_text(reason)}
    return bool(connection.execute(runs.update().where(waiting).values(ended)).rowcount)


def _held(lease: Lease) -> ColumnElement[bool]:
    return and_(runs.c.id == lease.run, runs.c.token == lease.token, runs.c.state == "running")
