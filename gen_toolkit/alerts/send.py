"""The process that delivers alerts: apart from the job that caused them, gone when none waits any more."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path

from gen_toolkit.locks import lock
from gen_toolkit.scope import ROOT_MARK
from gen_toolkit.surface import RUN_MARK

_LOOKS_EVERY_S = 5.0
_NOT_OURS = (RUN_MARK, ROOT_MARK)  # the marks by which everything of a run is found and ended


def start_sender(workspace: Path) -> None:
    """Have what waits delivered by a process of its own, which outlives this one. Takes a tenth of a second."""
    subprocess.run(
        [sys.executable, "-m", "gen_toolkit.alerts.send", "--apart"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=workspace,
        env={**{k: v for k, v in os.environ.items() if k not in _NOT_OURS}, "GEN_TOOLKIT_WORKSPACE": str(workspace)},
        timeout=30,
        check=False,
    )


def send(stop: threading.Event | None = None) -> None:
    """Deliver until none waits, or the workspace is gone; with `stop`, until it is set.

    Of all processes that were started for a workspace one waits for the next try: the others end when they have
    tried what was due.
    """
    from gen_toolkit.alerts import outbox
    from gen_toolkit.alerts.deliver import deliver_due, log_file
    from gen_toolkit.database.engine import open_database
    from gen_toolkit.errors import GenToolkitError
    from gen_toolkit.settings import load_settings

    settings = load_settings()
    database = open_database(settings)
    log = log_file(settings)
    duty = None if stop is not None else _Duty(settings.workspace.records / "alerts.lock")
    resting = stop or threading.Event()
    while not resting.is_set():
        if duty is not None and not settings.workspace.records.is_dir():
            return  # deleted or moved: nothing is made anew there
        try:
            settings = load_settings()
            deliver_due(settings, database, log)
            left = outbox.wait_s(database, settings.workspace.root)
        except GenToolkitError as error:
            if duty is not None:
                log(f"stopped: {error}")
                raise
            left = _LOOKS_EVERY_S  # the database is away, or the settings are half saved; who serves goes on
        if duty is not None:
            if left is None and duty.leave():
                continue  # once more, since others have ended trusting in it
            if left is None or not duty.take():
                return
        resting.wait(_LOOKS_EVERY_S if left is None else min(max(left, 0.05), _LOOKS_EVERY_S))


class _Duty:
    """To wait for the next try: of one process at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: int | None = None

    def take(self) -> bool:
        """Whether it is this process's."""
        if self._held is None:
            with contextlib.suppress(FileNotFoundError):  # the workspace has just gone
                self._held = lock(self._path)
        return self._held is not None

    def leave(self) -> bool:
        """Whether it was this process's."""
        held, self._held = self._held, None
        if held is None:
            return False
        os.close(held)
        return True


def main() -> None:
    if "--apart" in sys.argv:
        if os.fork():
            return
        os.setsid()
    send()


if __name__ == "__main__":
    main()
