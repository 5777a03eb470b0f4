"""Values as plain data: what JSON can hold, so that a row has one digest wherever it came from."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gen_toolkit import text
from gen_toolkit.datasets.place import Place, Table

_PLAIN = (str, bool, type(None))  # by exact type: nothing to turn, nothing to check
_LARGE = 2**64


def plain_row(row: Any, place: Place) -> dict[str, Any]:
    """A row as plain data. Raises DatasetError naming row and column."""
    if not isinstance(row, Mapping):
        raise place.error(
            f"is {type(row).__name__}, not a mapping from column to value", fix='Write rows as [{"text": "…"}, …].'
        )
    plain: dict[str, Any] = {}
    for column, value in row.items():
        name = str(column)
        if name in plain:
            raise replace(place, column=name).error("stands twice", fix="Give one of the two another name.")
        plain[name] = value if type(value) in _PLAIN else _checked(value, replace(place, column=name))
    return plain


def from_columns(
    names: Sequence[str], columns: Iterable[Sequence[Any]], table: Table, count: int
) -> list[dict[str, Any]]:
    """Rows of plain data from columns of values."""
    for name in names:
        if names.count(name) > 1:
            raise Place(table.path).error(
                f"has two columns that are called {name!r}", fix="Give one of them another name.", column=name
            )
    done = [
        [v if type(v) in _PLAIN else _checked(v, table.place(row, name)) for row, v in enumerate(values)]
        for name, values in zip(names, columns, strict=True)
    ]
    return [dict(zip(names, (values[row] for values in done), strict=True)) for row in range(count)]


def _checked(value: Any, place: Place) -> Any:
    try:
        turned = _turned(value)
        is_number = isinstance(turned, int | float) and abs(turned) < _LARGE
        if not is_number:
            json.dumps(turned, allow_nan=False)  # also refuses whole numbers of more than 4,300 digits
    except (TypeError, ValueError, RecursionError) as error:
        raise place.error(
            f"holds what JSON cannot: {text.one_line(error, 120)}", fix="Turn it into text, or leave it out."
        ) from None
    return turned


def _turned(value: Any) -> Any:
    """Missing values are None, also deep inside; times are ISO texts; numpy's values are Python's."""
    if (isinstance(value, float) and math.isnan(value)) or type(value).__name__ == "NAType":
        return None
    if isinstance(value, Mapping):
        turned = {str(key): _turned(inner) for key, inner in value.items()}
        if len(turned) < len(value):
            raise ValueError("two keys that are the same text")
        return turned
    if isinstance(value, list | tuple):
        return [_turned(inner) for inner in value]
    if hasattr(value, "isoformat"):
        return None if value != value else value.isoformat()
    if hasattr(value, "tolist"):
        return _turned(value.tolist())
    return value
