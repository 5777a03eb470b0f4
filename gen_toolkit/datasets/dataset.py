"""A dataset: rows with ids that depend on their content only, and a digest of all of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, overload

from gen_toolkit import display, text
from gen_toolkit.errors import DatasetError, nearest
from gen_toolkit.messages.request import digest


class Row(Mapping[str, Any]):
    """One row: a read-only mapping from column to value, with an `id`."""

    __slots__ = ("_values", "id")

    def __init__(self, values: Mapping[str, Any], id: str) -> None:  # noqa: A002 - what it is called
        self._values, self.id = dict(values), id

    def __getitem__(self, column: str) -> Any:
        try:
            return self._values[column]
        except KeyError:
            raise DatasetError(
                f"row {self.id} has no column {column!r}; it has {', '.join(self._values)}",
                fix=nearest(column, self._values) or "Check the dataset.",
                row=self.id,
                column=column,
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, column: object) -> bool:
        return column in self._values

    def get(self, column: str, default: Any = None) -> Any:
        return self._values.get(column, default)

    def __repr__(self) -> str:
        return f"Row({self.id}, {self._values!r})"


class Dataset(Sequence[Row]):
    """Rows in order. Slices, samples and maps are datasets too; nothing is changed in place."""

    def __init__(
        self, rows: Sequence[Mapping[str, Any]], *, name: str = "rows", ids: Sequence[str] | None = None
    ) -> None:
        self.name = name
        self._values = rows
        self._given_ids = ids

    @cached_property
    def _rows(self) -> list[Row]:
        if self._given_ids is not None:
            return [Row(values, i) for values, i in zip(self._values, self._given_ids, strict=True)]
        seen: dict[str, int] = {}
        rows = []
        for values in self._values:
            base = digest(values)[:16]
            seen[base] = seen.get(base, 0) + 1
            rows.append(Row(values, base if seen[base] == 1 else f"{base}-{seen[base]}"))
        return rows

    @cached_property
    def digest(self) -> str:
        """SHA-256 over ids and contents in order: the same rows have the same digest everywhere."""
        return digest([[row.id, dict(row)] for row in self._rows])

    @property
    def columns(self) -> list[str]:
        """The columns, in the order of their first appearance."""
        return list(dict.fromkeys(column for values in self._values for column in values))

    def __len__(self) -> int:
        return len(self._values)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Dataset: ...
    def __getitem__(self, index: int | slice) -> Row | Dataset:
        if isinstance(index, slice):
            return self._with(list(range(len(self)))[index])
        return self._rows[index]  # all are named first: only so does an equal row get an id of its own

    def _with(self, positions: Sequence[int]) -> Dataset:
        ids = [self._given_ids[i] for i in positions] if self._given_ids is not None else None
        return Dataset([self._values[i] for i in positions], name=self.name, ids=ids)

    def sample(self, count: int, *, seed: int = 0) -> Dataset:
        """`count` rows drawn without replacement; the same seed draws the same rows."""
        if count > len(self):
            raise DatasetError(
                f"{count} rows were asked for and {self.name} has {len(self)}",
                fix="Ask for fewer.",
                rows=len(self),
            )
        return self._with(random.Random(seed).sample(range(len(self)), count))  # noqa: S311 - a draw, not a secret

    def where(self, keep: Callable[[Mapping[str, Any]], Any]) -> Dataset:
        """The rows for which `keep(row)` is true."""
        return self._with([i for i, values in enumerate(self._values) if keep(values)])

    def map(self, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Dataset:
        """Every row with the columns that `change(row)` returns put in or replaced."""
        return Dataset([{**values, **change(values)} for values in self._values], name=self.name, ids=self._given_ids)

    def to_pandas(self) -> Any:
        import pandas

        return pandas.DataFrame([dict(row) for row in self], index=[row.id for row in self])

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, {len(self)} rows, columns {text.one_line(', '.join(self.columns[:8]))})"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        columns = self.columns
        shown = [[str(values.get(column, ""))[:200] for column in columns] for values in self._values[:5]]
        note = f"{len(self):,} rows"
        return display.bundle(
            f"{self!r}\n{display.text_table(columns, shown)}",
            display.html_card(self.name, note, display.html_table(columns, shown)),
        )
