"""CSV and TSV files: texts stay texts, and nothing is guessed that the file does not say."""

from __future__ import annotations

import csv
import io
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gen_toolkit import text
from gen_toolkit.datasets.encoding import decode, no_text
from gen_toolkit.datasets.place import Place, Table

_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.0|\.[0-9]*[1-9](e[+-][0-9]+)?|e[+-][0-9]+)")
_CLAIMS = {"True": True, "TRUE": True, "true": True, "False": False, "FALSE": False, "false": False}
_QUOTES = "A text that holds the separator, a quote or a line break stands in quotes; a quote in it is doubled."
_LARGEST = 2**31 - 1  # characters of a field
_limit = threading.Lock()


def read_delimited(path: Path, separator: str) -> Table:
    """The rows of a file with a header; an empty field is a missing value (None).

    A column whose every field is written as a number (`7`, `-0.5`, `1e-05`) or as true and false holds
    such values, any other column texts as they are: "NA", "null", "007", "1.10" and "1,000" are texts.
    """
    content = _decoded(path, separator)
    with _fields_of_any_size():
        header, records, lines = _records(content, separator, path)
    columns: Sequence[Sequence[str | None]] = list(zip(*records, strict=True)) or [() for _ in header]
    rows = [dict(zip(header, record, strict=True)) for record in zip(*map(_typed, columns), strict=True)]
    return Table(rows, path.stem, path, lines, header, records)


@contextmanager
def _fields_of_any_size() -> Iterator[None]:
    """The csv module refuses fields over 131,072 characters, by a limit that is one for the whole process."""
    with _limit:
        before = csv.field_size_limit(_LARGEST)
        try:
            yield
        finally:
            csv.field_size_limit(before)


def _records(content: str, separator: str, path: Path) -> tuple[list[str], list[list[str | None]], list[int]]:
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=separator, strict=True)
    header: list[str] = []
    records: list[list[str | None]] = []
    lines: list[int] = []
    begins = 1
    try:
        for fields in reader:
            begun, begins = begins, reader.line_num + 1
            if not header:
                header = _header(fields, separator, path)
            elif len(fields) == len(header):
                records.append([field or None for field in fields])
                lines.append(begun)
            elif any(field.strip() for field in fields) or len(fields) > 1:  # else a blank line
                how = "more" if len(fields) > len(header) else "fewer"
                raise Place(path, len(records), begun).error(
                    f"has {how} fields than its header: {len(fields)} and not {len(header)}", fix=_QUOTES
                )
    except csv.Error as error:
        place = Place(path, len(records) if header else None, begins)
        raise place.error(f"cannot be read: {text.one_line(error)}", fix=_QUOTES) from None
    if not header:
        raise Place(path).error("cannot be read: it is empty", fix="Its first line names the columns.")
    return header, records, lines


def _header(fields: list[str], separator: str, path: Path) -> list[str]:
    """The names of the columns; one without a name is called as pandas calls it, which writes such files."""
    header = [field or f"Unnamed: {number}" for number, field in enumerate(fields)]
    for name in header:
        if header.count(name) > 1:
            raise Place(path).error(
                f"has two columns that are called {name!r}", fix="Give one of them another name.", column=name
            )
    other = next((mark for mark in ";\t|," if mark != separator and mark in "".join(header)), None)
    if len(header) == 1 and other:
        raise Place(path).error(
            f"has one column that is called {text.one_line(header[0])!r}: {other!r} seems to separate its fields",
            fix="Save it with commas (tabs for .tsv), or give gt.dataset a DataFrame: pandas.read_csv(…, sep=…).",
        )
    return header


def _typed(fields: Sequence[str | None]) -> Sequence[Any]:
    readings: list[tuple[Callable[[str], Any], Callable[[str], Any]]] = [
        (_is_number, lambda field: int(field) if _WHOLE.fullmatch(field) else float(field)),
        (_CLAIMS.__contains__, _CLAIMS.__getitem__),
    ]
    for fits, made in readings:
        if all(field is None or fits(field) for field in fields):
            return [None if field is None else made(field) for field in fields]
    return fields


def _is_number(field: str) -> bool:
    """Whether a number keeps all that is written: 1.10 may be a version, and no float has 20 digits."""
    if _WHOLE.fullmatch(field):
        return True
    return bool(_DECIMAL.fullmatch(field)) and _digits(repr(float(field))) == _digits(field)


def _digits(number: str) -> str:
    return number.split("e")[0].replace(".", "").strip("-0")


def _decoded(path: Path, separator: str) -> str:
    try:
        return decode(path.read_bytes())
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(error.encoding, "replace")
        raise no_text(error, _place_of(before, separator, path)) from None


def _place_of(before: str, separator: str, path: Path) -> Place:
    """The row and column that begin in `before` and are not at their end there."""
    with _fields_of_any_size():
        records = [
            record for record in csv.reader(io.StringIO(before + "?", newline=""), delimiter=separator) if record
        ]
    header, last = records[0], records[-1]
    column = header[len(last) - 1] if len(records) > 1 and len(last) <= len(header) else None
    row = len(records) - 2 if len(records) > 1 else None
    return Place(path, row, before.count("\n") + 1, None, column)
