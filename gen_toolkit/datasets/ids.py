"""What identifies a row: a column of its own, or its content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gen_toolkit.datasets.place import Place, Table
from gen_toolkit.errors import nearest
from gen_toolkit.messages.request import digest


def ids_by_content(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """The beginning of each row's hash; of equal rows the second is called `…-2`, the third `…-3`."""
    seen: dict[str, int] = {}
    ids = []
    for row in rows:
        base = content_id(row)
        seen[base] = seen.get(base, 0) + 1
        ids.append(base if seen[base] == 1 else f"{base}-{seen[base]}")
    return ids


def content_id(row: Mapping[str, Any]) -> str:
    return digest(row)[:16]


def ids_by_column(table: Table, column: str) -> list[str]:
    """The column's values as texts. Raises DatasetError where one is missing or stands twice."""
    known = table.columns
    if table.rows and column not in known:
        raise Place(table.path).error(
            f"has no id column {column!r}; it has {', '.join(known)}",
            fix=nearest(column, known) or "Name the column that identifies a row, or leave id= out.",
            column=column,
        )
    seen: dict[str, int] = {}
    for number, row in enumerate(table.rows):
        value = row.get(column)
        if value is None or value == "":
            raise table.place(number).error(
                f"has no value in the id column {column!r}", fix="Fill it in.", column=column
            )
        if not isinstance(value, str | int | float):
            raise table.place(number, column).error(
                f"holds {type(value).__name__}, which cannot be an id", fix="An id is a text or a number."
            )
        first = seen.setdefault(str(value), number)
        if first != number:
            raise Place(table.path).error(
                f"rows {_named(table, first)} and {_named(table, number)} have the same id {str(value)!r} "
                f"in column {column!r}",
                fix="Ids must be unique; leave id= out to identify rows by their content.",
                rows=[first, number],
                column=column,
            )
    return list(seen)


def _named(table: Table, row: int) -> str:
    return str(table.place(row)).removeprefix(f"{table.path} ").removeprefix("row ")
