"""What is shown of the next fire times, on days on which clocks change."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from gen_toolkit.schedules.preview import preview
from gen_toolkit.timing.schedule import Schedule


def shown(line: str, zone: str, *day: int, count: int = 2) -> list[tuple[str, str]]:
    schedule = Schedule(cron=(line,), zone=zone)
    begin = int(datetime(*day, tzinfo=ZoneInfo(zone)).timestamp())  # type: ignore[arg-type]
    return [(one.local.strftime("%d %H:%M %z"), one.note) for one in preview(schedule, begin, count)]


def test_a_time_that_does_not_exist_says_that_it_moved() -> None:
    assert shown("30 2 * * *", "Europe/Berlin", 2026, 3, 28, count=3) == [
        ("28 02:30 +0100", ""),
        (
            "29 03:00 +0200",
            "clocks went forward by 1 h before it; its time does not exist on this day: runs after the gap",
        ),
        ("30 02:30 +0200", ""),
    ]


def test_a_time_that_comes_twice_says_which_one_runs() -> None:
    assert shown("30 2 * * *", "Europe/Berlin", 2026, 10, 25) == [
        ("25 02:30 +0200", "its time comes twice on this day: this is the first"),
        ("26 02:30 +0100", "clocks went back by 1 h before it"),
    ]


def test_half_an_hour_on_lord_howe_is_told_as_minutes() -> None:
    assert shown("*/20 1,2 * * *", "Australia/Lord_Howe", 2026, 4, 5, 1, 30) == [
        ("05 01:40 +1100", "its time comes twice on this day: this is the first"),
        (
            "05 01:40 +1030",
            "clocks went back by 30 min before it; its time comes twice on this day: this is the second",
        ),
    ]


def test_as_data_it_has_both_clocks() -> None:
    schedule = Schedule(cron=("0 9 * * *",), zone="Asia/Kolkata")
    [one] = preview(schedule, 1_764_000_000, 1)
    told: dict[str, Any] = one.to_json()
    assert told["local"] == "2025-11-25T09:00:00+05:30"
    assert told["utc"] == "2025-11-25T03:30:00+00:00"
