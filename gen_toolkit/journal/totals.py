"""What the calls of a run took."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from gen_toolkit.amount import from_pico
from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import select
from gen_toolkit.database.tables import calls
from gen_toolkit.messages.reply import Usage


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
    with database.read() as connection:
        made = connection.execute(
            select(
                calls.c.alias,
                calls.c.prompt,
                calls.c.input_tokens,
                calls.c.output_tokens,
                calls.c.cost,
                calls.c.unanswered,
            ).where(calls.c.run.in_(runs))
        ).all()
    usage = Usage(0, 0, None, None)
    cost: Decimal | None = Decimal(0)
    for call in made:
        usage += Usage(call.input_tokens, call.output_tokens)
        cost = None if cost is None or call.cost is None else cost + from_pico(call.cost)
    models = tuple(sorted({call.alias for call in made}))
    prompts = tuple(sorted({call.prompt for call in made if call.prompt}))
    return Totals(len(made), usage, cost, sum(call.unanswered for call in made), models, prompts)
