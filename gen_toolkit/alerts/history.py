"""What the ledger knows of a pipeline's jobs before one that just ended."""

from __future__ import annotations

from gen_toolkit.alerts.reasons import FAILED, Before
from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import select
from gen_toolkit.database.tables import runs

_LAST = 20


def before(database: Database, pipeline: str, run: str) -> Before:
    """Of the newest jobs of the pipeline that ended by themselves, without `run`."""
    query = (
        select(runs.c.state, runs.c.started_at, runs.c.ended_at)
        .where(runs.c.name == pipeline, runs.c.kind == "job", runs.c.parent.is_(None), runs.c.id != run)
        .where(runs.c.state.in_(["succeeded", *FAILED]))
        .order_by(runs.c.ended_at.desc())
        .limit(_LAST)
    )
    with database.read() as connection:
        rows = connection.execute(query).all()
    took = [row.ended_at - row.started_at for row in rows if row.state == "succeeded"]
    return Before(failed=bool(rows) and rows[0].state != "succeeded", took=took)
