"""What a promotion rests on: an execution of the notebook, and what its evaluations found. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Scored:
    """One evaluation of the execution."""

    run: str
    name: str
    params: Mapping[str, str]
    """As MLflow has them: `prompt`, `model`, `method`, `dataset`, `dataset_digest`, …"""
    metrics: Mapping[str, float]
    """Likewise: each scorer with `.low` and `.high`; `rows`, `rows_failed`, `calls`, `cost_usd`, `seconds`."""
    verdicts: Mapping[str, str]
    """What was said against the evaluation's own baseline, by scorer."""
    scores: Mapping[str, Mapping[str, float | None]]
    """By row id, the score of each scorer; None where the row failed. No texts. Of a row that was evaluated several
    times each has a key of its own: `ID (repeat 1)`."""
    groups: Mapping[str, str] = field(default_factory=dict)
    """By the same keys, what rows that belong together share; empty where each stands for itself."""
    took: Mapping[str, Any] = field(default_factory=dict)
    """What its rows took when their calls were made: `cost_usd` (None: unknown) and `seconds`, of all rows."""

    def names(self, param: str) -> tuple[str, ...]:
        """The names that a param lists: `scorers`, `judges`, `less_is_better`."""
        return tuple(filter(None, str(self.params.get(param, "")).split(", ")))


@dataclass(frozen=True)
class Evidence:
    """The run that speaks for a notebook: its code had the hash that is promoted."""

    run: str
    """Our id of the session, or of the run of `gen try`."""
    at: float
    """When it began, seconds since 1970; what `gt.due()` said in it."""
    executed: bool
    """Whether it ran every cell from top to bottom in a fresh kernel, and succeeded."""
    parameters: Mapping[str, Any]
    kept: Mapping[str, Any]
    evaluations: tuple[Scored, ...]
    took: Mapping[str, Any]
    """Of the whole run: `calls` (answers that were reused count as calls), `cost_usd` (None: unknown), `seconds`,
    `input_tokens`, `output_tokens`."""
    notebook: Path | None = None
    """The executed notebook, where `executed`."""
    decides: str = ""
    """The name of the evaluation that was asked for (`--run`); "" where none was."""

    def deciding(self, evaluation: str) -> Evidence:
        """The same, with the evaluation that was asked for."""
        return replace(self, decides=evaluation)

    def to_json(self) -> dict[str, Any]:
        """What a release keeps; the path of the executed notebook is of one machine."""
        return asdict(replace(self, notebook=None))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Evidence:
        return cls(**{**data, "evaluations": tuple(Scored(**one) for one in data["evaluations"])})


@dataclass(frozen=True)
class Judged:
    """A gate that pipeline.toml declares, and what the figures say to it."""

    gate: str
    """`accuracy at least 0.7`"""
    passed: bool
    said: str
    """`0.693 [0.614, 0.761], 150 rows`"""
    about: str = ""
    """What the gate is about, the beginning of `gate`; the rest is what is asked of it."""
    advice: str = ""
    """What to do where it says no."""

    @property
    def asked(self) -> str:
        return self.gate.removeprefix(self.about).strip()


@dataclass(frozen=True)
class Case:
    """All that speaks for and against a promotion, for the table of a refusal and the page of a reviewer."""

    evidence: Evidence | None = None
    gates: tuple[Judged, ...] = ()
    live: Evidence | None = None
    """What the live release rests on."""
    reason: str = ""
    """Why it is promoted against a gate."""
    warnings: tuple[str, ...] = field(default=())

    @property
    def passed(self) -> bool:
        return all(gate.passed for gate in self.gates)
