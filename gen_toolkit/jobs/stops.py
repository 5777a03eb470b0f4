"""Signals that ask a process to stop: counted, and heard by whoever waits for something to read."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from functools import cache


@cache
def asking() -> tuple[signal.Signals, ...]:
    """The signals by which this process is asked to stop; not those that it was started to ignore, as by `nohup`.

    Looked up when first asked for, and remembered: later a run ignores them itself, until its end is on record.
    """
    all_of_them = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    return tuple(number for number in all_of_them if signal.getsignal(number) is not signal.SIG_IGN)


class Stops:
    """How often this process was asked to stop."""

    def __init__(self) -> None:
        self.count = 0
        self.signal: int | None = None
        """The first that came."""
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)

    def fileno(self) -> int:
        """Readable from the moment of a signal on, until `heard`."""
        return self._reader

    def ask(self, number: int, _: object) -> None:
        """The signals' handler."""
        self.count += 1
        self.signal = self.signal or number
        with contextlib.suppress(BlockingIOError):
            os.write(self._writer, b"!")

    def heard(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._reader, 100)

    def close(self) -> None:
        os.close(self._reader)
        os.close(self._writer)


@contextlib.contextmanager
def stops() -> Iterator[Stops]:
    """The signals that ask to stop are counted inside the block, and do nothing else."""
    asked = Stops()
    before = {number: signal.signal(number, asked.ask) for number in asking()}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        asked.close()
