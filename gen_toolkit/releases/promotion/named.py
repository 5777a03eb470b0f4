"""The run that a person names: by our id or its beginning, by MLflow's id, or by an address of the MLflow UI."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gen_toolkit.database.engine import Database
from gen_toolkit.errors import NotFound
from gen_toolkit.jobs.ledger import Ledger
from gen_toolkit.jobs.rows import SHORTEST_PREFIX
from gen_toolkit.tracking import spool
from gen_toolkit.tracking.run import CODE_TAG

_MLFLOW = re.compile(r"[0-9a-f]{32}")
_IN_ADDRESS = re.compile(r"/runs/([0-9a-f]{32})\b")
_OURS = re.compile(rf"[0-9a-f-]{{{SHORTEST_PREFIX},36}}")


@dataclass(frozen=True)
class Named:
    """A run, what it is called, and the hash of the code it is of."""

    run: str
    name: str
    code: str | None
    """None: nobody noted it; then it is of no notebook, or of one that was not saved."""
    is_here: bool
    """Whether its records are in this workspace; else only MLflow's are known."""


def named_run(database: Database, given: str) -> Named:
    """Raises NotFound, TrackingError."""
    address = _IN_ADDRESS.search(given)
    if address or _MLFLOW.fullmatch(given):
        from gen_toolkit.tracking.find import our_run

        run, tags = our_run(address[1] if address else given)
        found = _here(database, run)
        return found or Named(run, tags.get("mlflow.runName", ""), tags.get(CODE_TAG), is_here=False)
    if not _OURS.fullmatch(given):
        raise NotFound(
            f"{given!r} names no run",
            fix="Give its id, the beginning of that, MLflow's id, or an address copied from the MLflow UI.",
            run=given,
        )
    return _here(database, _whole(database, given)) or Named(given, "", None, is_here=True)


def _whole(database: Database, prefix: str) -> str:
    found = spool.begun(database, prefix)
    if not found:
        return Ledger(database).find(prefix).id
    if len(found) > 1:
        raise NotFound(f"more than one run begins with {prefix!r}", fix="Give more of the id.", run=prefix)
    return found[0]


def _here(database: Database, run: str) -> Named | None:
    if run not in spool.begun(database, run):
        return None
    tags, name = spool.tags_of(database, run), spool.name_of(database, run)
    return Named(run, name, tags.get(CODE_TAG) or _of_parts(database, run), is_here=True)


def _of_parts(database: Database, run: str) -> str | None:
    """Of a session that nobody noted the code of: that of the last run inside it."""
    inside = [spool.tags_of(database, part.run).get(CODE_TAG) for part in spool.children_of(database, [run])]
    return next((code for code in reversed(inside) if code), None)
