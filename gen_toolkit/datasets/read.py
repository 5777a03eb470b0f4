"""gt.dataset: rows from a file, from a file inside an installed package, from a DataFrame or a list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gen_toolkit import text
from gen_toolkit.datasets.dataset import Dataset
from gen_toolkit.datasets.delimited import read_delimited
from gen_toolkit.datasets.ids import ids_by_column
from gen_toolkit.datasets.json_rows import read_json_lines, read_json_list
from gen_toolkit.datasets.parquet import read_parquet
from gen_toolkit.datasets.place import Place, Table
from gen_toolkit.datasets.plain import from_columns, plain_row
from gen_toolkit.datasets.schema import checked
from gen_toolkit.datasets.traced import traced
from gen_toolkit.errors import DatasetError
from gen_toolkit.tracking.records import read_records
from gen_toolkit.workspace import find_workspace

_ADVICE = (
    "Give a path to .csv, .tsv, .json, .jsonl or .parquet, package:NAME/FILE, mlflow:NAME, "
    "traces:RUN, a DataFrame, or a list of dicts."
)


def dataset(
    source: Any,
    *,
    id: str | None = None,  # noqa: A002 - what it is called
    name: str | None = None,
    schema: Any = None,
    digest: str | None = None,
) -> Dataset:
    """Rows from `source`: a path (relative to the workspace), `package:NAME/FILE`, `mlflow:NAME` (MLflow's
    dataset of that name), `traces:RUN` or `traces:FILTER` (MLflow's traces, redacted; a row's id is its
    trace's), a DataFrame, a list of dicts.

    `id` names the column that identifies a row; without it the row's content does. `schema` declares
    columns: a pydantic model, or types by column such as `{"text": str, "label": Literal["a", "b"]}`.
    `digest` (8 or more characters of it) pins the content: other rows under the same name are refused.
    Raises DatasetError naming file, row and column.
    """
    if isinstance(source, Dataset) and all(given is None for given in (id, name, schema, digest)):
        return source
    table, ids = _table(source)
    if schema is not None:
        table = checked(table, schema, id)
    if id is not None:
        ids = ids_by_column(table, id)
    found = Dataset(table.rows, name=name or table.name, ids=ids)
    if digest is not None:
        _check_digest(found, digest, table.path)
    return found


def _table(source: Any) -> tuple[Table, Sequence[str] | None]:
    """What the reader for this source finds, with ids where the source has them."""
    if isinstance(source, Dataset):
        return Table([dict(row) for row in source], source.name), source.given_ids
    if isinstance(source, str) and source.startswith("traces:"):
        return traced(source.removeprefix("traces:").strip())
    return _plain_table(source), None


def _plain_table(source: Any) -> Table:
    if isinstance(source, str) and source.startswith("mlflow:"):
        named = source.removeprefix("mlflow:")
        rows = [plain_row(row, Place(row=number)) for number, row in enumerate(read_records(named))]
        return Table(rows, named)
    if isinstance(source, str | Path):
        return _read(_locate(source))
    if hasattr(source, "iloc") and hasattr(source, "columns"):
        return _from_frame(source)
    if isinstance(source, Mapping):
        raise DatasetError("a dataset cannot be made of one mapping", fix=f"{_ADVICE} Columns: pandas.DataFrame(…).")
    if isinstance(source, Iterable) and not isinstance(source, bytes):
        return Table([plain_row(row, Place(row=number)) for number, row in enumerate(source)], "rows")
    raise DatasetError(f"a dataset cannot be made of {type(source).__name__}", fix=_ADVICE)


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


def _read(path: Path) -> Table:
    try:
        match path.suffix.lower():
            case ".csv":
                return read_delimited(path, ",")
            case ".tsv":
                return read_delimited(path, "\t")
            case ".parquet":
                return read_parquet(path)
            case ".jsonl":
                return read_json_lines(path)
            case ".json":
                return read_json_list(path)
    except OSError as error:
        raise Place(path).error(f"cannot be read: {text.one_line(error, 200)}", fix="Check its permissions.") from None
    raise Place(path).error(f"has a form that is not known ({path.suffix or 'no ending'})", fix=_ADVICE)


def _from_frame(frame: Any) -> Table:
    names = [str(column) for column in frame.columns]
    empty = Table([], "DataFrame", header=names)
    columns = [frame.iloc[:, i].tolist() for i in range(len(names))]
    return Table(from_columns(names, columns, empty, len(frame)), "DataFrame", header=names)


def _check_digest(found: Dataset, wanted: str, path: Path | None) -> None:
    if len(wanted) < 8:
        raise DatasetError(f"digest={wanted!r} is too short to pin anything", fix="Give 8 or more characters of it.")
    if not found.digest.startswith(wanted):
        raise DatasetError(
            f"{path or found.name} is not what was pinned: its digest is {found.digest[:16]}…, not {wanted[:16]}…",
            fix="Look at what changed; then pin the new digest.",
            digest=found.digest,
        )
