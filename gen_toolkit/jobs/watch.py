"""The supervisor's view of a run under way: what it has heard of it, and when something is too late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gen_toolkit import text
from gen_toolkit.jobs.ending import UNPROVEN, Ending, Measured, ending_of
from gen_toolkit.jobs.ledger import Reason
from gen_toolkit.jobs.limits import Limits
from gen_toolkit.jobs.orders import Orders, Stop
from gen_toolkit.process import steady

Progress = Callable[[int, int, str], None]
"""Told of (cell, of how many, the newest line of a progress that the cell shows)."""

_FINAL = {"done", "dead", "broken", "over memory", "unproven"}
LAST_WORDS = 10.0
"""Seconds from the end of the grace, or from the runner's last word, in which the reaper must have gone."""


class Watch:
    """Hears events, gives orders when a time is over, and knows in the end how it ended."""

    def __init__(self, limits: Limits, progress: Progress, orders: Orders) -> None:
        self._limits, self._progress, self._orders = limits, progress, orders
        self._began = self._heard_at = self._cell_began = steady()
        self._cell: int | None = None
        self._of = 0
        self._last: dict[str, Any] = {}
        self._obeyed: Stop | None = None
        self._cells: list[tuple[int, float]] = []
        self._peak: float | None = None
        self.patience_until: float | None = None
        """When the reaper must have gone by itself."""

    def hear(self, said: dict[str, Any]) -> None:
        self._heard_at = steady()
        match said["event"]:
            case "cell":
                self._cell, self._of, self._cell_began = said["cell"], said["of"], self._heard_at
                self._progress(said["cell"], said["of"], "")
            case "ran":
                self._cells.append((said["cell"], said["seconds"]))
            case "progress":
                if said["line"]:
                    self._progress(self._cell or 0, self._of, text.one_line(said["line"], 100))
            case "gone":
                self._peak = said["peak_memory_mb"]
            case "left" | "reaper left" if not self._last:
                self._last = said
            case event if event in _FINAL:
                self._last = said
                self.patience_until = self._heard_at + LAST_WORDS

    def order(self) -> Stop | None:
        """A stop that must be passed on now: once, and again when somebody is in a hurry."""
        self._look_at_the_clock()
        stop = self._orders.stopped
        if stop is None or self._last:
            return None
        if self._obeyed is None or (self._orders.in_a_hurry and self._obeyed.grace):
            self._obeyed = replace(stop, grace=0.0) if self._orders.in_a_hurry else stop
            self.patience_until = steady() + self._obeyed.grace + LAST_WORDS
            return self._obeyed
        return None

    def _look_at_the_clock(self) -> None:
        if self._orders.stopped is not None:
            return
        proven = self._orders.proven_until
        if proven is not None and steady() > proven:
            self._orders.stop("lost", Reason(UNPROVEN, self._cell))
        for limit, since, says in self._times():
            if limit is not None and steady() > since + limit:
                self._orders.stop("timed out", Reason(f"{says} {limit:g} s", self._cell))
                return

    def _times(self) -> list[tuple[float | None, float, str]]:
        """(limit in seconds, since when it counts, what is said when it is over)."""
        limits = self._limits
        whole = (limits.timeout, self._began, "not done after")
        if self._cell is None:
            return [whole]
        return [
            whole,
            (limits.cell_timeout, self._cell_began, f"cell {self._cell} was not done after"),
            (limits.silence_timeout, self._heard_at, "no output for"),
        ]

    def next_look(self) -> float:
        """The moment (`steady`) of which something may be too late."""
        moments = [since + limit for limit, since, _ in self._times() if limit is not None]
        if self._orders.proven_until is not None:
            moments.append(self._orders.proven_until)
        if self._orders.stopped is not None:
            moments = []  # only the grace counts now
        if self.patience_until is not None:
            moments.append(self.patience_until)
        return min(moments, default=steady() + 60)

    def ending(self) -> Ending:
        measured = Measured(self._peak, tuple(self._cells))
        stop = self._obeyed
        if stop is not None and self._last.get("event") != "unproven":
            reason = stop.reason if stop.reason.cell else replace(stop.reason, cell=self._cell)
            return Ending(stop.state, reason, stop.signal, measured)
        return replace(ending_of(self._last, self._cell), measured=measured)
