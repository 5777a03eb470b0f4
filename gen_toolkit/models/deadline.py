"""The total deadline of a call. Its clock stops while the call waits for our own rate limit."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Iterator
from contextvars import ContextVar
from types import TracebackType

_current: ContextVar[Deadline | None] = ContextVar("gen_toolkit_deadline", default=None)


class Deadline:
    """`seconds` for everything inside `async with Deadline(seconds):`; then TimeoutError."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._start = time.monotonic()
        self._paused = 0.0
        self._timeout = asyncio.timeout(seconds)

    @property
    def left(self) -> float:
        """Seconds that are left, without those that were spent waiting for our own limit."""
        return self._seconds - self.spent

    @property
    def spent(self) -> float:
        return time.monotonic() - self._start - self._paused

    async def __aenter__(self) -> Deadline:
        _current.set(self)
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._timeout.__aexit__(kind, error, trace)

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """The clock stands still inside the block."""
        start = time.monotonic()
        left = self.left
        self._timeout.reschedule(None)
        try:
            yield
        finally:
            self._paused += time.monotonic() - start
            if not self._timeout.expired():
                self._timeout.reschedule(asyncio.get_running_loop().time() + left)


@contextlib.contextmanager
def clock_stopped() -> Iterator[None]:
    """Stop the clock of the call that is under way, if it has one."""
    deadline = _current.get()
    if deadline is None:
        yield
        return
    with deadline.stopped():
        yield


def seconds_left() -> float:
    """Of the call that is under way; infinite where it has no deadline."""
    deadline = _current.get()
    return math.inf if deadline is None else deadline.left
