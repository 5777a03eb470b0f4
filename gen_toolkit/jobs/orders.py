"""What others want of a run that is under way: that it stops, and for how long it may go on."""

from __future__ import annotations

import contextlib
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gen_toolkit.jobs.ledger import Reason, State

GRACE = 5.0
"""Seconds that an interrupted cell has for its own cleaning up."""


@dataclass(frozen=True)
class Stop:
    """An order to end the run."""

    state: State
    reason: Reason
    signal: int | None = None
    """The signal that this process was sent, and should exit by."""
    grace: float = GRACE
    """Seconds from the interruption of the cell until everything is killed; 0: nothing is interrupted first."""


class Orders:
    """Given from any thread, and from a signal handler; `supervise` wakes up and obeys.

    The first stop decides what the run's state will be. A later one only takes the rest of the grace away.
    An order that comes when the runner has told its result changes nothing.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a signal handler may come while this very thread holds it
        self._stop: Stop | None = None
        self._in_a_hurry = False
        self._proven_until: float | None = None
        self._reader, self._writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK) if hasattr(os, "pipe2") else _pipe()

    def stop(self, state: State, reason: Reason, *, signal: int | None = None, grace: float | None = None) -> None:
        """End the run; `lost` is obeyed without any grace, since it may be running elsewhere already."""
        patience = grace if grace is not None else (0.0 if state == "lost" else GRACE)
        with self._lock:
            if self._stop is None:
                self._stop = Stop(state, reason, signal, patience)
            else:
                self._in_a_hurry = True
        self._wake()

    def hold(self, until: float) -> None:
        """The lease is proven until this moment of `process.steady()`; then everything of the run is killed.

        The reaper is told, too, so that the run ends in time also while this process is stopped or hangs.
        A run that nobody calls this for has no lease.
        """
        with self._lock:
            self._proven_until = until
        self._wake()

    @property
    def stopped(self) -> Stop | None:
        return self._stop

    @property
    def in_a_hurry(self) -> bool:
        """Whether somebody asked again."""
        return self._in_a_hurry

    @property
    def proven_until(self) -> float | None:
        return self._proven_until

    def fileno(self) -> int:
        """Becomes readable with every order."""
        return self._reader

    def heard(self) -> None:
        """The orders until now have been seen: sleep until the next one."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self._reader, 4096):
                pass

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # full: it is awake; closed: the run has ended
            os.write(self._writer, b".")

    def close(self) -> None:
        """The run has ended; what is ordered from now on is not heard."""
        with self._lock:
            reader, writer, self._reader, self._writer = self._reader, self._writer, -1, -1
        for descriptor in (reader, writer):
            if descriptor >= 0:
                os.close(descriptor)


def _pipe() -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    return ends
