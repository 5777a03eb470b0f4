"""PostgreSQL: reached by an address, one writer at a time, and what goes wrong is one line without a password."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from postgres import PASSWORD, Server

from gen_toolkit import text
from gen_toolkit.cli.workspaces import _database, _looked_at, _settings
from gen_toolkit.database import postgres as kind
from gen_toolkit.database.engine import Database, open_database
from gen_toolkit.database.place import find_place
from gen_toolkit.database.postgres import Postgres
from gen_toolkit.database.tables import marks, spool
from gen_toolkit.errors import DatabaseError, GenToolkitError, MissingSecret, SettingError
from gen_toolkit.settings import load_settings

pytestmark = pytest.mark.postgres
SPOOLED = {"run": "r", "kind": "k", "event": "{}", "tracking_uri": "u", "experiment": "e"}


def refused(address: str, *, code: type[GenToolkitError] = DatabaseError) -> str:
    """What opening it says; never more than a line, never how one gets in."""
    with pytest.raises(code) as caught:
        Database(Postgres.of(address, "setting 'database' (test)"))
    said = str(caught.value)
    assert "\n" not in said
    assert caught.value.fix
    assert PASSWORD not in said + json.dumps(caught.value.to_json())
    assert "tester" not in said
    return said


# --- where it is -----------------------------------------------------------------------------------------------


def test_the_address_may_stand_in_the_settings_or_behind_a_reference(
    postgres: Server, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (name,) = [found.place.url.database for found in [open_database()] if isinstance(found.place, Postgres)]
    file = workspace / "url"
    file.write_text(postgres.url(name) + "\n")
    monkeypatch.delenv("GEN_TOOLKIT_DATABASE")
    places = []
    for setting in (f"file:{file}", "env:DATABASE_URL"):
        (workspace / "gen_toolkit.toml").write_text(f'database = "{setting}"')
        places.append(find_place(load_settings()))
    (workspace / "gen_toolkit.toml").write_text("")
    monkeypatch.setenv("GEN_TOOLKIT_DATABASE", postgres.url(name).replace("postgresql:", "postgres:"))
    places.append(find_place(load_settings()))
    assert {str(place) for place in places} == {str(open_database().place)}
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    monkeypatch.delenv("GEN_TOOLKIT_DATABASE")
    (workspace / "gen_toolkit.toml").write_text(f'database = "{postgres.url(name, password=None)}"')
    with open_database().write() as connection:
        connection.execute(spool.insert().values(SPOOLED))
    assert not (workspace / "mlruns" / "gen_toolkit.db").exists()


@pytest.mark.parametrize(
    "address", ["mysql://me@host/x", "postgresql://me:pass-word-1@host:port/x", "postgresql//x", "sqlite:///x.db"]
)
def test_what_is_no_address_of_a_postgresql_database_is_refused_in_one_line(address: str) -> None:
    said = refused(address, code=SettingError)
    assert "setting 'database' (test)" in said
    assert "pass-word-1" not in said


def test_a_reference_to_nothing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEN_TOOLKIT_DATABASE", "env:NOBODY_SET_THIS")
    with pytest.raises(MissingSecret, match="NOBODY_SET_THIS"):
        open_database()


def test_without_the_driver_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert "pip install 'psycopg[binary]" in refused("postgresql://tester@127.0.0.1/x")


# --- what goes wrong at the door -------------------------------------------------------------------------------


def test_a_wrong_password_and_a_stranger_are_not_let_in(postgres_server: Server) -> None:
    for address in (
        postgres_server.url("postgres", password="wrong-0123456789"),
        postgres_server.url("postgres", user="nobody-we-know"),
    ):
        said = refused(address)
        assert f"database postgres on 127.0.0.1:{postgres_server.port} cannot be reached" in said
        assert "user and password" in said
        assert "wrong-0123456789" not in said


def test_a_database_that_is_not_there_is_named_with_the_command_that_makes_it(postgres_server: Server) -> None:
    assert "createdb --encoding UTF8 --template template0 missing" in refused(postgres_server.url("missing"))


def test_where_nobody_listens_it_is_tried_twice_and_then_said(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(kind, "sleep", pauses.append)
    assert "nobody answers there" in refused(f"postgresql://tester:{PASSWORD}@127.0.0.1:9/x")
    assert len(pauses) == 1


def test_an_encoding_that_does_not_hold_every_text_is_refused(postgres_server: Server) -> None:
    postgres_server.admin("CREATE DATABASE narrow ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    assert "encoding LATIN1" in refused(postgres_server.url("narrow"))


def test_a_user_who_may_not_make_the_schema_is_told_what_to_grant(empty_postgres: Server) -> None:
    name = str(find_place(load_settings()).url.database)  # type: ignore[attr-defined]
    empty_postgres.admin(f"CREATE ROLE guest_{name} LOGIN PASSWORD '{PASSWORD}'")
    guest = empty_postgres.url(name, user=f"guest_{name}")
    assert f'GRANT CREATE ON DATABASE "{name}"' in refused(guest)
    empty_postgres.admin(f"CREATE SCHEMA gen_toolkit AUTHORIZATION guest_{name}", name)
    database = Database(Postgres.of(guest, "test"))  # made beforehand, it is enough
    database.engine.dispose()


# --- what it keeps ---------------------------------------------------------------------------------------------


def test_its_tables_stand_in_a_schema_of_their_own_beside_anybody_elses(empty_postgres: Server) -> None:
    place = find_place(load_settings())
    assert isinstance(place, Postgres)
    name = str(place.url.database)
    empty_postgres.admin("CREATE TABLE runs (theirs int)", name)
    empty_postgres.admin("CREATE TABLE alembic_version (version_num text)", name)
    empty_postgres.admin("INSERT INTO alembic_version VALUES ('theirs')", name)
    with open_database().write() as connection:
        connection.execute(spool.insert().values(SPOOLED))
        assert connection.exec_driver_sql("SELECT count(*) FROM public.runs").scalar() == 0
        assert connection.exec_driver_sql("SELECT version_num FROM public.alembic_version").scalar() == "theirs"


def test_every_commit_is_durable_also_where_the_server_says_otherwise(postgres: Server) -> None:
    def durability() -> str:
        with open_database().write() as connection:
            return str(connection.exec_driver_sql("SHOW synchronous_commit").scalar())

    assert durability() == "on"
    name = open_database().place.url.database  # type: ignore[attr-defined]
    for said, held in (("off", "on"), ("remote_apply", "remote_apply")):
        postgres.admin(f"ALTER DATABASE {name} SET synchronous_commit = {said}")
        open_database().engine.dispose()
        assert durability() == held


# --- one writer at a time --------------------------------------------------------------------------------------


def count_marks(database: Database) -> int:
    with database.read() as connection:
        return len(connection.execute(marks.select()).all())


def test_who_writes_sees_all_that_was_written_before_and_nobody_writes_beside_it(postgres: Server) -> None:
    """Each adds one to what it reads: without turns some would be lost, as they would under a lock taken late."""
    postgres.admin(f"ALTER DATABASE {open_database().place.url.database} "  # type: ignore[attr-defined]
                   "SET default_transaction_isolation = 'repeatable read'")  # fmt: skip
    open_database().engine.dispose()
    database = open_database()
    with database.write() as connection:
        connection.execute(marks.insert().values(name="n", at=0.0))

    def add() -> None:
        for _ in range(10):
            with database.write() as connection:
                now = connection.execute(marks.select()).one().at
                connection.execute(marks.update().values(at=now + 1))

    threads = [threading.Thread(target=add) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert connection.execute(marks.select()).one().at == 50


def test_another_schema_is_another_world_and_does_not_wait(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_database()
    monkeypatch.setenv("DATABASE_URL", f"{first.place.url.render_as_string(False)}?schema=other")  # type: ignore[attr-defined]
    other = open_database()
    monkeypatch.setattr(kind, "_PATIENCE_SECONDS", 1)
    assert other.name.endswith("(schema other)")
    with first.write(), other.write() as connection:
        connection.execute(marks.insert().values(name="n", at=0.0))
    assert (count_marks(first), count_marks(other)) == (0, 1)


def test_a_turn_that_does_not_come_is_one_typed_line(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    database = open_database()
    monkeypatch.setattr(kind, "_PATIENCE_SECONDS", 0.1)
    with database.write(), pytest.raises(DatabaseError, match="other processes wrote for more than"):
        database.write().__enter__()
    with database.write() as connection:  # the connection is whole again
        connection.execute(marks.insert().values(name="n", at=0.0))


def test_a_writer_that_is_killed_lets_the_next_one_in(postgres: Server) -> None:
    code = """
