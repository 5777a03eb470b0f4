"""The result of several cells at once: prompts, models, options and methods side by side on the same rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gen_toolkit import display, text
from gen_toolkit.errors import InputError, nearest
from gen_toolkit.evals.family import judged_together
from gen_toolkit.evals.result import Result
from gen_toolkit.evals.scorers_check import shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class FailedCell:
    """A cell whose model could not answer its first row."""

    title: str
    error: str


@dataclass(frozen=True)
class Grid:
    """Cells, each a Result. Show it, take its best, compare its cells."""

    title: str
    cells: tuple[Result, ...]
    failed: tuple[FailedCell, ...] = ()
    seconds: float = 0.0
    run: str = ""
    note: str = ""

    def __iter__(self) -> Iterator[Result]:
        return iter(self.cells)

    def __len__(self) -> int:
        return len(self.cells)

    def __getitem__(self, cell: int | str) -> Result:
        """A cell by its place or its title."""
        if isinstance(cell, int) and -len(self) <= cell < len(self):
            return self.cells[cell]
        for result in self.cells:
            if result.title == cell:
                return result
        titles = [result.title for result in self.cells]
        fix = nearest(str(cell), titles) or f"There are: {', '.join(titles)}."
        raise InputError(f"there is no cell {shown(cell)}", fix=fix)

    @property
    def scorers(self) -> tuple[str, ...]:
        return self.cells[0].scorers if self.cells else ()

    @property
    def cost(self) -> Decimal | None:
        """USD for all answers; None as soon as one cell's cost is unknown."""
        costs = [result.cost for result in self.cells]
        known = [cost for cost in costs if cost is not None]
        return sum(known, Decimal(0)) if len(known) == len(costs) else None

    def best(self, scorer: str | None = None) -> Result:
        """The cell with the best mean of a scorer (by default the first), of equals the first.

        The best of many looks better than it is: `compare` says whether the difference holds.
        """
        name = self._named(scorer)
        scored = [result for result in self.cells if result.scores[name] is not None]
        if not scored:
            raise InputError(f"no row was scored by {name!r}", fix="Look at grid.cells[0].failed.")
        return max(scored, key=lambda r: r.mean(name) * (-1 if name in r.less_is_better else 1))

    def _named(self, scorer: str | None) -> str:
        """The scorer, by default the first."""
        name = scorer or (self.scorers[0] if self.scorers else "")
        if name not in self.scorers:
            raise InputError(
                f"there is no scorer {name!r} in this grid",
                fix=nearest(name, self.scorers) or f"There are: {', '.join(self.scorers)}.",
            )
        return name

    def plot(self, scorer: str | None = None) -> Figure:
        """The score of each cell against money and seconds a row, with 95 % intervals: what more money buys."""
        from gen_toolkit.evals.plot import plot

        return plot(self.cells, self._named(scorer), self.title)

    def compare(self, baseline: int | str | Result = 0, *, detect: float | None = None) -> Grid:
        """This grid with the verdicts of all cells against one: a cell's place or title, or another result.

        The verdicts of a scorer are held together by Holm's method.
        """
        against = baseline if isinstance(baseline, Result) else self[baseline]
        others = [result for result in self.cells if result is not against]
        judged = judged_together([(result, against) for result in others], detect=detect)
        found = {id(before): after for before, after in zip(others, judged, strict=True)}
        return replace(self, cells=tuple(found.get(id(c), replace(c, verdicts=())) for c in self.cells), note="")

    def table(self) -> tuple[list[str], list[list[Any]]]:
        """(columns, rows): a line for each cell, with numbers; what is unknown is None."""
        numbers = [part for name in self.scorers for part in (name, f"{name}.low", f"{name}.high")]
        columns = ["cell", "prompt", "model", "options", "method", *numbers]
        columns += [
            "rows",
            "rows_failed",
            "calls",
            "cost_usd",
            "seconds",
            *(f"{name}.verdict" for name in self.scorers),
        ]
        return columns, [self._line(result) for result in self.cells]

    def _line(self, result: Result) -> list[Any]:
        line: list[Any] = [result.title, result.prompt, result.model, _shown(result.options), result.method]
        for name in self.scorers:
            found = result.scores[name]
            line += [None] * 3 if found is None else [found.mean, found.low, found.high]
        cost = None if result.cost is None else float(result.cost)
        line += [len(result.rows), len(result.failed), result.calls, cost, round(result.seconds, 3)]
        findings = {verdict.scorer: verdict.finding for verdict in result.verdicts}
        return line + [findings.get(name) for name in self.scorers]

    def to_pandas(self) -> Any:
        import pandas

        columns, rows = self.table()
        return pandas.DataFrame(rows, columns=columns).set_index("cell")

    def to_json(self) -> str:
        """All cells as `Result.to_json` has them: equal work gives equal bytes."""
        cells = [
            {"title": r.title, "model": r.model, "options": dict(r.options), **json.loads(r.to_json())}
            for r in self.cells
        ]
        failed = [dict(vars(cell)) for cell in self.failed]
        return json.dumps({"cells": cells, "failed": failed}, ensure_ascii=False, sort_keys=True, indent=1)

    def to_html(self) -> str:
        """The table as HTML that needs nothing from elsewhere; all texts are escaped."""
        columns, lines = self._readable()
        body = display.html_table(columns, lines) + "".join(display.html_text(line) for line in self._said())
        return display.html_card(self.title, f"{len(self.cells)} cells", body)

    def _readable(self) -> tuple[list[str], list[list[str]]]:
        columns = ["cell", *self.scorers, "rows", "cost", "seconds"]
        lines = []
        for result in self.cells:
            counted = result.summary()
            lines.append([result.title, *(counted[name] for name in columns[1:])])
        lines += [[cell.title, f"failed: {cell.error}", *("" for _ in columns[2:])] for cell in self.failed]
        return columns, lines

    def _said(self) -> list[str]:
        said = [f"{result.title}: {line}" for result in self.cells for line in (*result.verdicts, result.note) if line]
        return said + ([self.note] if self.note else [])

    def __repr__(self) -> str:
        failed = f", {len(self.failed)} failed" if self.failed else ""
        return text.one_line(f"Grid({self.title}: {len(self.cells)} cells{failed})", 400)

    def __str__(self) -> str:
        """The table and the verdicts, as `print` in a script shows them."""
        return self._repr_mimebundle_()["text/plain"]

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        plain = "\n".join([self.title, display.text_table(*self._readable()), *self._said()])
        return display.bundle(plain, self.to_html())


def _shown(options: Any) -> str:
    return json.dumps(dict(options), ensure_ascii=False, sort_keys=True) if options else ""
