"""gen serve: queues what is due, and has what waits executed by workers, until it is told to stop.

Whatever is killed, nothing runs twice: instants are unique in the ledger, runs are leased there, and a worker
finishes the run it has also when this process is gone. So this process may be started again, or twice.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from gen_toolkit.alerts.send import send
from gen_toolkit.database.engine import Database, open_database
from gen_toolkit.jobs.stops import Stops, stops
from gen_toolkit.jobs.workers import Workers
from gen_toolkit.locks import lock
from gen_toolkit.schedules.rounds import Rounds, Say
from gen_toolkit.settings import load_settings

_AFTER_CANCEL_S = 30.0
"""That cancelled runs have to end in order; the order to stop stays with them."""


@dataclass(frozen=True)
class Serving:
    """How to serve."""

    jobs: int = 2
    """Runs at once, of all who serve this workspace on this machine."""
    grace: float = 60.0
    """Seconds that running jobs have when it is told to stop; then they are cancelled."""
    worker: str = "gen_toolkit.releases.work"
    """The module that executes a run: see jobs/workers.py. Tests serve with one that needs no kernel."""
    warm: bool = True
    """Whether to keep a template up, so that workers and kernels start at once."""


def serve(serving: Serving, say: Say) -> None:
    """Returns when it was told to stop (SIGTERM, SIGINT, SIGHUP): takes nothing new, waits for what runs.

    Told again, or when the grace is over, it cancels what runs.
    """
    settings = load_settings()
    database = open_database(settings)
    with stops() as asked:
        if not _its_turn(database, asked, say):
            return
        workers = Workers(serving.worker, settings.workspace.prepare() / "serve", serving.jobs, settings.workspace)
        workers.watch(asked.fileno())
        rounds = Rounds(settings.workspace, database, workers, say, warm=serving.warm)
        over = threading.Event()
        sender = threading.Thread(target=send, args=(over,), name="gen_toolkit alerts", daemon=True)
        sender.start()
        say({"event": "serving", "jobs": serving.jobs, "process": os.getpid()})
        try:
            while not asked.count:
                rounds.look()
            _leave(workers, rounds, asked, serving.grace, say)
        finally:
            over.set()
            sender.join(5)
    say({"event": "stopped", "running": len(workers)})


def _its_turn(database: Database, asked: Stops, say: Say) -> bool:
    """Of those who serve one SQLite file one works, the others stand by. False: told to stop before its turn."""
    if database.path is None:
        return True
    path = Path(f"{database.path}.serve.lock")
    if lock(path) is not None:  # held until this process ends
        return True
    say({"event": "standing-by", "reason": f"another process serves {database.path}"})
    while not asked.count:
        if lock(path) is not None:
            return True
        time.sleep(0.2)
    return False


def _leave(workers: Workers, rounds: Rounds, asked: Stops, grace: float, say: Say) -> None:
    say({"event": "stopping", "running": len(workers.runs)})
    until = time.monotonic() + grace
    while len(workers) and asked.count < 2 and time.monotonic() < until:
        asked.heard()
        rounds.listen(min(1.0, until - time.monotonic()), None)
    if not len(workers):
        return
    say({"event": "cancelling", "running": len(workers.runs)})
    workers.stop()
    until = time.monotonic() + _AFTER_CANCEL_S
    while len(workers) and time.monotonic() < until:
        asked.heard()
        rounds.listen(1.0, None)
