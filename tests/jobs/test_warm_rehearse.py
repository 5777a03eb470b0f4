"""What a template rehearses is on no record, and its forks begin with what came of it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gen_toolkit.database.engine import Database, hand_down, open_database
from gen_toolkit.jobs.ledger import Ledger
from gen_toolkit.jobs.rows import NewRun
from gen_toolkit.jobs.warm.rehearse import rehearse


def rows(workspace: Path) -> dict[str, int]:
    with sqlite3.connect(workspace / "mlruns" / "gen_toolkit.db") as connection:
        tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
        found = {name: connection.execute(f"select count(*) from {name}").fetchone()[0] for name in tables}
    connection.close()
    return found


def test_nothing_that_is_rehearsed_stays(workspace: Path) -> None:
    Ledger(open_database()).submit(NewRun(name="a", kind="job", notebook="a.ipynb", parameters={}))
    before = rows(workspace)
    rehearse()
    assert rows(workspace) == before
    assert before["runs"] == 1


def test_the_statements_of_a_run_are_compiled_once_they_were_rehearsed(workspace: Path) -> None:
    open_database()
    rehearse()
    database = open_database()
    known = set(database.engine._compiled_cache or ())  # SQLAlchemy has no public word for it
    ledger = Ledger(database)
    ledger.under_way()
    run = NewRun(name="a", kind="job", notebook="a.ipynb", parameters={})
    assert ledger.begin(run, attempt=run.id, folder=workspace) is not None
    ledger.find(run.id)
    assert set(database.engine._compiled_cache or ()) == known != set()


def test_an_engine_is_handed_down_to_one_process_without_a_connection(workspace: Path) -> None:
    database = open_database()
    hand_down(database)
    heir, next_one = Database(database.place), Database(database.place)
    assert heir.engine is database.engine
    assert next_one.engine is not database.engine


def test_a_file_that_is_gone_is_made_anew_and_private(workspace: Path) -> None:
    database = open_database()
    hand_down(database)
    assert database.path is not None
    database.path.unlink()
    assert Database(database.place).engine is not database.engine
    assert database.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("setting", ["postgresql://nobody@127.0.0.1:1/none", "env:NO_SUCH_DATABASE"])
def test_a_server_is_not_called(workspace: Path, monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    monkeypatch.setenv("NO_SUCH_DATABASE", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("GEN_TOOLKIT_DATABASE", setting)
    rehearse()


def test_where_there_is_no_database_none_is_made(workspace: Path) -> None:
    rehearse()
    assert not (workspace / "mlruns" / "gen_toolkit.db").exists()
