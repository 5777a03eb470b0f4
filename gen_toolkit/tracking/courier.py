"""The courier: `python -m gen_toolkit.tracking.courier LOCK` brings to MLflow what waits in a workspace's spool.

A process of its own that outlives the command it was started by: nobody waits for it, and it holds nothing of
theirs. LOCK is the descriptor of a lock that it has from its first moment, so that there is one a workspace. It
stays for a moment after the last delivery, since more may come; killed, it leaves the rest to whoever is next.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import GenToolkitError
from gen_toolkit.locks import lock
from gen_toolkit.settings import Resolved, load_settings
from gen_toolkit.tracking.writer import count_ours, drain

LOCK = "courier.lock"
IDLE = 5.0
"""Seconds after the last delivery in which it waits for more."""
_PATIENCE = 300.0  # seconds with an MLflow that takes nothing; then it is left to the next command
_LOOKS_EVERY = 0.25
_LONGEST_PAUSE = 10.0
_AT_ONCE = 30.0
_NICENESS = 5  # of 19: runs come first, and MLflow still hears of them in time


def take(records: Path) -> int | None:
    """The lock, held through this descriptor and its copies; None while a courier is up.

    Whoever finds it up may rely on it: it looks once more after it has given the lock back.
    """
    return lock(records / LOCK)


def main() -> None:
    """Until nothing has come for a while. Ends at once, and makes nothing, where the workspace is gone."""
    held: int | None = int(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(_NICENESS)
    settings = load_settings()
    while held is not None:
        os.set_inheritable(held, False)
        all_is_told = _deliver_until_idle(settings, held)
        is_there = _is_there(settings, held)
        os.close(held)
        if not (all_is_told and is_there and _waits(settings)):
            return
        held = take(settings.workspace.records)


def _deliver_until_idle(settings: Resolved, held: int) -> bool:
    """Whether everything was delivered in the end."""
    told_at = time.monotonic()
    pause = _LOOKS_EVERY
    while _is_there(settings, held):
        waited = _waits(settings)
        left = waited and _drained(settings)
        if left < waited:
            told_at = time.monotonic()
        silent = time.monotonic() - told_at
        if left and silent > _PATIENCE:
            return False
        if not left and silent > IDLE:
            return True
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE) if left else _LOOKS_EVERY
    return False


def _is_there(settings: Resolved, held: int) -> bool:
    """Whether the workspace is still where it was: a folder that was deleted must not come back."""
    with contextlib.suppress(OSError):
        return os.path.samestat(os.fstat(held), os.stat(settings.workspace.records / LOCK))
    return False


def _waits(settings: Resolved) -> int:
    with contextlib.suppress(GenToolkitError):
        return count_ours(open_database(settings), settings)
    return 1


def _drained(settings: Resolved) -> int:
    """How many events still wait after a try."""
    try:
        return drain(settings, seconds=_AT_ONCE)
    except Exception:  # noqa: BLE001 - MLflow and its stores fail in many ways; what waits is tried again
        return 1


if __name__ == "__main__":
    main()
