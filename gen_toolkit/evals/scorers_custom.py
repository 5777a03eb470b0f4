"""Any function as a scorer: its name, and what it declares."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import ScorerError
from gen_toolkit.evals.score import Scorer
from gen_toolkit.evals.scorers_check import column_name, shown


@dataclass(frozen=True)
class _Function:
    function: Callable[..., Any]
    name: str
    range: tuple[float, float] | None = None
    columns: tuple[str, ...] = ()
    higher_is_better: bool = True
    reads_result: bool = False

    def __call__(self, value: Any, row: Row) -> Any:
        return self.function(value, row)


def custom(
    function: Callable[..., Any],
    *,
    name: str | None = None,
    range: tuple[float, float] | None = None,  # noqa: A002 - what it is called
    columns: Sequence[str] = (),
    higher_is_better: bool = True,
    reads_result: bool = False,
) -> Scorer:
    """A function of (value, row), sync or async, as a scorer that declares what can be checked.

    A number outside `range` (lowest, highest) is an error at its row; `columns` must be in the dataset, or
    nothing is called; `higher_is_better=False` says that less is better; with `reads_result` the function is
    given the RowResult in place of the value. A function that declares nothing needs no `custom`: it can be
    given as it is.
    """
    title = name_of(function) if name is None else name
    check_callable(function, title)
    needed = [columns] if isinstance(columns, str) else columns
    return _Function(
        function,
        title,
        None if range is None else checked_range(range, title),
        tuple(column_name(column, "custom") for column in needed),
        higher_is_better,
        reads_result,
    )


def name_of(function: Callable[..., Any]) -> str:
    name = getattr(function, "__name__", type(function).__name__)
    return "score" if name == "<lambda>" else name


def check_callable(function: Any, name: str) -> None:
    """Raises ScorerError for what cannot be called with (value, row)."""
    if not callable(function):
        raise ScorerError(
            f"{shown(function)} is no scorer", fix='Use gt.scorers.exact("column"), or a function of (value, row).'
        )
    try:
        inspect.signature(function).bind("value", "row")
    except TypeError as error:
        raise ScorerError(
            f"scorer {name!r} cannot be called with (value, row): {error}",
            fix="Write def scorer(value, row): …",
            scorer=name,
        ) from None
    except ValueError:  # a built-in that does not say
        return


def checked_range(given: Any, name: str) -> tuple[float, float]:
    """A range as (lowest, highest). Raises ScorerError for anything else."""
    is_pair = isinstance(given, Sequence) and len(given) == 2 and all(isinstance(end, int | float) for end in given)
    if not is_pair or any(math.isnan(end) for end in given) or not given[0] < given[1]:
        raise ScorerError(
            f"scorer {name!r}: range={shown(given)} is no range", fix="Give (lowest, highest).", scorer=name
        )
    return float(given[0]), float(given[1])
