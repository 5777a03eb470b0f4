"""What the ledger knows: runs, their attempts, and the lease by which a process holds one. Plain data."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from gen_toolkit import scope
from gen_toolkit.process import steady

State = Literal[
    "queued", "running", "succeeded", "failed", "timed out", "killed", "cancelled", "lost", "skipped"
]  # fmt: skip
Ended = Literal["succeeded", "failed", "timed out", "killed", "cancelled", "lost"]
"""How an attempt can end."""
FAN_OUT = "fan-out"
"""The kind of a run that only has parts: see releases/fan_out.py."""
OPEN = ("queued", "running")
"""The states that a run does not stay in."""

LEASE = 60.0
"""Seconds for which a process has a run without saying that it still works on it."""
MARGIN = 5.0
"""Seconds before the end of its lease at which a process that could not prove it ends its run."""
SHORTEST_PREFIX = 8


@dataclass(frozen=True)
class Reason:
    """Why a run did not succeed."""

    message: str
    cell: int | None = None
    """Number of the cell, counted from 1 over all cells of the executed notebook."""
    error: str | None = None
    """Class of the exception."""
    excerpt: str = ""
    """The last lines of the traceback."""
    signal: int | None = None


@dataclass(frozen=True)
class NewRun:
    """A run as it is asked for."""

    name: str
    kind: str
    """`job`: a release; `try`: a notebook as a job would run it."""
    notebook: str
    """Path of the notebook, as people know it."""
    parameters: Mapping[str, Any]
    release: int | None = None
    digest: str | None = None
    due: float | None = None
    """The instant (seconds since 1970) that a schedule meant. A name has one run for each."""
    parent: str | None = None
    """The run that it is a part of."""
    retries: Mapping[str, Any] | None = None
    """When to try again: see jobs/retries.py."""
    id: str = field(default_factory=scope.new_id)


@dataclass(frozen=True)
class Lease:
    """The right to execute a run, for one attempt. Who has it says so again and again: see jobs/heartbeat.py."""

    run: str
    attempt: str
    number: int
    """Of the attempt, from 1."""
    token: int
    ttl: float = LEASE
    asked: float = field(default_factory=steady)
    """Moment (`process.steady`) just before it was asked for: it is held at least `ttl` seconds from then."""

    @property
    def proven_until(self) -> float:
        """The moment (`process.steady`) at which everything of the run must begin to end, unless it is renewed."""
        return proven_until(self.asked, self.ttl)


def proven_until(asked: float, ttl: float) -> float:
    """For a lease that was renewed by a question that left at the moment `asked`."""
    return asked + ttl - min(MARGIN, ttl / 4)


@dataclass(frozen=True)
class Attempt:
    """One execution of a run."""

    id: str
    run: str
    number: int
    token: int
    process: str
    folder: Path | None
    state: str
    started_at: float
    ended_at: float | None = None
    reason: Reason | None = None
    outcome: dict[str, Any] = field(default_factory=dict)
    told: int = 0
    """1: its end is in the spool, for MLflow."""
    teller: str | None = None
    """The process that puts it there: who recorded the end, or found that one gone."""

    @property
    def seconds(self) -> float:
        return (self.ended_at or time.time()) - self.started_at

    def to_json(self) -> dict[str, Any]:
        folder = None if self.folder is None else str(self.folder)
        return {**asdict(self), "folder": folder, "seconds": round(self.seconds, 3)}


@dataclass(frozen=True)
class RunRow:
    """A run as the ledger knows it. Instants are seconds since 1970 by the database's clock."""

    id: str
    kind: str
    name: str
    notebook: str
    parameters: dict[str, Any]
    state: str
    created_at: float
    folder: Path | None = None
    """Of the newest attempt; None: there was none."""
    release: int | None = None
    digest: str | None = None
    due: float | None = None
    parent: str | None = None
    retries: dict[str, Any] | None = None
    worker: str | None = None
    token: int = 0
    lease_until: float | None = None
    not_before: float | None = None
    cancel_asked: float | None = None
    attempts: int = 0
    attempt: str | None = None
    """Id of the newest."""
    started_at: float | None = None
    """Of the newest attempt."""
    ended_at: float | None = None
    reason: Reason | None = None
    """Of the newest attempt that ended: of one that waits to be tried again, why."""
    outcome: dict[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"{self.name} · release {self.release}" if self.release else self.name

    @property
    def is_open(self) -> bool:
        """Whether it is still to end."""
        return self.state in OPEN

    @property
    def seconds(self) -> float:
        """Of the newest attempt; of a run that was never started, 0."""
        return 0.0 if self.started_at is None else (self.ended_at or time.time()) - self.started_at

    @property
    def lease(self) -> Lease | None:
        """The lease that it was last given under."""
        return None if self.attempt is None else Lease(self.id, self.attempt, self.attempts, self.token)

    def to_json(self) -> dict[str, Any]:
        folder = None if self.folder is None else str(self.folder)
        return {**asdict(self), "folder": folder, "seconds": round(self.seconds, 3)}


def short(run: str, known: Sequence[str] = ()) -> str:
    """The shortest prefix of at least 8 characters that names one run only."""
    for length in range(SHORTEST_PREFIX, len(run)):
        if sum(other.startswith(run[:length]) for other in known) <= 1:
            return run[:length]
    return run
