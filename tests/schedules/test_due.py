"""What has come due is in the ledger once, whatever the clock does and whoever asks how often."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from released import released

from gen_toolkit import events
from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import GenToolkitError, InputError, ParameterError
from gen_toolkit.events import Event, JobsMissed
from gen_toolkit.jobs.ledger import Ledger, Reason, RunRow
from gen_toolkit.releases.pipeline import Pipeline
from gen_toolkit.schedules.backfill import backfill
from gen_toolkit.schedules.due import Noted, submit_due
from gen_toolkit.schedules.waiting import could_start
from gen_toolkit.timing.schedule import Schedule

T = 1_764_000_000
HOUR = 3600
NONE = Reason("no reason")


@pytest.fixture
def pipeline(either_database: str, workspace: Path) -> Pipeline:
    return released(workspace)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    heard: list[Event] = []
    monkeypatch.setattr(events, "_listeners", lambda: (heard.append,))
    return heard


def hourly(**more: Any) -> Schedule:
    return Schedule(every_s=HOUR, due="day", **more)


def look(pipeline: Pipeline, schedule: Schedule, at: int) -> list[tuple[str, int]]:
    return [_brief(one) for one in submit_due(open_database(), pipeline, schedule, at)]


def _brief(noted: Noted) -> tuple[str, int]:
    return noted.what, (noted.instant - T) // HOUR


def runs() -> list[RunRow]:
    return sorted(Ledger(open_database()).list(limit=1000), key=lambda run: run.due or 0)


def finish_all() -> None:
    ledger = Ledger(open_database())
    for lease in ledger.claim("test", 100):
        assert ledger.finish(lease, "succeeded")


def test_an_instant_is_queued_once_with_its_due_time_and_release(pipeline: Pipeline) -> None:
    schedule = hourly(parameters={"limit": 4})
    assert look(pipeline, schedule, T) == []
    assert look(pipeline, schedule, T + HOUR) == [("queued", 1)]
    assert look(pipeline, schedule, T + HOUR) == []
    [run] = runs()
    assert (run.name, run.kind, run.state, run.due, run.release) == ("label", "job", "queued", T + HOUR, 1)
    assert run.parameters == {"limit": 4, "day": "2025-11-24T17:00:00+00:00"}


def test_what_was_due_before_a_schedule_was_first_looked_at_was_not_missed(pipeline: Pipeline) -> None:
    assert look(pipeline, hourly(), T + 100 * HOUR) == []
    changed = Schedule(every_s=60, due="day")
    assert look(pipeline, changed, T + 200 * HOUR) == []
    assert runs() == []


def test_a_timing_that_was_changed_and_changed_back_begins_anew(pipeline: Pipeline, told: list[Event]) -> None:
    changed = Schedule(every_s=7 * HOUR, due="day")
    look(pipeline, hourly(), T)
    assert look(pipeline, hourly(), T + HOUR) == [("queued", 1)]
    finish_all()
    assert look(pipeline, changed, T + HOUR + 100) == []
    assert look(pipeline, hourly(), T + 4 * HOUR + 60) == []
    assert look(pipeline, hourly(), T + 5 * HOUR) == [("queued", 5)]
    finish_all()
    assert look(pipeline, changed, T + 30 * HOUR) == []
    assert [run.state for run in runs()] == ["succeeded"] * 2
    assert told == []


def test_two_who_serve_with_different_timings_hide_no_instant_from_each_other(pipeline: Pipeline) -> None:
    one, other = hourly(overlap="queue"), Schedule(cron=("30 * * * *",), due="day", overlap="queue")
    for moment in (T, T + 1800, T + HOUR, T + HOUR + 1800):
        for at in range(moment - 3, moment + 4):
            look(pipeline, one, at)
            look(pipeline, other, at)
    assert [((run.due or 0) - T, run.state) for run in runs()] == [
        (0, "queued"), (1800, "queued"), (HOUR, "queued"), (HOUR + 1800, "queued"),
    ]  # fmt: skip


def test_a_timing_that_was_looked_at_while_the_clock_was_ahead_stops_no_other(pipeline: Pipeline) -> None:
    look(pipeline, Schedule(every_s=60, due="day"), T + 5000 * HOUR)
    look(pipeline, hourly(), T + 5000 * HOUR)
    assert look(pipeline, hourly(), T) == [("clock", 0)]
    assert look(pipeline, hourly(), T + HOUR) == [("queued", 1)]


def test_while_it_is_paused_nothing_runs_and_nothing_is_missed(pipeline: Pipeline, told: list[Event]) -> None:
    look(pipeline, hourly(), T)
    assert look(pipeline, hourly(paused=True), T + 5 * HOUR) == []
    assert look(pipeline, hourly(), T + 6 * HOUR) == [("queued", 6)]
    assert told == []


def test_a_week_asleep_is_recorded_by_policy_and_told_once(pipeline: Pipeline, told: list[Event]) -> None:
    look(pipeline, hourly(), T)
    noted = look(pipeline, hourly(), T + 7 * 24 * HOUR + 1800)
    assert noted[0] == ("skipped", 1)
    assert noted[-1] == ("queued", 7 * 24)
    assert len(noted) == 1 + 24
    assert told == [
        JobsMissed(run=runs()[-2].id, name="label", first=T + HOUR, last=T + 167 * HOUR, count=167, time=told[0].time)
    ]
    assert "missed: nothing served when it was due; found" in (runs()[0].reason or NONE).message


@pytest.mark.parametrize("jump", [5 * HOUR, -5 * HOUR])
def test_a_clock_that_jumps_and_comes_back_runs_nothing_twice(pipeline: Pipeline, jump: int) -> None:
    schedule = hourly(catch_up="all", overlap="queue")
    look(pipeline, schedule, T)
    there_and_back = [T + HOUR, T + 2 * HOUR, T + 2 * HOUR + jump, T + 2 * HOUR + 60, T + 3 * HOUR, T + 4 * HOUR]
    for at in there_and_back:
        look(pipeline, schedule, at)
        finish_all()
    for at in range(T + 5 * HOUR, T + 10 * HOUR, HOUR):
        look(pipeline, schedule, at)
        finish_all()
    dues = [run.due for run in runs()]
    assert len(set(dues)) == len(dues)
    assert {T + hour * HOUR for hour in range(1, 10)} <= set(dues)
    assert {run.state for run in runs()} == {"succeeded"}
    assert {run.attempts for run in runs()} == {1}


def test_an_instant_that_comes_while_a_run_is_not_finished_is_skipped_and_no_alert(
    pipeline: Pipeline, told: list[Event]
) -> None:
    look(pipeline, hourly(), T)
    assert look(pipeline, hourly(), T + HOUR) == [("queued", 1)]
    assert look(pipeline, hourly(), T + 2 * HOUR) == [("skipped", 2)]
    assert (runs()[1].reason or NONE).message == "the run before it was not finished"
    finish_all()
    assert look(pipeline, hourly(), T + 3 * HOUR) == [("queued", 3)]
    assert told == []


def test_queued_instants_of_one_pipeline_are_claimed_one_at_a_time(pipeline: Pipeline) -> None:
    schedule = hourly(overlap="queue")
    look(pipeline, schedule, T)
    look(pipeline, schedule, T + HOUR)
    look(pipeline, schedule, T + 2 * HOUR)
    database, ledger = open_database(), Ledger(open_database())
    assert could_start(database, []) == 2
    assert could_start(database, ["label"]) == 1
    [first] = ledger.claim("a", 5, apart=["label"])
    assert could_start(database, ["label"]) == 0
    assert ledger.claim("b", 5, apart=["label"]) == []
    ledger.finish(first, "failed")
    [second] = ledger.claim("b", 5, apart=["label"])
    assert (ledger.find(first.run).due, ledger.find(second.run).due) == (T + HOUR, T + 2 * HOUR)


def test_instants_that_are_found_together_are_claimed_in_their_order(pipeline: Pipeline) -> None:
    schedule = Schedule(every_s=60, catch_up="all", overlap="queue")
    list(submit_due(open_database(), pipeline, schedule, T))
    list(submit_due(open_database(), pipeline, schedule, T + 40 * 60))
    ledger = Ledger(open_database())
    dues = [ledger.find(lease.run).due for lease in ledger.claim("a", 100)]
    assert len(dues) == 40
    assert dues == sorted(due for due in dues if due)


def test_parts_of_a_run_are_not_claimed_by_who_serves(pipeline: Pipeline) -> None:
    from gen_toolkit.jobs.rows import NewRun

    ledger = Ledger(open_database())
    ledger.submit(NewRun(name="label", kind="job", notebook="n", parameters={}, parent="p" * 36))
    assert could_start(open_database(), []) == 0
    assert ledger.claim("a", 5) == []
    assert len(ledger.claim("a", 5, parent="p" * 36)) == 1


def test_what_the_release_does_not_take_is_recorded_and_told(pipeline: Pipeline, told: list[Event]) -> None:
    schedule = Schedule(every_s=HOUR, parameters={"limti": 3})
    look(pipeline, schedule, T)
    assert look(pipeline, schedule, T + HOUR) == [("skipped", 1)]
    assert "there is no parameter 'limti'" in (runs()[0].reason or NONE).message
    assert isinstance(told[0], JobsMissed)


def test_backfill_runs_every_instant_once_also_those_that_were_missed(pipeline: Pipeline) -> None:
    schedule = hourly(catch_up="none")
    look(pipeline, schedule, T)
    look(pipeline, schedule, T + HOUR)
    finish_all()
    look(pipeline, schedule, T + 4 * HOUR + 1800)
    assert [run.state for run in runs()] == ["succeeded", "skipped", "skipped", "skipped"]
    database = open_database()
    noted = backfill(database, pipeline, schedule, T - HOUR, T + 3 * HOUR)
    assert [_brief(one) for one in noted] == [
        ("queued", -1), ("queued", 0), ("skipped", 1), ("queued", 2), ("queued", 3),
    ]  # fmt: skip
    assert {one.run for one in noted} >= {run.id for run in runs() if run.state == "queued"}
    assert [_brief(one)[0] for one in backfill(database, pipeline, schedule, T - HOUR, T + 3 * HOUR)] == ["skipped"] * 5
    finish_all()
    assert [run.state for run in runs()] == ["succeeded"] * 5 + ["skipped"]


def test_an_instant_for_which_no_release_could_run_is_backfilled_like_any_other(pipeline: Pipeline) -> None:
    schedule = hourly()
    look(pipeline, schedule, T)
    (pipeline.releases / "1").rename(pipeline.folder / "away")
    assert look(pipeline, schedule, T + HOUR) == [("skipped", 1)]
    (pipeline.folder / "away").rename(pipeline.releases / "1")
    backfill(open_database(), pipeline, schedule, T + HOUR, T + 2 * HOUR)
    revived, new = runs()
    assert revived.state == new.state == "queued"
    assert (revived.notebook, revived.release, revived.digest) == (new.notebook, new.release, new.digest)
    assert revived.retries
    assert revived.retries == new.retries


@pytest.mark.parametrize(
    ("schedule", "window", "kind"),
    [
        (Schedule(every_s=1), (T, T + 20_000), InputError),
        (Schedule(cron=("0 0 1 1 *",)), (T, T + HOUR), InputError),
        (Schedule(every_s=HOUR, parameters={"limit": "x"}), (T, T + HOUR), GenToolkitError),
    ],
)
def test_a_window_that_cannot_be_filled_is_refused_before_anything_is_queued(
    pipeline: Pipeline, schedule: Schedule, window: tuple[int, int], kind: type[GenToolkitError]
) -> None:
    with pytest.raises(kind) as caught:
        backfill(open_database(), pipeline, schedule, *window)
    assert caught.value.fix
    assert not isinstance(caught.value, ParameterError) or caught.value.exit_code == 2
    assert runs() == []
