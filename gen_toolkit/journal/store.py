"""The journal of a workspace: intents and answers in its database, found again by key."""

from __future__ import annotations

import asyncio
import json
import os
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from gen_toolkit import scope
from gen_toolkit.amount import to_pico
from gen_toolkit.database.engine import Database, open_database
from gen_toolkit.database.sql import Connection, Prepared, bindparam, func, or_, select
from gen_toolkit.database.tables import calls, reuses
from gen_toolkit.errors import GenToolkitError, ModelError
from gen_toolkit.journal.call import Call, Known, stored, stored_request
from gen_toolkit.journal.cassette import Cassette
from gen_toolkit.journal.commits import GroupCommit
from gen_toolkit.journal.retention import prune_in_background
from gen_toolkit.messages.reply import Reply
from gen_toolkit.process import is_alive, is_here, this_process
from gen_toolkit.settings import Resolved, load_settings

CANCELLED_BEFORE = "the call was cancelled before it was made"
_ELSEWHERE = 900.0  # seconds after which a call that another host is said to make is given up: nobody can look


@dataclass(frozen=True)
class InFlight:
    """Another process is waiting for the answer to this very call."""


class _Ask(NamedTuple):
    row: dict[str, Any]
    reuse: bool


class Journal:
    """Durable: `ask` before a request leaves, `answered` or `failed` before the caller sees it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.commits = GroupCommit(database)
        self.flying: dict[str, asyncio.Event] = {}
        """Keys of the calls that this process is making, and when each of them is over."""
        self._me = this_process()

    async def ask(self, call: Call, *, reuse: bool = False) -> Known | InFlight | None:
        """Record the intent. With `reuse` only where neither an answer is known nor another waits for it.

        None: recorded, the call is yours to make.
        """
        request = call.request
        row = {
            "id": call.id,
            "key": call.key,
            "cassette_key": call.cassette_key,
            "request_hash": request.hash,
            "run": call.run,
            "owner": call.owner,
            "row": call.row,
            "alias": request.alias,
            "model": request.model,
            "prompt": str(request.prompt) if request.prompt else None,
            "request": stored_request(request) if call.bodies else None,
            "state": "asked",
            "attempts": 0,
            "unanswered": 0,
            "process": self._me,
            "instead_of": request.instead_of,
            "asked_at": time.time(),
        }
        return await self.commits.submit(_ask, _Ask(row, reuse), missed=lambda known: self._withdraw(call, known))

    def _withdraw(self, call: Call, known: Known | InFlight | None) -> None:
        """Whoever asked was cancelled while the intent was written: nothing has left, nothing is on the bill."""
        if known is None:
            self.commits.send(_end, _failure(call, ModelError(CANCELLED_BEFORE)))

    async def answered(self, call: Call, reply: Reply) -> None:
        values = {
            "state": "answered",
            "reply": stored(reply.to_json()) if call.bodies else None,
            "error": None,
            **_took(reply),
        }
        await self.commits.submit(_end, {"call": call.id, "answered_at": time.time(), **values})

    async def failed(self, call: Call, error: GenToolkitError) -> None:
        await self.commits.submit(_end, _failure(call, error))

    def find(self, call: Call) -> Known | None:
        """What is known of this call, for `replay`: the newest answer that was kept, else that there was one;
        else the newest failure.
        """
        query = (
            select(calls.c.id, calls.c.reply, calls.c.error, calls.c.pruned_at)
            .where(calls.c.key == call.key, calls.c.state != "asked")
            .order_by(calls.c.state, calls.c.reply.is_(None), calls.c.answered_at.desc())
            .limit(1)
        )
        with self.database.read() as connection:
            found = connection.execute(query).first()
        if found is not None and found.reply is None and found.error is None:
            return Known(found.id, pruned_at=found.pruned_at)
        return None if found is None else _known(found)

    def is_in_flight(self, call: Call) -> bool:
        """Whether another process still waits for the answer to this call."""
        with self.database.read() as connection:
            asked = connection.execute(_waiting([call.key])).all()
        return any(_is_in_flight(row) for row in asked)


def _failure(call: Call, error: GenToolkitError) -> dict[str, Any]:
    paid: Reply | None = getattr(error, "paid", None)  # an answer that came, and was not let through
    took = _took(paid) if paid is not None else _took_nothing(error)
    values = {"state": "failed", "reply": None, "error": stored(error.to_json()), **took}
    return {"call": call.id, "answered_at": time.time(), **values}


def _took(reply: Reply) -> dict[str, Any]:
    return {
        "attempts": reply.attempts,
        "unanswered": reply.unanswered,
        "input_tokens": reply.usage.input_tokens,
        "output_tokens": reply.usage.output_tokens,
        "cost": None if reply.cost is None else to_pico(reply.cost),
    }


def _took_nothing(error: GenToolkitError) -> dict[str, Any]:
    """A failure costs nothing where no attempt can be on the bill; else nobody knows."""
    unanswered = int(error.data.get("unanswered", 0))
    known = 0 if unanswered == 0 else None
    attempts = int(error.data.get("attempts", 1))
    return {
        "attempts": attempts,
        "unanswered": unanswered,
        "input_tokens": known,
        "output_tokens": known,
        "cost": known,
    }


_ASKED = (
    *("id", "key", "cassette_key", "request_hash", "run", "owner", "row", "alias", "model", "prompt", "request"),
    *("state", "attempts", "unanswered", "process", "instead_of", "asked_at"),
)
_ENDED = (
    *("state", "reply", "error", "attempts", "unanswered", "input_tokens", "output_tokens", "cost", "answered_at"),
)
_INSERT = Prepared(calls.insert().values({name: bindparam(name) for name in _ASKED}))
_INSERT_REUSED = Prepared(reuses.insert().values({name: bindparam(name) for name in ("owner", "run", "call")}))
_END = Prepared(
    calls.update()
    .where(calls.c.id == bindparam("call"), calls.c.state == "asked")  # how a call ended is never overwritten
    .values({name: bindparam(name) for name in _ENDED})
)
_LOOK = (
    select(*(calls.c[name] for name in ("id", "key", "state", "reply", "error", "process", "asked_at")))
    .where(
        calls.c.key.in_(bindparam("keys", expanding=True)),
        or_(calls.c.state != "answered", calls.c.reply.is_not(None)),
    )
    .order_by(calls.c.answered_at)  # the newest is read last and stays
)
_STOOD_IN_FOR = select(calls.c.instead_of).where(
    calls.c.instead_of.in_(bindparam("failed", expanding=True)), calls.c.state == "answered"
)


def _end(connection: Connection, ended: list[dict[str, Any]]) -> list[None]:
    _END.run(connection, ended)
    return [None] * len(ended)


def _ask(connection: Connection, asked: list[_Ask]) -> list[Known | InFlight | None]:
    """One look for all that may be known, one insert for all that are not."""
    keys = [ask.row["key"] for ask in asked if ask.reuse]
    known = _find_all(connection, keys) if keys else {}
    results = [known.get(ask.row["key"]) if ask.reuse else None for ask in asked]
    fresh = [ask.row for ask, found in zip(asked, results, strict=True) if found is None]
    if fresh:
        _INSERT.run(connection, fresh)
    execution = scope.execution()  # what one from top to bottom was answered is known of it afterwards
    reused = [
        {"owner": owner, "run": ask.row["run"], "call": found.id}
        for ask, found in zip(asked, results, strict=True)
        if isinstance(found, Known) and (owner := ask.row["owner"] or execution) is not None
    ]
    if reused:
        _INSERT_REUSED.run(connection, reused)
    return results


def _find_all(connection: Connection, keys: list[str]) -> dict[str, Known | InFlight]:
    """An answer where there is one. Else a failure for which another alias answered: it is part of a known answer."""
    rows = connection.execute(_LOOK, {"keys": keys}).all()
    if not rows:
        return {}
    found: dict[str, Known | InFlight] = {
        row.key: InFlight() for row in rows if row.state == "asked" and _is_in_flight(row)
    }
    failed = {row.id: row for row in rows if row.state == "failed"}
    if failed:
        stood_in_for = set(connection.execute(_STOOD_IN_FOR, {"failed": list(failed)}).scalars())
        found.update((row.key, _known(row)) for row in failed.values() if row.id in stood_in_for)
    found.update((row.key, _known(row)) for row in rows if row.state == "answered")
    return found


def _waiting(keys: list[str]) -> Any:
    return select(calls.c.key, calls.c.process, calls.c.asked_at).where(calls.c.key.in_(keys), calls.c.state == "asked")


def _is_in_flight(row: Any) -> bool:
    """By another process. Our own calls are known in memory; what is left of them here has no one waiting."""
    if row.process == this_process() or not row.process:
        return False
    return is_alive(row.process) and (is_here(row.process) or time.time() - row.asked_at < _ELSEWHERE)


def _known(row: Any) -> Known:
    if row.reply is not None:
        return Known(row.id, reply=json.loads(row.reply))
    return Known(row.id, error=json.loads(row.error))


def count(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(calls)).scalar_one())


@cache
def _journal(process: int, database: Database) -> Journal:  # noqa: ARG001 - a forked child needs its own thread
    prune_in_background(database, load_settings().settings.bodies_days)
    return Journal(database)


def open_journal(settings: Resolved | None = None) -> Journal:
    """The journal of the workspace, one a process."""
    return _journal(os.getpid(), open_database(settings))


@cache
def _cassette(path: Path, bodies: bool) -> Cassette:
    return Cassette(path, bodies=bodies)


def open_cassette(settings: Resolved) -> Cassette | None:
    """The cassette named in the settings (relative to the workspace), or nothing."""
    name = settings.settings.cassette
    return _cassette((settings.workspace.root / name).resolve(), settings.settings.cassette_bodies) if name else None
