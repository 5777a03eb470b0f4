"""A run whose supervisor is gone, or whose lease is over, is not running: the ledger says so, and so do its copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gen_toolkit.database.engine import Database, open_database
from gen_toolkit.ipynb import sweep
from gen_toolkit.jobs.ending import Ending, Measured
from gen_toolkit.jobs.execute import record_end, tell
from gen_toolkit.jobs.group import end_group
from gen_toolkit.jobs.ledger import Ledger, Reason, RunRow
from gen_toolkit.jobs.rows import LEASE, Lease
from gen_toolkit.jobs.steps import cell_under_way, cells_ran, read_steps
from gen_toolkit.process import end_marked, is_alive, is_here, marked, steady, this_process
from gen_toolkit.surface import RUN_MARK

GONE = Reason("the process that supervised it is gone; it was killed or the machine stopped")
SILENT = Reason("its supervisor has not been heard of for longer than its lease")
_NOT_AGAIN = "; the process that was to try it again is gone"
SURE = 20.0
"""Seconds for which a lease must be seen over and not renewed before `LeaseWatch` ends it: longer than a heartbeat's
pause, so that a clock that was set forward, or back, by hours takes no run away from who works on it."""


def reconcile() -> Sequence[RunRow]:
    """Put right what a killed supervisor left behind, at every command that looks at runs.

    Returns the runs that were found lost: some of them wait for their next attempt then. Where the database can
    only be read, nothing is done.
    """
    database = open_database()
    if database.place.is_read_only():
        return []
    now, under_way = Ledger(database).under_way()
    found = [run for run, process in under_way if _is_over(run, process, now) and _ended(database, run, process)]
    found += _given_up(Ledger(database))
    _tell_untold(database)
    return found


def as_seen(database: Database, found: Sequence[RunRow]) -> Sequence[RunRow]:
    """Runs for people, where nothing could be put right: what is gone does not run, whatever the record says."""
    if not any(run.state == "running" for run in found):
        return found
    _, under_way = Ledger(database).under_way()
    gone = {run.id for run, process in under_way if not is_alive(process)}
    return [replace(run, state="lost", reason=GONE) if run.id in gone else run for run in found]


class LeaseWatch:
    """For a process that stays: ends what nobody renews, also where the supervisor is there and stopped."""

    def __init__(self) -> None:
        self._since: dict[tuple[str | None, float], float] = {}

    def look(self) -> Sequence[RunRow]:
        """The runs whose leases are over for good."""
        database = open_database()
        now, under_way = Ledger(database).under_way()
        since, found = {}, []
        for run, process in under_way:
            if run.lease_until is None or now <= run.lease_until <= now + 2 * LEASE:
                continue
            key = (run.attempt, run.lease_until)
            since[key] = self._since.get(key, steady())
            if steady() - since[key] > SURE and _ended(database, run, process):
                found.append(run)
        self._since = since
        return found


def _is_over(run: RunRow, process: str, now: float) -> bool:
    """Gone for sure, or silent for so long that it has killed everything itself, if it was still there."""
    if not is_alive(process):
        return True
    silent = run.lease_until is not None and now > run.lease_until + LEASE
    return silent and not (is_here(process) and run.attempt and marked(RUN_MARK, run.attempt))


def _given_up(ledger: Ledger) -> Sequence[RunRow]:
    """Runs that wait for a process that is gone, or that has kept one waiting for longer than it said."""
    now, kept = ledger.kept()
    ended = []
    for run in kept:
        assert run.worker is not None, "whoever keeps it"
        assert run.lease_until is not None, "until then"
        is_over = not is_alive(run.worker) or (not is_here(run.worker) and now > run.lease_until + LEASE)
        reason = run.reason or Reason("")
        if is_over and ledger.give_up(run, replace(reason, message=f"{reason.message}{_NOT_AGAIN}".strip("; "))):
            ended.append(run)
    return ended


def _ended(database: Database, run: RunRow, process: str) -> bool:
    """End what is left of it on this machine, and only then say that it is lost."""
    lease = run.lease
    assert lease is not None, "under way"
    if is_here(process) and not end_marked(RUN_MARK, lease.attempt):
        return False
    if run.folder is not None and is_here(process):
        end_group(run.folder, lease.attempt)
        sweep(run.folder)
    ending = _lost(run, SILENT if is_alive(process) else GONE)
    if not record_end(database, lease, ending, run.folder, seen=run.lease_until):
        return False
    tell(database, lease)
    return True


def _lost(run: RunRow, why: Reason) -> Ending:
    """With what its runner left on record: nobody else is there to tell how far it came."""
    steps = read_steps(run.folder)
    return Ending("lost", replace(why, cell=cell_under_way(steps)), measured=Measured(cells=cells_ran(steps)))


def _tell_untold(database: Database) -> None:
    """Who died between the ledger and its copies."""
    ledger = Ledger(database)
    for attempt in ledger.untold():
        is_at_it = attempt.teller not in {None, this_process()} and is_alive(attempt.teller or "")
        if not is_at_it and ledger.take_telling(attempt):
            tell(database, Lease(attempt.run, attempt.id, attempt.number, attempt.token))
