"""Bring a database to the newest schema. alembic is loaded only when there is something to do."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, inspect

from gen_toolkit.database.place import Place
from gen_toolkit.errors import DatabaseError

MIGRATIONS = Path(__file__).parent / "migrations"
NEWEST = "0005"


class Migrated(Protocol):
    """What is brought up to date."""

    place: Place

    def read(self) -> AbstractContextManager[Connection]: ...

    def write(self) -> AbstractContextManager[Connection]: ...


def migrate(database: Migrated) -> None:
    with database.read() as connection:
        revision = current_revision(connection)
    if revision == NEWEST:
        return
    if revision is not None and revision > NEWEST:
        raise DatabaseError(
            f"the workspace database {database.place.name} was made by a newer version (schema {revision})",
            fix="Upgrade gen_toolkit, or name another database with GEN_TOOLKIT_DATABASE.",
            url=database.place.name,
        )
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(MIGRATIONS))
    # all or nothing, also when this process is killed; another that meets the same new database waits here
    with database.write() as connection:
        database.place.make_room(connection)
        context = MigrationContext.configure(connection)
        # handed over, not by `from alembic import op`: that is one for all, and MLflow migrates on another thread
        operations = Operations(context)
        for step in reversed(list(script.iterate_revisions("head", current_revision(connection) or "base"))):
            step.module.upgrade(operations)
        context.stamp(script, "head")


def current_revision(connection: Connection) -> str | None:
    """None: a new database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
