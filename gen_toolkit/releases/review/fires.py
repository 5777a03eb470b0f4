"""How often a pipeline will run: what its schedule says, for the forecast of a month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gen_toolkit.errors import GenToolkitError
from gen_toolkit.releases.pipeline import Pipeline
from gen_toolkit.timing.schedule import read_schedule

DAYS = 30
_MOST = 50_000  # a cron line has 43,200 minutes in that time; counting more takes seconds


@dataclass(frozen=True)
class Fires:
    """The runs of the next DAYS days."""

    count: int | None = None
    """None: nobody can tell."""
    note: str = "no schedule"
    """Where the number comes from, or why there is none."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """What the schedule gives to each run."""


UNSCHEDULED = Fires()


def fires_of(pipeline: Pipeline, at: float) -> Fires:
    """As `[schedule]` of pipeline.toml has it from the moment `at` on, in seconds since 1970."""
    try:
        table = pipeline.settings().get("schedule")
        if table is None:
            return UNSCHEDULED
        schedule = read_schedule(table, pipeline.file.name)
    except GenToolkitError as error:
        return Fires(note=error.message)
    said = f"every {schedule.every_s} s" if schedule.every_s else f"{' and '.join(schedule.cron)}, {schedule.zone}"
    if schedule.paused:
        said += "; it is paused"
    count = schedule.count(int(at), int(at) + DAYS * 86400, _MOST if schedule.cron else 10**9)
    return Fires(count, said, schedule.parameters)
