"""The gates of a pipeline, as `[gates]` of its pipeline.toml declares them.

[gates]
evaluation = "B, chosen"        # which evaluation decides, where the notebook makes several
rows = 100                      # scored at least
failed_rows = 0                 # at most
cost_usd_per_row = 0.001        # at most, likewise cost_usd_per_run, seconds_per_row, seconds_per_run
agreement = 0.6                 # kappa with people of every judge that scored, at its lower limit

[gates.scores.accuracy]         # by scorer
at_least = 0.7                  # the mean; at_most
low_at_least = 0.65             # the lower limit of its 95 % interval; high_at_most: the upper
against_live = "not worse"      # or "better": on the same rows as the live release
detect = 0.05                   # the smallest difference that matters
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from gen_toolkit.errors import SettingError, nearest

Against = Literal["better", "not worse"]

_CEILINGS = ("cost_usd_per_row", "cost_usd_per_run", "seconds_per_row", "seconds_per_run")
_KEYS = ("evaluation", "rows", "failed_rows", *_CEILINGS, "agreement", "scores")
_BOUNDS = ("at_least", "at_most", "low_at_least", "high_at_most")
_SCORE_KEYS = (*_BOUNDS, "against_live", "detect")


@dataclass(frozen=True)
class ScoreGate:
    """What is asked of one scorer."""

    scorer: str
    bounds: Mapping[str, float]
    """`at_least`, `at_most` of the mean; `low_at_least`, `high_at_most` of the limits of its interval."""
    against_live: Against | None = None
    detect: float | None = None


@dataclass(frozen=True)
class Gates:
    """What is asked of the evaluation that decides, and of the run around it."""

    evaluation: str | None = None
    rows: int | None = None
    failed_rows: int | None = None
    ceilings: Mapping[str, float] = field(default_factory=dict)
    agreement: float | None = None
    scores: tuple[ScoreGate, ...] = ()

    @property
    def need_an_evaluation(self) -> bool:
        """Whether something is asked that a run alone cannot answer."""
        of_run = all(key.endswith("_per_run") for key in self.ceilings)
        asked = (self.rows, self.failed_rows, self.agreement)
        return bool(self.scores or self.evaluation) or not of_run or any(bound is not None for bound in asked)


def read_gates(data: Mapping[str, Any] | None, origin: str) -> Gates | None:
    """The gates of a table `[gates]`; None where there is none. `origin` is the file, for messages.

    Raises SettingError naming the key.
    """
    if data is None:
        return None
    where = f"{origin}: gates"
    _known(data, _KEYS, where)
    scores = data.get("scores", {})
    if not isinstance(scores, dict) or not all(isinstance(asked, dict) for asked in scores.values()):
        raise _wrong(f"{where}.scores", scores, "a table for each scorer, as [gates.scores.accuracy]")
    evaluation = data.get("evaluation")
    if evaluation is not None and (not isinstance(evaluation, str) or not evaluation.strip()):
        raise _wrong(f"{where}.evaluation", evaluation, "the name of an evaluation")
    agreement = _number(data, "agreement", where)
    if agreement is not None and agreement > 1:
        raise _wrong(f"{where}.agreement", agreement, "a kappa, from 0 to 1")
    return Gates(
        evaluation,
        _whole(data, "rows", where, least=1),
        _whole(data, "failed_rows", where, least=0),
        {key: value for key in _CEILINGS if (value := _number(data, key, where)) is not None},
        agreement,
        tuple(_score_gate(name, asked, f"{where}.scores.{name}") for name, asked in scores.items()),
    )


def _score_gate(name: str, asked: Mapping[str, Any], where: str) -> ScoreGate:
    _known(asked, _SCORE_KEYS, where)
    if not asked.keys() - {"detect"}:
        raise _wrong(where, dict(asked), f"a table that asks for something: {', '.join(_SCORE_KEYS[:-1])}")
    against = asked.get("against_live")
    if against is not None and against not in get_args(Against):
        raise _wrong(f"{where}.against_live", against, " or ".join(f'"{word}"' for word in get_args(Against)))
    detect = _number(asked, "detect", where)
    if detect is not None and (against is None or detect == 0):
        raise _wrong(f"{where}.detect", detect, "a difference above 0, beside against_live")
    bounds = {key: _number(asked, key, where, least=-math.inf) for key in _BOUNDS if key in asked}
    return ScoreGate(name, {key: value for key, value in bounds.items() if value is not None}, against, detect)


def _known(data: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in data.keys() - set(known):
        raise SettingError(f"{where}.{key} is not known", fix=nearest(key, known) or f"Known: {', '.join(known)}.")


def _number(data: Mapping[str, Any], key: str, where: str, least: float = 0.0) -> float | None:
    value = data.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < least:
        raise _wrong(f"{where}.{key}", value, "a number" + ("" if least == -math.inf else ", 0 or more"))
    return float(value)


def _whole(data: Mapping[str, Any], key: str, where: str, least: int) -> int | None:
    value = data.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
        raise _wrong(f"{where}.{key}", value, f"a whole number, {least} or more")
    return value


def _wrong(where: str, value: object, wanted: str) -> SettingError:
    return SettingError(f"{where} is {value!r}", fix=f"It must be {wanted}.")
