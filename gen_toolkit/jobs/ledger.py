"""The ledger: what every run is and how it ended. It is the truth; notebooks, MLflow and logs are copies.

A run is asked for once (`submit`) and executed by whoever has claimed it (`claim`, `begin`, `resume`): that is
an attempt. A claim is a lease: for so many seconds by the database's clock the run is its holder's, who renews
it (`beat`). Each claim raises the run's token, and what is written under an older one is refused: so a process
that wakes up after its lease has run out changes nothing. How an attempt ended is never overwritten.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import select
from gen_toolkit.database.tables import attempts, runs
from gen_toolkit.jobs import ledger_claims as claims
from gen_toolkit.jobs import ledger_leases as leases
from gen_toolkit.jobs import ledger_looks as looks
from gen_toolkit.jobs.ledger_leases import Again as Again
from gen_toolkit.jobs.ledger_leases import Word as Word
from gen_toolkit.jobs.ledger_looks import Filter as Filter
from gen_toolkit.jobs.rows import LEASE, Attempt, Ended, Lease, NewRun
from gen_toolkit.jobs.rows import Reason as Reason
from gen_toolkit.jobs.rows import RunRow as RunRow
from gen_toolkit.jobs.rows import State as State
from gen_toolkit.jobs.rows import short as short
from gen_toolkit.process import this_process


class Ledger:
    """Runs in the workspace database. Every method is one transaction, and raises DatabaseError where it fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def submit(self, run: NewRun) -> bool:
        """Ask for a run. False where its name has one for that instant already."""
        with self._database.write() as connection:
            return claims.insert(connection, run, "queued")

    def skip(self, run: NewRun, reason: Reason) -> bool:
        """Put on record that a run does not take place. False where its name has one for that instant already."""
        with self._database.write() as connection:
            return claims.insert(connection, run, "skipped", reason)

    def begin(
        self,
        run: NewRun,
        *,
        worker: str | None = None,
        ttl: float = LEASE,
        attempt: str | None = None,
        folder: Path | None = None,
        parts: Sequence[NewRun] = (),
    ) -> Lease | None:
        """Ask for a run and have it at once. None where its name has one for that instant already.

        `attempt` and `folder`: id of its first attempt, and where that has its files, where they are there already.
        `parts` are asked for with it, all or none.
        """
        with self._database.write() as connection:
            if not claims.insert(connection, run, "queued"):
                return None
            for part in parts:
                claims.insert(connection, part, "queued")
            return claims.take(connection, run.id, worker or this_process(), ttl, attempt, folder)

    def claim(
        self,
        worker: str,
        slots: int,
        *,
        ttl: float = LEASE,
        parent: str | None = None,
        apart: Collection[str] = (),
    ) -> Sequence[Lease]:
        """Up to `slots` of the jobs that wait and are to start by now, those first that were asked for first.

        Parts of `parent`; without it runs that are no part of another. Of the names in `apart` no two runs
        are under way at once.
        """
        if slots < 1:
            return []
        with self._database.write() as connection:
            return claims.claim(connection, worker, slots, ttl, parent, apart)

    def take(self, run: str, *, worker: str | None = None, ttl: float = LEASE) -> Lease | None:
        """One run that waits, also for its next attempt. None where another has it, or it waits no longer."""
        with self._database.write() as connection:
            return claims.take(connection, run, worker or this_process(), ttl)

    def resume(self, run: str, *, worker: str | None = None, ttl: float = LEASE) -> Lease:
        """A run that did not succeed, for one more attempt. Of two who ask at once one gets it.

        Raises ResumeRefused where it is under way, or there is nothing to resume, and NotFound.
        """
        with self._database.write() as connection:
            return claims.resume(connection, run, worker or this_process(), ttl)

    def beat(self, lease: Lease) -> Word:
        """Renew the lease from now on. `cancel`: renewed, and somebody wants it to stop. `lost`: it is over."""
        with self._database.write() as connection:
            return leases.beat(connection, lease)

    def record(self, lease: Lease, *, folder: Path | None = None, process: str | None = None) -> bool:
        """Where an attempt has its files, and which process supervises it. False where the lease is lost."""
        with self._database.write() as connection:
            return leases.record(connection, lease, folder, process)

    def finish(
        self,
        lease: Lease,
        state: Ended,
        reason: Reason | None = None,
        outcome: Mapping[str, Any] | None = None,
        *,
        total: Mapping[str, Any] | None = None,
        again: Again | None = None,
        seen: float | None = None,
    ) -> bool:
        """How an attempt ended, and what it brought; `total` is what the whole run did, where that is more.

        False where the lease is lost: then nothing is changed. With `again` the run waits for its next
        attempt, unless it is to be cancelled. With `seen` (a `lease_until`) only if nobody renewed it since.
        """
        outcome = outcome or {}
        with self._database.write() as connection:
            return leases.finish(connection, lease, state, reason, outcome, total or outcome, again, seen)

    def cancel(self, run: str) -> str:
        """Cancel what waits, ask what runs to stop, with all its parts; returns the run's state. Raises NotFound."""
        with self._database.write() as connection:
            return leases.cancel(connection, run)

    def give_up(self, run: RunRow, reason: Reason) -> bool:
        """End a run that waits for its next attempt, as the last one did; untold. False where it is no longer so."""
        with self._database.write() as connection:
            return leases.give_up(connection, run, reason)

    def ended(self, before: float) -> Sequence[RunRow]:
        """The runs that ended before that instant, the oldest first; of a run with parts, when all of them did."""
        with self._database.read() as connection:
            return looks.ended(connection, before)

    def purge(self, runs: Sequence[str], before: float) -> Mapping[str, Sequence[Path]]:
        """Forget those of the runs that ended before that instant: by id, the folders of its attempts, to go, too.

        One that was taken up again meanwhile stays.
        """
        with self._database.write() as connection:
            return looks.purge(connection, runs, before)

    def find(self, prefix: str) -> RunRow:
        """The run whose id, or the id of one of whose attempts, begins so. Raises NotFound, also for several."""
        with self._database.read() as connection:
            return looks.find(connection, prefix)

    def list(self, which: Filter | None = None, *, limit: int = 20) -> Sequence[RunRow]:
        """The newest first."""
        with self._database.read() as connection:
            return [looks.run_of(row) for row in connection.execute(looks.page(which or Filter(), limit))]

    def attempts(self, run: str) -> Sequence[Attempt]:
        """The executions of a run, in their order."""
        with self._database.read() as connection:
            return looks.attempts_of(connection, run)

    def told(self, attempt: str) -> None:
        """The end of an attempt is in the spool now, for MLflow."""
        with self._database.write() as connection:
            connection.execute(attempts.update().where(attempts.c.id == attempt).values(told=1))

    def take_telling(self, attempt: Attempt) -> bool:
        """Have the telling of an end whose teller is gone. Of two who ask at once one gets it."""
        seen = attempts.c.teller.is_(None) if attempt.teller is None else attempts.c.teller == attempt.teller
        mine = attempts.update().where(attempts.c.id == attempt.id, attempts.c.told == 0, seen)
        with self._database.write() as connection:
            return bool(connection.execute(mine.values(teller=this_process())).rowcount)

    def untold(self) -> Sequence[Attempt]:
        """Attempts that ended, and whose end is not known to be in the spool."""
        query = select(attempts).where(attempts.c.told == 0, attempts.c.state != "running").order_by(attempts.c.id)
        with self._database.read() as connection:
            return [looks.attempt_of(row) for row in connection.execute(query)]

    def under_way(self) -> tuple[float, Sequence[tuple[RunRow, str]]]:
        """The database's time, and all runs that are said to be under way, with the process that supervises each."""
        query = (
            select(runs, attempts.c.process)
            .join(attempts, attempts.c.id == runs.c.attempt)
            .where(runs.c.state == "running")
            .order_by(runs.c.id)
        )
        with self._database.read() as connection:
            found = connection.execute(query).all()
            return claims.time_of(connection), [(looks.run_of(row), row.process) for row in found]

    def kept(self) -> tuple[float, Sequence[RunRow]]:
        """The database's time, and all runs that wait for an attempt which their worker means to make itself."""
        query = select(runs).where(runs.c.state == "queued", runs.c.lease_until.is_not(None)).order_by(runs.c.id)
        with self._database.read() as connection:
            found = connection.execute(query).all()
            return claims.time_of(connection), [looks.run_of(row) for row in found]

    def now(self) -> float:
        """Seconds since 1970 by the database's clock."""
        with self._database.read() as connection:
            return claims.time_of(connection)
