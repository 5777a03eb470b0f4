"""SQLite: one file, private to its owner, every commit durable, writers one after the other."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from gen_toolkit.database.mounts import network_file_system
from gen_toolkit.database.read_only import connect, is_read_only
from gen_toolkit.errors import DatabaseError

BUSY_SECONDS = 30


@dataclass(frozen=True)
class SQLite:
    """A database in a file. Several kernels, jobs and commands can share it."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path)

    def is_there(self) -> bool:
        return self.path.exists()

    def is_read_only(self) -> bool:
        return is_read_only(self.path)

    def engine(self) -> Engine:
        if self.is_read_only():
            return create_engine("sqlite://", creator=lambda: connect(self.path), poolclass=NullPool)
        self._prepare()
        engine = create_engine(
            f"sqlite:///{self.path}", connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}
        )

        @event.listens_for(engine, "connect")
        def _prepare(connection: Any, _: object) -> None:
            connection.isolation_level = None  # transactions are ours: see `begin_write`
            _switch_to_wal(connection)
            for pragma in (
                "synchronous=FULL",
                f"busy_timeout={BUSY_SECONDS * 1000}",
                "foreign_keys=ON",
                "secure_delete=ON",  # what retention removes is not to be found in the file
                "wal_autocheckpoint=8000",  # 32 MB: a checkpoint takes longer than a thousand calls
            ):
                connection.execute(f"PRAGMA {pragma}")

        return engine

    def begin_read(self, connection: Connection) -> None:
        """Nothing: each statement sees what was written before it."""

    def begin_write(self, connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def elect(self, connection: Connection, duty: str) -> bool:  # noqa: ARG002
        return True

    def make_room(self, connection: Connection) -> None:
        """Nothing: the file is the toolkit's own."""

    def tidy(self, connection: Connection) -> None:
        """Empty the write-ahead log, unless somebody is reading it; then the next who can does it."""
        connection.exec_driver_sql("PRAGMA busy_timeout=1000")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")

    def explain(self, error: SQLAlchemyError, *, committing: bool = False) -> DatabaseError:  # noqa: ARG002
        return DatabaseError(
            f"the workspace database {self.path} failed: {getattr(error, 'orig', error)}",
            fix="Check free space and permissions; `gen doctor` looks at both.",
            url=self.name,
        )

    def _prepare(self) -> None:
        with self._typed_files():
            elsewhere = network_file_system(self.path.parent)
            if elsewhere:
                raise DatabaseError(
                    f"the workspace database {self.path} would be on a network file system ({elsewhere}), "
                    "where SQLite loses data",
                    fix='Use a PostgreSQL server: database = "postgresql://user@host/name", or a path on a local disk.',
                    url=self.name,
                )
            self.path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            if self.path.stat().st_mode & 0o077:
                self.path.chmod(0o600)

    @contextlib.contextmanager
    def _typed_files(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DatabaseError(
                f"the workspace database {self.path} cannot be opened: {error.strerror}",
                fix="Make the folder writable, or name another with GEN_TOOLKIT_DATABASE.",
                url=self.name,
            ) from None


def _switch_to_wal(connection: Any) -> None:
    """SQLite does not wait when several switch a new file at the same moment: then we do."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        time.sleep(0.01)
