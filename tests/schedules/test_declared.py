"""`[schedule]` of pipeline.toml: what is taken, what is refused in one line, what a run is given."""

from __future__ import annotations

import datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from released import released

from gen_toolkit.errors import GenToolkitError, ParameterError, ReleaseError, SettingError
from gen_toolkit.jobs.parameters import read_parameters
from gen_toolkit.releases.pipeline import Pipeline
from gen_toolkit.schedules.declared import schedule_of, scheduled, values_at, write_schedule
from gen_toolkit.settings import load_settings
from gen_toolkit.timing.schedule import Schedule, read_schedule

DECLARED = read_parameters(
    "from datetime import date, datetime\n"
    "day: date = date(2020, 1, 1)\nat: datetime = datetime(2020, 1, 1)\nsince: str = ''\n"
    "maybe: date | None = None\nlimit: int = 3"
)
NOON = int(datetime.datetime(2026, 7, 1, 22, 30, tzinfo=datetime.UTC).timestamp())


@pytest.fixture
def pipeline(workspace: Path) -> Pipeline:
    return released(workspace)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"crom": "0 9 * * *"}, r"pipeline.toml: schedule.crom is not known. Did you mean 'cron'"),
        ({"cron": "0 9 * * *", "wat": 1}, r"schedule.wat is not known. Known: catch_up, cron, due"),
        ({"cron": "0 0 30 2 *"}, "schedule.cron: '0 0 30 2 .' is no cron line, or never fires"),
        ({"cron": "0 9 * * *", "zone": "Europe/Berln"}, "no zone .*Did you mean 'Europe/Berlin'"),
        ({"cron": "0 9 * * *", "zone": "../../etc/passwd"}, "schedule.zone: there is no zone"),
        ({"cron": "0 9 * * *", "overlap": "both"}, "schedule.overlap: input should be 'skip' or 'queue'"),
        ({"cron": "0 9 * * *", "catch_up": "some"}, "schedule.catch_up: input should be 'none', 'latest' or 'all'"),
        ({"cron": "0 9 * * *", "every_s": 5}, "schedule: a schedule has either cron or every_s"),
        ({}, "schedule: a schedule has either cron or every_s"),
        ({"every_s": 0}, "schedule.every_s: input should be greater than or equal to 1"),
        ({"every_s": "5"}, "schedule.every_s: input should be a valid integer"),
        ({"every_s": 5, "paused": 1}, "schedule.paused: input should be a valid boolean"),
        ({"every_s": 5, "due": "day", "parameters": {"day": 1}}, "parameter 'day' is given, and is also"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line_that_names_file_and_key(table: dict[str, object], says: str) -> None:
    with pytest.raises(SettingError, match=says) as caught:
        read_schedule(table, "pipelines/label/pipeline.toml")
    assert "\n" not in str(caught.value)
    assert caught.value.fix


def test_several_cron_lines_are_due_when_any_of_them_is_and_once_where_two_agree() -> None:
    schedule = Schedule(cron=("0 9 * * *", "0 9,12 * * 3"))
    found = [schedule.local(moment).strftime("%a %H") for moment in islice(schedule.after(NOON), 4)]
    assert found == ["Thu 09", "Fri 09", "Sat 09", "Sun 09"]
    tuesday = NOON - 36 * 3600
    assert [schedule.local(m).strftime("%a %H") for m in islice(schedule.after(tuesday), 3)] == [
        "Wed 09",
        "Wed 12",
        "Thu 09",
    ]


def test_an_interval_is_counted_from_the_epoch_whoever_asks() -> None:
    schedule = Schedule(every_s=7)
    assert list(schedule.between(700, 721)) == [707, 714, 721]
    assert list(schedule.between(699, 707)) == [700, 707]
    assert [schedule.count(699, until, 100) for until in (699, 700, 706, 707, 10_000)] == [0, 1, 1, 2, 100]


def test_the_due_time_is_given_as_the_parameter_is_declared_on_the_clock_of_the_zone() -> None:
    def given(name: str) -> object:
        schedule = Schedule(every_s=60, zone="Europe/Berlin", due=name, parameters={"limit": 4})
        return values_at(schedule, DECLARED, NOON)[name]

    assert given("day") == datetime.date(2026, 7, 2)
    assert given("maybe") == datetime.date(2026, 7, 2)
    assert given("since") == "2026-07-02T00:30:00+02:00"
    assert given("at") == datetime.datetime(2026, 7, 2, 0, 30, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("due", "parameters", "says"),
    [
        ("limit", {}, "parameter limit: a due time cannot be given as int"),
        ("dya", {}, "there is no parameter 'dya'"),
        (None, {"limti": 3}, "there is no parameter 'limti'"),
        (None, {"limit": "many"}, "parameter limit: input should be a valid integer"),
    ],
)
def test_parameters_that_the_release_does_not_take_are_refused(
    due: str | None, parameters: dict[str, object], says: str
) -> None:
    with pytest.raises(ParameterError, match=says):
        values_at(Schedule(every_s=60, due=due, parameters=parameters), DECLARED, NOON)


def test_writing_a_schedule_leaves_the_rest_of_the_file_as_it_is(pipeline: Pipeline) -> None:
    pipeline.file.write_text("# ours\nlive = 1  # the good one\ntimeout_s = 60\n")
    write_schedule(pipeline, {"cron": "30 2 * * *", "zone": "Europe/Berlin", "due": "day"})
    write_schedule(pipeline, {"zone": None, "paused": True})
    assert pipeline.file.read_text() == (
        "# ours\nlive = 1  # the good one\ntimeout_s = 60\n\n"
        '[schedule]\ncron = "30 2 * * *"\ndue = "day"\npaused = true\n'
    )
    assert schedule_of(pipeline) == Schedule(cron="30 2 * * *", due="day", paused=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"cron": "no"}, SettingError),
        ({"every_s": 5, "parameters": {"limit": None}}, ParameterError),
        ({"every_s": 5, "due": "limit"}, ParameterError),
        ({"zone": "UTC"}, SettingError),
    ],
)
def test_a_schedule_that_is_refused_leaves_the_file_untouched(
    pipeline: Pipeline, changes: dict[str, object], kind: type[GenToolkitError]
) -> None:
    before = pipeline.file.read_text()
    with pytest.raises(kind):
        write_schedule(pipeline, changes)
    assert pipeline.file.read_text() == before


