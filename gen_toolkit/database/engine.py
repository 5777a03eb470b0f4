"""The toolkit's own database: one SQLite file a workspace, private to its owner.

Every commit is durable (`synchronous=FULL`) and every writer waits for its turn (`BEGIN IMMEDIATE`,
30 s), so that several kernels, jobs and commands can share the file.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DatabaseError as SQLDatabaseError

from gen_toolkit.database.migrate import migrate
from gen_toolkit.database.read_only import connect, is_read_only
from gen_toolkit.errors import DatabaseError
from gen_toolkit.settings import Resolved, load_settings

_BUSY_SECONDS = 30

_lock = threading.Lock()
_open: dict[tuple[int, Path], Database] = {}


class Database:
    """One database. Use `read()` and `write()`; a write is one transaction."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if is_read_only(path):  # what is recorded stays readable; a write is a typed error
            self.engine = create_engine("sqlite://", creator=lambda: connect(path), poolclass=NullPool)
        else:
            _make_private(path)
            self.engine = _engine(path)
        with _typed_errors(path):
            migrate(self.engine)

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        with _typed_errors(self.path), self.engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        with _typed_errors(self.path), self.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.exec_driver_sql("ROLLBACK")
                raise
            connection.exec_driver_sql("COMMIT")


def open_database(settings: Resolved | None = None) -> Database:
    """The workspace's database, opened (and brought up to date) once a process."""
    settings = settings or load_settings()
    path = settings.database
    key = (os.getpid(), path)
    with _lock:
        if key not in _open or not path.exists():
            if not is_read_only(path):
                with _typed_files(path):
                    settings.workspace.prepare()
            _open[key] = Database(path)
        return _open[key]


def _make_private(path: Path) -> None:
    with _typed_files(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)


@contextlib.contextmanager
def _typed_files(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DatabaseError(
            f"the workspace database {path} cannot be opened: {error.strerror}",
            fix="Make the folder writable, or name another with GEN_TOOLKIT_DATABASE.",
            url=str(path),
        ) from None


def _engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None  # transactions are ours: see `write`
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            f"busy_timeout={_BUSY_SECONDS * 1000}",
            "foreign_keys=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    return engine


@contextlib.contextmanager
def _typed_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except SQLDatabaseError as error:
        raise DatabaseError(
            f"the workspace database {path} failed: {error.orig}",
            fix="Check free space and permissions; `gen doctor` looks at both.",
            url=str(path),
        ) from error
