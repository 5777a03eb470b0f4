"""The next fire times of a schedule, on its zone's clock and in UTC, with what clock changes do to them."""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from gen_toolkit.timing.cron import is_moved
from gen_toolkit.timing.schedule import Schedule


@dataclass(frozen=True)
class FireTime:
    """One instant of a schedule."""

    instant: int
    local: datetime
    note: str
    """What a clock change does to it; empty: nothing."""

    @property
    def utc(self) -> datetime:
        return self.local.astimezone(UTC)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "local": self.local.isoformat(), "utc": self.utc.isoformat()}


def preview(schedule: Schedule, after: int, count: int) -> list[FireTime]:
    """The next `count` instants later than `after`."""
    before = schedule.local(after)
    found = []
    for instant in itertools.islice(schedule.after(after), count):
        local = schedule.local(instant)
        found.append(FireTime(instant, local, "; ".join(_notes(schedule, before, local))))
        before = local
    return found


def _notes(schedule: Schedule, before: datetime, local: datetime) -> list[str]:
    said = []
    change = _offset(local) - _offset(before)
    if change:
        way = "forward" if change > timedelta() else "back"
        minutes = int(abs(change).total_seconds()) // 60
        said.append(f"clocks went {way} by {f'{minutes // 60} h' if minutes % 60 == 0 else f'{minutes} min'} before it")
    if schedule.cron and all(is_moved(line, local) for line in schedule.cron):
        said.append("its time does not exist on this day: runs after the gap")
    elif _offset(local.replace(fold=1)) != _offset(local.replace(fold=0)):
        said.append(f"its time comes twice on this day: this is the {'second' if local.fold else 'first'}")
    return said


def _offset(local: datetime) -> timedelta:
    return local.utcoffset() or timedelta()
