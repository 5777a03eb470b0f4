"""What the processes of a workspace agree on about an alias: leases of its schedule, and what its server said.

`paused_until` of the row of requests is also the epoch: it changes with every "not now", and whatever was
leased before is void. A 429 slows the schedule once an epoch: the others that come for calls of the same
epoch say nothing new.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from gen_toolkit.database.limits import Meter, read, write
from gen_toolkit.database.sql import Connection
from gen_toolkit.models.limits.pace import NOTHING, Units, recovering, schedule, spare, too_fast

LONGEST = 3600.0
"""Seconds for which a server's word is taken. Then one has to ask again: it may have changed its mind."""
EARLY = 0.1
"""Seconds before the end of a pause at which leases are given out again."""
_SAME = 0.05  # seconds by which a pause must be longer to be worth another epoch


@dataclass(frozen=True)
class Limit:
    """What the settings say of an alias."""

    alias: str
    key: str
    pace: Units
    """Seconds a unit takes; 0: no limit."""

    @property
    def keys(self) -> tuple[str, str]:
        return f"{self.key} requests", f"{self.key} tokens"


@dataclass(frozen=True)
class Ask:
    """A process asks for leases for the calls that wait in it. Without calls: it looks."""

    limit: Limit
    calls: tuple[float, ...] = ()
    """Their tokens, in their order."""
    back: Units = NOTHING
    """What it was given and did not use; below 0: what it used beyond."""


@dataclass(frozen=True)
class NotNow:
    """A server did not want a call that had been let go in `epoch`."""

    limit: Limit
    epoch: float
    pause: float
    """Seconds."""
    slower: bool
    sent: float
    """Requests in this process's busiest recent second."""


@dataclass(frozen=True)
class Lease:
    """What a process may do. All times count from `looked`, by this process's monotonic clock."""

    epoch: float
    paused: float
    """Seconds for which the server wants to be left alone."""
    delays: tuple[float, ...] = ()
    """When the first of the calls may go."""
    credit: Units = NOTHING
    """What may go at once without asking, in the moment after."""
    looked: float = 0.0


class Meters(NamedTuple):
    requests: Meter
    tokens: Meter


def settle(connection: Connection, items: Sequence[Ask | NotNow]) -> list[Lease | None]:
    """Answer in turn all that a process asks and tells (the work of a group commit)."""
    needed = {key for item in items for key in _needed(item)}
    now, rows = read(connection, sorted({key for item in items for key in item.limit.keys}), sorted(needed))
    looked = time.monotonic()
    before, leases = dict(rows), list[Lease | None]()
    for item in items:
        meters = Meters(*(_sane(now, rows.get(key, Meter(now))) for key in item.limit.keys))
        if isinstance(item, NotNow):
            meters, given = meters._replace(requests=pause(now, meters.requests, item)), None
        else:
            meters, given = lease(now, meters, item)
            given = replace(given, looked=looked)
        leases.append(given)
        rows.update((key, meter) for key, meter in zip(item.limit.keys, meters, strict=True) if key in rows)
    write(connection, {key: meter for key, meter in rows.items() if meter != before[key]})
    return leases


def lease(now: float, meters: Meters, ask: Ask) -> tuple[Meters, Lease]:
    """Give out what is free next. Nothing while the server wants to be left alone."""
    requests, tokens = meters
    pace = ask.limit.pace
    pace = Units(max(pace.requests, recovering(requests.pace, now - requests.paused_until)), pace.tokens)
    next_at = Units(  # where there is no limit only a pause holds anybody up
        requests.next_at - ask.back.requests * pace.requests if pace.requests else requests.paused_until,
        tokens.next_at - ask.back.tokens * pace.tokens if pace.tokens else 0.0,
    )
    paused = max(0.0, requests.paused_until - now)
    instants, credit = list[float](), NOTHING
    if paused <= EARLY:
        instants, next_at = schedule(now, next_at, pace, ask.calls)
        if not paused and len(instants) == len(ask.calls):
            credit, next_at = spare(now, next_at, pace)
    after = Meters(
        replace(requests, next_at=next_at.requests) if pace.requests else requests,
        replace(tokens, next_at=next_at.tokens) if pace.tokens else tokens,
    )
    return after, Lease(requests.paused_until, paused, tuple(at - now for at in instants), credit)


def pause(now: float, requests: Meter, said: NotNow) -> Meter:
    """The schedule of requests after a server's "not now": it goes on when the pause is over, and slower."""
    until = now + min(said.pause, LONGEST)
    if said.slower and said.epoch == requests.paused_until:
        pace = max(said.limit.pace.requests, recovering(requests.pace, now - requests.paused_until))
        return Meter(until, too_fast(now, requests.next_at, pace, said.sent), until)
    if until > requests.paused_until + _SAME:
        return Meter(until, requests.pace, until)
    return requests


def _needed(item: Ask | NotNow) -> list[str]:
    """An alias without limits has no rows until its server says something."""
    if isinstance(item, NotNow):
        return [item.limit.keys[0]]
    return [key for key, pace in zip(item.limit.keys, item.limit.pace, strict=True) if pace]


def _sane(now: float, meter: Meter) -> Meter:
    """A meter that is hours ahead was made by a clock that has been set back since: it would stop everything."""
    if max(meter.next_at, meter.paused_until) > now + LONGEST + 1:
        return Meter(now, meter.pace)
    return meter
