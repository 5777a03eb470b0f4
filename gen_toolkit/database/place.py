"""Where the workspace's database is: a file of the workspace, or a PostgreSQL server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from gen_toolkit.database.postgres import Postgres
from gen_toolkit.database.sqlite import SQLite
from gen_toolkit.errors import DatabaseError
from gen_toolkit.secret import Secret
from gen_toolkit.settings import Resolved


class Place(Protocol):
    """What is special about a kind of database."""

    @property
    def name(self) -> str:
        """Which database it is, for people: never how one gets in."""
        ...

    def is_there(self) -> bool:
        """Whether what was opened can still be the same: a file may have been removed since."""
        ...

    def is_read_only(self) -> bool:
        """Whether it is there to be read only: what is recorded stays readable, a write is a typed error."""
        ...

    def engine(self) -> Engine:
        """Connections on which nothing is a transaction but what `begin_read` and `begin_write` open."""
        ...

    def begin_read(self, connection: Connection) -> None:
        """Make the connection ready to read the toolkit's tables."""
        ...

    def begin_write(self, connection: Connection) -> None:
        """Open a transaction when it is this one's turn: no other writes beside it, and it sees all that others did."""
        ...

    def elect(self, connection: Connection, duty: str) -> bool:
        """Whether this machine is the one for `duty` until the connection is given back."""
        ...

    def make_room(self, connection: Connection) -> None:
        """Inside the transaction that makes the tables: what they stand in."""
        ...

    def tidy(self, connection: Connection) -> None:
        """Outside a transaction: let go of old states of what was changed."""
        ...

    def explain(self, error: SQLAlchemyError, *, committing: bool = False) -> DatabaseError:
        """What went wrong, in a line."""
        ...


def find_place(settings: Resolved) -> Place:
    """The place that the setting `database` names. Raises SettingError or MissingSecret."""
    named = settings.database
    if isinstance(named, Path):
        return SQLite(named)
    if named.startswith(("env:", "file:")):
        return Postgres.of(Secret(named).value, f"{named} (setting 'database')")
    return Postgres.of(named, f"setting 'database' ({settings.origin('database')})")


def variables(settings: Resolved) -> list[str]:
    """The environment variables that another process needs to open the same database."""
    if isinstance(settings.database, Path):
        return []
    own = [name for name in map(_variable, references(settings)) if name]
    return own + [name for name in os.environ if name.startswith("PG")]  # libpq's: PGUSER, PGSSLMODE, …


def references(settings: Resolved) -> list[str]:
    """References to what must never be shown of how one gets in."""
    named = settings.database
    if isinstance(named, Path):
        return []
    own = named if named.startswith(("env:", "file:")) else "env:GEN_TOOLKIT_DATABASE"
    return [own, "env:PGPASSWORD"]


def _variable(reference: str) -> str | None:
    return Secret(reference).variable
