"""What has come due goes to the ledger: once for each pipeline and instant, whoever asks and however often."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import insert_new, select
from gen_toolkit.database.tables import marks, runs
from gen_toolkit.events import JobsMissed, emit
from gen_toolkit.jobs.ledger import Ledger, Reason
from gen_toolkit.jobs.rows import OPEN
from gen_toolkit.releases.pipeline import Pipeline
from gen_toolkit.schedules.asked import Asked
from gen_toolkit.schedules.plan import Decision, plan
from gen_toolkit.timing.schedule import Schedule

_JITTER = 5
"""Seconds that the clocks of two who serve, or two readings of one, may lie apart."""


@dataclass(frozen=True)
class Noted:
    """What was put on record about an instant, for the log."""

    pipeline: str
    what: Literal["queued", "skipped", "clock"]
    instant: int
    run: str = ""
    reason: str = ""
    count: int = 1

    def to_json(self) -> dict[str, Any]:
        event = {"event": self.what, **asdict(self)}
        return {name: value for name, value in event.items() if name != "what"}


def submit_due(database: Database, pipeline: Pipeline, schedule: Schedule, at: int) -> Iterator[Noted]:
    """Queue, or record as skipped, every instant of the schedule that has come since it was last looked at.

    `at`: the moment by the database's clock, which may jump: what comes again is in the ledger already. What is
    looked at for the first time (new, or its timing changed) begins now: nothing before was missed.
    """
    seen = _read_mark(database, pipeline, schedule, at)
    if seen is None:
        write_mark(database, pipeline, schedule, at)
        return
    if at < seen - _JITTER:
        write_mark(database, pipeline, schedule, at)
        yield Noted(pipeline.name, "clock", at, reason=f"the clock went back by {seen - at} s")
        return
    if next(schedule.between(seen, at), None) is None:
        return
    if not schedule.paused:
        decisions = plan(schedule, seen, at, busy=_is_busy(database, pipeline.name))
        yield from _record(Ledger(database), pipeline, schedule, decisions)
    write_mark(database, pipeline, schedule, at)


def _record(ledger: Ledger, pipeline: Pipeline, schedule: Schedule, decisions: list[Decision]) -> Iterator[Noted]:
    asked = Asked.of(pipeline).runs(schedule, [decision.instant for decision in decisions])
    missed: list[tuple[Decision, str]] = []
    for decision, (run, problem) in zip(decisions, asked, strict=True):
        reason = decision.skip or problem
        if reason:
            if ledger.skip(run, Reason(reason)):
                yield Noted(pipeline.name, "skipped", decision.instant, run.id, reason, decision.covers)
                if not decision.overlap:
                    missed.append((decision, run.id))
        elif ledger.submit(run):
            yield Noted(pipeline.name, "queued", decision.instant, run.id)
    if missed:
        last, run_id = missed[-1]
        first = min(decision.instant for decision, _ in missed)
        count = sum(decision.covers for decision, _ in missed)
        emit(JobsMissed(run=run_id, name=pipeline.name, first=first, last=last.instant, count=count))


def _is_busy(database: Database, name: str) -> bool:
    query = select(runs.c.id).where(runs.c.name == name, runs.c.kind == "job", runs.c.state.in_(OPEN)).limit(1)
    with database.read() as connection:
        return connection.execute(query).first() is not None


def _read_mark(database: Database, pipeline: Pipeline, schedule: Schedule, at: int) -> int | None:
    """The moment up to which the schedule was looked at; None: never, or another timing held since."""
    query = select(marks.c.name, marks.c.at).where(marks.c.name.startswith(_mark_of(pipeline), autoescape=True))
    with database.read() as connection:
        found = {row.name: row.at for row in connection.execute(query)}
    seen = found.get(_mark(pipeline, schedule))
    if seen is None or any(seen < other <= at for other in found.values()):  # a later one is of a clock that was ahead
        return None
    return int(seen)


def write_mark(database: Database, pipeline: Pipeline, schedule: Schedule, at: int) -> None:
    """It was looked at up to `at`: nothing that was due until then is looked at again."""
    name = _mark(pipeline, schedule)
    with database.write() as connection:
        insert_new(connection, marks, [{"name": name, "at": float(at)}])  # another may be first
        connection.execute(marks.update().where(marks.c.name == name).values(at=float(at)))


def _mark(pipeline: Pipeline, schedule: Schedule) -> str:
    """With another timing it is another schedule, and begins anew."""
    return f"{_mark_of(pipeline)}{schedule.timing}"


def _mark_of(pipeline: Pipeline) -> str:
    return f"schedule:{pipeline.name}:"
