"""The words of SQL that other rooms write their queries with: what they may use of SQLAlchemy."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Float, Row, and_, bindparam, case, delete, func, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

__all__ = [
    "ColumnElement",
    "Connection",
    "Row",
    "and_",
    "bindparam",
    "case",
    "delete",
    "func",
    "now",
    "or_",
    "select",
]


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
