"""The newest calls of a kind, with what was asked and answered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import ColumnElement, func, or_, select
from gen_toolkit.database.tables import calls, runs
from gen_toolkit.errors import NotFound

_SHORTEST_PREFIX = 8


@dataclass(frozen=True)
class Wanted:
    """Which calls: those that fit all that is given."""

    run: str | None = None
    """The id of a run, or the beginning of one; calls of its later attempts are among its own."""
    pipeline: str | None = None
    """The name of a pipeline: the calls of all its jobs."""
    prompt: str | None = None
    """A prompt's name, for all its versions, or `name@4`, `name#1a2b3c4d`."""
    alias: str | None = None

    def __str__(self) -> str:
        given = {"run": self.run, "pipeline": self.pipeline, "prompt": self.prompt, "model": self.alias}
        return ", ".join(f"{name} {value}" for name, value in given.items() if value is not None) or "this workspace"


@dataclass(frozen=True)
class Answered:
    """An answered call of messages."""

    id: str
    messages: list[dict[str, Any]]
    text: str
    alias: str
    prompt: str | None


def recent(database: Database, wanted: Wanted, last: int) -> list[Answered]:
    """The newest `last` of which request and reply were kept, oldest first. Requests for vectors are left out.

    Raises NotFound where the run is none, or several.
    """
    query = (
        select(calls.c.id, calls.c.request, calls.c.reply, calls.c.alias, calls.c.prompt)
        .where(*_where(database, wanted), calls.c.reply.is_not(None), calls.c.request.like("[{%"))
        .order_by(calls.c.asked_at.desc(), calls.c.id.desc())
        .limit(last)
    )
    with database.read() as connection:
        found = connection.execute(query).all()
    return [
        Answered(row.id, json.loads(row.request), json.loads(row.reply)["text"], row.alias, row.prompt)
        for row in reversed(found)
    ]


def count_without_texts(database: Database, wanted: Wanted) -> int:
    """The answered calls of which request or reply was not kept, or is no longer."""
    without = or_(calls.c.reply.is_(None), calls.c.request.is_(None))
    query = select(func.count()).select_from(calls).where(*_where(database, wanted), without)
    with database.read() as connection:
        return int(connection.execute(query).scalar_one())


def _where(database: Database, wanted: Wanted) -> list[ColumnElement[bool]]:
    which: list[ColumnElement[bool]] = [calls.c.state == "answered"]
    if wanted.run is not None:
        run = _run(database, wanted.run)
        which.append(or_(calls.c.run == run, calls.c.owner == run))
    if wanted.pipeline is not None:
        jobs = select(runs.c.id).where(runs.c.name == wanted.pipeline, runs.c.kind == "job")
        which.append(calls.c.owner.in_(jobs))
    if wanted.prompt is not None:
        begins = func.substr(calls.c.prompt, 1, len(wanted.prompt) + 1)  # LIKE would not tell A from a on SQLite
        versions = begins.in_([wanted.prompt + mark for mark in "@#"])
        which.append(or_(calls.c.prompt == wanted.prompt, versions))
    if wanted.alias is not None:
        which.append(calls.c.alias == wanted.alias)
    return which


def _run(database: Database, prefix: str) -> str:
    """The one run with calls whose id begins so."""
    found: set[str] = set()
    if len(prefix) >= _SHORTEST_PREFIX:
        with database.read() as connection:
            for column in (calls.c.run, calls.c.owner):
                query = select(column).where(column.startswith(prefix, autoescape=True)).distinct().limit(2)
                found.update(connection.execute(query).scalars())
    if len(found) != 1:
        many = "several runs have calls" if found else "no run has calls"
        raise NotFound(
            f"{many} whose id begins with {prefix!r}",
            fix=f"Give {_SHORTEST_PREFIX} or more characters of the id, as result.run or `gen runs list` shows it.",
            run=prefix,
        )
    return found.pop()
