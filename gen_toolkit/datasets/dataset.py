"""A dataset: rows with ids that depend on their content only, and a digest of all of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from numbers import Integral
from typing import Any, overload

from gen_toolkit import display, text
from gen_toolkit.datasets.ids import content_id, ids_and_digest
from gen_toolkit.datasets.place import Place
from gen_toolkit.datasets.plain import plain_row
from gen_toolkit.datasets.split import divided
from gen_toolkit.errors import DatasetError, nearest


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
        return text.one_line(f"Row({self.id}, {self._values!r})", 400)


class Dataset(Sequence[Row]):
    """Rows in order. Slices, samples and maps are datasets too; nothing is changed in place."""

    def __init__(
        self, rows: Sequence[Mapping[str, Any]], *, name: str = "rows", ids: Sequence[str] | None = None
    ) -> None:
        self.name = name
        self._values = rows
        self.given_ids = ids
        """The ids of an id column; None where a row's content identifies it."""

    @cached_property
    def _named(self) -> tuple[list[str], str]:
        return ids_and_digest(self._values, self.given_ids)

    @cached_property
    def _rows(self) -> list[Row]:
        return [Row(values, i) for values, i in zip(self._values, self._named[0], strict=True)]

    @property
    def digest(self) -> str:
        """SHA-256 over ids and contents in order: the same rows have the same digest everywhere."""
        return self._named[1]

    @property
    def columns(self) -> list[str]:
        """The columns, in the order of their first appearance."""
        return list(dict.fromkeys(chain.from_iterable(self._values)))

    @property
    def shared_columns(self) -> set[str]:
        """The columns that every row has."""
        return set(self.columns).intersection(*self._values)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

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
        ids = [self.given_ids[i] for i in positions] if self.given_ids is not None else None
        return Dataset([self._values[i] for i in positions], name=self.name, ids=ids)

    def sample(self, count: int, *, seed: int = 0) -> Dataset:
        """`count` rows drawn without replacement; the same seed draws the same rows."""
        if not isinstance(count, Integral) or not 0 <= count <= len(self):
            raise DatasetError(
                f"{count!r} rows were asked for and {self.name} has {len(self)}",
                fix=f"Ask for a whole number from 0 to {len(self)}.",
                rows=len(self),
            )
        return self._with(random.Random(seed).sample(range(len(self)), count))  # noqa: S311 - a draw, not a secret

    def split(
        self, share: float, *, seed: int = 0, by: str | None = None, group: str | None = None
    ) -> tuple[Dataset, Dataset]:
        """Two datasets: `share` of the rows (above 0, below 1), and the others, each in this order.

        `by` names a column whose every value gives its share (stratified); rows with the same value in the
        column `group` stay on one side, as equal rows always do, so that nothing tuned on one side has
        seen the other. A row's side depends on the seed and its content, hardly on the other rows and not
        on their order. Raises DatasetError where a side would be empty.

        >>> tune, test = Dataset([{"n": n} for n in range(10)]).split(0.3, seed=7)
        >>> len(tune), len(test)
        (3, 7)
        """
        given: Any = share  # whatever the annotation says
        if not isinstance(given, float) or not 0 < given < 1:
            raise DatasetError(f"share={given!r} is no share of the rows", fix="Give a number between 0 and 1.")
        units = [row.id for row in self] if self.given_ids is not None else [content_id(v) for v in self._values]
        if group is not None:
            units = [content_id({group: row[group]}) for row in self]
        strata = [None if by is None else row[by] for row in self]
        first = divided(units, strata, share, seed, name=self.name, group=group)
        others = set(first)
        return self._with(first), self._with([i for i in range(len(self)) if i not in others])

    def where(self, keep: Callable[[Row], Any] | None = None, /, **columns: Any) -> Dataset:
        """The rows for which `keep(row)` is true and whose columns have the given values.

        >>> len(Dataset([{"n": 1, "s": "a"}, {"n": 2, "s": "a"}]).where(lambda row: row["n"] > 1, s="a"))
        1
        """
        chosen = [
            position
            for position, row in enumerate(self._rows)
            if all(row[column] == value for column, value in columns.items()) and (keep is None or keep(row))
        ]
        return self._with(chosen)

    def map(self, change: Callable[[Row], Mapping[str, Any]]) -> Dataset:
        """Every row with the columns that `change(row)` returns, made plain data, put in or replaced."""
        changed = [{**row, **plain_row(change(row), Place(row=n, id=row.id))} for n, row in enumerate(self._rows)]
        return Dataset(changed, name=self.name, ids=self.given_ids)

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
