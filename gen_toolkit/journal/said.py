"""What was asked and answered in calls that are named by their ids."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gen_toolkit.amount import from_pico
from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import Row, select
from gen_toolkit.database.tables import calls

_AT_ONCE = 500  # ids in one question: SQLite has a limit


@dataclass(frozen=True)
class Said:
    """One call, with its texts as far as the journal has kept them."""

    id: str
    run: str
    alias: str
    model: str
    prompt: str | None
    request: list[Any] | None
    """The messages, or the texts to embed; None: not kept, or no longer."""
    reply: dict[str, Any] | None
    error: dict[str, Any] | None
    state: str
    attempts: int
    input_tokens: int | None
    output_tokens: int | None
    cost: Decimal | None
    """USD; None: unknown."""
    asked_at: float
    answered_at: float | None


def said(database: Database, ids: Collection[str]) -> dict[str, Said]:
    """The calls of these ids, by id. One that the journal does not have (a cassette's) is left out."""
    found: dict[str, Said] = {}
    wanted = list(ids)
    with database.read() as connection:
        for begin in range(0, len(wanted), _AT_ONCE):
            query = select(calls).where(calls.c.id.in_(wanted[begin : begin + _AT_ONCE]))
            found.update((row.id, _said(row)) for row in connection.execute(query))
    return found


def _said(row: Row[Any]) -> Said:
    return Said(
        id=row.id,
        run=row.run,
        alias=row.alias,
        model=row.model,
        prompt=row.prompt,
        request=_json(row.request),
        reply=_json(row.reply),
        error=_json(row.error),
        state=row.state,
        attempts=row.attempts,
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens,
        cost=None if row.cost is None else from_pico(row.cost),
        asked_at=row.asked_at,
        answered_at=row.answered_at,
    )


def _json(stored: str | None) -> Any:
    return None if stored is None else json.loads(stored)
