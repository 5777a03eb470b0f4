"""Follow a run that another process executes, until it ends: from the ledger, the spool, the journal and its folder.

Nothing is asked of the run, and nothing is written: whoever follows may come and go.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gen_toolkit.database.engine import Database
from gen_toolkit.errors import DatabaseError
from gen_toolkit.events import ValueKept
from gen_toolkit.jobs.attempt_log import AttemptLog
from gen_toolkit.jobs.kept import fitted
from gen_toolkit.jobs.ledger import Filter, Ledger
from gen_toolkit.jobs.outcome import family_of
from gen_toolkit.jobs.reconcile import as_seen, reconcile
from gen_toolkit.jobs.rows import FAN_OUT, Attempt, RunRow
from gen_toolkit.journal.totals import totals
from gen_toolkit.tracking import spool

_PAUSE = 0.25  # seconds between two looks at the files
_LEDGER_EVERY = 1.0
_RECONCILE_EVERY = 5.0  # a supervisor may be killed at any time
_SHARE = 0.05  # at most this share of the time goes into summing up what was spent
_PATIENCE = 120.0  # seconds for which the database may be gone
_MOST_PARTS = 1000


def follow(database: Database, run: str, *, pause: Callable[[float], None] = time.sleep) -> Iterator[dict[str, Any]]:
    """What happens in the run with this id, as it happens; `{"event": "still"}` where nothing does.

    Besides the news of its attempts (see jobs/attempt_log.py): `waits` (`not_before`, `why`), `parts` (`ended`,
    `of`), `attempt` (`number`, `id`, `folder`), `kept` (`name`, `value`), `spent` (`calls`, `cost_usd`), and
    `attempt-ended` (`number`, `state`, `reason`, `seconds`). The last one is `ended` with `run`, the run's row.
    Raises DatabaseError where the database is gone for longer than two minutes.
    """
    following = _Following(database, run)
    while not following.is_over:
        yield from following.news()
        if not following.is_over:
            yield {"event": "still"}
            pause(_PAUSE)


class _Following:
    def __init__(self, database: Database, run: str) -> None:
        self._database, self._ledger = database, Ledger(database)
        self._run = self._ledger.find(run)
        self._attempts: Sequence[Attempt] = self._ledger.attempts(self._run.id)
        is_under_way = self._run.state == "running"
        self._told = max(0, len(self._attempts) - 1) if is_under_way else len(self._attempts)
        self._is_first = is_under_way
        self._log: AttemptLog | None = None
        self._announced: str | None = None
        self._kept = 0
        self._said: dict[str, Any] = {}
        self._next_look = self._next_sum = self._next_parts = self._next_reconcile = 0.0
        self._gone_since: float | None = None
        self.is_over = False

    def news(self) -> Iterator[dict[str, Any]]:
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + _LEDGER_EVERY
            self._look(now)
        for attempt in self._attempts[self._told :]:
            yield from self._news_of(attempt)
            if attempt.state == "running":
                break
            self._told += 1
        if self._run.is_open:
            yield from self._of_the_run(now)
        elif self._told == len(self._attempts):
            self.is_over = True
            yield {"event": "ended", "run": self._run.to_json()}

    def _look(self, now: float) -> None:
        """The run first: when it has ended, all its attempts are there."""
        try:
            if now >= self._next_reconcile:
                self._next_reconcile = now + _RECONCILE_EVERY
                reconcile()
            (self._run,) = as_seen(self._database, [self._ledger.find(self._run.id)])
            self._attempts = self._ledger.attempts(self._run.id)
            if self._run.state == "lost" and self._attempts and self._attempts[-1].state == "running":
                self._told = len(self._attempts)  # a database that can only be read does not know it yet
            self._gone_since = None
        except DatabaseError:
            self._gone_since = self._gone_since or now
            if now - self._gone_since > _PATIENCE:
                raise

    def _news_of(self, attempt: Attempt) -> Iterator[dict[str, Any]]:
        if self._announced != attempt.id:
            if attempt.folder is None and attempt.state == "running":
                return  # about to be made
            self._announced = attempt.id
            self._log = AttemptLog(attempt.folder, whole=not self._is_first) if attempt.folder else None
            self._is_first = False
            folder = None if attempt.folder is None else str(attempt.folder)
            yield {"event": "attempt", "number": attempt.number, "id": attempt.id, "folder": folder}
        has_ended = attempt.state != "running"
        if self._log is not None:
            yield from self._log.news(last=has_ended)
        yield from self._taken(attempt, last=has_ended)
        if has_ended:
            ended = attempt.to_json()
            told = {name: ended[name] for name in ("number", "state", "reason", "seconds")}
            yield {"event": "attempt-ended", **told}

    def _taken(self, attempt: Attempt, *, last: bool) -> Iterator[dict[str, Any]]:
        """What it has kept, and what it has spent so far."""
        now = time.monotonic()
        if now < self._next_sum and not last:
            return
        with contextlib.suppress(DatabaseError):  # told later, or with the end
            family = family_of(self._database, attempt.id)
            for number, event in spool.newer(self._database, family, ValueKept, self._kept):
                self._kept = number
                yield {
                    "event": "kept",
                    "name": event.name,
                    "value": fitted({event.name: event.value}, None)[event.name],
                }
            took = totals(self._database, *family)
            cost = None if took.cost is None else str(took.cost)
            yield from self._if_new({"event": "spent", "calls": took.calls, "cost_usd": cost})
        self._next_sum = time.monotonic() + max(_LEDGER_EVERY, (time.monotonic() - now) / _SHARE)

    def _of_the_run(self, now: float) -> Iterator[dict[str, Any]]:
        run = self._run
        if run.state == "queued":
            why = None if run.reason is None else run.reason.message
            yield from self._if_new({"event": "waits", "not_before": run.not_before, "why": why})
        elif run.kind == FAN_OUT and now >= self._next_parts:
            self._next_parts = now + _LEDGER_EVERY
            with contextlib.suppress(DatabaseError):
                parts = self._ledger.list(Filter(parent=run.id), limit=_MOST_PARTS)
                ended = sum(not part.is_open for part in parts)
                yield from self._if_new({"event": "parts", "ended": ended, "of": len(parts)})

    def _if_new(self, told: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if self._said.get(told["event"]) != told:
            self._said[told["event"]] = told
            yield told


def followed(database: Database, run: RunRow) -> Iterator[dict[str, Any]]:
    """The same for a run in hand; of one that has ended, its end."""
    if run.is_open:
        return follow(database, run.id)
    return iter([{"event": "ended", "run": run.to_json()}])
