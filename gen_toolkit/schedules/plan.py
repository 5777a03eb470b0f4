"""What is to be done about the instants that have come: pure, from a schedule and two moments."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from gen_toolkit.timing.schedule import Schedule

MOST_SINGLE = 500
"""So many missed instants are recorded one by one; those before them in one record."""

_MOST_COUNTED = 20_000


@dataclass(frozen=True)
class Decision:
    """About one instant: run it, or record why not."""

    instant: int
    skip: str = ""
    """Why it does not run; empty: it runs."""
    covers: int = 1
    """How many instants the record stands for; they begin with `instant`."""
    overlap: bool = False
    """It does not run because the run before it was not finished: nothing was missed."""


def plan(schedule: Schedule, after: int, now: int, *, busy: bool) -> list[Decision]:
    """What to do about the instants later than `after`, not later than `now`, in their order.

    `busy`: a run of an earlier instant is not finished. Bounded whatever the clock does: what lies further
    back than the window, or beyond MOST_SINGLE missed instants, becomes one decision.
    """
    horizon = max(after, now - max(schedule.window_s, schedule.grace_s))
    late: deque[int] = deque()
    fresh: list[int] = []
    for instant in schedule.between(horizon, now):
        (fresh if now - instant <= schedule.grace_s else late).append(instant)
    return [
        *_too_old(schedule, after, horizon, now),
        *_late(schedule, late, now, superseded=bool(fresh)),
        *_on_time(schedule, fresh, busy=busy or (bool(late) and schedule.catch_up == "all")),
    ]


def _too_old(schedule: Schedule, after: int, horizon: int, now: int) -> Iterator[Decision]:
    """What came before the window, as one record: there may be millions."""
    if horizon <= after:
        return
    many = schedule.count(after, horizon, _MOST_COUNTED)
    if many:
        first = next(schedule.between(after, horizon))
        told = f"more than {many - 1}" if many == _MOST_COUNTED else str(many - 1)
        yield Decision(first, f"{_missed(first, now)}; so were the {told} until {_written(horizon)}", covers=many)


def _late(schedule: Schedule, late: deque[int], now: int, *, superseded: bool) -> Iterator[Decision]:
    last: list[int] = []
    if schedule.catch_up == "all":
        yield from map(Decision, late)
        return
    if schedule.catch_up == "latest" and late and not superseded:
        last = [late.pop()]
    many = len(late) - MOST_SINGLE
    if many > 1:
        yield Decision(late[0], f"{_missed(late[0], now)}; so were the {many - 1} after it", covers=many)
    for instant in list(late)[many if many > 1 else 0 :]:
        yield Decision(instant, _missed(instant, now))
    yield from map(Decision, last)


def _on_time(schedule: Schedule, fresh: list[int], *, busy: bool) -> Iterator[Decision]:
    """Of several found at one look the last runs, where they are not to queue."""
    for instant in fresh:
        if schedule.overlap == "queue" or (not busy and instant == fresh[-1]):
            yield Decision(instant)
        else:
            why = "the run before it was not finished" if busy else "a later instant was found with it"
            yield Decision(instant, why, overlap=True)


def _missed(instant: int, now: int) -> str:
    return f"missed: nothing served when it was due; found {now - instant} s later"


def _written(instant: int) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
