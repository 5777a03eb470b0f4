"""What the ledger shows: runs by filters, a page at a time, and their attempts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gen_toolkit.database.sql import Connection, Row, delete, has_text, or_, select
from gen_toolkit.database.tables import attempts, effects, reuses, runs
from gen_toolkit.errors import NotFound
from gen_toolkit.jobs.rows import OPEN, SHORTEST_PREFIX, Attempt, Reason, RunRow

_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LOWEST, _HIGHEST = ("-".join(digit * length for length in (8, 4, 4, 4, 12)) for digit in "0f")
"""What lies between is found by the index, whatever the collation."""
_COLUMNS = [column.name for column in runs.columns]
_SKEW = 3600.0  # seconds by which the clock that an id was made by may differ from the database's


@dataclass(frozen=True)
class Filter:
    """Which runs: those that fit all that is given."""

    name: str | None = None
    state: str | None = None
    since: float | None = None
    """Asked for then or later (seconds since 1970)."""
    parent: str | None = None
    text: str | None = None
    """Stands in the name, in a parameter, or in the reason; small and capital letters of ASCII are the same."""
    before: str | None = None
    """Only older ones than the run of this id: the last of the page before."""


def page(which: Filter, limit: int) -> Any:
    """The query for the newest runs first. Pages are found by id, so that the thousandth costs what the first does."""
    query = _narrowed(select(runs), which).order_by(runs.c.id.desc()).limit(limit)
    if which.text is None:
        return query
    # a search may read every run: it finds the ids in an index, and only then reads whole rows
    columns = (runs.c.name, runs.c.parameters, runs.c.reason)
    found = _narrowed(select(runs.c.id), which).where(or_(*(has_text(column, which.text) for column in columns)))
    ids = found.order_by(runs.c.id.desc()).limit(limit)
    return select(runs).where(runs.c.id.in_(ids)).order_by(runs.c.id.desc())


def _narrowed(query: Any, which: Filter) -> Any:
    for column, wanted in ((runs.c.name, which.name), (runs.c.state, which.state), (runs.c.parent, which.parent)):
        if wanted is not None:
            query = query.where(column == wanted)
    if which.before is not None:
        query = query.where(runs.c.id < which.before)
    if which.since is not None:
        query = query.where(runs.c.created_at >= which.since, runs.c.id >= _first_id(which.since - _SKEW))
    return query


def _first_id(at: float) -> str:
    """The smallest id that could be made at that time: ids begin with it, in milliseconds."""
    written = f"{max(0, int(at * 1000)):012x}"
    return f"{written[:8]}-{written[8:12]}"


def find(connection: Connection, prefix: str) -> RunRow:
    """The run whose id, or the id of one of whose attempts, begins with `prefix`. Raises NotFound."""
    if len(prefix) < SHORTEST_PREFIX:
        raise _not_found(f"{SHORTEST_PREFIX} characters are needed to name a run; nothing was looked up", prefix)
    bounds = (prefix.lower() + _LOWEST[len(prefix) :], prefix.lower() + _HIGHEST[len(prefix) :])
    if not _ID.fullmatch(bounds[0]):
        raise _not_found("no run begins", prefix)
    found = set(connection.execute(select(runs.c.id).where(runs.c.id.between(*bounds)).limit(2)).scalars())
    if not found:
        ids = select(attempts.c.run).where(attempts.c.id.between(*bounds)).distinct().limit(2)
        found = set(connection.execute(ids).scalars())
    if len(found) != 1:
        raise _not_found("more than one run begins" if found else "no run begins", prefix)
    return run_of(connection.execute(select(runs).where(runs.c.id == found.pop())).one())


def _not_found(many: str, prefix: str) -> NotFound:
    return NotFound(f"{many} with {prefix!r}", fix="`gen runs list` shows the runs.", run=prefix)


def attempts_of(connection: Connection, run: str) -> Sequence[Attempt]:
    """In their order."""
    query = select(attempts).where(attempts.c.run == run).order_by(attempts.c.number)
    return [attempt_of(row) for row in connection.execute(query)]


def ended(connection: Connection, before: float) -> Sequence[RunRow]:
    """Runs that are over for so long, without outcomes; a run with parts when all of them are, a part with its run."""
    facts = [column for column in runs.columns if column.name not in {"outcome", "parameters", "retries"}]
    rows = connection.execute(select(*facts).order_by(runs.c.id)).all()
    lately = {row.id for row in rows if row.state in OPEN or row.ended_at is None or row.ended_at >= before}
    with_late_parts = {row.parent for row in rows if row.id in lately and row.parent}
    stays = lately | with_late_parts
    return [
        RunRow(**{**row._mapping, **_shared(row), "parameters": {}})
        for row in rows
        if row.id not in stays and row.parent not in stays
    ]


def purge(connection: Connection, wanted: Sequence[str], before: float) -> Mapping[str, Sequence[Path]]:
    over = select(runs.c.id).where(runs.c.id.in_(wanted), runs.c.state.not_in(OPEN), runs.c.ended_at < before)
    ids = list(connection.execute(over).scalars())
    folders: dict[str, list[Path]] = {run: [] for run in ids}
    kept = select(attempts.c.run, attempts.c.folder).where(attempts.c.run.in_(ids), attempts.c.folder.is_not(None))
    for row in connection.execute(kept):
        folders[row.run].append(Path(row.folder))
    for column in (attempts.c.run, effects.c.owner, reuses.c.owner, runs.c.id):
        connection.execute(delete(column.table).where(column.in_(ids)))
    return folders


def run_of(row: Row[Any]) -> RunRow:
    facts = {name: row._mapping[name] for name in _COLUMNS}
    for name in ("parameters", "retries"):
        facts[name] = json.loads(facts[name]) if facts[name] else None
    return RunRow(**{**facts, **_shared(row)})


def attempt_of(row: Row[Any]) -> Attempt:
    return Attempt(**{**row._mapping, **_shared(row)})


def _shared(row: Row[Any]) -> dict[str, Any]:
    return {
        "folder": Path(row.folder) if row.folder else None,
        "reason": Reason(**json.loads(row.reason)) if row.reason else None,
        "outcome": json.loads(row.outcome) if getattr(row, "outcome", None) else {},
    }
