"""The answers that a job took from the journal: how many, and of which calls."""

from __future__ import annotations

from collections.abc import Sequence

from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import func, select
from gen_toolkit.database.tables import reuses


def count_reused(database: Database, runs: Sequence[str]) -> int:
    """Over these runs. An answer that was taken twice counts twice."""
    query = select(func.count()).select_from(reuses).where(reuses.c.run.in_(runs))
    with database.read() as connection:
        return int(connection.execute(query).scalar_one())