def test_a_channel_of_alerts_that_cannot_work_is_refused_before_there_is_something_to_tell(pipeline: Pipeline) -> None:
    pipeline.file.write_text('live = 1\n[alerts.team]\nwebhok = "https://x"\n')
    with pytest.raises(SettingError, match=r"pipeline.toml: alerts.team.webhok is not known") as caught:
        pipeline.settings()
    assert "Did you mean 'webhook'?" in caught.value.fix


def test_a_pipeline_without_a_live_release_gets_no_schedule(workspace: Path) -> None:
    empty = Pipeline("empty", workspace / "pipelines/empty")
    with pytest.raises(ReleaseError, match="no live release"):
        write_schedule(empty, {"every_s": 60})


@pytest.mark.parametrize("broken", ["parameter", "release"])
def test_a_schedule_that_cannot_run_any_more_is_paused_and_goes_on(pipeline: Pipeline, broken: str) -> None:
    write_schedule(pipeline, {"every_s": 60})
    if broken == "parameter":
        pipeline.file.write_text("live = 1\n[schedule]\nevery_s = 60\nparameters = { limti = 3 }\n")
    else:
        (pipeline.releases / "1").rename(pipeline.folder / "away")
    assert write_schedule(pipeline, {"paused": True}).paused
    assert "paused = true\n" in pipeline.file.read_text()
    assert not write_schedule(pipeline, {"paused": None}).paused
    with pytest.raises(GenToolkitError, match="limti" if broken == "parameter" else "no release 1"):
        write_schedule(pipeline, {"every_s": 90})


def test_one_broken_file_does_not_hide_the_schedules_of_the_others(pipeline: Pipeline, workspace: Path) -> None:
    write_schedule(pipeline, {"every_s": 60})
    broken = workspace / "pipelines/broken"
    broken.mkdir()
    (broken / "pipeline.toml").write_text('[schedule]\ncron = "no"\n')
    (workspace / "pipelines/plain").mkdir()
    (workspace / "pipelines/plain/pipeline.toml").write_text("timeout_s = 5\n")
    found = {name: told for name, (_, told) in scheduled(load_settings().workspace).items()}
    assert found["label"] == Schedule(every_s=60)
    assert isinstance(found["broken"], SettingError)
    assert set(found) == {"label", "broken"}
