"""What identifies a row: a column of its own, or its content."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gen_toolkit.datasets.place import Place, Table
from gen_toolkit.errors import nearest
from gen_toolkit.messages.request import canonical


def ids_and_digest(rows: Iterable[Mapping[str, Any]], given: Sequence[str] | None) -> tuple[list[str], str]:
    """The id of each row, and SHA-256 over ids and contents in order. A row is written as JSON once for both.

    Where none are given, an id is the beginning of the row's hash; of equal rows the second is called `…-2`, the
    third `…-3`.
    """
    seen: Counter[str] = Counter()
    ids: list[str] = []
    whole = hashlib.sha256(b"[")
    for number, row in enumerate(rows):
        content = canonical(row)
        if given is not None:
            name = given[number]
        else:
            base = _content_id(content)
            seen[base] += 1
            name = base if seen[base] == 1 else f"{base}-{seen[base]}"
        ids.append(name)
        whole.update(b"%s[%s,%s]" % (b"," if number else b"", canonical(name), content))
    whole.update(b"]")
    return ids, whole.hexdigest()


def content_id(row: Mapping[str, Any]) -> str:
    return _content_id(canonical(row))


def _content_id(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


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
