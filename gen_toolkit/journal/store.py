"""The journal of a workspace: intents and answers in its database, found again by key."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from gen_toolkit import scope, text
from gen_toolkit.database.engine import Database, open_database
from gen_toolkit.database.sql import func, select
from gen_toolkit.database.tables import calls
from gen_toolkit.errors import GenToolkitError
from gen_toolkit.journal.cassette import Cassette
from gen_toolkit.journal.commits import GroupCommit
from gen_toolkit.messages.reply import Reply, Usage
from gen_toolkit.messages.request import Request, digest
from gen_toolkit.settings import Resolved


@dataclass(frozen=True)
class Call:
    """One request at one place: what the journal knows before the answer."""

    id: str
    key: str
    cassette_key: str
    run: str
    row: str | None
    request: Request


def _stored(data: Any) -> str:
    """JSON without secrets. Halves of characters, which a model may send, stand as the escapes that JSON has."""
    readable = json.dumps(data, ensure_ascii=False)
    return text.scrub(readable.encode("utf-8", "backslashreplace").decode())


def new_call(request: Request) -> Call:
    """Name the call that is about to be made. Counts it: ask once per call."""
    where = scope.current()
    place, local = scope.place(request.hash)
    return Call(
        id=scope.new_id(),
        key=digest([request.hash, place]),
        cassette_key=digest([request.hash, local]),
        run=scope.run_or_session(),
        row=where.row.id if where.row else None,
        request=request,
    )


class Journal:
    """Durable: `asked` before a request leaves, `answered` or `failed` before the caller sees it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._commits = GroupCommit(database)

    async def asked(self, call: Call) -> None:
        request = call.request
        row = {
            "id": call.id,
            "key": call.key,
            "request_hash": request.hash,
            "run": call.run,
            "row": call.row,
            "alias": request.alias,
            "model": request.model,
            "prompt": str(request.prompt) if request.prompt else None,
            "request": _stored(list(request.messages)),
            "state": "asked",
            "attempts": 0,
            "asked_at": time.time(),
        }
        await self._commits.submit(lambda connection: connection.execute(calls.insert().values(row)))

    async def answered(self, call: Call, reply: Reply) -> None:
        await self._update(
            call,
            state="answered",
            reply=_stored(reply.to_json()),
            attempts=reply.attempts,
            input_tokens=reply.usage.input_tokens,
            output_tokens=reply.usage.output_tokens,
            cost=None if reply.cost is None else str(reply.cost),
        )

    async def failed(self, call: Call, error: GenToolkitError, attempts: int) -> None:
        await self._update(call, state="failed", error=_stored(error.to_json()), attempts=attempts)

    async def _update(self, call: Call, **values: Any) -> None:
        values["answered_at"] = time.time()
        statement = calls.update().where(calls.c.id == call.id).values(values)
        await self._commits.submit(lambda connection: connection.execute(statement))

    def find(self, call: Call, *, failures: bool = False) -> dict[str, Any] | None:
        """The newest answer of this key as `{"id", "reply"}`; with `failures` also `{"error"}`."""
        states = ("answered", "failed") if failures else ("answered",)
        query = (
            select(calls.c.id, calls.c.reply, calls.c.error)
            .where(calls.c.key == call.key, calls.c.state.in_(states))
            .order_by(calls.c.state, calls.c.answered_at.desc())
            .limit(1)
        )
        with self.database.read() as connection:
            found = connection.execute(query).first()
        if found is None:
            return None
        if found.reply is not None:
            return {"id": found.id, "reply": json.loads(found.reply)}
        return {"id": found.id, "error": json.loads(found.error)}


@dataclass(frozen=True)
class Totals:
    """What the calls of a run took."""

    calls: int
    usage: Usage
    cost: Decimal | None
    """None as soon as one call's cost is unknown."""
    models: tuple[str, ...]
    prompts: tuple[str, ...]


def totals(database: Database, *runs: str) -> Totals:
    """The sum over the calls made by these runs (reused answers made none)."""
    with database.read() as connection:
        made = connection.execute(
            select(calls.c.alias, calls.c.prompt, calls.c.input_tokens, calls.c.output_tokens, calls.c.cost).where(
                calls.c.run.in_(runs)
            )
        ).all()
    usage = Usage(0, 0, None, None)
    cost: Decimal | None = Decimal(0)
    for call in made:
        usage += Usage(call.input_tokens, call.output_tokens)
        cost = None if cost is None or call.cost is None else cost + Decimal(call.cost)
    models = tuple(sorted({call.alias for call in made}))
    prompts = tuple(sorted({call.prompt for call in made if call.prompt}))
    return Totals(len(made), usage, cost, models, prompts)


def count(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(calls)).scalar_one())


@cache
def _journal(process: int, database: Database) -> Journal:  # noqa: ARG001 - a forked child needs its own thread
    return Journal(database)


def open_journal() -> Journal:
    return _journal(os.getpid(), open_database())


@cache
def _cassette(path: Path, bodies: bool) -> Cassette:
    return Cassette(path, bodies=bodies)


def open_cassette(settings: Resolved) -> Cassette | None:
    """The cassette named in the settings (relative to the workspace), or nothing."""
    name = settings.settings.cassette
    return _cassette((settings.workspace.root / name).resolve(), settings.settings.cassette_bodies) if name else None
