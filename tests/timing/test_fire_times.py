"""When cron lines fire: what crontab(5) says, on every clock change, by a walk that knows nothing of ours."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cron_oracle import Line, Walk, lines

from gen_toolkit.errors import InputError
from gen_toolkit.timing.cron import check_cron, fire_times

ZONES = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "UTC"]
YEARS = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC))


def differ(zone: str, begin: datetime, end: datetime, wanted: list[str]) -> dict[str, tuple[list[int], list[int]]]:
    """Of each line that differs: what the walk has alone, what we have alone."""
    walk = Walk(zone, begin, end)
    after, until = int(begin.timestamp()) - 1, int(end.timestamp())
    found = {}
    for line in wanted:
        told = set(itertools.takewhile(lambda t: t < until, fire_times(line, ZoneInfo(zone), after)))
        walked = set(walk.fires(Line(line)))
        if told != walked:
            found[line] = (sorted(walked - told), sorted(told - walked))
    return found


@pytest.mark.parametrize("zone", ZONES[:3])
def test_fire_times_around_every_clock_change_are_those_of_a_minute_walk(zone: str) -> None:
    changes = Walk(zone, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)).changes()
    assert len(changes) == 2
    for change in changes:
        begin = datetime.fromtimestamp(change, UTC) - timedelta(hours=30)
        assert differ(zone, begin, begin + timedelta(hours=72), lines(60, seed=5)) == {}


@pytest.mark.long
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("zone", ZONES)
def test_fire_times_of_500_lines_over_three_years_are_those_of_a_minute_walk(zone: str) -> None:
    assert differ(zone, *YEARS, lines(500, seed=1)) == {}


def local(line: str, zone: str, *day: int, count: int = 2) -> list[str]:
    """What the clock shows at the next fire times from the beginning of a day on."""
    begin = int(datetime(*day, tzinfo=ZoneInfo(zone)).timestamp()) - 1  # type: ignore[arg-type]
    found = itertools.islice(fire_times(line, ZoneInfo(zone), begin), count)
    return [datetime.fromtimestamp(moment, ZoneInfo(zone)).isoformat() for moment in found]


def test_half_past_two_on_the_day_without_it_fires_when_the_clock_has_jumped() -> None:
    assert local("30 2 * * *", "Europe/Berlin", 2026, 3, 29) == [
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]


def test_half_past_two_on_the_day_that_has_it_twice_fires_once() -> None:
    assert local("30 2 * * *", "Europe/Berlin", 2026, 10, 25) == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-26T02:30:00+01:00",
    ]


def test_every_half_hour_follows_the_clock_through_the_hour_that_comes_twice() -> None:
    assert [t[11:19] + t[19:] for t in local("*/30 2 * * *", "Europe/Berlin", 2026, 10, 25, count=4)] == [
        "02:00:00+02:00",
        "02:30:00+02:00",
        "02:00:00+01:00",
        "02:30:00+01:00",
    ]


def test_asked_in_the_second_coming_of_an_hour_it_does_not_go_back_to_the_first() -> None:
    zone = ZoneInfo("Europe/Berlin")
    asked = int(datetime(2026, 10, 25, 1, 10, tzinfo=UTC).timestamp())  # 02:10 for the second time
    assert next(fire_times("30 2 * * *", zone, asked)) > asked + 86000


def test_monday_is_monday() -> None:
    assert local("0 9 * * 1", "UTC", 2026, 11, 25, count=1) == ["2026-11-30T09:00:00+00:00"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("0 0 30 2 *", "never fires: bad day-of-month"),
        ("0 0 31 4,6 *", "never fires"),
        ("60 * * * *", "bad minute"),
        ("* * * *", "it has 4 fields"),
        ("0 0 0 * * *", "it has 6 fields"),
        ("", "it has 0 fields"),
        ("0 9 * * MOM", "bad day-of-week"),
        ("@dayly", "Did you mean '@daily'"),
        ("0 9 * * ¹", "bad day-of-week"),
    ],
)
def test_a_line_that_is_none_or_never_fires_is_refused_in_one_line(line: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        check_cron(line)
    assert "\n" not in str(caught.value)
    assert caught.value.fix


@pytest.mark.parametrize("line", ["@daily", "0 0 29 2 *", "0 0 L * *", "0 9 * * mon#2", "5/20 1-3 * JAN-MAR fri"])
def test_lines_that_fire_seldom_or_have_names_are_taken(line: str) -> None:
    check_cron(line)