import os
from gen_toolkit.database.engine import open_database
from gen_toolkit.database.tables import marks
with open_database().write() as connection:
    connection.execute(marks.insert().values(name="n", at=0.0))
    os._exit(9)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    with open_database().write() as connection:
        assert connection.execute(marks.select()).all() == []


# --- the server goes away --------------------------------------------------------------------------------------


@pytest.fixture
def cut(postgres: Server) -> Callable[[], None]:
    """Cut every connection to the workspace's database off, as a restart of the server would."""
    name = open_database().place.url.database  # type: ignore[attr-defined]
    return lambda: postgres.admin(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()"
    )


def test_a_connection_that_went_stale_is_replaced_and_nobody_notices(cut: Callable[[], None]) -> None:
    database = open_database()
    for _ in range(2):
        cut()
        with database.write() as connection:
            connection.execute(spool.insert().values(SPOOLED))
        cut()
        with database.read() as connection:
            assert connection.execute(spool.select()).all()


def test_a_server_that_goes_away_during_a_transaction_is_one_typed_line_and_nothing_was_kept(
    cut: Callable[[], None],
) -> None:
    database = open_database()

    def work() -> None:
        with database.write() as connection:
            connection.execute(marks.insert().values(name="n", at=0.0))
            cut()
            connection.execute(marks.insert().values(name="m", at=0.0))

    with pytest.raises(DatabaseError, match="went away during a transaction; nothing of it was kept") as caught:
        work()
    assert "\n" not in str(caught.value)
    assert count_marks(database) == 0


