"""One look after the other at what is due and what waits, by a process that serves."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from gen_toolkit.database.engine import Database
from gen_toolkit.errors import DatabaseError, GenToolkitError
from gen_toolkit.jobs.ledger import Ledger
from gen_toolkit.jobs.reconcile import LeaseWatch, reconcile
from gen_toolkit.jobs.warm.keep import keep_warm
from gen_toolkit.jobs.workers import Workers
from gen_toolkit.releases.pipeline import Pipeline
from gen_toolkit.schedules.declared import scheduled
from gen_toolkit.schedules.due import submit_due
from gen_toolkit.schedules.waiting import could_start
from gen_toolkit.settings import load_settings
from gen_toolkit.timing.schedule import Schedule
from gen_toolkit.workspace import Workspace

_TICK_S = 1.0
"""Between two looks, at most; an instant that comes sooner is waited for exactly."""
_KEEP_UP_S = 15.0

Say = Callable[[dict[str, Any]], None]


class Rounds:
    """What serving remembers from one look to the next: nothing that another process would need."""

    def __init__(self, workspace: Workspace, database: Database, workers: Workers, say: Say, *, warm: bool) -> None:
        self._workspace = workspace
        self._database = database
        self._ledger = Ledger(database)
        self._workers = workers
        self._say = say
        self._warm = warm
        self._kept = float("-inf")
        self._leases = LeaseWatch()
        self._problems: dict[str, str] = {}
        """What was wrong at the last look, by pipeline: said once."""
        self._overrides: dict[str, str] = {}
        """What the ledger says in the place of pipeline.toml, by pipeline: said once."""

    def look(self) -> None:
        """Queue what is due, start workers for what waits, listen until there is something to do again."""
        wait = _TICK_S
        orders: dict[str, Any] | None = None
        try:
            load_settings()  # while they cannot be read no worker could begin, either
            schedules = self._schedules()
            at = int(self._ledger.now())
            for name, (pipeline, schedule) in schedules.items():
                self._queue(name, pipeline, schedule, at)
            self._keep_up()
            orders = {"apart": list(schedules)}
            self._start(list(schedules))
            wait = min([wait, *(_until_next(schedule) for _, schedule in schedules.values())])
            self._problem("", None)
        except GenToolkitError as error:
            # database or settings come back, or somebody stops us; what runs proves its lease itself
            self._problem("", error)
        self.listen(wait, orders)

    def listen(self, seconds: float, orders: Mapping[str, Any] | None) -> None:
        """Tell what workers say. Those that are ready are let go with `orders`; without, they are sent away."""
        for message in self._workers.listen(seconds, lambda: orders):
            if message["event"] != "gone" or message["status"] != 0:
                self._say(message)

    def _schedules(self) -> dict[str, tuple[Pipeline, Schedule]]:
        found = {}
        for name, (pipeline, schedule) in scheduled(self._workspace).items():
            if isinstance(schedule, GenToolkitError):
                self._problem(name, schedule)
            else:
                found[name] = (pipeline, schedule)
        return found

    def _queue(self, name: str, pipeline: Pipeline, schedule: Schedule, at: int) -> None:
        try:
            self._tell_override(name, pipeline)
            for noted in submit_due(self._database, pipeline, schedule, at):
                self._say(noted.to_json())
            self._problem(name, None)
        except DatabaseError:
            raise
        except GenToolkitError as error:
            self._problem(name, error)

    def _tell_override(self, name: str, pipeline: Pipeline) -> None:
        standing = pipeline.standing
        said = str(standing) if standing.override else ""
        if self._overrides.get(name, "") != said:
            self._overrides[name] = said
            self._say({"event": "live", "pipeline": name, "release": str(standing)})

    def _keep_up(self) -> None:
        """Now and then: the template, and what killed processes left behind."""
        if time.monotonic() - self._kept < _KEEP_UP_S:
            return
        self._kept = time.monotonic()
        if self._warm:
            keep_warm(self._workspace)
        for run in [*reconcile(), *self._leases.look()]:
            self._say({"event": "lost", "pipeline": run.name, "run": run.id})

    def _start(self, apart: list[str]) -> None:
        for _ in range(could_start(self._database, apart) - self._workers.without_run):
            if not self._workers.start():
                return

    def _problem(self, name: str, error: GenToolkitError | None) -> None:
        if error is None:
            self._problems.pop(name, None)
        elif self._problems.get(name) != str(error):
            self._problems[name] = str(error)
            self._say({"event": "problem", "pipeline": name, "reason": str(error)})


def _until_next(schedule: Schedule) -> float:
    """Seconds; what the clock does meanwhile is seen at the next look."""
    now = time.time()
    return max(0.0, next(schedule.after(int(now))) - now)
