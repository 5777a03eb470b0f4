"""gen schedule: what the commands write, show and refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import Gen, gen
from released import released

from gen_toolkit.database.engine import open_database
from gen_toolkit.jobs.ledger import Ledger
from gen_toolkit.releases.pipeline import Pipeline
from gen_toolkit.schedules.due import submit_due
from gen_toolkit.timing.schedule import Schedule

__all__ = ["gen"]


@pytest.fixture
def file(workspace: Path) -> Path:
    return released(workspace).file


def test_a_schedule_is_set_shown_paused_and_goes_on(gen: Gen, file: Path) -> None:
    said = gen("schedule", "set", "label", "--cron", "30 2 * * *", "--zone", "Europe/Berlin", "--due", "day",
               "-p", "limit=500", "--window", "7d")  # fmt: skip
    assert "due (Europe/Berlin)" in said
    assert 'cron = "30 2 * * *"' in file.read_text()
    assert "[schedule.parameters]\nlimit = 500\n" in file.read_text()
    gen("schedule", "pause", "label")
    assert "paused = true" in file.read_text()
    assert "(paused)" in gen("schedule", "preview")
    gen("schedule", "pause", "label", "--off")
    assert "paused" not in file.read_text()
    gen("schedule", "set", "label", "--every", "15m")
    assert "every_s = 900" in file.read_text()
    assert "cron" not in file.read_text()


def test_a_parameter_that_is_set_leaves_the_others_and_all_that_hold_are_shown(gen: Gen, file: Path) -> None:
    gen("schedule", "set", "label", "--every", "15m", "-p", "limit=500", "-p", "day=today")
    file.write_text(file.read_text().replace("limit = 500", "limit = 500  # enough"))
    said = gen("schedule", "set", "label", "-p", "limit=5")
    assert '[schedule.parameters]\nlimit = 5  # enough\nday = "today"\n' in file.read_text()
    assert said.splitlines()[:2] == ["  -p limit=5", "  -p day=today"]
    told = json.loads(gen("schedule", "set", "label", "--every", "2.3h", "--json"))
    assert told["parameters"] == {"limit": 5, "day": "today"}
    assert "every_s = 8280\n" in file.read_text()


def test_parameters_in_a_table_on_one_line_are_changed_there(gen: Gen, file: Path) -> None:
    file.write_text('live = 1\n[schedule]\nevery_s = 60\nparameters = { limit = 4, day = "x" }\n')
    gen("schedule", "set", "label", "-p", "limit=5")
    assert file.read_text() == 'live = 1\n[schedule]\nevery_s = 60\nparameters = { limit = 5, day = "x" }\n'


def test_a_preview_of_a_day_shows_what_the_clock_does_on_it(gen: Gen, file: Path) -> None:
    gen("schedule", "set", "label", "--cron", "30 2 * * *", "--zone", "Europe/Berlin")
    said = gen("schedule", "preview", "label", "--from", "2026-03-28", "-n", "3")
    assert said.splitlines()[2].split() == ["Sat", "2026-03-28", "02:30:00", "+0100", "2026-03-28", "01:30:00"]
    assert "Sun 2026-03-29 03:00:00 +0200  2026-03-29 01:00:00  clocks went forward by 1 h" in said
    told = json.loads(gen("schedule", "preview", "label", "--from", "2026-10-25", "-n", "1", "--json"))
    assert told["fires"][0]["local"] == "2026-10-25T02:30:00+02:00"


def test_a_preview_says_why_what_is_due_could_not_run(gen: Gen, file: Path) -> None:
    gen("schedule", "set", "label", "--every", "1h", "-p", "limit=4")
    assert "cannot run" not in gen("schedule", "preview", "label") + gen("schedule", "preview")
    assert json.loads(gen("schedule", "preview", "label", "--json"))["problem"] is None
    file.write_text(file.read_text().replace("limit = 4", 'limit = "many"'))
    says = "label cannot run: parameter limit: input should be a valid integer"
    assert says in gen("schedule", "preview", "label").splitlines()[0]
    assert "cannot run: parameter limit" in gen("schedule", "preview")
    (file.parent / "releases/1").rename(file.parent / "away")
    assert "label cannot run: pipeline 'label' has no release 1" in gen("schedule", "preview", "label").splitlines()[0]
    assert "no release 1" in json.loads(gen("schedule", "preview", "label", "--json"))["problem"]


@pytest.mark.parametrize("paused", [True, False])
def test_what_was_due_while_it_was_paused_and_nothing_served_is_not_missed(
    gen: Gen, file: Path, workspace: Path, paused: bool
) -> None:
    gen("schedule", "set", "label", "--every", "1h")
    pipeline, schedule = Pipeline("label", file.parent), Schedule(every_s=3600)
    database = open_database()
    now = int(Ledger(database).now())
    list(submit_due(database, pipeline, schedule, now - 6 * 3600))
    if paused:
        gen("schedule", "pause", "label")
    gen("schedule", "pause", "label", "--off")
    list(submit_due(database, pipeline, schedule, now))
    assert len(Ledger(database).list()) == (0 if paused else 6)


def test_a_window_is_filled_once(gen: Gen, file: Path) -> None:
    gen("schedule", "set", "label", "--cron", "0 9 * * *")
    said = gen("schedule", "backfill", "label", "--from", "2026-01-01", "--to", "2026-01-03T09:00")
    assert said.endswith("3 queued\n")
    again = gen("schedule", "backfill", "label", "--from", "2026-01-01", "--to", "2026-01-03T09:00")
    assert again == "0 queued; 3 had run or wait already\n"
    assert [run.state for run in Ledger(open_database()).list()] == ["queued"] * 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["set", "label", "--cron", "0 0 30 2 *"], "never fires"),
        (["set", "label", "--cron", "0 9 * * *", "--zone", "Mars/Base"], "there is no zone 'Mars/Base'"),
        (["set", "label", "--every", "soon"], "'soon' is no length of time"),
        (["set", "label", "--every", "1.5s"], "'1.5s' is no whole number of seconds"),
        (["set", "label", "--every", "5m", "--window", "0.5s"], "'0.5s' is no whole number of seconds"),
        (["set", "label", "--every", "5m", "--cron", "0 9 * * *"], "error: --cron and --every are two ways"),
        (["set", "label", "--every", "5m", "-p", "limti=3"], "there is no parameter 'limti'"),
        (["set", "nolabel", "--every", "5m"], "there is no pipeline 'nolabel'"),
        (["preview", "label"], "has no schedule"),
        (["pause", "label"], "has no schedule"),
    ],
)
def test_what_is_refused_is_one_line_and_exit_code_2(gen: Gen, file: Path, arguments: list[str], says: str) -> None:
    before = file.read_text()
    assert says in gen("schedule", *arguments, code=2)
    assert file.read_text() == before
