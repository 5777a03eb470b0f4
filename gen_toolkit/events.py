"""What happened, as frozen data. Lower floors emit, upper floors listen.

Listeners are entry points of the group `gen_toolkit.listeners`: functions of one event, loaded at the
first emit. Tracking is the built-in one.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from typing import Any, ClassVar

from gen_toolkit.errors import SettingError


@dataclass(frozen=True, kw_only=True)
class Event:
    """The base: which run, and when (seconds since 1970)."""

    kind: ClassVar[str] = "event"
    run: str
    time: float = field(default_factory=time.time)

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


@dataclass(frozen=True, kw_only=True)
class RunStarted(Event):
    kind: ClassVar[str] = "run-started"
    name: str
    run_kind: str
    parent: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Recorded(Event):
    """Params, metrics and tags of a run."""

    kind: ClassVar[str] = "recorded"
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TableRecorded(Event):
    """A table of a run, stored under the artifact name `file`."""

    kind: ClassVar[str] = "table-recorded"
    file: str
    columns: list[str]
    rows: list[list[Any]]


@dataclass(frozen=True, kw_only=True)
class FileRecorded(Event):
    """A text file of a run."""

    kind: ClassVar[str] = "file-recorded"
    file: str
    content: str


@dataclass(frozen=True, kw_only=True)
class PromptUsed(Event):
    """A saved prompt version that a run used."""

    kind: ClassVar[str] = "prompt-used"
    name: str
    version: int


@dataclass(frozen=True, kw_only=True)
class ValueKept(Event):
    kind: ClassVar[str] = "value-kept"
    name: str
    value: Any


@dataclass(frozen=True, kw_only=True)
class RunEnded(Event):
    """`state` is one of the ledger's: succeeded, failed, cancelled, killed, timed out, lost."""

    kind: ClassVar[str] = "run-ended"
    state: str


@dataclass(frozen=True, kw_only=True)
class Notice(Event):
    """For people who wait for news, by alerts: nothing that records need."""

    name: str
    """The pipeline."""


@dataclass(frozen=True, kw_only=True)
class JobEnded(Notice):
    """A job that ended, and what the ledger says of it."""

    kind: ClassVar[str] = "job-ended"
    state: str
    release: int | None = None
    due: int | None = None
    """The instant (seconds since 1970) of its schedule."""
    seconds: float = 0.0
    cost_usd: str | None = None
    """None: unknown."""
    cell: int | None = None
    error: str | None = None
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class JobsMissed(Notice):
    """Instants that a schedule did not run because nothing served it; `run` is the record of the last."""

    kind: ClassVar[str] = "jobs-missed"
    first: int
    last: int
    count: int


KINDS: dict[str, type[Event]] = {
    kind.kind: kind for kind in (RunStarted, Recorded, TableRecorded, FileRecorded, PromptUsed, ValueKept, RunEnded)
}


def from_json(kind: str, data: Mapping[str, Any]) -> Event:
    return KINDS[kind](**data)


def emit(event: Event) -> None:
    """Tell every listener. An error of a listener is the emitter's: what cannot be recorded is not done."""
    for listener in _listeners():
        listener(event)


@cache
def _listeners() -> tuple[Callable[[Event], None], ...]:
    found = []
    for point in entry_points(group="gen_toolkit.listeners"):
        try:
            found.append(point.load())
        except Exception as error:
            package = point.dist.name if point.dist else point.value
            raise SettingError(
                f"the listener {point.name!r} of package {package!r} cannot be loaded: {error}",
                fix=f"Repair or uninstall {package}.",
            ) from error
    return tuple(found)
