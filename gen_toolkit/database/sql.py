"""The words of SQL that other rooms write their queries with: what they may use of SQLAlchemy."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Dialect,
    Float,
    Insert,
    Row,
    String,
    Table,
    Update,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

__all__ = [
    "ColumnElement",
    "Connection",
    "Prepared",
    "Row",
    "and_",
    "bindparam",
    "case",
    "day",
    "delete",
    "func",
    "has_text",
    "insert_new",
    "now",
    "or_",
    "select",
]


@dataclass(frozen=True)
class _Ready:
    sql: str
    order: Sequence[str] | None
    """Of its parameters; None: they are named."""
    fixed: Mapping[str, Any]
    """What the statement itself says of them."""
    stored: Mapping[str, Callable[[Any], Any]]
    """What the type of a column makes of a value."""


class Prepared:
    """An insert or an update that is done thousands of times: compiled once, and handed to the driver as it is."""

    def __init__(self, statement: Insert | Update) -> None:
        self._statement = statement
        self._ready: dict[str, _Ready] = {}

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Once for each of the rows, which give a value to every parameter of the statement."""
        ready = self._ready.get(connection.dialect.name) or self._prepare(connection.dialect)
        named = [{**ready.fixed, **row} for row in rows]
        for name, stored in ready.stored.items():
            for row in named:
                row[name] = stored(row[name])
        values: Any = named if ready.order is None else [tuple([row[name] for name in ready.order]) for row in named]
        connection.exec_driver_sql(ready.sql, values)

    def _prepare(self, dialect: Dialect) -> _Ready:
        compiled = self._statement.compile(dialect=dialect)
        of_type = {name: bind.type.bind_processor(dialect) for name, bind in compiled.binds.items()}
        ready = self._ready[dialect.name] = _Ready(
            compiled.string,
            compiled.positiontup,
            {name: value for name, value in compiled.params.items() if value is not None},
            {name: stored for name, stored in of_type.items() if stored is not None},
        )
        return ready


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows whose key is not there yet, also when another process inserts them at the same moment."""
    insert: Any = sqlite.insert
    if connection.dialect.name == "postgresql":  # only then: it loads the dialects of all its drivers
        from sqlalchemy.dialects import postgresql

        insert = postgresql.insert
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


class _Like(GenericFunction[bool]):
    type = Boolean()
    inherit_cache = True
    name = "gen_toolkit_like"


@compiles(_Like, "sqlite")
def _like_on_sqlite(like: Any, compiler: Any, **how: Any) -> str:
    """Small and capital letters of ASCII are the same to it."""
    return "({} LIKE {} ESCAPE '/')".format(*(compiler.process(clause, **how) for clause in like.clauses))


@compiles(_Like, "postgresql")
def _like_on_postgres(like: Any, compiler: Any, **how: Any) -> str:
    return "({} ILIKE {} ESCAPE '/')".format(*(compiler.process(clause, **how) for clause in like.clauses))


def has_text(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """Whether a text stands in the column, in small or capital letters."""
    escaped = text.replace("/", "//").replace("%", "/%").replace("_", "/_")
    return _Like(column, f"%{escaped}%")
