"""What is done about instants that have come, by policy; whatever the clock did, and in bounded time."""

from __future__ import annotations

import time
from typing import Any

import pytest

from gen_toolkit.schedules.plan import MOST_SINGLE, Decision, plan
from gen_toolkit.timing.schedule import Schedule

T = 1_764_000_000 - 1_764_000_000 % 3600
WEEK = 7 * 86400


def hourly(**more: Any) -> Schedule:
    return Schedule(every_s=3600, **more)


def run(decisions: list[Decision]) -> list[int]:
    return [(decision.instant - T) // 3600 for decision in decisions if not decision.skip]


def skipped(decisions: list[Decision]) -> list[int]:
    return [(decision.instant - T) // 3600 for decision in decisions if decision.skip]


def test_an_instant_found_at_its_time_runs() -> None:
    assert plan(hourly(), T, T + 3600, busy=False) == [Decision(T + 3600)]
    assert plan(hourly(), T, T + 3599, busy=False) == []
    assert run(plan(hourly(), T, T + 3660, busy=False)) == [1]


@pytest.mark.parametrize(("catch_up", "runs"), [("none", []), ("latest", [5]), ("all", [1, 2, 3, 4, 5])])
def test_what_nobody_served_is_caught_up_by_policy_and_the_rest_is_recorded(catch_up: str, runs: list[int]) -> None:
    decisions = plan(hourly(catch_up=catch_up), T, T + 5 * 3600 + 1800, busy=False)
    assert run(decisions) == runs
    assert sorted(run(decisions) + skipped(decisions)) == [1, 2, 3, 4, 5]
    assert [decision.instant for decision in decisions] == sorted(decision.instant for decision in decisions)
    assert all(
        decision.skip.startswith("missed: nothing served when it was due; found ")
        for decision in decisions
        if decision.skip
    )


def test_the_latest_is_not_caught_up_where_one_is_on_time() -> None:
    decisions = plan(hourly(), T, T + 5 * 3600 + 5, busy=False)
    assert (run(decisions), skipped(decisions)) == ([5], [1, 2, 3, 4])


def test_while_a_run_is_not_finished_the_next_is_skipped_or_queued() -> None:
    skip = plan(hourly(), T, T + 3600, busy=True)
    assert skip == [Decision(T + 3600, "the run before it was not finished", overlap=True)]
    assert run(plan(hourly(overlap="queue"), T, T + 3600, busy=True)) == [1]


def test_of_two_that_are_found_at_one_look_the_later_runs() -> None:
    quick = Schedule(every_s=10)
    first, second = plan(quick, T, T + 20, busy=False)
    assert (first.skip, second.skip) == ("a later instant was found with it", "")
    assert first.overlap
    assert not any(one.skip for one in plan(Schedule(every_s=10, overlap="queue"), T, T + 20, busy=False))


def test_all_catches_up_inside_the_window_only() -> None:
    decisions = plan(hourly(catch_up="all", window_s=3 * 3600), T, T + 10 * 3600 + 1800, busy=False)
    assert run(decisions) == [8, 9, 10]
    assert skipped(decisions) == [1]
    assert "; so were the 6 until " in decisions[0].skip
    assert decisions[0].covers == 7


@pytest.mark.parametrize("away", [WEEK, 52 * WEEK, 10 * 52 * WEEK])
@pytest.mark.parametrize("schedule", [Schedule(every_s=1), Schedule(cron="* * * * *", zone="Europe/Berlin")])  # type: ignore[arg-type]
def test_a_machine_asleep_for_a_week_or_for_years_wakes_up_at_once(schedule: Schedule, away: int) -> None:
    began = time.process_time()
    decisions = plan(schedule, T, T + away + 30, busy=False)
    assert time.process_time() - began < 5
    assert len(decisions) <= MOST_SINGLE + 100
    assert decisions[0].instant <= T + 60
    assert decisions[-1].instant > T + away - 60
    assert sum(not decision.skip for decision in decisions) <= 1


def test_a_record_for_many_says_how_many_they_are() -> None:
    decisions = plan(Schedule(every_s=1, catch_up="none", window_s=2000), T, T + 2000, busy=False)
    single = [one for one in decisions if one.covers == 1 and not one.overlap and one.skip]
    [many] = [one for one in decisions if one.covers > 1]
    assert len(single) == MOST_SINGLE
    assert many.covers == 2000 - 61 - MOST_SINGLE
    assert f"so were the {many.covers - 1} after it" in many.skip
    assert many.instant + many.covers == single[0].instant
