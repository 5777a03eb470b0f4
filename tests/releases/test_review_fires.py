"""How many runs a month of the forecast has: what the schedule says, and what is said where it says nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from gen_toolkit.releases.pipeline import Pipeline
from gen_toolkit.releases.review.fires import Fires, fires_of

NOVEMBER = 1_793_491_200  # 2026-11-01 00:00 UTC, on which Denver's clocks go back


def fires(folder: Path, toml: str) -> Fires:
    (folder / "pipeline.toml").write_text(toml, encoding="utf-8")
    return fires_of(Pipeline("label", folder), NOVEMBER)


@pytest.mark.parametrize(
    ("schedule", "count", "note"),
    [
        ('cron = "0 6 * * *"', 30, "0 6 * * *, UTC"),
        ('cron = ["0 6 * * 1-5", "0 18 * * 0"]', 26, "0 6 * * 1-5 and 0 18 * * 0, UTC"),
        ('cron = "* * * * *"', 43_200, "* * * * *, UTC"),
        ('cron = "30 1 * * *"\nzone = "America/Denver"', 30, "30 1 * * *, America/Denver"),
        ("every_s = 1", 2_592_000, "every 1 s"),
        ('cron = "@yearly"\npaused = true', 0, "@yearly, UTC; it is paused"),
    ],
)
def test_the_runs_of_thirty_days_are_counted(tmp_path: Path, schedule: str, count: int, note: str) -> None:
    found = fires(tmp_path, f"[schedule]\n{schedule}\n")
    assert (found.count, found.note) == (count, note)


def test_without_a_schedule_nobody_can_tell(tmp_path: Path) -> None:
    assert fires_of(Pipeline("label", tmp_path), NOVEMBER) == Fires(None, "")


def test_a_schedule_that_is_wrong_says_so(tmp_path: Path) -> None:
    found = fires(tmp_path, '[schedule]\ncron = "61 * * * *"\n')
    assert found.count is None
    assert "pipeline.toml: schedule.cron" in found.note
    assert "cannot be read" in fires(tmp_path, "[schedule").note


def test_what_it_gives_to_each_run_is_known(tmp_path: Path) -> None:
    found = fires(tmp_path, '[schedule]\ncron = "@daily"\nparameters = { limit = 5 }\n')
    assert found.parameters == {"limit": 5}
