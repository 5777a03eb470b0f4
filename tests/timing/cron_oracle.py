"""Fire times by walking a clock minute by minute: written from crontab(5) and Debian's cron(8), nothing of ours.

A line with a star at the beginning of minute or hour fires whenever the clock on the wall agrees. Of any
other line, what falls into skipped time fires at the first minute after it, once; what falls into
time that comes again does not fire again.
"""

from __future__ import annotations

import calendar
import itertools
import random
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_NAMES = {
    3: {name.lower(): n for n, name in enumerate(calendar.month_abbr)},
    4: {name: n for n, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))},
}
_BOUNDS = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
_DAY = 24 * 60


def _values(field: str, place: int) -> set[int]:
    low, high = _BOUNDS[place]
    names = _NAMES.get(place, {})
    found: set[int] = set()
    for part in field.lower().split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if span == "*":
            begin, end = low, high
        else:
            begin = names[first] if first in names else int(first)
            end = (names[last] if last in names else int(last)) if last else (high if step else begin)
        found |= set(range(begin, end + 1, int(step or 1)))
    return found


@dataclass(frozen=True)
class Line:
    """A cron line as a person reads it."""

    text: str

    def matches_day(self, day: date) -> bool:
        _, _, days, months, weekdays = self.text.split()
        in_days = day.day in _values(days, 2)
        in_weekdays = bool({day.isoweekday(), day.isoweekday() % 7} & _values(weekdays, 4))
        either = not days.startswith("*") and not weekdays.startswith("*")
        fits = (in_days or in_weekdays) if either else (in_days and in_weekdays)
        return fits and day.month in _values(months, 3)

    def minutes(self) -> list[bool]:
        """Of each minute of a day, whether it is named."""
        minutes, hours = _values(self.text.split()[0], 0), _values(self.text.split()[1], 1)
        return [minute % 60 in minutes and minute // 60 in hours for minute in range(_DAY)]

    @property
    def follows_the_clock(self) -> bool:
        return "*" in {field[0] for field in self.text.split()[:2]}


class Walk:
    """Every minute between two moments, with what the clock on the wall of a zone shows."""

    def __init__(self, zone: str, begin: datetime, end: datetime) -> None:
        self._first = int(begin.timestamp()) // 60
        wall = ZoneInfo(zone)
        self._shown = array("l")
        """Minutes from the proleptic beginning of the calendar, by the wall."""
        for minute in range(self._first, int(end.timestamp()) // 60):
            local = datetime.fromtimestamp(minute * 60, UTC).astimezone(wall)
            self._shown.append(local.toordinal() * _DAY + local.hour * 60 + local.minute)
        self._days = self._cut()

    def changes(self) -> list[int]:
        """The instants (seconds) at which the clock jumped."""
        shown = self._shown
        return [(self._first + i) * 60 for i in range(1, len(shown)) if shown[i] != shown[i - 1] + 1]

    def _cut(self) -> list[tuple[int, int]]:
        """Where days begin and end in what is shown, whatever a day's length."""
        cuts = [0, *(i for i in range(1, len(self._shown)) if self._shown[i] // _DAY > self._shown[i - 1] // _DAY)]
        return list(itertools.pairwise([*cuts, len(self._shown)]))

    def fires(self, line: Line) -> Iterator[int]:
        """The instants, seconds since 1970, at which the line fires."""
        named, days = line.minutes(), _Days(line)
        minutes = [minute for minute in range(_DAY) if named[minute]]
        for begin, end in self._days:
            if end - begin == _DAY and self._shown[end - 1] - self._shown[begin] == _DAY - 1:  # a day like others
                if days[self._shown[begin] // _DAY]:
                    yield from ((self._first + begin + minute) * 60 for minute in minutes)
                continue
            highest = self._shown[begin] - 1
            for place in range(begin, end):
                shown = self._shown[place]
                if shown == highest + 1 or line.follows_the_clock:
                    due = named[shown % _DAY] and days[shown // _DAY]
                else:  # skipped minutes are made up for; minutes that were shown already are not
                    due = any(named[m % _DAY] and days[m // _DAY] for m in range(highest + 1, shown + 1))
                highest = max(highest, shown)
                if due:
                    yield (self._first + place) * 60


class _Days(dict[int, bool]):
    def __init__(self, line: Line) -> None:
        self._line = line

    def __missing__(self, day: int) -> bool:
        self[day] = self._line.matches_day(date.fromordinal(day))
        return self[day]


def lines(count: int, seed: int) -> list[str]:
    """Cron lines of every form, with an eye on the hours in which clocks change."""
    chance = random.Random(seed)
    return [_line(chance) for _ in range(count)]


def _line(chance: random.Random) -> str:
    minute = chance.choices(
        [str(chance.randrange(60)), f"*/{chance.choice([5, 7, 10, 15, 20, 30, 45])}", "*",
         ",".join(map(str, sorted(chance.sample(range(60), chance.randint(2, 4))))),
         f"{chance.randint(0, 20)}-{chance.randint(21, 59)}/{chance.randint(1, 25)}", f"{chance.randint(0, 9)}/20"],
        [50, 10, 3, 15, 12, 10],
    )[0]  # fmt: skip
    hour = chance.choices(
        [str(chance.choice([0, 1, 1, 2, 2, 2, 3, 3, chance.randrange(24)])), f"*/{chance.choice([2, 3, 5, 8])}", "*",
         ",".join(map(str, sorted(chance.sample(range(24), chance.randint(2, 4))))),
         f"{chance.randint(0, 3)}-{chance.randint(4, 23)}/{chance.randint(1, 6)}"],
        [45, 12, 8, 20, 15],
    )[0]  # fmt: skip
    day = chance.choices(
        ["*", str(chance.randint(1, 28)), "29", f"{chance.randint(1, 9)}-{chance.randint(10, 31)}", "*/2", "1,15,31"],
        [60, 15, 3, 10, 6, 6],
    )[0]
    month = chance.choices(
        ["*", str(chance.randint(1, 12)), "mar,oct", "3-4,9-11", "*/3", "NOV"], [65, 10, 8, 7, 6, 4]
    )[0]
    weekday = chance.choices(
        ["*", str(chance.randint(0, 7)), "mon-fri", "SUN", "0,6", "*/2", "6-7"], [50, 12, 12, 14, 4, 4, 4]
    )[0]
    return f"{minute} {hour} {day} {month} {weekday}"
