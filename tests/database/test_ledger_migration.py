"""Runs that were recorded before there were attempts keep everything, and each becomes its own first attempt."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from gen_toolkit.database import migrate as kind
from gen_toolkit.database.engine import Database, open_database
from gen_toolkit.database.migrate import MIGRATIONS
from gen_toolkit.database.place import find_place
from gen_toolkit.jobs.ledger import Ledger, Reason
from gen_toolkit.settings import load_settings

OLD = {
    "kind": "job", "name": "labels", "release": 2, "digest": "d" * 64, "notebook": "notebooks/labels.ipynb",
    "parameters": '{"limit": 3}', "process": "host 1 2",
}  # fmt: skip
REASON = {"message": "no rows", "cell": 4, "error": "ValueError", "excerpt": "…", "signal": None}


def run(number: int, state: str, **facts: Any) -> dict[str, Any]:
    made = f"0190000{number}-0000-7000-8000-000000000000"
    defaults = {"ended_at": None, "reason": None, "outcome": None}
    return {**OLD, **defaults, "id": made, "root": made, "folder": f"/runs/{made}", "state": state,
            "created_at": 1_700_000_000.0 + number, **facts}  # fmt: skip


@pytest.fixture
def old(either_new_database: str, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A database as the version before left it."""

    def upto_0002(database: Any) -> None:
        script = ScriptDirectory(str(MIGRATIONS))
        with database.write() as connection:
            database.place.make_room(connection)
            context = MigrationContext.configure(connection)
            for step in reversed(list(script.iterate_revisions("0002", "base"))):
                step.module.upgrade(Operations(context))
            context.stamp(script, "0002")

    with monkeypatch.context() as patch:
        patch.setattr("gen_toolkit.database.engine.migrate", upto_0002)
        return Database(find_place(load_settings()))


def test_each_run_becomes_its_own_first_attempt_and_nothing_is_lost(old: Database) -> None:
    rows = [
        run(1, "succeeded", ended_at=1_700_000_009.0, outcome='{"kept": {"a": 1}}'),
        run(2, "failed", ended_at=1_700_000_010.0, reason=json.dumps(REASON), outcome="{}"),
        run(3, "running"),
    ]
    columns = ", ".join(rows[0])
    values = ", ".join(f":{name}" for name in rows[0])
    with old.write() as connection:
        connection.execute(sqlalchemy.text(f"INSERT INTO runs ({columns}) VALUES ({values})"), rows)
    old.engine.dispose()
    ledger = Ledger(open_database())
    running, failed, succeeded = ledger.list()
    assert (succeeded.outcome, succeeded.parameters, succeeded.seconds) == ({"kept": {"a": 1}}, {"limit": 3}, 8.0)
    assert (failed.state, failed.reason, failed.title) == ("failed", Reason(**REASON), "labels · release 2")
    for row in (running, failed, succeeded):
        (attempt,) = ledger.attempts(row.id)
        assert (attempt.id, attempt.number, attempt.process) == (row.id, 1, "host 1 2")
        assert (attempt.state, attempt.reason, attempt.folder) == (row.state, row.reason, row.folder)
        assert (row.attempt, row.attempts, row.token, row.worker) == (row.id, 1, 1, "host 1 2")
    assert ledger.untold() == []
    assert [row.id for row, _ in ledger.under_way()[1]] == [running.id]
    lease = running.lease
    assert lease is not None
    assert ledger.finish(lease, "lost", Reason("gone"))
    assert ledger.resume(failed.id).number == 2


def test_the_version_before_refuses_what_this_one_has_made(
    either_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database()
    monkeypatch.setattr(kind, "NEWEST", "0002")
    with pytest.raises(Exception, match="was made by a newer version"):
        kind.migrate(database)
