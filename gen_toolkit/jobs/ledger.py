"""The ledger: what every run is and how it ended. It is the truth; notebooks, MLflow and logs are copies."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from gen_toolkit import text
from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import Row, select
from gen_toolkit.database.tables import runs
from gen_toolkit.errors import NotFound
from gen_toolkit.process import is_alive, this_process

State = Literal["running", "succeeded", "failed", "timed out", "killed", "cancelled", "lost"]

SHORTEST_PREFIX = 8


@dataclass(frozen=True)
class Reason:
    """Why a run did not succeed."""

    message: str
    cell: int | None = None
    """Number of the cell, counted from 1 over all cells of the executed notebook."""
    error: str | None = None
    """Class of the exception."""
    excerpt: str = ""
    """The last lines of the traceback."""
    signal: int | None = None


@dataclass(frozen=True)
class RunRow:
    """A run as the ledger knows it."""

    id: str
    kind: str
    name: str
    notebook: str
    folder: Path
    parameters: dict[str, Any]
    state: str = "running"
    release: int | None = None
    digest: str | None = None
    root: str = ""
    created_at: float = 0.0
    ended_at: float | None = None
    process: str = ""
    reason: Reason | None = None
    outcome: dict[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"{self.name} · release {self.release}" if self.release else self.name

    @property
    def seconds(self) -> float:
        return (self.ended_at or time.time()) - self.created_at

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "folder": str(self.folder), "seconds": round(self.seconds, 3)}


class Ledger:
    """Runs in the workspace database. A terminal state is never overwritten."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def submit(self, run: RunRow) -> None:
        """Record a run that this process supervises from now on."""
        row = {
            "id": run.id,
            "root": run.root or run.id,
            "kind": run.kind,
            "name": run.name,
            "release": run.release,
            "digest": run.digest,
            "notebook": run.notebook,
            "parameters": text.scrub(json.dumps(run.parameters, ensure_ascii=False)),
            "folder": str(run.folder),
            "state": "running",
            "created_at": run.created_at or time.time(),
            "process": this_process(),
        }
        with self._database.write() as connection:
            connection.execute(runs.insert().values(row))

    def finish(
        self, run: str, state: State, reason: Reason | None = None, outcome: dict[str, Any] | None = None
    ) -> bool:
        """Record how a run ended. False when it had ended already: then nothing is changed."""
        values = {
            "state": state,
            "ended_at": time.time(),
            "reason": text.scrub(json.dumps(asdict(reason))) if reason else None,
            "outcome": text.scrub(json.dumps(outcome or {}, ensure_ascii=False)),
        }
        with self._database.write() as connection:
            done = connection.execute(runs.update().where(runs.c.id == run, runs.c.state == "running").values(values))
        return bool(done.rowcount)

    def find(self, prefix: str) -> RunRow:
        """The run whose id begins with `prefix`. Raises NotFound, also where several do."""
        with self._database.read() as connection:
            found = connection.execute(
                select(runs).where(runs.c.id.startswith(prefix, autoescape=True)).order_by(runs.c.id.desc()).limit(2)
            ).all()
        if len(found) != 1 or len(prefix) < SHORTEST_PREFIX:
            many = "more than one run begins" if len(found) > 1 else "no run begins"
            if len(prefix) < SHORTEST_PREFIX:
                many = f"{SHORTEST_PREFIX} characters are needed to name a run; nothing was looked up"
            raise NotFound(f"{many} with {prefix!r}", fix="`gen runs list` shows the runs.", run=prefix)
        return _run(found[0])

    def list(self, *, name: str | None = None, state: str | None = None, limit: int = 20) -> Sequence[RunRow]:
        """The newest runs first."""
        query = select(runs).order_by(runs.c.created_at.desc()).limit(limit)
        if name:
            query = query.where(runs.c.name == name)
        if state:
            query = query.where(runs.c.state == state)
        with self._database.read() as connection:
            return [_run(row) for row in connection.execute(query)]

    def abandoned(self) -> Sequence[RunRow]:
        """Runs that are said to be running, though the process that supervised them is gone."""
        with self._database.read() as connection:
            running = connection.execute(select(runs).where(runs.c.state == "running")).all()
        return [_run(row) for row in running if not is_alive(row.process)]


def _run(row: Row[Any]) -> RunRow:
    return RunRow(
        id=row.id,
        root=row.root,
        kind=row.kind,
        name=row.name,
        release=row.release,
        digest=row.digest,
        notebook=row.notebook,
        parameters=json.loads(row.parameters),
        folder=Path(row.folder),
        state=row.state,
        created_at=row.created_at,
        ended_at=row.ended_at,
        process=row.process,
        reason=Reason(**json.loads(row.reason)) if row.reason else None,
        outcome=json.loads(row.outcome) if row.outcome else {},
    )


def short(run: str, known: Sequence[str] = ()) -> str:
    """The shortest prefix of at least 8 characters that names one run only."""
    for length in range(SHORTEST_PREFIX, len(run)):
        if sum(other.startswith(run[:length]) for other in known) <= 1:
            return run[:length]
    return run
