"""The words of SQL that other rooms write their queries with: what they may use of SQLAlchemy."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Row,
    String,
    Table,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

__all__ = [
    "ColumnElement",
    "Connection",
    "Row",
    "and_",
    "bindparam",
    "case",
    "day",
    "delete",
    "func",
    "insert_new",
    "now",
    "or_",
    "select",
]


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows whose key is not there yet, also when another process inserts them at the same moment."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(insert(table).on_conflict_do_nothing(), rows)


class now(GenericFunction[float]):  # noqa: N801 - reads as the SQL function it is
    """Seconds since 1970 by the database's clock: the one that all processes share."""

    type = Float()
    inherit_cache = True
    name = "gen_toolkit_now"


@compiles(now, "sqlite")
def _on_sqlite(*_: Any, **__: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(now, "postgresql")
def _on_postgres(*_: Any, **__: Any) -> str:
    return "extract(epoch from clock_timestamp())::double precision"


class day(GenericFunction[str]):  # noqa: N801
    """The day (UTC, `2026-11-24`) of a moment in seconds since 1970."""

    type = String()
    inherit_cache = True
    name = "gen_toolkit_day"


@compiles(day, "sqlite")
def _day_on_sqlite(moment: Any, compiler: Any, **how: Any) -> str:
    return f"date({compiler.process(moment.clauses, **how)}, 'unixepoch')"


@compiles(day, "postgresql")
def _day_on_postgres(moment: Any, compiler: Any, **how: Any) -> str:
    return f"to_char(to_timestamp({compiler.process(moment.clauses, **how)}) at time zone 'UTC', 'YYYY-MM-DD')"
