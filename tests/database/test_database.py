"""The workspace database: private, made once, and broken only with a typed line."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from gen_toolkit.database.engine import Database, open_database
from gen_toolkit.database.migrate import NEWEST, current_revision
from gen_toolkit.database.sqlite import SQLite
from gen_toolkit.database.tables import metadata, spool
from gen_toolkit.errors import DatabaseError
from gen_toolkit.workspace import Workspace

SPOOLED = {"run": "r", "kind": "k", "event": "{}", "tracking_uri": "u", "experiment": "e"}


def test_the_migrations_make_the_tables_that_the_code_uses(either_new_database: str) -> None:
    with open_database().read() as connection:
        here = connection.dialect.name

        def belongs_here(thing: Any, *_: Any) -> bool:
            return getattr(thing, "_ddl_if", None) is None or thing._ddl_if.dialect == here

        context = MigrationContext.configure(connection, opts={"include_object": belongs_here})
        assert compare_metadata(context, metadata) == []


def test_the_file_and_its_folder_are_private_also_beside_an_open_transaction(workspace: Path) -> None:
    database = open_database()
    with database.write() as connection:
        connection.execute(spool.insert().values(SPOOLED))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (workspace / "mlruns").iterdir()}
    assert stat.S_IMODE((workspace / "mlruns").stat().st_mode) == 0o700
    assert "gen_toolkit.db-wal" in modes
    assert set(modes.values()) == {0o600}


def test_a_file_that_was_open_to_others_is_closed(workspace: Path) -> None:
    (workspace / "mlruns").mkdir()
    path = workspace / "mlruns" / "gen_toolkit.db"
    path.touch(0o644)
    open_database()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_is_opened_once_a_process_and_again_when_the_file_is_gone(workspace: Path) -> None:
    database = open_database()
    assert open_database() is database
    for file in (workspace / "mlruns").iterdir():
        file.unlink()
    with open_database().read() as connection:
        assert connection.execute(spool.select()).all() == []


def test_every_commit_is_durable() -> None:
    with open_database().read() as connection:
        pragmas = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
    assert pragmas == ["wal", 2]


def test_a_failed_write_leaves_nothing(either_database: str) -> None:
    database = open_database()

    def fail() -> None:
        with database.write() as connection:
            connection.execute(spool.insert().values(SPOOLED))
            raise RuntimeError("it broke")

    with pytest.raises(RuntimeError, match="it broke"):
        fail()
    with database.read() as connection:
        assert connection.execute(spool.select()).all() == []


def test_writers_wait_for_each_other(either_database: str) -> None:
    database = open_database()

    def write() -> None:
        for _ in range(5):
            with database.write() as connection:
                connection.execute(spool.insert().values(SPOOLED))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert len(connection.execute(spool.select()).all()) == 20


def test_processes_that_meet_a_new_database_at_once_all_succeed(either_new_database: str) -> None:
    code = """
import sys, gen_toolkit.database.engine as engine, alembic.command
sys.stdin.readline()
with engine.open_database().read() as c: print(c.exec_driver_sql("SELECT count(*) FROM calls").scalar())
"""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    children = [subprocess.Popen([sys.executable, "-c", code], **pipes) for _ in range(3)]  # type: ignore[call-overload]
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    assert [child.communicate(timeout=60) for child in children] == [("0\n", "")] * 3


def test_connections_that_meet_new_files_at_the_same_moment_wait_for_each_other(tmp_path: Path) -> None:
    """SQLite itself says "locked" at once when two switch a new file to its journal: in about one of 100 meetings."""
    meet = threading.Barrier(6)
    failed: list[Exception] = []

    def open_all() -> None:
        for number in range(60):
            engine = SQLite(tmp_path / f"{number}.db").engine()
            meet.wait()
            try:
                with engine.connect() as connection:
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                    connection.exec_driver_sql("COMMIT")
            except Exception as error:
                failed.append(error)
            engine.dispose()

    threads = [threading.Thread(target=open_all) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_a_migration_that_was_cut_short_is_done_anew(either_new_database: str) -> None:
    """Statements of a migration are one transaction: a process killed in between leaves none of them."""
    code = """
