"""What a run brought: the values it kept, the calls it made, what they cost."""

from __future__ import annotations

from typing import Any

from gen_toolkit.database.engine import Database
from gen_toolkit.events import ValueKept
from gen_toolkit.jobs.ledger import RunRow
from gen_toolkit.journal.totals import totals
from gen_toolkit.tracking import spool


def outcome_of(database: Database, run: RunRow) -> dict[str, Any]:
    """Kept values by name, and totals over the run and everything that ran inside it."""
    family = [run.id, *_descendants(database, run.id)]
    took = totals(database, *family)
    kept = {event.name: event.value for event in spool.events_of(database, run.id, ValueKept)}
    for child in family[1:]:
        kept |= {event.name: event.value for event in spool.events_of(database, child, ValueKept)}
    return {
        "kept": kept,
        "calls": took.calls,
        "input_tokens": took.usage.input_tokens,
        "output_tokens": took.usage.output_tokens,
        "cost_usd": None if took.cost is None else str(took.cost),
        "models": list(took.models),
        "prompts": list(took.prompts),
        "notebook": str(run.folder / "notebook.ipynb"),
        "log": str(run.folder / "log.txt"),
    }


def _descendants(database: Database, run: str) -> list[str]:
    """The runs opened inside a run: evaluations, `gt.run` blocks."""
    found: list[str] = []
    layer = {run}
    while layer:
        children = [e.run for e in spool.children_of(database, layer)]
        layer = set(children) - set(found)
        found += children
    return found
