"""The parts of a fan-out under way: started while places are free, waited for, collected, told."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import DatabaseError
from gen_toolkit.events import FileRecorded, emit
from gen_toolkit.jobs.execute import tell
from gen_toolkit.jobs.heartbeat import beating
from gen_toolkit.jobs.ledger import Filter, Ledger, Reason, RunRow
from gen_toolkit.jobs.orders import Orders
from gen_toolkit.jobs.patience import insist
from gen_toolkit.jobs.reconcile import reconcile
from gen_toolkit.jobs.rows import Ended, Lease
from gen_toolkit.jobs.stops import Stops, stops
from gen_toolkit.jobs.tell import tell_start
from gen_toolkit.jobs.workers import Workers
from gen_toolkit.process import this_process
from gen_toolkit.releases.collected import Collected, collect, write
from gen_toolkit.releases.parts import MOST
from gen_toolkit.settings import load_settings

WORKER = "gen_toolkit.releases.work"
_TICK_S = 1.0
_RECONCILE_S = 20.0
_AFTER_CANCEL_S = 30.0
_STILLBORN = 5
"""So many workers that ended before they had a run, and the fan-out gives up."""

Progress = Callable[[int, int, str], None]
"""Told of (parts that ended, of how many, how they ended)."""


@dataclass(frozen=True)
class Spread:
    """A fan-out that ended, its parts, and the signal that ended it, if one did."""

    run: RunRow
    collected: Collected
    signal: int | None = None


def carry_out_parts(lease: Lease, *, jobs: int, progress: Progress, again: Sequence[str] = ()) -> Spread:
    """Execute the parts of a parent that this process has the lease of, those in `again` once more; record the end."""
    settings = load_settings()
    database = open_database(settings)
    ledger = Ledger(database)
    folder = settings.workspace.prepare() / "runs" / lease.attempt
    folder.mkdir(parents=True, mode=0o700)
    ledger.record(lease, folder=folder, process=this_process())
    run = ledger.find(lease.run)
    tell_start(run, lease, settings)
    workers = Workers(WORKER, folder / "places", jobs, settings.workspace)
    with stops() as asked, beating(ledger, lease) as heartbeat:
        heartbeat.start()
        under_way = _UnderWay(ledger, lease.run, workers, progress)
        state, reason = under_way.wait(deque({"resume": part} for part in again), asked, heartbeat.orders)
        collected = collect(ledger.list(Filter(parent=lease.run), limit=MOST))
        many = len(collected.rows)
        say = partial(progress, many, many)
        if state is not None and insist(partial(_finish, ledger, lease, state, reason, collected, folder), say):
            insist(partial(tell, database, lease), say)
    return Spread(ledger.find(lease.run), collected, asked.signal)


class _UnderWay:
    """Which parts have been given to workers; the ledger knows all the rest."""

    def __init__(self, ledger: Ledger, parent: str, workers: Workers, progress: Progress) -> None:
        self._ledger, self._parent, self._workers, self._progress = ledger, parent, workers, progress
        self._given: set[str] = set()
        self._stillborn = 0
        self._reconciled = time.monotonic()

    def wait(self, waiting: deque[dict[str, str]], asked: Stops, orders: Orders) -> tuple[Ended | None, Reason | None]:
        """Until every part has ended. The parent's state; None: another has the parent now."""
        self._workers.watch(asked.fileno())
        while True:
            try:
                left = self._look(waiting)
            except DatabaseError:
                left = True  # it comes back, or the heartbeat gives the parent up
            if orders.stopped is not None and orders.stopped.state == "lost":
                return None, None
            if asked.count or orders.stopped is not None:
                return self._cancel(asked)
            if self._stillborn >= _STILLBORN:
                where = self._workers.log
                self._cancel(asked)
                return "failed", Reason(f"workers ended before they had begun: see {where}")
            if not left and not waiting and not len(self._workers):
                return self._state()
            for _ in range(len(waiting) - self._workers.waiting):
                if not self._workers.start():
                    break
            self._listen(_TICK_S, waiting)

    def _look(self, waiting: deque[dict[str, str]]) -> bool:
        """Have what waits in the ledger given to workers. Whether any part is open."""
        if time.monotonic() - self._reconciled > _RECONCILE_S:
            self._reconciled = time.monotonic()
            reconcile()
        parts = self._ledger.list(Filter(parent=self._parent), limit=MOST)
        now = self._ledger.now()
        if not waiting and not self._workers.without_run:
            self._given.clear()  # whoever was given a part and has not claimed it is gone
        for part in sorted(parts, key=lambda one: one.id):
            ready = part.state == "queued" and (part.not_before or 0.0) <= now and (part.lease_until or 0.0) <= now
            if ready and part.id not in self._given:
                self._given.add(part.id)
                waiting.append({"take": part.id})
        ended = [part for part in parts if not part.is_open]
        failed = sum(part.state != "succeeded" for part in ended)
        self._progress(len(ended), len(parts), f"{failed} failed" if failed else "")
        return len(ended) < len(parts)

    def _listen(self, seconds: float, waiting: deque[dict[str, str]]) -> None:
        for message in self._workers.listen(seconds, lambda: waiting.popleft() if waiting else None):
            if message["event"] == "gone" and message["run"] is None and message["status"]:
                self._stillborn += 1
            elif message["event"] == "claimed":
                self._stillborn = 0

    def _cancel(self, asked: Stops) -> tuple[Ended, Reason]:
        insist(partial(self._ledger.cancel, self._parent), partial(self._progress, 0, 0))
        self._workers.stop()
        until = time.monotonic() + _AFTER_CANCEL_S
        while len(self._workers) and time.monotonic() < until:
            asked.heard()
            self._listen(_TICK_S, deque())
        return "cancelled", Reason("cancelled, with the parts that had not ended")

    def _state(self) -> tuple[Ended, Reason | None]:
        parts = self._ledger.list(Filter(parent=self._parent), limit=MOST)
        failed = sum(part.state != "succeeded" for part in parts)
        if not failed:
            return "succeeded", None
        return "failed", Reason(f"{failed} of {len(parts)} parts did not succeed")


def _finish(
    ledger: Ledger, lease: Lease, state: Ended, reason: Reason | None, collected: Collected, folder: Path
) -> bool:
    write(collected, folder)
    emit(FileRecorded(run=lease.run, file="parts.json", content=(folder / "parts.json").read_text("utf-8")))
    emit(FileRecorded(run=lease.run, file="parts.csv", content=(folder / "parts.csv").read_text("utf-8")))
    outcome: dict[str, Any] = {
        "kept": {},
        "parts": collected.states,
        "table": str(folder / "parts.csv"),
        "cost_usd": collected.cost,
    }
    return ledger.finish(lease, state, reason, outcome)
