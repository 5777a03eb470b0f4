"""What the calls of a run took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gen_toolkit.amount import from_pico
from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import Row, func, select
from gen_toolkit.database.tables import calls
from gen_toolkit.messages.reply import Usage

_SUMS = [
    func.count().label("calls"),
    func.sum(calls.c.unanswered).label("unanswered"),
    *(func.sum(calls.c[name]).label(name) for name in ("cost", "input_tokens", "output_tokens")),
    *(func.count(calls.c[name]).label(f"{name}_known") for name in ("cost", "input_tokens", "output_tokens")),
]


@dataclass(frozen=True)
class Totals:
    """The sum over some calls."""

    calls: int
    usage: Usage
    cost: Decimal | None
    """None as soon as one call's cost is unknown."""
    unanswered: int
    """Attempts that brought no answer and may be on the bill all the same."""
    models: tuple[str, ...]
    prompts: tuple[str, ...]


def totals(database: Database, *runs: str) -> Totals:
    """The sum over the calls made by these runs (reused answers made none)."""
    query = (
        select(calls.c.alias, calls.c.prompt, *_SUMS)
        .where(calls.c.run.in_(runs))
        .group_by(calls.c.alias, calls.c.prompt)
    )
    with database.read() as connection:
        found = connection.execute(query).all()
    made = sum(row.calls for row in found)
    cost = _sum(found, "cost", made)
    return Totals(
        made,
        Usage(_sum(found, "input_tokens", made), _sum(found, "output_tokens", made)),
        None if cost is None else from_pico(cost),
        sum(int(row.unanswered) for row in found),
        models=tuple(sorted({row.alias for row in found})),
        prompts=tuple(sorted({row.prompt for row in found if row.prompt})),
    )


def _sum(found: Sequence[Row[Any]], name: str, calls: int) -> int | None:
    """None where one of the calls does not say."""
    if sum(getattr(row, f"{name}_known") for row in found) < calls:
        return None
    return sum(int(getattr(row, name) or 0) for row in found)
