"""gt.scorers: callables of (value, row) with a name. Any function is one: it goes by its own name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from gen_toolkit.errors import ScorerError
from gen_toolkit.evals.score import Scorer, columns_of
from gen_toolkit.evals.scorers_confusion import ClassScores as ClassScores
from gen_toolkit.evals.scorers_confusion import Confusion as Confusion
from gen_toolkit.evals.scorers_confusion import confusion as confusion
from gen_toolkit.evals.scorers_custom import check_callable, checked_range, custom, name_of
from gen_toolkit.evals.scorers_find import contains as contains
from gen_toolkit.evals.scorers_find import regex as regex
from gen_toolkit.evals.scorers_json import json_fields as json_fields
from gen_toolkit.evals.scorers_json import json_schema as json_schema
from gen_toolkit.evals.scorers_judge import judge as judge
from gen_toolkit.evals.scorers_judge_pair import pairwise as pairwise
from gen_toolkit.evals.scorers_labels import labels as labels
from gen_toolkit.evals.scorers_mlflow import mlflow as mlflow
from gen_toolkit.evals.scorers_number import number as number
from gen_toolkit.evals.scorers_similarity import similarity as similarity
from gen_toolkit.evals.scorers_text import exact as exact
from gen_toolkit.evals.scorers_text import normalised as normalised
from gen_toolkit.evals.scorers_took import cost as cost
from gen_toolkit.evals.scorers_took import latency as latency

__all__ = [
    "ClassScores",
    "Confusion",
    "confusion",
    "contains",
    "cost",
    "custom",
    "exact",
    "json_fields",
    "json_schema",
    "judge",
    "labels",
    "latency",
    "mlflow",
    "normalised",
    "number",
    "pairwise",
    "regex",
    "similarity",
]

_METRIC = re.compile(r"[A-Za-z0-9][\w\-.: ]*(/[\w\-.: ]*[\w\-: ])*", re.ASCII)
_FIGURES = {
    *("row", "repeat", "output", "error", "rows", "rows_failed", "cost", "seconds"),
    *("calls", "cost_usd", "seconds_per_row", "input_tokens", "output_tokens"),
    *("cell", "prompt", "model", "options", "method", "cells", "cells_failed"),
}
"""What an evaluation calls its own columns and metrics, in tables and in MLflow."""


def __dir__() -> list[str]:
    return sorted(__all__)


def scorer_list(given: Any) -> list[Scorer]:
    """One scorer or a list, each with a name of its own. Raises ScorerError before anything is called."""
    items = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    scorers = [_scorer(item) for item in items]
    for scorer in scorers:
        if not _METRIC.fullmatch(scorer.name):
            raise ScorerError(
                f"{scorer.name!r} cannot be a scorer's name: MLflow has no such metric",
                fix="Use letters, digits, '_', '-', '.', '/', ':' and spaces, beginning with a letter or digit.",
            )
        if scorer.name in _FIGURES:
            raise ScorerError(
                f"a scorer cannot be called {scorer.name!r}: every evaluation has a figure of that name",
                fix="Give it another name=.",
                scorer=scorer.name,
            )
    names = [scorer.name for scorer in scorers]
    for name in names:
        if names.count(name) > 1:
            raise ScorerError(f"two scorers are called {name!r}", fix="Give one of them another name=.")
    return scorers


def _scorer(item: Any) -> Scorer:
    name = getattr(item, "name", None)
    check_callable(item, name if isinstance(name, str) else name_of(item))
    declared = getattr(item, "range", None)
    if declared is not None:
        checked_range(declared, name_of(item))
    if isinstance(name, str):
        scorer: Scorer = item
        return scorer
    return custom(
        item,
        range=declared,
        columns=columns_of(item),
        higher_is_better=getattr(item, "higher_is_better", True),
        reads_result=getattr(item, "reads_result", False),
    )
