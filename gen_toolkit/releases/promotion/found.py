"""What an execution of a notebook found, read from the records of its run and of everything that ran inside."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from gen_toolkit.database.engine import Database
from gen_toolkit.errors import NotFound
from gen_toolkit.events import Recorded, RunStarted, TableRecorded, ValueKept
from gen_toolkit.jobs.ledger import Ledger
from gen_toolkit.jobs.outcome import family_of
from gen_toolkit.jobs.session import Executed, executed
from gen_toolkit.journal.asked import Asked, asked_by
from gen_toolkit.releases.promotion.evidence import Evidence, Scored
from gen_toolkit.settings import Resolved
from gen_toolkit.tracking import spool

_VERDICT = "gen_toolkit.verdict."
_ROWS = "rows.json"


def execution_of(database: Database, run: str, settings: Resolved) -> Executed | None:
    """What is on record of a job, a try or a session as an execution from top to bottom that succeeded, else None."""
    try:
        row = Ledger(database).find(run)
    except NotFound:
        return executed(database, run, settings)
    if row.state != "succeeded" or row.folder is None or not (row.folder / "notebook.ipynb").is_file():
        return None
    return Executed(row.id, row.attempt or row.id, row.due or row.created_at, row.seconds, row.folder, row.parameters)


def evidence_of(database: Database, execution: Executed) -> Evidence:
    """Of an execution all that speaks for or against what it executed."""
    family = family_of(database, execution.attempt)
    answers = asked_by(database, family)
    kept: dict[str, Any] = {}
    for run in family:
        kept |= {event.name: event.value for event in spool.events_of(database, run, ValueKept)}
    found = (_scored(database, run, [one for one in answers if one.run == run]) for run in family)
    return Evidence(
        execution.run,
        execution.at,
        True,
        execution.parameters,
        kept,
        tuple(scored for scored in found if scored is not None),
        _took(answers, execution.seconds),
        execution.folder / "notebook.ipynb",
    )


def answers_of(database: Database, execution: Executed) -> list[Asked]:
    """All that an execution was answered."""
    return asked_by(database, family_of(database, execution.attempt))


def _scored(database: Database, run: str, answers: Sequence[Asked]) -> Scored | None:
    """The evaluation that a run is; None where it is none, or has no rows of its own."""
    started = next(iter(spool.events_of(database, run, RunStarted)), None)
    tables = [table for table in spool.events_of(database, run, TableRecorded) if table.file == _ROWS]
    if started is None or started.run_kind != "evaluation" or not tables:
        return None
    params: dict[str, Any] = dict(started.params)
    metrics: dict[str, float] = {}
    for event in spool.events_of(database, run, Recorded):
        params |= event.params
        metrics |= event.metrics
    tags = spool.tags_of(database, run).items()
    verdicts = {key.removeprefix(_VERDICT): said for key, said in tags if key.startswith(_VERDICT)}
    told = {name: str(value) for name, value in params.items()}
    scored = Scored(run, started.name, told, metrics, verdicts, {})
    scores, groups = _rows(tables[-1], scored.names("scorers"), told.get("group"))
    in_rows = [one for one in answers if one.row is not None]
    own = [one for one in in_rows if one.prompt == told.get("prompt")]  # neither a baseline's nor a judge's
    in_rows = own or in_rows
    took = {"cost_usd": _cost(in_rows), "seconds": math.fsum(one.seconds for one in in_rows)}
    return Scored(run, started.name, told, metrics, verdicts, scores, groups, took)


def _rows(
    table: TableRecorded, scorers: Sequence[str], group: str | None
) -> tuple[dict[str, dict[str, float | None]], dict[str, str]]:
    """Scores and groups by row. The last columns are the scorers', error and seconds (`Result.table`)."""
    is_repeated = table.columns[1:2] == ["repeat"]
    first = len(table.columns) - 2 - len(scorers)
    place = table.columns.index(group) if group in table.columns else None
    scores: dict[str, dict[str, float | None]] = {}
    groups: dict[str, str] = {}
    for row in table.rows:
        repeat = row[1] if is_repeated else 0
        key = f"{row[0]} (repeat {repeat})" if repeat else str(row[0])
        scores[key] = dict(zip(scorers, row[first:], strict=False))
        value = None if place is None else row[place]
        if is_repeated or group:
            groups[key] = _digest(f"row {row[0]}" if value is None else f"group {value!r}")
    return scores, groups


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _took(answers: Sequence[Asked], seconds: float) -> Mapping[str, Any]:
    return {
        "calls": len(answers),
        "cost_usd": _cost(answers),
        "seconds": round(seconds, 3),
        "input_tokens": _sum([one.input_tokens for one in answers]),
        "output_tokens": _sum([one.output_tokens for one in answers]),
    }


def _cost(answers: Sequence[Asked]) -> float | None:
    """USD; None as soon as that of one answer is unknown."""
    costs = [one.cost for one in answers]
    return None if None in costs else float(sum((cost for cost in costs if cost is not None), Decimal()))


def _sum(numbers: Sequence[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None
