"""How many of the runs that wait in the ledger could be started now."""

from __future__ import annotations

from collections.abc import Collection

from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import func, or_, select
from gen_toolkit.database.tables import runs
from gen_toolkit.jobs.ledger_claims import free, time_of


def could_start(database: Database, apart: Collection[str]) -> int:
    """Runs that `Ledger.claim` would give; of a name in `apart` one, and none while another is under way."""
    with database.read() as connection:
        at = time_of(connection)
        waiting = (
            select(runs.c.name, func.count().label("waiting"))
            .where(free(at), runs.c.kind == "job", runs.c.parent.is_(None))
            .where(or_(runs.c.not_before.is_(None), runs.c.not_before <= at))
            .group_by(runs.c.name)
        )
        found = {row.name: int(row.waiting) for row in connection.execute(waiting)}
        busy = select(runs.c.name).where(runs.c.state == "running", runs.c.name.in_(apart)).distinct()
        under_way = set(connection.execute(busy).scalars())
    return sum((0 if name in under_way else 1) if name in apart else count for name, count in found.items())
