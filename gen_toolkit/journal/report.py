"""Looking at calls: which there are, and all that is known of one."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from gen_toolkit.amount import from_pico
from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import ColumnElement, Row, or_, select
from gen_toolkit.database.tables import calls
from gen_toolkit.errors import NotFound
from gen_toolkit.process import is_alive, is_here

STATES = ("asked", "answered", "failed")
SHORTEST_PREFIX = 8
_ELSEWHERE = 900.0  # seconds after which a call that another host is said to make is given up: nobody can look
_LOWEST, _HIGHEST = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"


@dataclass(frozen=True)
class CallRow:
    """A call without what was said in it."""

    id: str
    run: str
    row: str | None
    alias: str
    model: str
    prompt: str | None
    state: str
    attempts: int
    unanswered: int
    """Attempts that brought no answer and may be on the bill all the same."""
    input_tokens: int | None
    output_tokens: int | None
    cost: Decimal | None
    """USD; None: unknown."""
    process: str
    pruned_at: float | None
    instead_of: str | None
    asked_at: float
    answered_at: float | None

    @property
    def status(self) -> str:
        """`answered`, `failed`, `in flight`; `lost`: its process is gone, and nobody knows whether it was answered."""
        if self.state != "asked":
            return self.state
        return "in flight" if is_under_way(self.process, self.asked_at) else "lost"

    @property
    def seconds(self) -> float | None:
        return None if self.answered_at is None else self.answered_at - self.asked_at

    def to_json(self) -> dict[str, Any]:
        cost = None if self.cost is None else f"{self.cost:f}"
        return {**asdict(self), "cost": cost, "status": self.status, "seconds": self.seconds}


@dataclass(frozen=True)
class CallDetail:
    """A call with what was said in it, as far as the journal keeps that."""

    call: CallRow
    request: list[Any] | None
    """The messages, or the texts to embed."""
    reply: dict[str, Any] | None
    error: dict[str, Any] | None
    stands_in_for: CallRow | None
    """The failed call of another alias that this one was made instead of."""
    stood_in_by: tuple[CallRow, ...]
    """The calls that were made instead of this one."""

    def to_json(self) -> dict[str, Any]:
        return {
            **self.call.to_json(),
            "request": self.request,
            "reply": self.reply,
            "error": self.error,
            "stands_in_for": self.stands_in_for and self.stands_in_for.to_json(),
            "stood_in_by": [other.to_json() for other in self.stood_in_by],
        }


_FACTS = [calls.c[name] for name in CallRow.__dataclass_fields__]


def is_under_way(process: str, asked_at: float) -> bool:
    """Whether an answer can still come to a call that was asked and has no end yet."""
    if not process or not is_alive(process):
        return False
    return is_here(process) or time.time() - asked_at < _ELSEWHERE


def list_query(
    *,
    run: str | None = None,
    prompt: str | None = None,
    alias: str | None = None,
    state: str | None = None,
    since: float | None = None,
    limit: int = 20,
) -> Any:
    """The newest calls first. `run` is the beginning of an id; `prompt` a name, or a reference to one version."""
    wanted = [
        is_of_run(run) if run else None,
        _is_of(prompt) if prompt else None,
        calls.c.alias == alias if alias else None,
        calls.c.state == state if state else None,
        calls.c.asked_at >= since if since is not None else None,
    ]
    return (
        select(*_FACTS)
        .where(*(condition for condition in wanted if condition is not None))
        .order_by(calls.c.asked_at.desc())
        .limit(limit)
    )


def list_calls(database: Database, **filters: Any) -> list[CallRow]:
    """What `list_query` finds."""
    with database.read() as connection:
        return [_call(row) for row in connection.execute(list_query(**filters))]


def find_call(database: Database, prefix: str) -> CallDetail:
    """The call whose id begins with `prefix`. Raises NotFound, also where several do."""
    if len(prefix) < SHORTEST_PREFIX:
        raise _not_found(f"{SHORTEST_PREFIX} characters are needed to name a call; nothing was looked up", prefix)
    bounds = _bounds(prefix)
    if bounds is None:
        raise _not_found(f"{prefix!r} is the beginning of no id", prefix)
    with database.read() as connection:
        query = select(calls).where(calls.c.id.between(*bounds)).order_by(calls.c.id).limit(2)
        found = connection.execute(query).all()
        if len(found) != 1:
            raise _not_found(f"{'more than one' if found else 'no'} call begins with {prefix!r}", prefix)
        row = found[0]
        others = [
            _call(other)
            for other in connection.execute(
                select(*_FACTS)
                .where(or_(calls.c.id == (row.instead_of or ""), calls.c.instead_of == row.id))
                .order_by(calls.c.asked_at)
            )
        ]
    call = _call(row)
    return CallDetail(
        call,
        request=_read(row.request),
        reply=_read(row.reply),
        error=_read(row.error),
        stands_in_for=next((other for other in others if other.id == call.instead_of), None),
        stood_in_by=tuple(other for other in others if other.instead_of == call.id),
    )


def shortest(call: str, listed: Sequence[str]) -> str:
    """A beginning of the id that tells it from the others listed; not less than the moment it was made."""
    for length in (13, *range(15, len(call))):
        if sum(other.startswith(call[:length]) for other in listed) <= 1:
            return call[:length]
    return call


def _call(row: Row[Any]) -> CallRow:
    facts = {name: getattr(row, name) for name in CallRow.__dataclass_fields__}
    return CallRow(**{**facts, "cost": None if row.cost is None else from_pico(row.cost)})


def _read(stored: str | None) -> Any:
    return None if stored is None else json.loads(stored)


def _bounds(prefix: str) -> tuple[str, str] | None:
    """The first and the last id that may begin so: an index finds what lies between, whatever the collation."""
    prefix = prefix.lower()
    first, last = prefix + _LOWEST[len(prefix) :], prefix + _HIGHEST[len(prefix) :]
    return (first, last) if re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", first) else None


def is_of_run(run: str) -> ColumnElement[bool]:
    """Calls of the run whose id is, or begins with, `run`; of a job those of all its attempts."""
    bounds = _bounds(run)
    if bounds is None:
        return or_(calls.c.run == run, calls.c.owner == run)
    return or_(calls.c.run.between(*bounds), calls.c.owner.between(*bounds))


def _is_of(prompt: str) -> ColumnElement[bool]:
    if re.search("[@#]", prompt):
        return calls.c.prompt == prompt
    versions = (calls.c.prompt.startswith(prompt + mark, autoescape=True) for mark in "@#")
    return or_(*versions)


def _not_found(message: str, call: str) -> NotFound:
    return NotFound(message, fix="`gen calls list` shows calls.", call=call)
