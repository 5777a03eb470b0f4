"""Who brings the events of this process to MLflow: a thread of its own, or, of a command, the courier.

A command that executes jobs neither loads MLflow nor waits for it: its run is on record as soon as ledger and spool
have it on disk.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gen_toolkit.settings import Resolved

Start = Callable[["Resolved", int], None]
"""Starts the courier of a workspace; the second is its lock, which it inherits. Raises OSError."""

_PAUSE = 2.0  # seconds: most runs are over by then, and a long one is to be seen in MLflow while it goes on
_start: Start | None = None  # set once, in a process that is a command
_later: dict[tuple[int, Path], threading.Timer] = {}  # by process (a forked child has no threads) and workspace
_noting, _sending = threading.Lock(), threading.Lock()


def by_courier(start: Start) -> None:
    """From now on this process leaves MLflow to the courier."""
    global _start
    _start = start


def wake_writer(settings: Resolved) -> None:
    """Have what was just spooled delivered, as the setting `delivery` says."""
    from gen_toolkit.tracking.writer import wake_thread

    if settings.settings.delivery == "later":
        return
    if _start is None or settings.settings.delivery == "wait" or _takes_all_with_it():
        wake_thread(settings)
        return
    key = (os.getpid(), settings.workspace.root)
    with _noting:
        if key not in _later:
            _later[key] = threading.Timer(_PAUSE, _send, [settings])
            _later[key].daemon = True
            _later[key].start()


def _takes_all_with_it() -> bool:
    """The first process of a container, or its only child: what they leave behind is killed at once."""
    return 1 in (os.getpid(), os.getppid())


def _send(settings: Resolved) -> None:
    """The courier is on its way, or was up already. Where neither can be, the next command does it."""
    from gen_toolkit.tracking.courier import take

    assert _start is not None, "asked only in a command"
    with _sending:
        with _noting:  # before the look at the lock: what is spooled after it is noted anew
            timer = _later.pop((os.getpid(), settings.workspace.root), None)
        if timer is None:
            return
        timer.cancel()
        with contextlib.suppress(OSError):
            lock = take(settings.workspace.records)
            if lock is not None:
                try:
                    _start(settings, lock)
                finally:
                    os.close(lock)


@atexit.register
def _at_exit() -> None:
    for (process, _), timer in list(_later.items()):
        if process == os.getpid():
            _send(*timer.args)
    with _sending:  # one that has begun ends
        pass
