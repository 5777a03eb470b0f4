"""What an attempt brought: the values it kept, the calls it made, what they cost; and the sum over a run's attempts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gen_toolkit.database.engine import Database
from gen_toolkit.events import ValueKept
from gen_toolkit.jobs.kept import fitted
from gen_toolkit.journal.reuse import count_reused, differences
from gen_toolkit.journal.totals import totals
from gen_toolkit.tracking import spool


def outcome_of(database: Database, attempt: str, folder: Path | None) -> dict[str, Any]:
    """Kept values by name (see jobs/kept.py), and totals over the attempt and everything that ran inside it."""
    family = family_of(database, attempt)
    kept: dict[str, Any] = {}
    for member in family:
        kept |= {event.name: event.value for event in spool.events_of(database, member, ValueKept)}
    files = {} if folder is None else {"notebook": str(folder / "notebook.ipynb"), "log": str(folder / "log.txt")}
    return {"kept": fitted(kept, folder), **_took(database, family), **files}


def total_of(database: Database, outcome: dict[str, Any], attempts: Sequence[str]) -> dict[str, Any]:
    """The outcome of a run's last attempt, with what all of them took together.

    Of a later attempt also: what it took itself, and which of its requests were not those of the attempts before.
    """
    if len(attempts) == 1:
        return outcome
    *before, now = (family_of(database, attempt) for attempt in attempts)
    earlier = [run for family in before for run in family]
    count, shown = differences(database, earlier, now)
    last = {"calls": outcome["calls"], "reused": outcome["reused"], "differ": count}
    listed = [difference.to_json() for difference in shown]
    return {**outcome, **_took(database, [*earlier, *now]), "last_attempt": {**last, "differences": listed}}


def _took(database: Database, family: Sequence[str]) -> dict[str, Any]:
    took = totals(database, *family)
    return {
        "calls": took.calls,
        "reused": count_reused(database, family),
        "input_tokens": took.usage.input_tokens,
        "output_tokens": took.usage.output_tokens,
        "cost_usd": None if took.cost is None else str(took.cost),
        "models": list(took.models),
        "prompts": list(took.prompts),
    }


def family_of(database: Database, run: str) -> list[str]:
    """It, and the runs opened inside it: evaluations, `gt.run` blocks."""
    found: list[str] = []
    layer = {run}
    while layer:
        children = [e.run for e in spool.children_of(database, layer)]
        layer = set(children) - set(found)
        found += children
    return [run, *found]
