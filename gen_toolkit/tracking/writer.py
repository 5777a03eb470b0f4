"""The writer: brings the spool to MLflow. One at a time, elected among those who share
the database.

In a notebook or script it is a background thread; what commands and jobs leave is brought by the courier
(`courier.py`); every `gen` command that looks at MLflow runs it first. MLflow slow, down or wrong never stops
the work: events wait.
"""

from __future__ import annotations

import atexit
import concurrent.futures.thread  # noqa: F401 - MLflow uses it; it cannot be loaded any more while we exit
import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from gen_toolkit import text
from gen_toolkit.collecting import collected_rarely
from gen_toolkit.database.engine import Database, open_database
from gen_toolkit.events import RunEnded, RunStarted
from gen_toolkit.locks import lock
from gen_toolkit.process import is_alive
from gen_toolkit.settings import Resolved, load_settings
from gen_toolkit.tracking import spool
from gen_toolkit.tracking.deliver import Delivery, deliver
from gen_toolkit.tracking.store import is_lasting

PROCESS_TAG = "gen_toolkit.process"
_PAUSE_WHEN_DOWN = 5.0
_GATHER = 0.3  # seconds in which more comes: what a cell ends with is written down before MLflow takes the interpreter
_PATIENCE_AT_EXIT = 15.0


def drain(settings: Resolved | None = None, *, seconds: float = 30.0) -> int:
    """Deliver what waits, for at most about `seconds`; returns how many events still wait."""
    settings = settings or load_settings()
    database = open_database(settings)
    until = time.monotonic() + seconds
    pause = 0.05
    while time.monotonic() < until:
        with _elected(settings) as here, database.elected("deliver") as elected:
            if here and elected:
                _close_orphans(database)
                with collected_rarely():  # the table of an evaluation is tens of thousands of objects, all in use
                    return _deliver_all(database, settings, until)
        if not count_ours(database, settings):
            return 0
        time.sleep(pause)  # another process writes: let it, also where there are twenty of us
        pause = min(pause * 1.5, 0.4)
    return count_ours(database, settings)


def count_ours(database: Database, settings: Resolved) -> int:
    """How many events wait that a writer of this workspace can deliver."""
    return spool.count_waiting(database, without=_foreign(database, settings))


def _foreign(database: Database, settings: Resolved) -> list[str]:
    """Of a database that machines share: stores in files of another workspace, which only its own writer finds."""
    if database.path is not None:
        return []
    ours = (settings.tracking_uri, f"sqlite:///{settings.workspace.root}/")
    return [uri for uri in spool.uris_waiting(database) if uri.startswith("sqlite:") and not uri.startswith(ours)]


@contextlib.contextmanager
def _elected(settings: Resolved) -> Iterator[bool]:
    """Whether this process is the one of this workspace; processes of one machine agree by a lock on a file."""
    held = lock(settings.workspace.prepare() / "writer.lock")
    try:
        yield held is not None
    finally:
        if held is not None:
            os.close(held)


def _deliver_all(database: Database, settings: Resolved, until: float) -> int:
    down = _foreign(database, settings)
    ways: dict[tuple[str, str], Delivery] = {}
    while time.monotonic() < until:
        batch = spool.waiting(database, without=down)
        if not batch:
            break
        for item in batch:
            if item.uri in down or time.monotonic() > until:
                continue
            _deliver_one(database, settings, item, ways, down)
    return count_ours(database, settings)


def _deliver_one(
    database: Database,
    settings: Resolved,
    item: spool.Waiting,
    ways: dict[tuple[str, str], Delivery],
    down: list[str],
) -> None:
    try:
        way = (item.uri, item.experiment)
        if way not in ways:
            ways[way] = Delivery(*way, artifacts=str(settings.workspace.records / "artifacts"))
        deliver(item.event, ways[way], database)
    except Exception as error:  # noqa: BLE001 - MLflow and its stores fail in many ways; none may stop us
        if is_lasting(error):
            spool.delivered(database, [item.id], problem=text.one_line(error, 500))
        else:
            down.append(item.uri)
        return
    spool.delivered(database, [item.id])


def _close_orphans(database: Database) -> None:
    """A run whose process is gone is not running: say so."""
    for item in spool.open_runs(database):
        started = item.event
        process = started.tags.get(PROCESS_TAG) if isinstance(started, RunStarted) else None
        if process and not is_alive(process):
            assert isinstance(started, RunStarted)
            end = RunEnded(run=started.run, state="succeeded" if started.run_kind == "session" else "lost")
            spool.put(database, end, item.uri, item.experiment)  # where it started, wherever MLflow is now


class _Writer:
    """The background thread of a notebook or script."""

    def __init__(self, settings: Resolved) -> None:
        self._settings = settings
        self._work = threading.Event()
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gen_toolkit writer", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        self._work.set()

    def stop(self) -> None:
        self._leave.set()
        self._work.set()
        self._thread.join(_PATIENCE_AT_EXIT)

    def _run(self) -> None:
        while True:
            self._work.wait()
            self._leave.wait(_GATHER)
            leaving = self._leave.is_set()  # asked before: what came while we drained must go out, too
            self._work.clear()
            left = self._drain()
            if leaving:
                return
            if left:
                self._leave.wait(_PAUSE_WHEN_DOWN)
                self._work.set()

    def _drain(self) -> int:
        try:
            return drain(self._settings)
        except Exception:  # noqa: BLE001 - a full disk, a locked database: the thread must live to try again
            return 1


_lock = threading.Lock()
_writers: dict[tuple[int, Path], _Writer] = {}  # by process (a forked child has no threads) and workspace


def wake_thread(settings: Resolved) -> None:
    """Have what was just spooled delivered soon, by a thread of this process."""
    key = (os.getpid(), settings.workspace.root)
    with _lock:
        if key not in _writers:
            _writers[key] = _Writer(settings)
        _writers[key].wake()


@atexit.register
def _at_exit() -> None:
    for (process, _), writer in list(_writers.items()):
        if process == os.getpid():
            writer.stop()
