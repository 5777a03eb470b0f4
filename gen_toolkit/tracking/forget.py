"""Events that MLflow has, of work that is long over: which they are, how much they take, and letting them go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import ColumnElement, case, delete, func, select
from gen_toolkit.database.tables import spool
from gen_toolkit.events import Reviewed, RunEnded, RunStarted

_AT_ONCE = 500  # runs a statement


@dataclass(frozen=True)
class Told:
    """A run as the spool knows it, with all that was opened inside it."""

    root: str
    runs: tuple[str, ...]
    """Of the whole tree, the root first."""
    has_ended: bool
    """Whether the root has said how it ended."""
    is_delivered: bool
    """Whether MLflow has all events of all of them."""
    delivered_at: float
    """When it got the last one (seconds since 1970)."""


def told_runs(database: Database) -> dict[str, Told]:
    """By root: the runs that were opened inside no other one."""
    facts = select(
        spool.c.run,
        func.max(spool.c.parent).label("parent"),
        func.max(case((spool.c.delivered_at.is_(None), 1), else_=0)).label("waits"),
        func.max(spool.c.delivered_at).label("last"),
        func.max(case((spool.c.kind == RunEnded.kind, 1), else_=0)).label("ended"),
        func.max(case((spool.c.kind == RunStarted.kind, 1), else_=0)).label("began"),
    ).group_by(spool.c.run)
    with database.read() as connection:
        rows = {row.run: row for row in connection.execute(facts)}
    inside: dict[str, list[str]] = defaultdict(list)
    for row in rows.values():
        if row.parent in rows:
            inside[row.parent].append(row.run)
    found = {}
    for root in (row.run for row in rows.values() if row.parent not in rows):
        runs = tuple(_tree(root, inside))
        found[root] = Told(
            root,
            runs,
            has_ended=bool(rows[root].ended) or not rows[root].began,
            is_delivered=not any(rows[run].waits for run in runs),
            delivered_at=max(rows[run].last or 0.0 for run in runs),
        )
    return found


def _tree(root: str, inside: dict[str, list[str]]) -> Iterator[str]:
    yield root
    for run in inside.get(root, ()):
        yield from _tree(run, inside)


def size_of(database: Database, runs: Sequence[str]) -> tuple[int, int]:
    """How many events `forget` lets go, and how many characters they have."""
    count = size = 0
    for some in batches(runs):
        query = select(func.count(), func.coalesce(func.sum(func.length(spool.c.event)), 0)).where(*_which(some))
        with database.read() as connection:
            found = connection.execute(query).one()
        count, size = count + found[0], size + found[1]
    return count, size


def forget(database: Database, runs: Sequence[str]) -> int:
    """Let the delivered events of these runs go, but for what reviewers did: their labels are nowhere else."""
    count = 0
    for some in batches(runs):
        with database.write() as connection:
            count += connection.execute(delete(spool).where(*_which(some))).rowcount
    return count


def _which(runs: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    return spool.c.run.in_(runs), spool.c.delivered_at.is_not(None), spool.c.kind != Reviewed.kind


def batches(runs: Iterable[str]) -> Iterator[list[str]]:
    """As many as a statement takes."""
    every = list(runs)
    return (every[start : start + _AT_ONCE] for start in range(0, len(every), _AT_ONCE))
