"""Events on their way to MLflow, durable in the workspace database. Delivered ones stay as the ledger's facts."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from gen_toolkit import text
from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import func, select
from gen_toolkit.database.tables import spool
from gen_toolkit.errors import KeepError
from gen_toolkit.events import KINDS, Event, Recorded, RunStarted, from_json

_MOST_AT_ONCE = 8_000_000  # characters that are read at once: rows of an evaluation may be long
_PASSING = [kind.kind for kind in KINDS.values() if not kind.is_kept]


@dataclass(frozen=True)
class Waiting:
    """An event that MLflow does not have yet, and where it belongs."""

    id: int
    kind: str
    text: str
    uri: str
    experiment: str

    @property
    def event(self) -> Event:
        """Raises where a newer toolkit, or a plugin, wrote what this one does not know."""
        return from_json(self.kind, json.loads(self.text))


def put(database: Database, event: Event, uri: str, experiment: str) -> None:
    """Durable when this returns."""
    try:
        data = json.dumps(event.to_json())  # ASCII: a half of a surrogate pair is no UTF-8
    except (TypeError, ValueError) as error:
        raise KeepError(
            f"an event of run {event.run[:8]} holds what JSON cannot: {error}", fix="Keep plain data."
        ) from None
    row = {
        "run": event.run,
        "kind": event.kind,
        "parent": getattr(event, "parent", None),
        "event": text.scrub(data),
        "tracking_uri": uri,
        "experiment": experiment,
    }
    with database.write() as connection:
        connection.execute(spool.insert().values(row))


def waiting(database: Database, limit: int = 200, without: Sequence[str] = ()) -> list[Waiting]:
    """The oldest events that are not delivered, leaving out those for the URIs in `without`; at least one, if any."""
    query = (
        select(spool)
        .where(spool.c.delivered_at.is_(None), spool.c.tracking_uri.not_in(without))
        .order_by(spool.c.id)
        .limit(limit)
    )
    found: list[Waiting] = []
    read = 0
    with database.read() as connection:
        for row in connection.execution_options(stream_results=True).execute(query):
            found.append(Waiting(row.id, row.kind, row.event, row.tracking_uri, row.experiment))
            read += len(row.event)
            if read > _MOST_AT_ONCE:
                break
    return found


def count_waiting(database: Database, without: Sequence[str] = ()) -> int:
    """How many events are not delivered, leaving out those for the URIs in `without`."""
    query = (
        select(func.count())
        .select_from(spool)
        .where(spool.c.delivered_at.is_(None), spool.c.tracking_uri.not_in(without))
    )
    with database.read() as connection:
        return int(connection.execute(query).scalar_one())


def uris_waiting(database: Database) -> list[str]:
    """Where the events that are not delivered go."""
    query = select(spool.c.tracking_uri).where(spool.c.delivered_at.is_(None)).distinct()
    with database.read() as connection:
        return list(connection.execute(query).scalars())


def delivered(database: Database, ids: Sequence[int], problem: str | None = None) -> None:
    """MLflow has them, or never will because of `problem`. What is of no use to the ledger is let go."""
    values: dict[str, Any] = {"delivered_at": time.time()}
    if problem:
        values["problem"] = problem
    with database.write() as connection:
        connection.execute(spool.update().where(spool.c.id.in_(ids)).values(values))
        if not problem:
            connection.execute(spool.delete().where(spool.c.id.in_(ids), spool.c.kind.in_(_PASSING)))


def events_of(database: Database, run: str, kind: type[Event]) -> list[Any]:
    """The events of one kind that a run emitted, in order, delivered or not."""
    query = select(spool).where(spool.c.run == run, spool.c.kind == kind.kind).order_by(spool.c.id)
    with database.read() as connection:
        return [from_json(row.kind, json.loads(row.event)) for row in connection.execute(query)]


def newer(database: Database, runs: Collection[str], kind: type[Event], after: int) -> list[tuple[int, Any]]:
    """(number, event) of the events of one kind that these runs emitted after the one of that number, in order."""
    mine = (spool.c.run.in_(runs), spool.c.kind == kind.kind, spool.c.id > after)
    with database.read() as connection:
        rows = connection.execute(select(spool).where(*mine).order_by(spool.c.id)).all()
    return [(row.id, from_json(row.kind, json.loads(row.event))) for row in rows]


def events_of_kind(database: Database, kind: type[Event]) -> list[Any]:
    """The events of one kind of all runs, in order, delivered or not."""
    query = select(spool.c.event).where(spool.c.kind == kind.kind).order_by(spool.c.id)
    with database.read() as connection:
        return [from_json(kind.kind, json.loads(told)) for told in connection.execute(query).scalars()]


def tagged(database: Database, tag: str, value: str) -> list[str]:
    """The runs that were tagged so, by when."""
    said = json.dumps({tag: value})[1:-1]
    query = (
        select(spool.c.run)
        .where(spool.c.kind.in_(["recorded", "run-started"]), spool.c.event.contains(said, autoescape=True))
        .order_by(spool.c.id)
    )
    with database.read() as connection:
        return list(dict.fromkeys(connection.execute(query).scalars()))


def tags_of(database: Database, run: str) -> dict[str, str]:
    """All tags that a run was given."""
    found: dict[str, str] = {}
    for event in [*events_of(database, run, RunStarted), *events_of(database, run, Recorded)]:
        found |= event.tags
    return found


def begun(database: Database, prefix: str) -> list[str]:
    """The runs whose ids begin so."""
    query = select(spool.c.run).where(spool.c.kind == "run-started", spool.c.run.startswith(prefix, autoescape=True))
    with database.read() as connection:
        return list(connection.execute(query.distinct()).scalars())


def name_of(database: Database, run: str) -> str:
    """What a run is called; "" where its beginning is not on record."""
    started = events_of(database, run, RunStarted)
    return str(started[0].name) if started else ""


def root_of(database: Database, run: str) -> str:
    """The outermost run around it: a session, or the run of a job."""
    while (started := events_of(database, run, RunStarted)) and started[0].parent:
        run = started[0].parent
    return run


def children_of(database: Database, parents: Collection[str]) -> list[Any]:
    """The starts of the runs that were opened directly inside one of `parents`."""
    query = select(spool).where(spool.c.kind == "run-started", spool.c.parent.in_(parents)).order_by(spool.c.id)
    with database.read() as connection:
        return [from_json(row.kind, json.loads(row.event)) for row in connection.execute(query)]


def open_runs(database: Database) -> list[Waiting]:
    """The starts of the runs that have not said how they ended."""
    ended = select(spool.c.run).where(spool.c.kind == "run-ended")
    query = select(spool).where(spool.c.kind == "run-started", spool.c.run.not_in(ended)).order_by(spool.c.id)
    with database.read() as connection:
        rows = connection.execute(query).all()
    return [Waiting(r.id, r.kind, r.event, r.tracking_uri, r.experiment) for r in rows]
