"""The toolkit's own database: an SQLite file of the workspace, or a schema on a PostgreSQL server.

Every commit is durable and every writer waits for its turn (30 s), so that several kernels, jobs and
commands can share it: a write transaction sees all that others wrote, and nobody writes beside it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from gen_toolkit.database.migrate import migrate
from gen_toolkit.database.place import Place, find_place
from gen_toolkit.database.sqlite import SQLite
from gen_toolkit.errors import DatabaseError
from gen_toolkit.settings import Resolved, load_settings

_lock = threading.Lock()
_open: dict[tuple[int, Place], Database] = {}
_handed_down: dict[Place, Engine] = {}


class Database:
    """One database. Use `read()` and `write()`; a write is one transaction."""

    def __init__(self, place: Place) -> None:
        self.place = place
        ready = _handed_down.pop(place, None)  # by one process only: connections are shared with no fork of it
        is_same = place.is_there() and not place.is_read_only()
        self.engine = ready if ready is not None and is_same else place.engine()
        try:
            migrate(self)
        except BaseException:
            self.engine.dispose()
            raise

    @property
    def name(self) -> str:
        """Which database it is, for people: never how one gets in."""
        return self.place.name

    @property
    def path(self) -> Path | None:
        """The file, where it is one."""
        return self.place.path if isinstance(self.place, SQLite) else None

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        with self._typed_errors(), self._begun(self.place.begin_read) as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        with self._typed_errors(), self._begun(self.place.begin_write) as connection:
            try:
                yield connection
            except BaseException:
                with contextlib.suppress(SQLAlchemyError):  # it may be over already: what is raised is the reason
                    connection.exec_driver_sql("ROLLBACK")
                raise
            try:
                connection.exec_driver_sql("COMMIT")
            except DBAPIError as error:
                raise self.place.explain(error, committing=True) from error

    def tidy(self) -> None:
        """After texts were removed: see to it that they are not to be found in what the database keeps beside them."""
        with self._typed_errors(), self.engine.connect() as connection:
            self.place.tidy(connection)

    @contextlib.contextmanager
    def elected(self, duty: str) -> Iterator[bool]:
        """Whether this machine, of all that share the database, is the one to do `duty` inside the block.

        A file is of one machine: there the answer is yes, and its processes have their own ways to agree.
        """
        with self._typed_errors(), self._begun(self.place.begin_read) as connection:
            yield self.place.elect(connection, duty)

    def _begun(self, begin: Callable[[Connection], None]) -> Connection:
        """A connection that is ready. One that went stale while nobody used it is replaced, once: nothing was done."""
        for last in (False, True):
            connection = self.engine.connect()
            try:
                begin(connection)
                break
            except BaseException as error:
                connection.close()
                if last or not getattr(error, "connection_invalidated", False):
                    raise
        return connection

    @contextlib.contextmanager
    def _typed_errors(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, PoolTimeout) as error:
            raise self.place.explain(error) from error


def open_database(settings: Resolved | None = None) -> Database:
    """The workspace's database, opened (and brought up to date) once a process."""
    settings = settings or load_settings()
    place = find_place(settings)
    key = (os.getpid(), place)
    with _lock:
        if key not in _open or not place.is_there():
            if not place.is_read_only():
                _prepare(settings)
            _open[key] = Database(place)
        return _open[key]


def hand_down(database: Database) -> None:
    """Close its connections for good. The forks of this process begin with its engine, and all that it has compiled."""
    with _lock:
        database.engine.dispose()
        _open.pop((os.getpid(), database.place), None)
        _handed_down[database.place] = database.engine


@atexit.register
def _close_all() -> None:
    """Say goodbye to servers. A forked child leaves its parent's connections alone."""
    for (process, _), database in list(_open.items()):
        if process == os.getpid():
            database.engine.dispose()


def _prepare(settings: Resolved) -> None:
    try:
        settings.workspace.prepare()
    except OSError as error:
        raise DatabaseError(
            f"the folder {settings.workspace.records} cannot be made: {error.strerror}",
            fix="Make its parent writable, or name another workspace with GEN_TOOLKIT_WORKSPACE.",
            url=str(settings.workspace.records),
        ) from None
