"""Alerts on their way: durable in the workspace database, one of a run, occasion and channel."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gen_toolkit import text
from gen_toolkit.channel import Occasion
from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import func, insert_new, now, select
from gen_toolkit.database.tables import alerts


@dataclass(frozen=True)
class Alert:
    """What somebody is to be told, and by which channel."""

    id: int
    run: str
    occasion: str
    channel: str
    pipeline: str
    payload: str
    tries: int
    """Made before this one."""
    next_at: float

    @property
    def key(self) -> str:
        """The same for every try: whoever gets it twice can tell."""
        return f"{self.run}:{self.occasion}"


def put(
    database: Database,
    *,
    run: str,
    occasion: Occasion,
    channel: str,
    pipeline: str,
    workspace: Path,
    payload: Mapping[str, Any],
) -> None:
    """Durable when this returns; nothing where the same is there already."""
    with database.write() as connection:
        at = float(connection.execute(select(now())).scalar_one())
        row = {
            "run": run,
            "occasion": occasion,
            "channel": channel,
            "pipeline": pipeline,
            "workspace": str(workspace),
            "payload": text.scrub(json.dumps(payload)),
            "made_at": at,
            "tries": 0,
            "next_at": at,
        }
        insert_new(connection, alerts, [row])


def take(database: Database, workspace: Path, *, busy_s: float) -> Alert | None:
    """The next that is due, for this process alone until `busy_s` seconds from now; None: none is due."""
    with database.write() as connection:
        at = float(connection.execute(select(now())).scalar_one())
        query = (
            select(alerts)
            .where(alerts.c.done_at.is_(None), alerts.c.workspace == str(workspace), alerts.c.next_at <= at)
            .order_by(alerts.c.next_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        row = connection.execute(query).first()
        if row is None:
            return None
        connection.execute(alerts.update().where(alerts.c.id == row.id).values(next_at=at + busy_s))
    return Alert(row.id, row.run, row.occasion, row.channel, row.pipeline, row.payload, row.tries, at)


def delivered(database: Database, alert: Alert) -> None:
    with database.write() as connection:
        values = {"done_at": now(), "tries": alert.tries + 1, "problem": None}
        connection.execute(alerts.update().where(alerts.c.id == alert.id).values(values))


def failed(database: Database, alert: Alert, problem: str, *, again_s: float | None) -> None:
    """Try again after so many seconds; None: give it up."""
    values: dict[str, Any] = {"tries": alert.tries + 1, "problem": text.one_line(problem, 300)}
    values |= {"done_at": now()} if again_s is None else {"next_at": now() + again_s}
    with database.write() as connection:
        connection.execute(alerts.update().where(alerts.c.id == alert.id).values(values))


def wait_s(database: Database, workspace: Path) -> float | None:
    """Seconds until the next is due; None: none waits."""
    query = select(func.min(alerts.c.next_at) - now()).where(
        alerts.c.done_at.is_(None), alerts.c.workspace == str(workspace)
    )
    with database.read() as connection:
        left = connection.execute(query).scalar()
    return None if left is None else max(0.0, float(left))
