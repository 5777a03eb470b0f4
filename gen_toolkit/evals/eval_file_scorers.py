"""A scorer as a table of an evaluation file: `kind` names the function of gt.scorers, the rest are its arguments."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gen_toolkit.errors import InputError, nearest
from gen_toolkit.evals import scorers
from gen_toolkit.evals.score import Scorer

KINDS = (
    "exact",
    "normalised",
    "contains",
    "regex",
    "number",
    "json_fields",
    "json_schema",
    "labels",
    "judge",
    "pairwise",
    "similarity",
    "latency",
    "cost",
)


def scorer_of(table: Mapping[str, Any], number: int, path: Path) -> Scorer:
    """Raises InputError for a kind or an argument that there is not, ScorerError for one that does not fit."""
    place = f"{path}: scorers[{number}]"
    arguments = dict(table)
    kind = arguments.pop("kind", None)
    if kind not in KINDS:
        said = "has no kind" if kind is None else f"is of kind {kind!r}, which there is not"
        fix = nearest(str(kind), KINDS) or f"There are: {', '.join(KINDS)}. Functions of your own need a notebook."
        raise _refused(f"{place} {said}", fix, path, number, "kind")
    function = getattr(scorers, kind)
    parameters = inspect.signature(function).parameters
    takes_all = any(each.kind is each.VAR_KEYWORD for each in parameters.values())  # options of a model
    for name in arguments:
        if name not in parameters and not takes_all:
            fix = nearest(name, parameters) or f"There are: {', '.join(parameters)}."
            raise _refused(f"{place}: key {name!r} is not known to {kind!r}", fix, path, number, name)
    for name, parameter in parameters.items():
        is_needed = parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
        if is_needed and name not in arguments:
            raise _refused(f"{place}: {kind!r} needs {name!r}", f"Write {name} = … into the table.", path, number, name)
    scorer: Scorer = function(**arguments)
    return scorer


def _refused(said: str, fix: str, path: Path, number: int, key: str) -> InputError:
    return InputError(said, fix=fix, path=str(path), key=f"scorers.{number}.{key}")
