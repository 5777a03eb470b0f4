"""The parts of a fan-out: parameters for each, from a grid or from a file of rows."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gen_toolkit.datasets.delimited import read_delimited
from gen_toolkit.datasets.json_rows import read_json_lines
from gen_toolkit.errors import InputError, ParameterError

MOST = 1000

Part = dict[str, Any]
"""What one part is given, by name of the parameter: texts as a command line gives them, or JSON values."""


def grid(axes: Sequence[str]) -> list[Part]:
    """Every combination of `name=a,b,c` with every other; a value with a comma stands in `name=["a,b", "c"]`."""
    values: dict[str, list[Any]] = {}
    for axis in axes:
        name, equals, written = axis.partition("=")
        name = name.strip()
        if not equals or not name or name in values:
            again = " again" if name in values else ""
            raise ParameterError(f"--grid {axis!r} is no axis{again}", fix="Write --grid name=a,b,c.", parameter=name)
        values[name] = _listed(name, written.strip())
    count = 1
    for listed in values.values():
        count *= len(listed)
        _refuse_too_many(count)
    return [dict(zip(values, combination, strict=True)) for combination in itertools.product(*values.values())]


def _listed(name: str, written: str) -> list[Any]:
    if written.startswith("["):
        try:
            found = json.loads(written)
        except ValueError as error:
            raise ParameterError(
                f"--grid {name}: {written[:60]} is no JSON list: {error}",
                fix=f'Write --grid \'{name}=["a, b", "c"]\'.',
                parameter=name,
            ) from None
    else:
        found = [value.strip() for value in written.split(",")]
    if not found or found == [""]:
        raise ParameterError(f"--grid {name} has no values", fix="Write --grid name=a,b,c.", parameter=name)
    return list(found)


def partitions(path: Path) -> list[Part]:
    """A row for each part: of a `.csv` file by its header, all texts as they stand there, or the objects of `.jsonl`.

    Read as datasets are. Raises DatasetError naming file and line.
    """
    try:
        if path.suffix == ".csv":
            table = read_delimited(path, ",")
            found: list[Part] = [
                {name: field or "" for name, field in zip(table.header, record, strict=True)}
                for record in table.texts or ()
            ]
        elif path.suffix in {".jsonl", ".ndjson"}:
            found = read_json_lines(path).rows
        else:
            raise InputError(f"{path} is neither .csv nor .jsonl", fix="Name a .csv or .jsonl file.")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", fix="Name a .csv or .jsonl file.") from None
    if not found:
        raise InputError(f"{path} holds no rows", fix="Give it a row for each part.")
    _refuse_too_many(len(found))
    return found


def _refuse_too_many(count: int) -> None:
    if count > MOST:
        raise InputError(f"these would be more than {MOST} parts", fix="Run them in several goes.")
