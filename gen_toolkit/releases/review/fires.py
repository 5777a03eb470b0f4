"""How often a pipeline will run: what its schedule says, for the forecast of a month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gen_toolkit.errors import GenToolkitError
from gen_toolkit.releases.pipeline import Pipeline
from gen_toolkit.timing.schedule import read_schedule

DAYS = 30
_MOST = 10**9  # more seconds than the days have; cron lines fire once a minute at the most


@dataclass(frozen=True)
class Fires:
    """The runs of the next DAYS days."""

    count: int | None = None
    """None: nobody can tell."""
    note: str = ""
    """What the schedule says, or what is wrong with it; "" where there is none."""
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
    count = schedule.count(int(at), int(at) + DAYS * 86400, _MOST)
    return Fires(count, said, schedule.parameters)
