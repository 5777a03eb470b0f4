"""The rows of rate limits: what the processes of a workspace have taken, on the clock that they share."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from gen_toolkit.database.sql import Connection, bindparam, insert_new, now, select
from gen_toolkit.database.tables import limits


@dataclass(frozen=True)
class Meter:
    """One limit as its row has it. Instants are seconds since 1970 by the database's clock."""

    next_at: float
    pace: float = 0.0
    """Seconds a unit took when a 429 last came; 0: none has."""
    paused_until: float = 0.0


def read(connection: Connection, keys: Collection[str], needed: Collection[str]) -> tuple[float, dict[str, Meter]]:
    """The database's time, and the meters: locked until the transaction ends, in one order for all who do.

    Of those that have no row, the `needed` get one that begins now; the others are left out.
    """
    found = _read(connection, keys)
    at = float(connection.execute(_NOW).scalar_one())  # after waiting for the rows
    missing = [{"key": key, "next_at": at, "pace": 0.0, "paused_until": 0.0} for key in needed if key not in found]
    if missing:
        insert_new(connection, limits, missing)
        found = _read(connection, keys)  # another process may have been first
    return at, found


def write(connection: Connection, meters: Mapping[str, Meter]) -> None:
    """Put the meters back, changed."""
    changed = [
        {"row": key, "next_at": meter.next_at, "pace": meter.pace, "paused_until": meter.paused_until}
        for key, meter in meters.items()
    ]
    if changed:
        connection.execute(_UPDATE, changed)


_NOW = select(now())
_COLUMNS: dict[str, Any] = {name: bindparam(name) for name in ("next_at", "pace", "paused_until")}
_UPDATE = limits.update().where(limits.c.key == bindparam("row")).values(_COLUMNS)
_SELECT = (
    select(limits).where(limits.c.key.in_(bindparam("keys", expanding=True))).order_by(limits.c.key).with_for_update()
)


def _read(connection: Connection, keys: Collection[str]) -> dict[str, Meter]:
    rows = connection.execute(_SELECT, {"keys": list(keys)})
    return {row.key: Meter(row.next_at, row.pace, row.paused_until) for row in rows}
