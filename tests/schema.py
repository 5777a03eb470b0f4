"""New databases of tests in a few milliseconds: the migrations run once, and what they made is copied.

That they make what the code uses is what tests/database is for, where they run as they are.
"""

from __future__ import annotations

import functools
import sqlite3
import tempfile
from pathlib import Path

from gen_toolkit.database import migrate as migrations
from gen_toolkit.database.engine import Database
from gen_toolkit.database.sqlite import SQLite


def copied(database: Database) -> None:
    """In place of `migrate`, once `statements` has been asked for."""
    if isinstance(database.place, SQLite) and _is_new(database):
        with database.write() as connection:
            if not migrations.current_revision(connection):
                for statement in statements():
                    connection.exec_driver_sql(statement)
    migrations.migrate(database)


def _is_new(database: Database) -> bool:
    with database.read() as connection:
        return not connection.exec_driver_sql("SELECT 1 FROM sqlite_master").first()


@functools.cache
def statements() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "new.db"
        made = Database(SQLite(path))
        made.engine.dispose()
        with sqlite3.connect(path) as connection:
            return [line for line in connection.iterdump() if line not in {"BEGIN TRANSACTION;", "COMMIT;"}]
