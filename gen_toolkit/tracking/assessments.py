"""What somebody says of a row of an evaluation: an assessment at the row's trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from gen_toolkit.errors import InputError
from gen_toolkit.events import Assessed, emit
from gen_toolkit.tracking.row_trace import trace_id

if TYPE_CHECKING:
    from mlflow import MlflowClient

Source = Literal["human", "judge", "code"]
_SOURCES = {"human": "HUMAN", "judge": "LLM_JUDGE", "code": "CODE"}


def assess_row(
    run: str,
    row: str,
    name: str,
    value: bool | float | str | None,
    *,
    repeat: int = 0,
    reason: str = "",
    by: str = "",
    source: Source = "human",
) -> None:
    """Put `value` under `name` at the trace of a row; MLflow has it soon, through the spool.

    `run` is the id of the evaluation's run (`result.run`), `row` the row's id. The row must have been traced:
    `gen_toolkit.evals.traced.trace_rows` sees to that, and does nothing for rows that are. Said again under
    the same name by the same one (`by`), the last counts; None takes it back.
    """
    if isinstance(value, float) and value != value:
        raise InputError(f"{name!r} of row {row} is NaN, which says nothing", fix="Leave it out.")
    if source not in _SOURCES:
        raise InputError(f"source={source!r} is none", fix=f"Give one of {', '.join(_SOURCES)}.")
    emit(
        Assessed(run=run, row=row, repeat=repeat, name=name, value=value, reason=reason, by=by or source, source=source)
    )


def deliver_assessment(event: Assessed, mlflow_run: str, mlflow: MlflowClient) -> None:
    """To the trace, in place of what the same one said before under that name."""
    from mlflow.entities import AssessmentSource, Feedback
    from mlflow.tracing.client import TracingClient

    tracing = TracingClient(mlflow.tracking_uri)
    trace = trace_id(event.run, event.row, event.repeat)
    source = AssessmentSource(_SOURCES[event.source], event.by)
    before = [
        known
        for known in tracing.get_trace_info(trace).assessments
        if known.name == event.name and known.source == source and known.valid is not False
    ]
    if event.value is None:
        for known in before:
            tracing.delete_assessment(trace, known.assessment_id)
        return
    said = Feedback(
        name=event.name,
        value=event.value,
        source=source,
        rationale=event.reason,  # None would leave what the same one said before
        trace_id=trace,
        metadata={"mlflow.assessment.sourceRunId": mlflow_run},
    )
    if before:
        tracing.update_assessment(trace, before[-1].assessment_id, said)
    else:
        tracing.log_assessment(trace, said)
