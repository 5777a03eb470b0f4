"""What the journal says of calls to come: which are answered already, and what those to an alias usually take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import select
from gen_toolkit.database.tables import calls

_NEWEST = 200
_AT_ONCE = 500  # keys in one query


@dataclass(frozen=True)
class Pace:
    """Means over an alias's newest answers."""

    seconds: float
    """From the intent to the answer, waits and attempts included."""
    output_tokens: float | None
    """None where the server says none."""


def pace(database: Database, alias: str) -> Pace | None:
    """None where the alias has not answered yet."""
    query = (
        select(calls.c.asked_at, calls.c.answered_at, calls.c.output_tokens)
        .where(calls.c.alias == alias, calls.c.state == "answered")
        .order_by(calls.c.asked_at.desc())
        .limit(_NEWEST)
    )
    with database.read() as connection:
        found = connection.execute(query).all()
    if not found:
        return None
    tokens = [row.output_tokens for row in found if row.output_tokens is not None]
    seconds = sum(row.answered_at - row.asked_at for row in found) / len(found)
    return Pace(seconds, sum(tokens) / len(tokens) if tokens else None)


def answered_keys(database: Database, keys: Sequence[str]) -> set[str]:
    """Those of the keys whose answer is known and kept."""
    found: set[str] = set()
    with database.read() as connection:
        for start in range(0, len(keys), _AT_ONCE):
            part = calls.c.key.in_(keys[start : start + _AT_ONCE])
            query = select(calls.c.key).where(part, calls.c.state == "answered", calls.c.reply.is_not(None))
            found.update(connection.execute(query).scalars())
    return found
