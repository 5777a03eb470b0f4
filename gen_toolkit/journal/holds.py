"""Holds: whoever needs the calls of a run later (a release, a run that is not finished) keeps them from retention."""

from __future__ import annotations

import time
from dataclasses import dataclass

from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import delete, select
from gen_toolkit.database.tables import holds


@dataclass(frozen=True)
class Hold:
    """Who holds which run, since when (seconds since 1970)."""

    holder: str
    run: str
    since: float


def hold(database: Database, run: str, holder: str) -> None:
    """Keep requests and replies of the calls of `run` until `holder` releases them. Held already: nothing changes."""
    mine = select(holds.c.run).where(holds.c.holder == holder, holds.c.run == run)
    with database.write() as connection:
        if connection.execute(mine).first() is None:
            connection.execute(holds.insert().values(holder=holder, run=run, since=time.time()))


def release(database: Database, holder: str) -> None:
    """Let go of all that `holder` held. What others hold as well stays held."""
    with database.write() as connection:
        connection.execute(delete(holds).where(holds.c.holder == holder))


def held(database: Database) -> list[Hold]:
    """All holds, the oldest first."""
    with database.read() as connection:
        rows = connection.execute(select(holds).order_by(holds.c.since, holds.c.run)).all()
    return [Hold(row.holder, row.run, row.since) for row in rows]
