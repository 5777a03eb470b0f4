"""JSON lines and JSON lists of objects."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gen_toolkit import text
from gen_toolkit.datasets.encoding import decode, no_text
from gen_toolkit.datasets.place import Place, Table
from gen_toolkit.datasets.plain import plain_row


def read_json_lines(path: Path) -> Table:
    """One object a line; blank lines are no rows."""
    rows: list[dict[str, Any]] = []
    numbers: list[int] = []
    for number, line in enumerate(_decoded(path).split("\n"), 1):  # a text may hold other line breaks
        if line.strip():
            place = Place(path, len(rows), number)
            rows.append(plain_row(_parsed(line, place, "Write one JSON object on each line."), place))
            numbers.append(number)
    return Table(rows, path.stem, path, numbers)


def read_json_list(path: Path) -> Table:
    """A list of objects."""
    fix = "Write a list of objects; a file with one object on each line is called .jsonl."
    found = _parsed(_decoded(path), Place(path), fix)
    if not isinstance(found, list):
        raise Place(path).error(f"cannot be read: it holds {type(found).__name__}, not a list of rows", fix=fix)
    return Table([plain_row(row, Place(path, number)) for number, row in enumerate(found)], path.stem, path)


def _decoded(path: Path) -> str:
    try:
        return decode(path.read_bytes())
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(error.encoding, "replace").split("\n")
        row = sum(bool(line.strip()) for line in before[:-1]) if path.suffix.lower() == ".jsonl" else None
        raise no_text(error, Place(path, row, len(before))) from None


def _parsed(said: str, place: Place, fix: str) -> Any:
    try:
        return json.loads(said, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise place.error(f"cannot be read as JSON: {text.one_line(error, 160)}", fix=fix) from None


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Of two equal keys JSON's readers keep one; which one is nobody's intention."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} stands twice in one object")
    return found
