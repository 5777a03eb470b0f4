"""Fire times of cron lines, in a zone, as instants: the only door to cronsim.

Five fields as in crontab(5), with names of days and months, `L`, `#` and the nicknames (`@daily`). Clock
changes are Debian's: a line with a fixed minute and hour whose time is skipped fires right after the gap,
one whose time comes twice fires the first time only; lines that begin with a star in minute or hour
follow the clock as it goes.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from gen_toolkit.errors import InputError, nearest

_NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EPOCH = datetime(2000, 1, 1)
_DAY = 86400


def check_cron(line: str) -> None:
    """Raises InputError for a line that is no cron line, or that never fires."""
    from cronsim import CronSim, CronSimError

    if line.startswith("@") and line not in _NICKNAMES:
        raise InputError(f"{line!r} is no cron line", fix=nearest(line, _NICKNAMES) or "Write five fields.")
    fields = _fields(line)
    if len(fields.split()) != 5:
        raise InputError(
            f"{line!r} is no cron line: it has {len(fields.split())} fields",
            fix="Write five: minute, hour, day of month, month, day of week.",
        )
    try:
        found = next(CronSim(fields, _EPOCH), None)
    except CronSimError as error:
        said = str(error)
        raise InputError(
            f"{line!r} is no cron line, or never fires: {said[:1].lower()}{said[1:]}",
            fix="See crontab(5); minute 0-59, hour 0-23, day 1-31, month 1-12, day of week 0-7 (0 and 7: Sunday).",
        ) from None
    if found is None:
        raise InputError(f"{line!r} never fires: no such day in 50 years", fix="Correct day, month or day of week.")


def fire_times(line: str, zone: ZoneInfo, after: int) -> Iterator[int]:
    """The instants (seconds since 1970) later than `after` at which a checked line fires, in order."""
    fields = _fields(line)
    last = after
    for instant in (_on_the_clock if "*" in (fields[0], fields.split()[1][0]) else _at_fixed_times)(
        fields, zone, after
    ):
        if instant > last:
            last = instant
            yield instant


def _at_fixed_times(fields: str, zone: ZoneInfo, after: int) -> Iterator[int]:
    """In an hour that comes twice it begins with the clock's time, and may go back to the first coming."""
    from cronsim import CronSim

    for moment in CronSim(fields, datetime.fromtimestamp(after, UTC).astimezone(zone)):
        yield int(moment.timestamp())


def _on_the_clock(fields: str, zone: ZoneInfo, after: int) -> Iterator[int]:
    """From clock change to clock change: cronsim alone would step over matches where a clock moves by half an hour."""
    from cronsim import CronSim

    for begin, end, offset in _steady(zone, after):
        shown = datetime.fromtimestamp(begin, UTC).replace(tzinfo=None) + offset
        for moment in CronSim(fields, shown - timedelta(minutes=1)):
            instant = int((moment - offset).replace(tzinfo=UTC).timestamp())
            if instant >= end:
                break
            yield instant


def _steady(zone: ZoneInfo, begin: int) -> Iterator[tuple[int, int, timedelta]]:
    """Stretches of time, at most a year long, in which the zone's clock does not change: begin, end, offset."""

    def offset(instant: int) -> timedelta:
        return datetime.fromtimestamp(instant, UTC).astimezone(zone).utcoffset() or timedelta()

    while True:
        now = offset(begin)
        days = range(begin + _DAY, begin + 366 * _DAY, _DAY)
        end = next((day for day in days if offset(day) != now), days[-1])
        if offset(end) != now:
            end = bisect.bisect(range(end - _DAY, end), False, key=lambda instant: offset(instant) != now) + end - _DAY
        yield begin, end, now
        begin = end


def is_moved(line: str, local: datetime) -> bool:
    """Whether a fire time is not the clock time that the line names: that one did not exist on the day."""
    from cronsim import CronSim

    clock = local.replace(tzinfo=None)
    return next(CronSim(_fields(line), clock - timedelta(minutes=1)), None) != clock


def _fields(line: str) -> str:
    return _NICKNAMES.get(line, line)
