"""Where in a source something is wrong, and what a reader found: what every message about rows begins with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gen_toolkit.errors import DatasetError


@dataclass(frozen=True)
class Place:
    """A file, row and column, as far as they are known; `error` says what is wrong there."""

    path: Path | None = None
    row: int | None = None
    """Counted from 0, as the dataset counts: `data[row]`."""
    line: int | None = None
    """Counted from 1, as an editor counts: the line of the file."""
    id: str | None = None
    column: str | None = None

    def __str__(self) -> str:
        more = [f"line {self.line}" if self.line is not None else "", f"id {self.id}" if self.id else ""]
        inner = ", ".join(part for part in more if part)
        row = "" if self.row is None else f"row {self.row}" + (f" ({inner})" if inner else "")
        said = " ".join(part for part in (str(self.path or ""), row) if part)
        if self.column is None:
            return said or "the dataset"
        return ", ".join(part for part in (said, f"column {self.column!r}") if part)

    def error(self, said: str, *, fix: str, **more: Any) -> DatasetError:
        """The error that says what is wrong here; its place is also data: `path`, `row`, `line`, `id`, `column`."""
        known = {name: value for name, value in vars(self).items() if value is not None}
        if self.path is not None:
            known["path"] = str(self.path)
        return DatasetError(f"{self} {said}", fix=fix, **known, **more)


@dataclass(frozen=True)
class Table:
    """What a reader found: rows of plain data, and where they stood."""

    rows: list[dict[str, Any]]
    name: str
    path: Path | None = None
    lines: Sequence[int] = ()
    """The line of the file where each row begins, where there are lines."""
    header: Sequence[str] = ()
    """The columns that the source names by itself, also of a table without rows."""
    texts: Sequence[Sequence[str | None]] | None = None
    """The fields of a CSV file as they are written, in the header's order, before numbers were made of texts."""

    def place(self, row: int, column: str | None = None, id: str | None = None) -> Place:  # noqa: A002
        line = self.lines[row] if self.lines else None
        return Place(self.path, row, line, id, column)

    @property
    def columns(self) -> list[str]:
        return list(dict.fromkeys([*self.header, *(column for row in self.rows for column in row)]))
