"""gt.dataset: rows from a file, from a file inside an installed package, from a DataFrame or a list."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gen_toolkit import text
from gen_toolkit.datasets.dataset import Dataset
from gen_toolkit.errors import DatasetError
from gen_toolkit.workspace import find_workspace

_ADVICE = "Give a path to .csv, .json, .jsonl or .parquet, package:NAME/FILE, a DataFrame, or a list of dicts."


def dataset(source: Any, *, id: str | None = None, name: str | None = None) -> Dataset:  # noqa: A002
    """Rows from `source`: a path (relative to the workspace), `package:NAME/FILE`, a DataFrame, a list of dicts.

    `id` names the column that identifies a row; without it the row's content does. Raises DatasetError
    naming file, row and column.
    """
    if isinstance(source, Dataset):
        if id is None and name is None:
            return source
        name, source = name or source.name, list(source)
    if isinstance(source, str | Path):
        path = _locate(source)
        rows, title = _read(path), path.stem
    elif hasattr(source, "to_dict") and hasattr(source, "columns"):
        rows, title = _from_frame(source), "DataFrame"
    elif isinstance(source, Iterable):
        rows, title = [_plain(row, number) for number, row in enumerate(source)], "rows"
    else:
        raise DatasetError(f"a dataset cannot be made of {type(source).__name__}", fix=_ADVICE)
    return Dataset(rows, name=name or title, ids=None if id is None else _ids(rows, id))


def _locate(source: str | Path) -> Path:
    named = str(source)
    if named.startswith("package:"):
        package, _, inner = named.removeprefix("package:").partition("/")
        spec = find_spec(package) if package.isidentifier() else None
        folders = spec.submodule_search_locations if spec else None
        if not folders:
            raise DatasetError(
                f"the package {package!r} is not installed",
                fix=f"Run: pip install {package.replace('_', '-')}",
            )
        path = Path(next(iter(folders))) / inner
    else:
        path = find_workspace().root / Path(named).expanduser()
    if not path.is_file():
        raise DatasetError(f"there is no file {path}", fix=_ADVICE, path=str(path))
    return path


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        match path.suffix.lower():
            case ".csv" | ".tsv":
                return _from_frame(_read_csv(path, "\t" if path.suffix.lower() == ".tsv" else ","))
            case ".parquet":
                import pandas

                return _from_frame(pandas.read_parquet(path))
            case ".jsonl":
                lines = path.read_text(encoding="utf-8-sig").split("\n")  # a text may hold other line breaks
                return [_plain(_json(line, path, n), n) for n, line in enumerate(lines, 1) if line.strip()]
            case ".json":
                data = json.loads(path.read_text(encoding="utf-8-sig"))
                return [_plain(row, number) for number, row in enumerate(data)]
    except DatasetError:
        raise
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise DatasetError(
            f"{path} cannot be read: {text.one_line(error, 200)}",
            fix="Check the file's form and encoding.",
            path=str(path),
        ) from None
    raise DatasetError(
        f"{path.name}: {path.suffix or 'a file without ending'} is no known form", fix=_ADVICE, path=str(path)
    )


def _json(line: str, path: Path, number: int) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise DatasetError(f"{path} line {number} is not JSON: {error}", fix="Correct the line.", row=number) from None


def _read_csv(path: Path, separator: str) -> Any:
    """Where rows are longer than the header pandas would shift or cut them; that is an error."""
    import pandas

    with warnings.catch_warnings():
        warnings.simplefilter("error", pandas.errors.ParserWarning)
        try:
            return pandas.read_csv(path, sep=separator, index_col=False, low_memory=False)
        except pandas.errors.ParserWarning:
            raise ValueError("its rows have more fields than its header") from None


def _from_frame(frame: Any) -> list[dict[str, Any]]:
    columns = [str(column) for column in frame.columns]
    for column in columns:
        if columns.count(column) > 1:
            raise DatasetError(
                f"two columns are called {column!r}", fix="Give one of them another name.", column=column
            )
    lists = [frame.iloc[:, i].tolist() for i in range(len(columns))]
    rows = zip(*lists, strict=True)
    return [_plain(dict(zip(columns, values, strict=True)), number) for number, values in enumerate(rows)]


def _plain(row: Any, number: int) -> dict[str, Any]:
    if not isinstance(row, Mapping):
        raise DatasetError(
            f"row {number} is {type(row).__name__}, not a mapping from column to value",
            fix='Write rows as [{"text": "…"}, …].',
            row=number,
        )
    plain: dict[str, Any] = {}
    for column, value in row.items():
        try:
            plain[str(column)] = _value(value)
            json.dumps(plain[str(column)])
        except (TypeError, ValueError, RecursionError) as error:
            raise DatasetError(
                f"row {number}, column {str(column)!r} holds what JSON cannot: {text.one_line(error, 120)}",
                fix="Turn it into text.",
                row=number,
                column=str(column),
            ) from None
    return plain


def _value(value: Any) -> Any:
    """Missing values are None, also deep inside; times are ISO texts; numpy's values are Python's."""
    if (isinstance(value, float) and math.isnan(value)) or type(value).__name__ == "NAType":
        return None
    if isinstance(value, Mapping):
        return {str(key): _value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_value(inner) for inner in value]
    if hasattr(value, "isoformat"):
        return None if value != value else value.isoformat()
    if hasattr(value, "tolist"):
        return _value(value.tolist())
    return value


def _ids(rows: list[dict[str, Any]], column: str) -> list[str]:
    seen: dict[str, int] = {}
    for number, row in enumerate(rows):
        value = str(row.get(column) if row.get(column) is not None else "")
        if not value:
            raise DatasetError(
                f"row {number} has no value in the id column {column!r}",
                fix="Fill it in.",
                row=number,
                column=column,
            )
        if value in seen:
            raise DatasetError(
                f"rows {seen[value]} and {number} have the same id {value!r} in column {column!r}",
                fix="Ids must be unique; leave id= out to identify rows by their content.",
                row=number,
                column=column,
            )
        seen[value] = number
    return list(seen)
