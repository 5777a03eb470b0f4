"""What some runs asked and were answered, whether the call was made for them or the answer taken from the journal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gen_toolkit.amount import from_pico
from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import Row, select
from gen_toolkit.database.tables import calls, reuses
from gen_toolkit.journal.call import stored


@dataclass(frozen=True)
class Asked:
    """One answer that a run had. An answer that was taken twice is two of these."""

    run: str
    """That asked, which need not be the one that the call was made for."""
    row: str | None
    key: str
    """In a cassette."""
    alias: str
    prompt: str | None
    reply: dict[str, Any] | None
    error: dict[str, Any] | None
    """Neither: the journal keeps no texts of this alias, or no longer."""
    input_tokens: int | None
    output_tokens: int | None
    cost: Decimal | None
    """USD of the call when it was made; None: unknown."""
    seconds: float
    """That the call took when it was made."""


def asked_by(database: Database, runs: Sequence[str]) -> list[Asked]:
    """The answers that these runs had, by the time of the calls. Jobs, tries and sessions that were run through
    note what they take from the journal; of other sessions only the calls they made themselves are known."""
    with database.read() as connection:
        made = connection.execute(select(calls).where(calls.c.run.in_(runs), calls.c.state != "asked")).all()
        taken = connection.execute(
            select(calls, reuses.c.run.label("taker"))
            .join(reuses, reuses.c.call == calls.c.id)
            .where(reuses.c.run.in_(runs))
        ).all()
    found = [(row.run, row) for row in made] + [(row.taker, row) for row in taken]
    return [_asked(run, row) for run, row in sorted(found, key=lambda pair: pair[1].id)]


def _asked(run: str, row: Row[Any]) -> Asked:
    reply = None if row.reply is None else json.loads(row.reply)
    took = (row.answered_at or row.asked_at) - row.asked_at
    return Asked(
        run,
        row.row,
        row.cassette_key,
        row.alias,
        row.prompt,
        reply,
        None if row.error is None else json.loads(row.error),
        row.input_tokens,
        row.output_tokens,
        None if row.cost is None else from_pico(row.cost),
        took if reply is None else reply.get("seconds", took),
    )


def cassette_lines(answers: Iterable[Asked]) -> dict[str, dict[str, Any]]:
    """By key what a cassette holds of these answers: the newest reply, or where there is none the newest error."""
    lines: dict[str, dict[str, Any]] = {}
    for answer in answers:
        if answer.reply is not None:
            lines[answer.key] = {"reply": answer.reply}
        elif answer.error is not None and "reply" not in lines.get(answer.key, {}):
            lines[answer.key] = {"error": answer.error}
    return lines


def cassette_text(lines: dict[str, dict[str, Any]]) -> str:
    """As `journal.cassette` reads them: a line a call, without secrets that this process knows."""
    return "".join(stored({"key": key, **entry}) + "\n" for key, entry in lines.items())
