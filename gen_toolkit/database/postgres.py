"""PostgreSQL: a schema of the toolkit's own on a server, for workspaces that machines share.

The records of a schema are one world, whoever writes: as on SQLite, one write transaction at a time. Each
takes an advisory lock that is keyed by the schema and ends with the transaction, so it is let go however a
process dies. Statements run at READ COMMITTED and after the lock was got, so they see all that was written
before. Other schemas and databases do not wait. Nothing is kept in the session: a pooler may stand between.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from time import sleep
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from gen_toolkit import text
from gen_toolkit.errors import DatabaseError, SettingError

SCHEMA = "gen_toolkit"
_PATIENCE_SECONDS = 30  # for the turn to write, as on SQLite
_IDLE_SECONDS = 60  # a machine that vanished in a transaction holds up the others no longer than this
_DUTY = "10min"  # and so long another waits for the duty of a machine that vanished
_PAUSE_BEFORE_RETRY = 0.5

_DEFAULTS: dict[str, Any] = {
    "connect_timeout": 10,
    "application_name": "gen_toolkit",
    "keepalives_idle": 30,  # seconds: a server that vanished is noticed
    "keepalives_interval": 10,
    "keepalives_count": 3,
}

_SOON_OVER = re.compile("refused|starting up|shutting down|too many (?:clients|connections)", re.IGNORECASE)
# What the server or the driver says, what we say, and the advice. `{}` is the name of the database.
_REASONS: list[tuple[str, str, str]] = [
    ("password|authentication|pg_hba|role .* does not exist", "the server does not let us in",
     "Check user and password; a password may stand in ~/.pgpass, PGPASSWORD, or an address read by reference."),
    ("database .* does not exist", "there is no such database",
     "Make it: createdb --encoding UTF8 --template template0 {}"),
    ("refused|resolve|translate host|timeout|timed out|unreachable|No such file", "nobody answers there",
     "Start the server, or correct the setting `database`."),
    ("too many (?:clients|connections)", "the server has no connection left", "Raise max_connections, or close some."),
    ("starting up|shutting down", "the server is starting or stopping", "Try again in a moment."),
]  # fmt: skip
_STATES: dict[str, tuple[str, str]] = {
    "42501": ("the user may not do this", 'GRANT CREATE ON DATABASE "{}" TO the user, or make the schema beforehand.'),
    "25006": ("it is read-only", "Name the server that writes: a standby cannot."),
    "53100": ("the server's disk is full", "Make room on the server; nothing that was recorded is lost."),
    "53200": ("the server is out of memory", "Try again, or give the server more."),
    "55P03": (f"other processes wrote for more than {_PATIENCE_SECONDS} s", "Try again; see pg_stat_activity."),
}


@dataclass(frozen=True)
class Postgres:
    """One schema of one database on a server."""

    url: URL
    schema: str = SCHEMA

    @classmethod
    def of(cls, address: str, origin: str) -> Postgres:
        """Read `postgresql://user@host:port/database?schema=…`. `origin` says where it stands; it is never shown."""
        return _parsed(address, origin)

    @property
    def name(self) -> str:
        hosts = self.url.query.get("host", ())
        where = self.url.host or ", ".join([hosts] if isinstance(hosts, str) else hosts) or "this machine"
        port = f":{self.url.port}" if self.url.port else ""
        schema = f" (schema {self.schema})" if self.schema != SCHEMA else ""
        return f"PostgreSQL database {self._database} on {where}{port}{schema}"

    @property
    def _database(self) -> str:
        return self.url.database or self.url.username or "postgres"

    def is_there(self) -> bool:
        return True

    def is_read_only(self) -> bool:
        return False  # a server says so itself, write by write

    def engine(self) -> Engine:
        try:
            import psycopg  # noqa: F401 - SQLAlchemy loads it; here it is asked for in our words
        except ImportError:
            raise DatabaseError(
                f"the {self.name} needs the driver psycopg, which is not installed",
                fix="Run: pip install 'psycopg[binary]>=3.2'",
                url=self.name,
            ) from None
        given = {name: value for name, value in _DEFAULTS.items() if name not in self.url.query}
        engine = create_engine(
            self.url,
            isolation_level="AUTOCOMMIT",  # transactions are ours: see `begin_write`
            connect_args={**given, "client_encoding": "utf8", "prepare_threshold": None},
        )
        event.listen(engine, "do_connect", _connect_twice)
        event.listen(engine, "connect", self._look_at)
        return engine

    def begin_read(self, connection: Connection) -> None:
        connection.exec_driver_sql(f'BEGIN READ ONLY; SET LOCAL search_path = "{self.schema}"')

    def begin_write(self, connection: Connection) -> None:
        connection.exec_driver_sql(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;"
            f'SET LOCAL search_path = "{self.schema}";'
            f"SET LOCAL lock_timeout = '{_PATIENCE_SECONDS}s';"
            f"SET LOCAL idle_in_transaction_session_timeout = '{_IDLE_SECONDS}s';"
            # durable, also where the server's default is not; a stricter setting stays
            "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off';"
            f"SELECT pg_advisory_xact_lock({self.turn})"
        )

    def elect(self, connection: Connection, duty: str) -> bool:
        """The lock is the transaction's: it ends with the connection, however that ends."""
        connection.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = '{_DUTY}'")
        return bool(connection.exec_driver_sql(f"SELECT pg_try_advisory_xact_lock({self._key(duty)})").scalar())

    @property
    def turn(self) -> int:
        """The key of the advisory lock that a write transaction holds."""
        return self._key("write")

    def _key(self, what: str) -> int:
        """One a schema and purpose; the server keeps databases apart."""
        digest = hashlib.sha256(f"gen_toolkit {self.schema} {what}".encode()).digest()
        return int.from_bytes(digest[:8], "big", signed=True)

    def make_room(self, connection: Connection) -> None:
        there = connection.exec_driver_sql(f"SELECT 1 FROM pg_namespace WHERE nspname = '{self.schema}'")  # noqa: S608
        if there.scalar() is None:  # asked first: the right to make schemas may be missing, and then need not be there
            connection.exec_driver_sql(f'CREATE SCHEMA "{self.schema}"')

    def tidy(self, connection: Connection) -> None:
        """Nothing: the server's vacuum does it."""

    def explain(self, error: SQLAlchemyError, *, committing: bool = False) -> DatabaseError:
        cause: Any = getattr(error, "orig", None) or error
        state = getattr(cause, "sqlstate", None)
        if getattr(error, "connection_invalidated", False):
            kept = "whether the last transaction was kept is not known" if committing else "nothing of it was kept"
            return self._error(f"went away during a transaction; {kept}", "Try again when the server is back.")
        if state in _STATES:
            return self._error("failed: " + _STATES[state][0], _STATES[state][1])
        said = str(getattr(getattr(cause, "diag", None), "message_primary", None) or cause)
        for pattern, reason, fix in _REASONS if state is None else []:
            if re.search(pattern, said, re.IGNORECASE):
                return self._error(f"cannot be reached: {reason}", fix)
        return self._error(f"failed: {text.one_line(said, 300)}", "See the server's log.")

    def _error(self, what: str, fix: str) -> DatabaseError:
        return DatabaseError(f"the {self.name} {what}", fix=fix.format(self._database), url=self.name)

    def _look_at(self, connection: Any, _: object) -> None:
        """A new connection: what got us in is masked from now on, and the encoding must hold every text."""
        text.remember_secret(connection.info.password or "")
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise self._error(
                f"has the encoding {encoding}, which does not hold every text",
                "Make one that does: createdb --encoding UTF8 --template template0 NAME",
            )


@lru_cache(maxsize=16)
def _parsed(address: str, origin: str) -> Postgres:
    if "@" in address:  # there may be a password in it
        text.remember_secret(address)
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.drivername not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise SettingError(
            f"{origin} is no address of a PostgreSQL database",
            fix="Write postgresql://user@host:5432/name; special characters of a password as %40, %2F, ….",
            setting="database",
        )
    schema = url.query.get("schema", SCHEMA)
    if not isinstance(schema, str) or not re.fullmatch("[a-z_][a-z0-9_]{0,62}", schema):
        raise SettingError(
            f"{origin} names an impossible schema", fix="Use small letters, digits and _.", setting="database"
        )
    return Postgres(url.set(drivername="postgresql+psycopg").difference_update_query(["schema"]), schema)


def _connect_twice(dialect: Any, _: object, arguments: Any, parameters: dict[str, Any]) -> Any:
    """Once more where that may help: nothing was asked of the server yet."""
    import psycopg

    try:
        return dialect.connect(*arguments, **parameters)
    except psycopg.OperationalError as error:
        if not _SOON_OVER.search(str(error)):
            raise
    sleep(_PAUSE_BEFORE_RETRY)
    return dialect.connect(*arguments, **parameters)
