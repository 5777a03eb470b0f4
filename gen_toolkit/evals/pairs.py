"""Rows that two results have in common, as pairs: which differ, which got worse, which hold a word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from gen_toolkit.evals.compare import check_shared, score_of

if TYPE_CHECKING:
    from gen_toolkit.evals.result import Result, RowResult

Filter = Literal["all", "disagreements", "regressions", "improvements", "failed"]
FILTERS: tuple[Filter, ...] = get_args(Filter)
_MOST_VALUES = 20  # of a column that rows are picked by; one with more is no kind but a text


@dataclass(frozen=True)
class Pair:
    """A row on both sides. `gain` is above 0 where mine is the better one by the scorer, 0 where nobody can say."""

    number: int
    mine: RowResult
    theirs: RowResult
    gain: float
    differs: bool
    """Whether the values or the scores differ, or one of the two failed."""

    @property
    def failed(self) -> bool:
        return self.mine.error is not None or self.theirs.error is not None

    def passes(self, show: Filter) -> bool:
        return {
            "all": True,
            "disagreements": self.differs,
            "regressions": self.gain < 0,
            "improvements": self.gain > 0,
            "failed": self.failed,
        }[show]

    def holds(self, searched: str) -> bool:
        """Whether a text (in either case of its letters) is in the row, a value, a reason or an error."""
        return not searched or any(searched.casefold() in said.casefold() for said in self._texts())

    def _texts(self) -> Iterable[str]:
        yield from (str(value) for value in self.mine.row.values())
        for side in (self.mine, self.theirs):
            yield str(side.plain_value)
            yield side.error or ""
            yield from (score.reason for score in side.scores.values())


def paired(mine: Result, theirs: Result, scorer: str) -> tuple[Pair, ...]:
    """The rows of both, in the order of mine. Raises InputError where they share no rows or scorers."""
    check_shared({row.row.id for row in mine.rows}, set(mine.scorers), theirs)
    sign = -1 if scorer in mine.less_is_better else 1
    return tuple(
        Pair(number, now, before, _gain(now, before, scorer, sign), _differ(now, before, scorer))
        for number, (now, before) in enumerate(shared_rows(mine, theirs))
    )


def shared_rows(mine: Result, theirs: Result) -> list[tuple[RowResult, RowResult]]:
    """The rows of both, side by side, in the order of mine."""
    others = {(row.row.id, row.repeat): row for row in theirs.rows}
    return [(row, others[row.row.id, row.repeat]) for row in mine.rows if (row.row.id, row.repeat) in others]


def chosen(
    pairs: Sequence[Pair], show: Filter = "all", search: str = "", part: tuple[str, str] | None = None
) -> list[Pair]:
    """Those that pass; `part` is a column and the value it must hold, as a text.

    Those that differ come with the ones that got worse first, else the order is kept.
    """
    found = [
        pair
        for pair in pairs
        if pair.passes(show) and (part is None or str(pair.mine.row.get(part[0])) == part[1]) and pair.holds(search)
    ]
    if show in ("disagreements", "regressions"):
        return sorted(found, key=lambda pair: pair.gain)
    return sorted(found, key=lambda pair: -pair.gain) if show == "improvements" else found


def counts(pairs: Sequence[Pair]) -> dict[Filter, int]:
    """How many pass each filter."""
    return {show: sum(pair.passes(show) for pair in pairs) for show in FILTERS}


def parts(pairs: Sequence[Pair]) -> list[tuple[str, str]]:
    """The (column, value) pairs by which rows can be picked: of columns that hold a few values, again and again."""
    columns = list(dict.fromkeys(name for pair in pairs for name in pair.mine.row))
    found: list[tuple[str, str]] = []
    for column in columns:
        values = list(dict.fromkeys(str(pair.mine.row.get(column)) for pair in pairs))
        if 1 < len(values) <= min(_MOST_VALUES, len(pairs) // 2):
            found += [(column, value) for value in sorted(values)]
    return found


def _gain(mine: RowResult, theirs: RowResult, scorer: str, sign: int) -> float:
    now, before = score_of(mine, scorer), score_of(theirs, scorer)
    if now is None or before is None:
        return float(now is not None) - float(before is not None)
    return sign * (now - before)


def _differ(mine: RowResult, theirs: RowResult, scorer: str) -> bool:
    if (mine.error is None) != (theirs.error is None):
        return True
    values: tuple[Any, Any] = (mine.plain_value, theirs.plain_value)
    return values[0] != values[1] or score_of(mine, scorer) != score_of(theirs, scorer)
