"""A schedule, as `[schedule]` of a pipeline.toml says it: when a pipeline is due, and what then happens."""

from __future__ import annotations

import hashlib
import heapq
import itertools
import zoneinfo
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from gen_toolkit.errors import InputError, SettingError, nearest
from gen_toolkit.timing.cron import check_cron, fire_times


class Schedule(BaseModel):
    """When a pipeline is due. Instants are whole seconds since 1970."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cron: tuple[str, ...] = ()
    """One cron line, or several: due when any of them is."""
    every_s: int | None = Field(default=None, ge=1, strict=True)
    """Instead of cron: due each so many seconds, counted from 1970-01-01 UTC whatever clocks do."""
    zone: str = "UTC"
    """IANA name of the zone that the cron lines are read in."""
    parameters: dict[str, Any] = {}
    """Given to each run."""
    due: str | None = None
    """The parameter that gets the due time: as date, as datetime in the zone, or as text in ISO form."""
    overlap: Literal["skip", "queue"] = "skip"
    """What happens to an instant that comes while a run before is not finished."""
    catch_up: Literal["none", "latest", "all"] = "latest"
    """Which of the instants run that came while nothing served: none, the latest, or all in the window."""
    window_s: int = Field(default=86400, ge=1, strict=True)
    """How far back instants are caught up."""
    grace_s: int = Field(default=60, ge=1, strict=True)
    """An instant found this late is still on time."""
    paused: bool = Field(default=False, strict=True)

    @field_validator("cron", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("cron")
    @classmethod
    def _fires(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for line in value:
            _refused_by(check_cron, line)
        return value

    @field_validator("zone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            zoneinfo.ZoneInfo(value)
        except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):  # "Europe" is a folder of the zone files
            close = nearest(value, zoneinfo.available_timezones())
            raise ValueError(f"there is no zone {value!r}. {close or 'Write one like Europe/Berlin.'}") from None
        return value

    @model_validator(mode="after")
    def _is_one_of_two(self) -> Self:
        if bool(self.cron) == (self.every_s is not None):
            raise ValueError("a schedule has either cron or every_s")
        if self.due in self.parameters:
            raise ValueError(f"parameter {self.due!r} is given, and is also the one that gets the due time")
        return self

    def after(self, instant: int) -> Iterator[int]:
        """The instants later than `instant` at which it is due, in order, without end."""
        if self.every_s is not None:
            return itertools.count(instant - instant % self.every_s + self.every_s, self.every_s)
        zone = zoneinfo.ZoneInfo(self.zone)
        lines = heapq.merge(*(fire_times(line, zone, instant) for line in self.cron))
        return (moment for moment, _ in itertools.groupby(lines))

    def between(self, after: int, until: int) -> Iterator[int]:
        """The instants later than `after`, not later than `until`."""
        return itertools.takewhile(lambda moment: moment <= until, self.after(after))

    def count(self, after: int, until: int, most: int) -> int:
        """How many instants `between` gives; `most` where they are as many or more."""
        if self.every_s is not None:
            return max(0, min(most, until // self.every_s - after // self.every_s))
        return sum(1 for _ in itertools.islice(self.between(after, until), most))

    def local(self, instant: int) -> datetime:
        """An instant on the clock of the schedule's zone."""
        return datetime.fromtimestamp(instant, UTC).astimezone(zoneinfo.ZoneInfo(self.zone))

    @property
    def timing(self) -> str:
        """A short hash of what decides the fire times: another one is another schedule."""
        written = repr((self.cron, self.every_s, self.zone))
        return hashlib.sha256(written.encode()).hexdigest()[:8]


def read_schedule(table: Mapping[str, Any], origin: str) -> Schedule:
    """A table as a schedule. Raises SettingError naming `origin` and the key."""
    try:
        return Schedule(**table)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0]) if first["loc"] else ""
        unknown = first["type"] == "extra_forbidden"
        where = f"schedule.{key}" if key else "schedule"
        said = "is not known" if unknown else first["msg"].removeprefix("Value error, ")
        known = f"Known: {', '.join(sorted(Schedule.model_fields))}."
        raise SettingError(
            f"{origin}: {where}{' ' if unknown else ': '}{said[:1].lower()}{said[1:]}",
            fix=(nearest(key, Schedule.model_fields) or known) if unknown else "See docs/schedules.md.",
            setting=where,
            origin=origin,
        ) from None


def _refused_by(check: Any, value: str) -> None:
    """Pydantic wants a ValueError."""
    try:
        check(value)
    except InputError as error:
        raise ValueError(str(error)) from None
