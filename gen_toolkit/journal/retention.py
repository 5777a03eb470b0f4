"""Retention: requests and replies of old calls that nothing holds are removed; hash, usage, cost and error stay."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from typing import Any

from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import ColumnElement, bindparam, func, or_, select
from gen_toolkit.database.tables import calls, holds, marks
from gen_toolkit.errors import DatabaseError

DAY = 86400.0
_MARK = "prune"
_BATCH = 200  # calls a transaction: others wait a few milliseconds
_PAUSE = 0.05  # seconds between transactions in the background: room for those who work
_GIVEN_UP = 600.0  # seconds after which another may do what somebody began today and has not finished
_TEXTS = ("partial", "text")  # of an error: what the model had said


@dataclass(frozen=True)
class Pruned:
    """What retention did, or would do."""

    before: float
    """Calls asked before this moment (seconds since 1970)."""
    calls: int
    """Calls whose request and reply were removed."""
    held: int
    """Calls as old that keep theirs, because of a hold."""


def prune(database: Database, older_than: float, *, pause: float = 0.0) -> Pruned:
    """Remove requests and replies of the calls that were asked more than `older_than` seconds ago."""
    before = time.time() - older_than
    count, last = 0, 0.0
    while found := _batch(database, before, last):
        count, last = count + len(found), found[-1].asked_at
        time.sleep(pause)
    if count:
        database.tidy()
    return Pruned(before, count, _count(database, before, _IS_HELD))


def would_prune(database: Database, older_than: float) -> Pruned:
    """The same without doing it."""
    before = time.time() - older_than
    return Pruned(before, _count(database, before, ~_IS_HELD), _count(database, before, _IS_HELD))


def prune_in_background(database: Database, days: float) -> threading.Thread:
    """At most once a day and workspace: see to it that bodies older than `days` are removed. Nobody waits for it."""

    def work() -> None:
        try:
            _prune_of_today(database, days)
        except DatabaseError:
            return  # locked, full or read-only: those who work are told so; the next who opens the journal tries again

    thread = threading.Thread(target=work, name="gen_toolkit retention", daemon=True)
    thread.start()
    return thread


def _prune_of_today(database: Database, days: float) -> None:
    if _is_due(database) and _claim(database):
        prune(database, days * DAY, pause=_PAUSE)
        with database.write() as connection:
            connection.execute(marks.update().where(marks.c.name == _MARK).values(at=time.time()))


def _is_due(database: Database) -> bool:
    with database.read() as connection:
        last = connection.execute(_LAST).scalar()
    return last is None or time.time() - last >= DAY


def _claim(database: Database) -> bool:
    """Of several that find it due, one does it; should that one die, another may soon."""
    claimed = time.time() - DAY + _GIVEN_UP
    with database.write() as connection:
        last = connection.execute(_LAST).scalar()
        if last is None:
            connection.execute(marks.insert().values(name=_MARK, at=claimed))
        elif time.time() - last >= DAY:
            connection.execute(marks.update().where(marks.c.name == _MARK).values(at=claimed))
        else:
            return False
    return True


_LAST = select(marks.c.at).where(marks.c.name == _MARK)
_HELD = select(holds.c.run)
_IS_HELD = or_(calls.c.run.in_(_HELD), func.coalesce(calls.c.owner, "").in_(_HELD))  # a held run, and all inside it


def _bodies_before(before: float) -> list[ColumnElement[bool]]:
    """Old calls that have a body. One that was asked within a day and has no end yet may be under way."""
    return [
        calls.c.asked_at < before,
        or_(calls.c.request.is_not(None), calls.c.reply.is_not(None)),
        or_(calls.c.state != "asked", calls.c.asked_at < time.time() - DAY),
    ]


def _batch(database: Database, before: float, since: float) -> list[Any]:
    old = (
        select(calls.c.id, calls.c.asked_at, calls.c.error)
        .where(calls.c.asked_at >= since, *_bodies_before(before), ~_IS_HELD)
        .order_by(calls.c.asked_at)
        .limit(_BATCH)
    )
    with database.write() as connection:
        found = list(connection.execute(old).all())
        if found:
            now = time.time()
            connection.execute(
                _REMOVE, [{"call": row.id, "at": now, "left": _without_texts(row.error)} for row in found]
            )
    return found


_REMOVE = (
    calls.update()
    .where(calls.c.id == bindparam("call"))
    .values(request=None, reply=None, pruned_at=bindparam("at"), error=bindparam("left"))
)


def _without_texts(error: str | None) -> str | None:
    """An error stays; what came of a stream before it is a reply and goes."""
    if error is None:
        return None
    return json.dumps({name: value for name, value in json.loads(error).items() if name not in _TEXTS})


def _count(database: Database, before: float, which: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(calls).where(*_bodies_before(before), which)
    with database.read() as connection:
        return int(connection.execute(query).scalar_one())
