"""Declared columns: every row is checked, and what does not fit is named by row and column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gen_toolkit.datasets.declared import declared
from gen_toolkit.datasets.ids import content_id
from gen_toolkit.datasets.place import Place, Table
from gen_toolkit.errors import DatasetError, nearest

_SHOWN = 20  # problems kept as data


def checked(table: Table, schema: Any, id: str | None) -> Table:  # noqa: A002 - the column that names a row
    """The table with every declared column as declared; other columns stay as they are.

    Values are read by pydantic's rules, those of a CSV file also as the text that stands in it: "0" fits
    `int`, `str` and `Literal[0]`. Raises DatasetError at the first row that does not fit, saying how many
    more do not; its `problems` lists the first 20.
    """
    columns = declared(schema)
    _check_header(table, columns.required)
    rows: list[dict[str, Any]] = []
    problems: list[tuple[Place, str]] = []
    for number, row in enumerate(table.rows):
        texts = dict(zip(table.header, table.texts[number], strict=True)) if table.texts is not None else {}
        values, wrong = columns.read(row, texts)
        rows.append({**row, **values})
        if wrong:
            problems.append((table.place(number, wrong[0].column, _id_of(row, id)), wrong[0].said))
    if problems:
        raise _refused(problems, len(rows))
    return replace(table, rows=rows)


def _check_header(table: Table, required: Sequence[str]) -> None:
    """A column that no row has is one mistake, not one a row."""
    known = table.columns
    for column in required:
        if known and column not in known:
            raise Place(table.path).error(
                f"has no column {column!r}; it has {', '.join(known)}",
                fix=nearest(column, known) or "Correct the schema or the data.",
                column=column,
            )


def _refused(problems: list[tuple[Place, str]], count: int) -> DatasetError:
    place, said = problems[0]
    also = f" ({len(problems) - 1:,} more of {count:,} rows do not fit)" if len(problems) > 1 else ""
    return place.error(
        said + also,
        fix="Correct the data or the schema.",
        problems=[f"{at} {what}" for at, what in problems[:_SHOWN]],
    )


def _id_of(row: Mapping[str, Any], column: str | None) -> str:
    return content_id(row) if column is None or row.get(column) is None else str(row[column])
