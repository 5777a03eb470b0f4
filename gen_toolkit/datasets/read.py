"""gt.dataset: rows from a file, from a file inside an installed package, from a DataFrame or a list."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

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
        return source
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
    text = str(source)
    if text.startswith("package:"):
        package, _, inner = text.removeprefix("package:").partition("/")
        spec = find_spec(package) if package.isidentifier() else None
        folders = spec.submodule_search_locations if spec else None
        if not folders:
            raise DatasetError(
                f"the package {package!r} is not installed",
                fix=f"Run: pip install {package.replace('_', '-')}",
            )
        path = Path(next(iter(folders))) / inner
    else:
        path = find_workspace().root / Path(text).expanduser()
    if not path.is_file():
        raise DatasetError(f"there is no file {path}", fix=_ADVICE, path=str(path))
    return path


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        match path.suffix.lower():
            case ".csv" | ".tsv":
                import pandas

                return _from_frame(pandas.read_csv(path, sep="\t" if path.suffix.lower() == ".tsv" else ","))
            case ".parquet":
                import pandas

                return _from_frame(pandas.read_parquet(path))
            case ".jsonl":
                lines = path.read_text(encoding="utf-8").splitlines()
                return [_plain(_json(line, path, n), n) for n, line in enumerate(lines, 1) if line.strip()]
            case ".json":
                data = json.loads(path.read_text(encoding="utf-8"))
                return [_plain(row, number) for number, row in enumerate(data)]
    except DatasetError:
        raise
    except (OSError, ValueError, TypeError) as error:
        raise DatasetError(
            f"{path} cannot be read: {error}", fix="Check the file's form and encoding.", path=str(path)
        ) from None
    raise DatasetError(
        f"{path.name}: {path.suffix or 'a file without ending'} is no known form", fix=_ADVICE, path=str(path)
    )


def _json(line: str, path: Path, number: int) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise DatasetError(f"{path} line {number} is not JSON: {error}", fix="Correct the line.", row=number) from None


def _from_frame(frame: Any) -> list[dict[str, Any]]:
    columns = [str(column) for column in frame.columns]
    lists = [[_value(v) for v in frame.iloc[:, i].tolist()] for i in range(len(columns))]
    return [dict(zip(columns, values, strict=True)) for values in zip(*lists, strict=True)]


def _plain(row: Any, number: int) -> dict[str, Any]:
    if not isinstance(row, Mapping):
        raise DatasetError(
            f"row {number} is {type(row).__name__}, not a mapping from column to value",
            fix='Write rows as [{"text": "…"}, …].',
            row=number,
        )
    plain = {str(column): _value(value) for column, value in row.items()}
    try:
        json.dumps(plain)
    except (TypeError, ValueError) as error:
        raise DatasetError(
            f"row {number} holds what JSON cannot: {error}", fix="Turn it into text.", row=number
        ) from None
    return plain


def _value(value: Any) -> Any:
    """Missing values are None; times are ISO texts; numpy's scalars are Python's."""
    if isinstance(value, float) and math.isnan(value):
        return None
    if hasattr(value, "isoformat"):
        return None if value != value else value.isoformat()
    if hasattr(value, "item") and not isinstance(value, str | bytes):
        return value.item()
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
