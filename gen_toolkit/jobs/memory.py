"""How much memory the processes of a run take together, and whether that is too much."""

from __future__ import annotations

from collections.abc import Collection

from gen_toolkit.jobs.tree import exact_memory_mb, memory_mb, oom_kills
from gen_toolkit.process import steady

_EVERY = 0.1  # seconds
_SHARE = 0.02  # at most this share of a processor goes into looking


class Memory:
    """Looked at again and again by the reaper. The exact sum is taken only where it may matter."""

    def __init__(self, cap_mb: float | None) -> None:
        self._cap = cap_mb
        self._kills = oom_kills()
        self._most = 0.0
        self.next = steady()
        self.now = 0.0
        """MB at the last look."""
        self.peak: float | None = None

    def look(self, pids: Collection[int]) -> bool:
        """Whether the processes take more than they may."""
        start = steady()
        self._kills = oom_kills()
        self.now = memory_mb(pids)
        if self.now > self._most * 1.01 or self._over():
            self._most = max(self._most, self.now)
            self.now = exact_memory_mb(pids) or self.now
            self.peak = max(self.peak or 0.0, round(self.now, 1))
        self.next = steady() + max(_EVERY, (steady() - start) / _SHARE)
        return self._over()

    def _over(self) -> bool:
        return self._cap is not None and self.now > self._cap

    def was_short(self) -> bool:
        """Whether the machine's kernel has killed a process for want of memory since the last look."""
        return oom_kills() > self._kills
