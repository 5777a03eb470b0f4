"""A PostgreSQL server of the tests' own: Debian's programs, a temporary folder, a free port, another user.

Fixtures: `postgres` (or `empty_postgres`) gives a test a database of its own and makes it the workspace's;
`either_database` (or `either_new_database`) runs a test on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gen_toolkit.process import die_with_parent
from tests.ports import free_port

if TYPE_CHECKING:
    from sqlalchemy import Engine

USER, PASSWORD = "tester", "tester-0123456789"
_TEMPLATE = "gen_template"


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    named = shutil.which("initdb")
    return found[-1].parent if found else Path(named).parent if named else None


@dataclass
class Server:
    """A running server. `stop` and `start` may be called by tests; its databases stay."""

    programs: Path
    folder: Path
    port: int
    identity: dict[str, Any]
    _process: subprocess.Popen[bytes] | None = field(default=None)
    _made: int = 0

    def url(self, database: str, *, password: str | None = PASSWORD, user: str = USER) -> str:
        secret = f":{password}" if password else ""
        return f"postgresql://{user}{secret}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        said = open(self.folder / "log.txt", "ab")  # noqa: SIM115 - the server writes to it
        options = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",  # speed: what a power cut would leave is the server's matter, not ours
            "max_connections": 200,
            "shared_buffers": "32MB",
        }
        given = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        self._process = subprocess.Popen(
            [self.programs / "postgres", "-D", self.folder / "data", *given],
            stdout=said, stderr=said, preexec_fn=die_with_parent, **self.identity,
        )  # fmt: skip
        said.close()
        import psycopg

        until = time.monotonic() + 30
        while True:
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
                return
            assert time.monotonic() < until, (self.folder / "log.txt").read_text()
            time.sleep(0.02)

    def stop(self) -> None:
        assert self._process is not None
        self._process.send_signal(2)  # SIGINT: a fast shutdown, which cuts open connections off
        self._process.wait(30)

    def admin(self, statement: str, database: str = "postgres") -> None:
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def new_database(self, like: str = _TEMPLATE) -> str:
        self._made += 1
        name = f"gen_{self._made}"
        self.admin(f"CREATE DATABASE {name} TEMPLATE {like}")
        return name


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        identity = {"user": "postgres", "group": "postgres", "extra_groups": []}
    folder = Path(tempfile.mkdtemp(prefix="gen-postgres-"))
    password = folder / "password"
    password.write_text(PASSWORD)
    for path in (folder, password):
        if identity:
            shutil.chown(path, identity["user"], identity["group"])
    subprocess.run(
        [programs / "initdb", "--pgdata", folder / "data", "--username", USER, "--pwfile", password, "--no-sync",
         "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"],
        check=True, stdout=subprocess.DEVNULL, cwd=folder, **identity,
    )  # fmt: skip
    port = free_port()
    server = Server(programs, folder, port, identity)
    server.start()
    try:
        from gen_toolkit.database.engine import Database
        from gen_toolkit.database.postgres import Postgres

        server.admin(f"CREATE DATABASE {_TEMPLATE} TEMPLATE template0")
        Database(Postgres.of(server.url(_TEMPLATE), "test")).engine.dispose()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


def _leave(engine: Engine) -> None:
    """Close the connections, when those who work in the background are done with them."""
    for thread in threading.enumerate():
        if thread.name == "gen_toolkit retention":
            thread.join(10)
    until = time.monotonic() + 10
    while engine.pool.checkedout() and time.monotonic() < until:  # type: ignore[attr-defined]
        time.sleep(0.01)
    engine.dispose()


@contextlib.contextmanager
def _database(server: Server, monkeypatch: pytest.MonkeyPatch, like: str) -> Iterator[None]:
    from gen_toolkit.database import engine
    from gen_toolkit.database.postgres import Postgres

    name = server.new_database(like)
    # an empty one has a variable of its own: a thread that an earlier test left would open whatever a shared one names
    variable = "DATABASE_URL" if like == _TEMPLATE else f"DATABASE_URL_{name.upper()}"
    monkeypatch.setenv("DATABASE_URL", server.url(name))
    monkeypatch.setenv(variable, server.url(name))
    monkeypatch.setenv("GEN_TOOLKIT_DATABASE", f"env:{variable}")
    yield
    for key in [key for key in engine._open if isinstance(key[1], Postgres) and key[1].url.database == name]:
        _leave(engine._open.pop(key).engine)
    server.admin(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def postgres(postgres_server: Server, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The workspace's database is a new one on the server, with all tables."""
    with _database(postgres_server, monkeypatch, _TEMPLATE):
        yield postgres_server


@pytest.fixture
def empty_postgres(postgres_server: Server, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The workspace's database is a new one on the server, and nobody has opened it yet."""
    with _database(postgres_server, monkeypatch, "template0"):
        yield postgres_server


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def either_database(request: pytest.FixtureRequest, workspace: Path) -> str:
    """The same test on both kinds of database."""
    if request.param == "postgres":
        request.getfixturevalue("postgres")
    return str(request.param)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def either_new_database(request: pytest.FixtureRequest, workspace: Path) -> str:
    """The same test on both kinds of database, before anybody has opened it."""
    if request.param == "postgres":
        request.getfixturevalue("empty_postgres")
    return str(request.param)
