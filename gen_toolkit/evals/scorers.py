"""Scorers: callables of (value, row) with a name. Any function is one: it goes by its own name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import ScorerError
from gen_toolkit.evals.score import Score, Scorer

_METRIC = re.compile(r"[A-Za-z0-9][\w\-.: ]*(/[\w\-.: ]*[\w\-: ])*", re.ASCII)


@dataclass(frozen=True)
class _Exact:
    column: str
    name: str

    def __call__(self, value: Any, row: Row) -> Score:
        expected = row[self.column]
        said = getattr(value, "value", value)  # an Enum member stands for its value
        right = said == expected or (isinstance(said, str) and str(expected) == said)
        return Score(float(right), "" if right else f"expected {expected!r}", str(said))


def exact(column: str, *, name: str = "exact") -> Scorer:
    """Right when the value equals the row's `column`; shown as `name`."""
    return _Exact(column, name)


@dataclass(frozen=True)
class _Function:
    function: Callable[..., Any]
    name: str

    def __call__(self, value: Any, row: Row) -> Any:
        return self.function(value, row)


def scorer_list(given: Any) -> list[Scorer]:
    """One scorer or a list, each with a name of its own."""
    items = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    scorers: list[Scorer] = []
    for item in items:
        if not callable(item):
            raise ScorerError(
                f"{item!r} is no scorer", fix='Use gt.scorers.exact("column"), or a function of (value, row).'
            )
        scorers.append(item if isinstance(getattr(item, "name", None), str) else _Function(item, _name_of(item)))
    for scorer in scorers:
        if not _METRIC.fullmatch(scorer.name):
            raise ScorerError(
                f"{scorer.name!r} cannot be a scorer's name: MLflow has no such metric",
                fix="Use letters, digits, '_', '-', '.', '/', ':' and spaces, beginning with a letter or digit.",
            )
    names = [scorer.name for scorer in scorers]
    for name in names:
        if names.count(name) > 1:
            raise ScorerError(f"two scorers are called {name!r}", fix="Give one of them another name=.")
    return scorers


def _name_of(function: Callable[..., Any]) -> str:
    name = getattr(function, "__name__", type(function).__name__)
    return "score" if name == "<lambda>" else name
