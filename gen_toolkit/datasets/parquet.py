"""Parquet files; the only door to pyarrow."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from gen_toolkit import text
from gen_toolkit.datasets.place import Place, Table
from gen_toolkit.datasets.plain import from_columns

_INDEX = re.compile(r"__index_level_\d+__")  # a DataFrame's index without a name; the rows have ids of their own


def read_parquet(path: Path) -> Table:
    import pyarrow
    import pyarrow.parquet

    empty = Table([], path.stem, path)
    try:
        found = pyarrow.parquet.ParquetFile(path).read()
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise Place(path).error(
            f"cannot be read: {text.one_line(error, 200)}", fix="Check that it is a whole Parquet file."
        ) from None
    names = [name for name in found.column_names if not _INDEX.fullmatch(name)]
    columns = [_values(found.column(i), name, empty) for i, name in enumerate(found.column_names) if name in names]
    return Table(from_columns(names, columns, empty, found.num_rows), path.stem, path, header=names)


def _values(column: Any, name: str, table: Table) -> list[Any]:
    try:
        values: list[Any] = column.to_pylist()
    except ValueError as error:  # a text that is none, a time beyond Python's
        raise table.place(_first_bad(column), name).error(
            f"cannot be read: {text.one_line(error, 160)}", fix="Write the value anew, or leave the row out."
        ) from None
    return values


def _first_bad(column: Any) -> int:
    for row, value in enumerate(column):
        try:
            value.as_py()
        except ValueError:
            return row
    return 0
