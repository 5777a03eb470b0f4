"""A scorer of numbers: the one in the answer against the one in the row, within a tolerance."""

from __future__ import annotations

import enum
import math
import numbers
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, Decimal, localcontext
from typing import Any, Literal

from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import ScorerError
from gen_toolkit.evals.score import Score, Scorer
from gen_toolkit.evals.scorers_check import column_name, not_negative, one_of, shown
from gen_toolkit.evals.scorers_numerals import Numeral, numerals

Take = Literal["only", "first", "last"]


@dataclass(frozen=True)
class _Number:
    column: str
    tolerance: Decimal
    relative: Decimal
    take: str
    decimal: str
    percent: str | None
    name: str
    range = (0.0, 1.0)
    inline = True

    def __call__(self, value: Any, row: Row) -> Score:
        where = f"column {self.column!r} of row {row.id}"
        expected = self._numeral(row[self.column], where, "only")
        if expected is None:
            raise self._error(f"{where} holds {shown(row[self.column])}, which is no number")
        said = self._numeral(value, "the value", self.take)
        if said is None:
            return Score(0.0, f"there is no number in {shown(value)}")
        if said.is_percent != expected.is_percent and self.percent is None:
            raise self._error(
                f"of {said.written} and {expected.written} one is in percent",
                fix='Say what 45% is: percent="share" for 0.45, percent="points" for 45.',
            )
        with localcontext(Emax=MAX_EMAX, Emin=MIN_EMIN):  # a model may write 1e9999999, and it is a number
            mine, right = self._value(said), self._value(expected)
            bound = max(self.tolerance, self.relative * abs(right))
            is_right = abs(mine - right) <= bound
        within = f" within {bound:f}" if bound else ""
        return Score(
            float(is_right), "" if is_right else f"{said.written} is not {expected.written}{within}", said.written
        )

    def _numeral(self, held: Any, where: str, take: str) -> Numeral | None:
        given = held.value if isinstance(held, enum.Enum) else held
        if isinstance(given, str):
            return self._picked(numerals(given, self.decimal), where, take)
        is_real = isinstance(given, numbers.Real | Decimal) and not isinstance(given, bool)
        if given is None or (is_real and not math.isfinite(given)):
            return None
        if not is_real:
            raise self._error(f"{where} is {type(given).__name__} and neither a number nor a text")
        return Numeral(str(given), Decimal(str(float(given) if isinstance(given, float) else given)))

    def _picked(self, found: list[Numeral], where: str, take: str) -> Numeral | None:
        if not found:
            return None
        considered = {"only": found, "first": found[:1], "last": found[-1:]}[take]
        for numeral in considered:
            if numeral.value is None:
                raise self._error(f"{where} is ambiguous: {numeral.why}")
        distinct = {(numeral.value, numeral.is_percent): numeral for numeral in considered}
        if len(distinct) > 1:
            some = ", ".join(numeral.written for numeral in list(distinct.values())[:4])
            raise self._error(
                f"{where} is ambiguous: it holds {len(distinct)} numbers: {some}",
                fix='Ask for the number alone, or say take="first" or take="last".',
            )
        return considered[0]

    def _value(self, numeral: Numeral) -> Decimal:
        assert numeral.value is not None, "what is ambiguous was refused"
        return numeral.value / 100 if numeral.is_percent and self.percent == "share" else numeral.value

    def _error(self, said: str, fix: str = "Ask for the number in one plain form.") -> ScorerError:
        return ScorerError(said, fix=fix, scorer=self.name, column=self.column)


def number(
    column: str,
    *,
    tolerance: float = 0.0,
    relative: float = 0.0,
    take: Take = "only",
    decimal: Literal[".", ","] = ".",
    percent: Literal["share", "points"] | None = None,
    name: str = "number",
) -> Scorer:
    """Right when the number in the value is that of the row's `column`, within a tolerance.

    |value - expected| <= max(tolerance, relative * |expected|), computed in decimals: 0.1 + 0.2 is 0.3.

    The value may be a number, or a text with one number in it; of several, `take` says which. `decimal`
    is the mark before fractions; thousands are grouped by the other mark, an apostrophe or a space that
    does not break. 45% against 45% is compared as it is; against a plain number `percent` says what it
    means: "share" 0.45, "points" 45.

    A value without a number is wrong. What could be read in several ways (1.234,5 or 2026-01-02, 5k, 3-5,
    two numbers) is an error at its row, never a guess. Number words (five) are not read.
    """
    for option, given in (("tolerance", tolerance), ("relative", relative)):
        not_negative(given, option, "number")
    one_of(take, ("only", "first", "last"), "take", "number")
    one_of(decimal, (".", ","), "decimal", "number")
    one_of(percent, ("share", "points", None), "percent", "number")
    bounds = Decimal(str(tolerance)), Decimal(str(relative))
    return _Number(column_name(column, "number"), *bounds, take, decimal, percent, name)
