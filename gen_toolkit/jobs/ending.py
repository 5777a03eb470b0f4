"""How an execution ended, as it follows from what its processes said."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from typing import Any

from gen_toolkit import text
from gen_toolkit.jobs.ledger import Reason, State

_LONGEST_EXCERPT = 4000
UNPROVEN = "its lease could not be proven in time: it may be running elsewhere"


@dataclass(frozen=True)
class Measured:
    """What an execution took."""

    peak_memory_mb: float | None = None
    """Of all its processes together at the worst moment (MB of a million bytes); None: unknown."""
    cells: tuple[tuple[int, float], ...] = ()
    """(cell, seconds) of the cells that were executed, numbered from 1."""

    def to_json(self) -> dict[str, Any]:
        """For the outcome."""
        cells = [{"cell": cell, "seconds": seconds} for cell, seconds in self.cells]
        return {"peak_memory_mb": self.peak_memory_mb, "cells": cells}


@dataclass(frozen=True)
class Ending:
    """How an execution ended."""

    state: State
    reason: Reason | None = None
    signal: int | None = None
    """The signal that ended this process's work: it should exit by it."""
    measured: Measured = field(default=Measured())


def ending_of(last: dict[str, Any], cell: int | None) -> Ending:
    """By the last word of the runner, or of the reaper on it."""
    match last.get("event"):
        case "done" if last.get("unsaved"):
            message = f"the executed notebook cannot be written: {last['unsaved']}"
            return Ending("failed", Reason(message, error="NotSaved"))
        case "done" if last["state"] == "succeeded":
            return Ending("succeeded")
        case "done":
            excerpt = text.terminal(last.get("excerpt", ""))[-_LONGEST_EXCERPT:]
            message = text.one_line(last.get("message", ""), 300)
            return Ending("failed", Reason(message, last.get("cell"), last.get("error"), excerpt))
        case "dead":
            return _killed("the kernel", last, last.get("cell") or cell)
        case "broken":
            return Ending("failed", Reason(text.one_line(last["message"], 300), cell, last["error"]))
        case "left":
            return _killed("the runner", last, cell)
        case "over memory":
            message = f"out of memory: its processes took {last['mb']} MB (memory_mb)"
            return Ending("killed", Reason(message, cell))
        case "unproven":
            return Ending("lost", Reason(UNPROVEN, cell))
    return _killed("the reaper", last, cell)


def _killed(who: str, last: dict[str, Any], cell: int | None) -> Ending:
    status = last.get("status")
    if status is not None and status < 0:
        name = signal.Signals(-status).name
        short = " (out of memory: the machine had none left)" if last.get("out_of_memory") else ""
        return Ending("killed", Reason(f"{who} was killed by {name}{short}", cell, signal=-status))
    if status is None:
        return Ending("killed", Reason(f"{who} did not answer", cell))
    return Ending("killed", Reason(f"{who} ended by itself with status {status}", cell))
