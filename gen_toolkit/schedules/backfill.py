"""Run the instants of a past window: each once, also those that were missed; what ran already does not run again."""

from __future__ import annotations

import json

from gen_toolkit import text
from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import select
from gen_toolkit.database.tables import runs
from gen_toolkit.errors import InputError, ReleaseError
from gen_toolkit.jobs.ledger import Ledger
from gen_toolkit.jobs.rows import NewRun
from gen_toolkit.releases.pipeline import Pipeline
from gen_toolkit.schedules.asked import Asked
from gen_toolkit.schedules.due import Noted
from gen_toolkit.timing.schedule import Schedule

MOST = 10_000


def backfill(database: Database, pipeline: Pipeline, schedule: Schedule, begin: int, end: int) -> list[Noted]:
    """Queue every instant from `begin` to `end`, both included; `skipped` are those that are in the ledger already.

    Raises ReleaseError or ParameterError where the live release cannot run them, InputError for a window
    with more than MOST instants or with none.
    """
    instants: list[int] = []
    for instant in schedule.between(begin - 1, end):
        if len(instants) == MOST:
            raise InputError(f"more than {MOST} instants lie in this window", fix="Fill it in several parts.")
        instants.append(instant)
    if not instants:
        raise InputError(
            f"{pipeline.name} was never due in this window", fix=f"See: gen schedule preview {pipeline.name}"
        )
    ledger = Ledger(database)
    noted = []
    for instant, (run, problem) in zip(instants, Asked.of(pipeline).runs(schedule, instants), strict=True):
        if problem:
            raise ReleaseError(f"{pipeline.name} cannot run: {problem}", fix=f"Try: gen run {pipeline.name}")
        queued = run.id if ledger.submit(run) else _revived(database, run)
        if queued is not None:
            noted.append(Noted(pipeline.name, "queued", instant, queued))
        else:
            noted.append(Noted(pipeline.name, "skipped", instant, reason="it is in the ledger already"))
    return noted


def _revived(database: Database, run: NewRun) -> str | None:
    """What was skipped never ran: now it is to, as `run` says. Its id; None where it was not skipped."""
    values = {
        "state": "queued",
        "ended_at": None,
        "reason": None,
        "notebook": run.notebook,
        "release": run.release,
        "digest": run.digest,
        "parameters": text.scrub(json.dumps(dict(run.parameters), ensure_ascii=False)),
        "retries": json.dumps(dict(run.retries)) if run.retries else None,
    }
    same = (runs.c.name == run.name, runs.c.due == run.due)
    with database.write() as connection:
        if not connection.execute(runs.update().where(*same, runs.c.state == "skipped").values(values)).rowcount:
            return None
        return str(connection.execute(select(runs.c.id).where(*same)).scalar_one())