def test_a_server_that_goes_away_at_the_commit_leaves_it_unknown_and_that_is_said(cut: Callable[[], None]) -> None:
    def work() -> None:
        with open_database().write() as connection:
            connection.execute(marks.insert().values(name="n", at=0.0))
            cut()

    with pytest.raises(DatabaseError, match="whether the last transaction was kept is not known"):
        work()


def test_a_server_that_starts_again_in_time_is_waited_for(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    database = open_database()
    postgres.stop()
    monkeypatch.setattr(kind, "sleep", lambda _: postgres.start())
    with database.write() as connection:
        connection.execute(spool.insert().values(SPOOLED))


# --- the rest of the toolkit on it -----------------------------------------------------------------------------


def test_doctor_names_the_host_and_the_database_only(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GEN_TOOLKIT_DELIVERY")
    name = open_database().place.url.database  # type: ignore[attr-defined]
    found = {what: said for what, _, said in _looked_at({"database": _database, "settings": _settings})}
    assert found["database"] == f"PostgreSQL database {name} on 127.0.0.1:{postgres.port}"
    assert found["settings"] == "database from environment GEN_TOOLKIT_DATABASE"


def test_the_password_is_masked_wherever_text_is_written(postgres: Server) -> None:
    open_database()
    assert PASSWORD not in text.scrub(f"the password is {PASSWORD}")


def test_a_process_that_only_calls_a_model_loads_psycopg_for_postgresql_only(workspace: Path) -> None:
    code = "import sys, gen_toolkit as gt; gt.chat('hi', model=gt.ScriptedModel('x')); print('psycopg' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "False"
