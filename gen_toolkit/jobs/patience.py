"""Waiting that a signal to stop can end: for a database that does not answer, for the next attempt."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from gen_toolkit.errors import DatabaseError
from gen_toolkit.jobs.stops import asking

PATIENCE = 600.0
"""Seconds for which the end of a run is offered to a database that does not take it."""
_PAUSE = 1.0
_LOOKS_EVERY = 2.0

Result = TypeVar("Result")


def insist(ask: Callable[[], Result], say: Callable[[str], None]) -> Result:
    """Ask a database until it answers, and tell `say` what is waited for.

    Raises DatabaseError after PATIENCE, or when a signal wants this process to stop.
    """
    try:
        return ask()
    except DatabaseError as error:
        last = error
    with _signals() as came:
        until = time.monotonic() + PATIENCE
        while not came and time.monotonic() < until:
            say(f"waiting to record how it ended: {last.message}")
            time.sleep(_PAUSE)
            try:
                return ask()
            except DatabaseError as error:
                last = error
    raise last


def wait(seconds: float, say: Callable[[str], None], is_over: Callable[[], bool]) -> int | None:
    """Until the next attempt, until `is_over`, or until a signal wants this process to stop: then that signal."""
    now = time.monotonic()
    until, looks = now + seconds, now + _LOOKS_EVERY
    with _signals() as came:
        say(f"trying again in {seconds:.0f} s")
        while not came and (now := time.monotonic()) < until:
            if now > looks:
                if is_over():
                    break
                looks = now + _LOOKS_EVERY
            time.sleep(min(0.2, until - now))
    return came[0] if came else None


@contextlib.contextmanager
def _signals() -> Iterator[list[int]]:
    """The signals to stop that come meanwhile; they do nothing else."""
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came  # a thread is not sent signals
        return
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in asking()}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
