"""How many requests this process has sent lately."""

from __future__ import annotations


class Sent:
    """Counted by whole seconds: cheap enough for every call."""

    def __init__(self) -> None:
        self._start = 0.0
        self._now = self._before = 0

    def count(self, now: float) -> None:
        if now - self._start >= 1.0:
            self._turn(now)
        self._now += 1

    def most(self, now: float) -> float:
        """Requests in the busier of the last two seconds."""
        if now - self._start >= 1.0:
            self._turn(now)
        return float(max(self._now, self._before))

    def _turn(self, now: float) -> None:
        self._before = self._now if now - self._start < 2.0 else 0
        self._start, self._now = now, 0