import os
from alembic.operations import Operations
real = Operations.create_index
Operations.create_index = lambda o, name, *a, **k: os._exit(9) if name == "spool_waiting" else real(o, name, *a, **k)
from gen_toolkit.database.engine import open_database
open_database()
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    with open_database().read() as connection:
        assert current_revision(connection) == NEWEST


def test_databases_are_migrated_side_by_side_and_beside_mlflows_own(tmp_path: Path) -> None:
    """alembic has one global context; a migration that used it would fail in the middle of another."""
    from alembic.runtime.environment import EnvironmentContext

    with EnvironmentContext(Config(), None):  # as while MLflow makes its database on another thread
        databases = [tmp_path / f"{number}.db" for number in range(4)]
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda path: Database(SQLite(path)), databases))
    for database in made:
        with database.read() as connection:
            assert current_revision(connection) == NEWEST


def test_a_database_of_a_newer_version_is_refused_in_one_line(either_database: str) -> None:
    database = open_database()
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseError, match="newer version") as caught:
        Database(database.place)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused_in_one_line(workspace: Path) -> None:
    (workspace / "mlruns").mkdir()
    path = workspace / "mlruns" / "gen_toolkit.db"
    path.write_bytes(b"this is not a database, " * 100)
    with pytest.raises(DatabaseError, match=r"gen_toolkit\.db") as caught:
        open_database()
    assert "\n" not in str(caught.value)
    assert caught.value.fix


@pytest.fixture
def read_only() -> Iterator[Path]:
    """A folder that this process may not write to, also when the tests run as root."""
    with tempfile.TemporaryDirectory() as name, forbidden(Path(name)):
        yield Path(name)


@contextlib.contextmanager
def forbidden(folder: Path) -> Iterator[None]:
    """Nothing in the folder may be changed."""
    before = {path: path.stat().st_mode for path in [folder, *folder.rglob("*")]}
    for path, mode in before.items():
        path.chmod(mode & ~0o222 | (0o555 if path.is_dir() else 0o444))
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        for path, mode in before.items():
            path.chmod(mode)


def test_a_folder_that_is_read_only_is_one_typed_line(read_only: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gen_toolkit.settings import load_settings

    with pytest.raises(DatabaseError, match="Permission denied") as caught:
        open_database(load_settings(Workspace(read_only, None)))
    assert str(read_only) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "writable" in caught.value.fix


def test_a_database_that_may_not_be_written_to_is_read_and_says_so_of_a_write() -> None:
    from gen_toolkit.settings import load_settings

    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "mlruns" / "gen_toolkit.db"
        copy.parent.mkdir()
        with open_database().write() as connection:
            connection.execute(spool.insert().values(SPOOLED))
        source = contextlib.closing(sqlite3.connect(open_database().path))
        with source as ours, contextlib.closing(sqlite3.connect(copy)) as theirs:
            ours.backup(theirs)
        with forbidden(Path(name)):
            database = open_database(load_settings(Workspace(Path(name), None)))
            with database.read() as connection:
                assert len(connection.execute(spool.select()).all()) == 1
            with pytest.raises(DatabaseError, match="readonly"), database.write() as connection:
                connection.execute(spool.insert().values(SPOOLED))


def test_a_file_where_the_folder_should_be_is_one_typed_line(workspace: Path) -> None:
    (workspace / "mlruns").write_text("")
    with pytest.raises(DatabaseError, match="mlruns"):
        open_database()


def test_a_broken_statement_is_typed(either_database: str) -> None:
    with pytest.raises(DatabaseError, match=r"no such table|does not exist"), open_database().read() as connection:
        connection.exec_driver_sql("SELECT * FROM no_table")
