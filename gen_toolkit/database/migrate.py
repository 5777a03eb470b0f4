"""Bring a database to the newest schema. alembic is loaded only when there is something to do."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from gen_toolkit.errors import DatabaseError

MIGRATIONS = Path(__file__).parent / "migrations"
NEWEST = "0001"


def migrate(engine: Engine) -> None:
    revision = current_revision(engine)
    if revision == NEWEST:
        return
    if revision is not None and revision > NEWEST:
        raise DatabaseError(
            f"the workspace database {engine.url.database} was made by a newer version (schema {revision})",
            fix="Upgrade gen_toolkit, or name another database with GEN_TOOLKIT_DATABASE.",
            url=str(engine.url.database),
        )
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with _one_at_a_time(engine), engine.connect() as connection:
        config.attributes["connection"] = connection
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # all or nothing, also when this process is killed
        command.upgrade(config, "head")
        connection.exec_driver_sql("COMMIT")


def current_revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        try:
            return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        except OperationalError:
            return None  # a new file


class _one_at_a_time:  # noqa: N801 - used as a verb, by `with`
    """Two processes that meet a new file must not both make its tables: a lock file beside it."""

    def __init__(self, engine: Engine) -> None:
        self._path = f"{engine.url.database}.migrating"

    def __enter__(self) -> None:
        import fcntl

        self._file = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self._file)
