"""What the ledger knows of a pipeline's jobs before one that just ended."""

from __future__ import annotations

from gen_toolkit.alerts.reasons import FAILED, Before
from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import func, select
from gen_toolkit.database.tables import alerts, runs

_LAST = 20


def before(database: Database, pipeline: str, run: str) -> Before:
    """Of the newest jobs of the pipeline that ended by themselves, without `run`.

    A failure of `run` itself counts where people were told of it, and of no end since: it was resumed.
    """
    query = (
        select(runs.c.state, runs.c.started_at, runs.c.ended_at)
        .where(runs.c.name == pipeline, runs.c.kind == "job", runs.c.parent.is_(None), runs.c.id != run)
        .where(runs.c.state.in_(["succeeded", *FAILED]))
        .order_by(runs.c.ended_at.desc())
        .limit(_LAST)
    )
    failures = select(func.max(alerts.c.made_at)).where(
        alerts.c.run == run, alerts.c.occasion.in_(["failure", "over-budget"])
    )
    with database.read() as connection:
        rows = connection.execute(query).all()
        told_at = connection.execute(failures).scalar()
    took = [row.ended_at - row.started_at for row in rows if row.state == "succeeded"]
    last_failed = bool(rows) and rows[0].state != "succeeded"
    itself_failed = told_at is not None and (not rows or told_at > rows[0].ended_at)
    return Before(failed=last_failed or itself_failed, took=took)
