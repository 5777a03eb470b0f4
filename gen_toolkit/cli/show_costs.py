"""Costs for people: a table, a total, and what is not in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from gen_toolkit import display

if TYPE_CHECKING:
    from gen_toolkit.journal.costs import Cost


def costs_text(found: Mapping[str | None, Cost], by: str, limit: int) -> str:
    if not found:
        return "no calls in this time"
    from gen_toolkit.journal.costs import Cost

    total = sum(found.values(), Cost())
    shown = list(found.items())[:limit]
    names = _run_names([name for name, _ in shown if name]) if by == "run" else {}
    rows = [[_name(name, by, names), *_cells(cost)] for name, cost in shown]
    if len(found) > limit:
        rest = sum([cost for _, cost in list(found.items())[limit:]], Cost())
        rows.append([f"{len(found) - limit} others", *_cells(rest)])
    rows.append(["total", *_cells(total)])
    table = display.text_table([by, "calls", "failed", "tokens in", "tokens out", "cost"], rows, width=60)
    return "\n".join([table, *_not_known(total)])


def money(cost: Cost) -> str:
    """What is known, and how much of it that is: "≥ $0.120000 (3 unknown)"."""
    if cost.is_exact:
        return display.money(cost.cost, 6)
    unknown = cost.unknown + cost.lost
    if unknown and not cost.cost:
        return f"unknown ({unknown})"
    return f"≥ {display.money(cost.cost, 6)}" + (f" ({unknown} unknown)" if unknown else "")


def _cells(cost: Cost) -> list[object]:
    more = "≥ " if cost.tokens_unknown or cost.unanswered or cost.in_flight or cost.lost else ""
    return [cost.calls, cost.failed or "", f"{more}{cost.input_tokens}", f"{more}{cost.output_tokens}", money(cost)]


def _not_known(total: Cost) -> Iterator[str]:
    """Why the total is no more than a lower bound."""
    counts = {
        "calls that ended with an unknown cost (no price, no usage, or no answer)": total.unknown,
        "attempts without an answer, which may be on the bill": total.unanswered,
        "calls whose process went away before an answer, which may be on the bill": total.lost,
        "calls still under way": total.in_flight,
    }
    for what, count in counts.items():
        if count:
            yield f"{what}: {count}"


def _name(name: str | None, by: str, names: Mapping[str, str]) -> str:
    if name is None:
        return "(none)"
    return f"{name[:13]} {names.get(name, '')}".rstrip() if by == "run" else name


def _run_names(runs: list[str]) -> dict[str, str]:
    """What the runs are called, where they said so."""
    from gen_toolkit.database.engine import open_database
    from gen_toolkit.events import RunStarted
    from gen_toolkit.tracking import spool

    database = open_database()
    return {run: event.name for run in runs for event in spool.events_of(database, run, RunStarted)}
