"""Bring a database to the newest schema. alembic is loaded only when there is something to do."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from gen_toolkit.errors import DatabaseError

MIGRATIONS = Path(__file__).parent / "migrations"
NEWEST = "0002"


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
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        # all or nothing, also when this process is killed; another that meets the same new file waits here
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        command.upgrade(config, "head")
        connection.exec_driver_sql("COMMIT")


def current_revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        try:
            return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        except OperationalError:
            return None  # a new file
