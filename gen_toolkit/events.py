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
    is_kept: ClassVar[bool] = True
    """Whether it stays in the ledger when everybody who listens has it."""
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

    def to_json(self) -> dict[str, Any]:
        """Cells are plain data, and may be many: they are not copied."""
        return dict(vars(self))


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
class Reviewed(Event):
    """What a person did with a row of a result: labelled it, wrote a note, skipped it, or took that back.

    The last one of a reviewer about a row counts. `run` is the run of the result.
    """

    kind: ClassVar[str] = "reviewed"
    review: str
    reviewer: str
    scale: list[str]
    """The labels that could be given, from the worst to the best."""
    row: str
    repeat: int
    subject: str
    """A digest of what was looked at: a label is about a text, not about the run that brought it."""
    label: str | None
    note: str = ""
    skipped: bool = False
    left: str = ""
    """Of two replies seen blind, whose was on the left: `mine` or `theirs`."""
    seed: int = 0
    """What the sides were shuffled by."""
    undone: bool = False
    """Whether this takes back what was done last."""
    ended: bool = False
    """The review is over: from now on its reviewer knows which side was which. Then it is about no row."""


@dataclass(frozen=True, kw_only=True)
class DatasetUsed(Event):
    """Rows that a run worked on: what identifies them, and what they look like."""

    kind: ClassVar[str] = "dataset-used"
    name: str
    digest: str
    rows: int
    columns: Mapping[str, str] = field(default_factory=dict)
    """What each column holds, in MLflow's words: string, long, double, boolean, object."""


@dataclass(frozen=True, kw_only=True)
class RowsTraced(Event):
    """Rows of an evaluation, some of them or all: each becomes a trace of the run.

    What was asked and answered is in the journal, and is not repeated here. A row is `row` (its id), `repeat`,
    `inputs`, `output`, `error`, `calls` (ids in the journal), `scores` (by scorer: `value`, `reason`, `label`),
    `seconds`, `cost`, `usage`; see `gen_toolkit.tracking.row_trace`.
    """

    kind: ClassVar[str] = "rows-traced"
    is_kept: ClassVar[bool] = False
    name: str
    prompt: Mapping[str, Any] | None
    """`name` and `version` of a saved prompt."""
    judges: list[str]
    """The scorers that are models."""
    rows: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Assessed(Event):
    """What somebody says of a traced row; said again under the same name by the same one, the last counts."""

    kind: ClassVar[str] = "assessed"
    row: str
    repeat: int
    name: str
    value: Any
    reason: str
    by: str
    source: str
    """`human`, `judge` or `code`."""


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
    kind.kind: kind
    for kind in (
        RunStarted,
        Recorded,
        TableRecorded,
        FileRecorded,
        PromptUsed,
        DatasetUsed,
        RowsTraced,
        Assessed,
        Reviewed,
        ValueKept,
        RunEnded,
    )
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
