"""A result cut by a column: how it does on each kind of row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gen_toolkit import display
from gen_toolkit.errors import InputError, nearest

if TYPE_CHECKING:
    from gen_toolkit.evals.result import Result

_SHOWN = 30


class Slices(Mapping[str, "Result"]):
    """From each value of a column, as a text, to the Result of its rows; the worst by the first scorer come first.

    Each interval is that slice's alone. The worst of many slices looks worse than it is.
    """

    def __init__(self, result: Result, column: str) -> None:
        columns = list(dict.fromkeys(name for row in result.rows for name in row.row))
        if column not in columns:
            raise InputError(
                f"there is no column {column!r} to slice by",
                fix=nearest(column, columns) or f"There are: {', '.join(columns)}.",
            )
        self.title, self.column = result.title, column
        rows: dict[str, list[Any]] = {}
        for row in result.rows:
            rows.setdefault(str(row.row.get(column)), []).append(row)
        parts = {
            value: replace(result, rows=tuple(of), title=f"{result.title}: {column} {value}", verdicts=(), note="")
            for value, of in rows.items()
        }
        self._parts = dict(sorted(parts.items(), key=lambda item: _order(item[1])))

    def __getitem__(self, value: str) -> Result:
        return self._parts[str(value)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)

    def table(self) -> tuple[list[str], list[list[Any]]]:
        """(columns, rows): a line for each value, with numbers; what is unknown is None."""
        scorers = next(iter(self._parts.values())).scorers
        columns = [self.column, *(part for name in scorers for part in (name, f"{name}.low", f"{name}.high"))]
        lines = []
        for value, part in self._parts.items():
            found = [part.scores[name] for name in scorers]
            numbers = [n for e in found for n in ((None,) * 3 if e is None else (e.mean, e.low, e.high))]
            lines.append([value, *numbers, len(part.rows), len(part.failed)])
        return [*columns, "rows", "rows_failed"], lines

    def to_pandas(self) -> Any:
        import pandas

        columns, rows = self.table()
        return pandas.DataFrame(rows, columns=columns).set_index(self.column)

    def __repr__(self) -> str:
        return f"Slices({self.title}: {len(self)} values of {self.column!r})"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        columns = [self.column, *next(iter(self._parts.values())).scorers, "rows"]
        lines = [[value, *(part.summary()[c] for c in columns[1:])] for value, part in self._parts.items()][:_SHOWN]
        left = f"the first {_SHOWN} of {len(self)} values" if len(self) > _SHOWN else ""
        plain = "\n".join(filter(None, [f"{self.title} by {self.column}", left, display.text_table(columns, lines)]))
        return display.bundle(plain, display.html_card(self.title, left, display.html_table(columns, lines)))


def _order(part: Result) -> float:
    """Worst first; what no row of was scored, before all."""
    name = part.scorers[0]
    found = part.scores[name]
    return float("-inf") if found is None else found.mean * (-1 if name in part.less_is_better else 1)
