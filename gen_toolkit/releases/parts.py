"""The parts of a fan-out: parameters for each, from a grid or from a file of rows."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
            raise ParameterError(f"--grid {name}: {written[:60]} is no JSON list: {error}", parameter=name) from None
    else:
        found = [value.strip() for value in written.split(",")]
    if not found or found == [""]:
        raise ParameterError(f"--grid {name} has no values", fix="Write --grid name=a,b,c.", parameter=name)
    return list(found)


def partitions(path: Path) -> list[Part]:
    """A row for each part: of a `.csv` file by its header, or the objects of a `.jsonl` file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", fix="Name a .csv or .jsonl file.") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is no UTF-8 text", fix="Save it as UTF-8.") from None
    if path.suffix == ".csv":
        found = _csv(path, text)
    elif path.suffix in {".jsonl", ".ndjson"}:
        found = _json_lines(path, text)
    else:
        raise InputError(f"{path} is neither .csv nor .jsonl", fix="Name a .csv or .jsonl file.")
    if not found:
        raise InputError(f"{path} holds no rows", fix="Give it a row for each part.")
    _refuse_too_many(len(found))
    return found


def _csv(path: Path, text: str) -> list[Part]:
    rows = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        header = [name.strip() for name in next(rows, [])]
        if len(set(header)) != len(header) or not all(header):
            raise InputError(f"{path}: its header has an empty name, or one twice", fix="Name each parameter once.")
        found = []
        for row in rows:
            if not row:
                continue
            if len(row) != len(header):
                raise InputError(
                    f"{path}, line {rows.line_num}: {len(row)} values, and the header has {len(header)} names",
                    fix="Correct the line.",
                )
            found.append(dict(zip(header, row, strict=True)))
    except csv.Error as error:
        raise InputError(f"{path}, line {rows.line_num}: {error}", fix="Correct the line.") from None
    return found


def _json_lines(path: Path, text: str) -> list[Part]:
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputError(f"{path}, line {number}: {error}", fix="Correct the line.") from None
        if not isinstance(row, dict):
            raise InputError(f"{path}, line {number}: it is no object", fix='Write {"parameter": value} a line.')
        found.append(row)
    return found


def _refuse_too_many(count: int) -> None:
    if count > MOST:
        raise InputError(f"these would be more than {MOST} parts", fix="Run them in several goes.")
