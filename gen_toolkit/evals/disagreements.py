"""Rows on which two results differ, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gen_toolkit import display
from gen_toolkit.evals.compare import score_of
from gen_toolkit.evals.pairs import chosen, paired

if TYPE_CHECKING:
    from gen_toolkit.evals.result import Result, RowResult

_SHOWN = 20
_Pair = tuple["RowResult", "RowResult"]


@dataclass(frozen=True)
class Disagreements:
    """Pairs of (mine, theirs), the rows that got worse first: those to read before a change is believed."""

    title: str
    scorer: str
    pairs: tuple[_Pair, ...]
    of: int
    """Rows that both results have."""

    def __iter__(self) -> Iterator[_Pair]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def table(self) -> tuple[list[str], list[list[Any]]]:
        """(columns, rows): a line for each row, what went in and what came out on both sides."""
        inputs = list(dict.fromkeys(name for mine, _ in self.pairs for name in mine.row))
        columns = [
            "row",
            *inputs,
            "output",
            "other output",
            self.scorer,
            f"other {self.scorer}",
            "error",
            "other error",
        ]
        return columns, [
            [
                mine.row.id,
                *(mine.row.get(name) for name in inputs),
                *(side.plain_value for side in (mine, theirs)),
                *(score_of(side, self.scorer) for side in (mine, theirs)),
                mine.error,
                theirs.error,
            ]
            for mine, theirs in self.pairs
        ]

    def to_pandas(self) -> Any:
        import pandas

        columns, rows = self.table()
        return pandas.DataFrame(rows, columns=columns).set_index("row")

    def __repr__(self) -> str:
        return f"Disagreements({self.title}: {len(self)} of {self.of} rows)"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        columns, rows = self.table()
        shown = [[str("" if value is None else value)[:400] for value in row[1:]] for row in rows[:_SHOWN]]
        note = f"{len(self)} of {self.of} rows differ" + (f", the first {_SHOWN}" if len(self) > _SHOWN else "")
        plain = f"{self.title}: {note}\n{display.text_table(columns[1:], shown)}"
        return display.bundle(plain, display.html_card(self.title, note, display.html_table(columns[1:], shown)))


def disagreements(mine: Result, theirs: Result, scorer: str) -> Disagreements:
    """Rows whose values differ, whose score differs, or of which one side failed.

    Raises InputError where the two share no rows or scorers.
    """
    pairs = paired(mine, theirs, scorer)
    differing = chosen(pairs, "disagreements")
    title = f"{mine.title} against {theirs.title}"
    return Disagreements(title, scorer, tuple((pair.mine, pair.theirs) for pair in differing), len(pairs))
