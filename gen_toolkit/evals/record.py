"""What MLflow is told of an evaluation: metrics with intervals, the table, the prompt version."""

from __future__ import annotations

from collections.abc import Callable

from gen_toolkit.evals.result import Result
from gen_toolkit.events import PromptUsed, Recorded, TableRecorded, emit
from gen_toolkit.prompts.prompt import Prompt


def record_result(result: Result, prompt: Prompt | None, mask: Callable[[str], str]) -> None:
    """`mask` is the guard's: what may not be sent is not stored beside the results either."""
    metrics: dict[str, float] = {"rows": len(result.rows), "rows_failed": len(result.failed)}
    for name, found in result.scores.items():
        if found is not None:
            metrics[name] = found.mean
            if found.low is not None and found.high is not None:
                metrics |= {f"{name}.low": found.low, f"{name}.high": found.high}
    took = [row.seconds for row in result.rows]
    metrics["seconds_per_row"] = sum(took) / len(took)
    tags = {f"gen_toolkit.verdict.{verdict.scorer}": str(verdict) for verdict in result.verdicts}
    emit(Recorded(run=result.run, metrics=metrics, tags=tags))
    columns, rows = result.table()
    rows = [[mask(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    emit(TableRecorded(run=result.run, file="rows.json", columns=columns, rows=rows))
    if prompt is not None and prompt.version is not None:
        emit(PromptUsed(run=result.run, name=prompt.name, version=prompt.version))
