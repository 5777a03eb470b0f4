"""MLflow's scorers and judges, run on one answer. What they call themselves passes by the toolkit's gateway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gen_toolkit.errors import ScorerError
from gen_toolkit.tracking.store import import_mlflow


@dataclass(frozen=True)
class Assessment:
    """What one of MLflow's scorers said: a value of any kind, or an error in its place."""

    name: str
    value: Any
    reason: str = ""
    error: str | None = None


def check_scorer(given: Any) -> str:
    """Its name. Raises ScorerError for what is none, or looks at whole conversations."""
    import_mlflow()
    from mlflow.genai.scorers import Scorer

    if not isinstance(given, Scorer):
        raise ScorerError(
            f"{type(given).__name__} is no scorer of MLflow's",
            fix="Give a function with @mlflow.genai.scorer, one of mlflow.genai.scorers, or a judge of make_judge(…).",
        )
    if given.is_session_level_scorer:
        raise ScorerError(
            f"MLflow's scorer {given.name!r} looks at whole conversations, and an evaluation has single answers",
            fix="Use one that takes inputs and outputs.",
            scorer=given.name,
        )
    return str(given.name)


def assess(
    scorer: Any, *, inputs: Mapping[str, Any], outputs: Any, expectations: Mapping[str, Any]
) -> tuple[Assessment, ...]:
    """What it says of one answer: one assessment, or as many as it makes."""
    said = scorer.run(inputs=dict(inputs), outputs=outputs, expectations=dict(expectations))
    return tuple(_assessment(scorer.name, each) for each in (said if isinstance(said, list) else [said]))


def _assessment(name: str, said: Any) -> Assessment:
    from mlflow.entities import Feedback

    if not isinstance(said, Feedback):
        return Assessment(name, said)
    error = None if said.error is None else str(said.error.error_message or said.error.error_code)
    return Assessment(said.name, said.value, said.rationale or "", error)
