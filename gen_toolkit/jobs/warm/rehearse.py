"""The statements of every run, executed once in a template and undone: SQLAlchemy compiles one the first time, which
takes longer than what it does.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from pathlib import Path

from gen_toolkit.database.engine import Database, hand_down, open_database
from gen_toolkit.database.place import find_place
from gen_toolkit.database.sql import Connection
from gen_toolkit.database.sqlite import SQLite
from gen_toolkit.events import RunStarted
from gen_toolkit.jobs import ledger_claims, ledger_looks
from gen_toolkit.jobs.ledger import Ledger
from gen_toolkit.jobs.rows import LEASE, NewRun
from gen_toolkit.process import this_process
from gen_toolkit.settings import load_settings
from gen_toolkit.tracking import spool


class _Undone(Exception):
    """All was done but the end."""


class _Undoing(Database):
    """A database in which nothing that is written stays."""

    def __init__(self, database: Database) -> None:
        self.place, self.engine = database.place, database.engine

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        with super().write() as connection:
            yield connection
            raise _Undone


def rehearse() -> None:
    """In the current workspace, if its database is a file. A server is for those to call who have something to say."""
    settings = load_settings()
    place = find_place(settings)
    if not isinstance(place, SQLite) or not place.is_there() or place.is_read_only():
        return
    database = open_database(settings)
    try:
        _run(_Undoing(database))
        importlib.import_module("gen_toolkit.releases.moves").live_of("rehearsal", 1)  # by name: it is a floor above
    finally:
        hand_down(database)


def _run(database: Database) -> None:
    ledger, run = Ledger(database), NewRun(name="rehearsal", kind="job", notebook="", parameters={})
    ledger.under_way()
    ledger.kept()
    ledger.untold()
    with contextlib.suppress(_Undone), database.write() as connection:
        ledger_claims.insert(connection, run, "queued")
        ledger_claims.take(connection, run.id, this_process(), LEASE, run.id, Path("rehearsal"))
        ledger_looks.find(connection, run.id)
    with contextlib.suppress(_Undone):
        spool.put(database, RunStarted(run=run.id, name=run.name, run_kind="job"), "", "")
