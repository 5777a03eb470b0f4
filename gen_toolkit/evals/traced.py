"""Rows of an evaluation as MLflow traces: all of them, or those that one would look at first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, Literal

from gen_toolkit import text
from gen_toolkit.errors import InputError
from gen_toolkit.evals.result import Result, RowResult
from gen_toolkit.events import RowsTraced, emit
from gen_toolkit.models.gateway import mask
from gen_toolkit.tracking.row_trace import RowTrace, shortened

Traces = int | Literal["all"]

_ROWS_AT_ONCE = 100
_CHARACTERS_AT_ONCE = 1_000_000


def check_traces(traces: Any) -> None:
    if traces != "all" and (type(traces) is not int or traces < 0):
        raise InputError(f"traces={traces!r} says not how many", fix='Give a number of rows from 0 on, or "all".')


def trace_rows(
    result: Result, rows: Sequence[RowResult] | None = None, *, masked: Callable[[str], str] | None = None
) -> None:
    """Have these rows of a result (by default all) as traces of its run in MLflow, once each.

    `masked` is what the guard makes of a text; by default all guards of the workspace.
    """
    name, _, version = result.prompt.rpartition("@")
    prompt = {"name": name, "version": int(version)} if name and version.isdigit() else None
    for batch in _batches(result.rows if rows is None else rows, masked or mask(None)):
        emit(
            RowsTraced(
                run=result.run,
                name=result.prompt,
                prompt=prompt,
                judges=list(result.judges),
                rows=list(map(asdict, batch)),
            )
        )


def sample(result: Result, others: Sequence[Result], count: int) -> list[RowResult]:
    """The rows to look at first: those that failed, those that another result scores differently, then the worst."""
    if not result.scorers or count >= len(result.rows):
        return list(result.rows[:count])
    scorer = result.scorers[0]
    scores: dict[tuple[str, int], set[float]] = {}
    for row in (row for each in (result, *others) for row in each.rows):
        if scorer in row.scores:
            scores.setdefault((row.row.id, row.repeat), set()).add(row.scores[scorer].value)
    sign = -1 if scorer in result.less_is_better else 1

    def order(row: RowResult) -> tuple[int, float]:
        if row.error is not None or scorer not in row.scores:
            return 0, 0.0
        differs = len(scores[row.row.id, row.repeat]) > 1
        return 1 if differs else 2, sign * row.scores[scorer].value

    return sorted(result.rows, key=order)[:count]


def _batches(rows: Sequence[RowResult], masked: Callable[[str], str]) -> Iterator[list[RowTrace]]:
    """As many as go well into one transaction; long rows go by fewer."""
    batch: list[RowTrace] = []
    characters = 0
    for row in rows:
        batch.append(_row_trace(row, masked))
        characters += _length(batch[-1].inputs) + _length(batch[-1].output)
        if len(batch) == _ROWS_AT_ONCE or characters > _CHARACTERS_AT_ONCE:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _row_trace(row: RowResult, masked: Callable[[str], str]) -> RowTrace:
    return RowTrace(
        row=row.row.id,
        repeat=row.repeat,
        inputs=_stored(RowResult(row.row, value=dict(row.row)).plain_value, masked),
        output=_stored(row.plain_value, masked),
        error=None if row.error is None else masked(row.error),
        calls=row.asked,
        scores={
            name: {"value": score.value, "reason": masked(score.reason), "label": score.label}
            for name, score in row.scores.items()
        },
        seconds=row.seconds,
        cost=None if row.cost is None else str(row.cost),
        usage=row.usage.to_json(),
    )


def _stored(data: Any, masked: Callable[[str], str]) -> Any:
    if isinstance(data, str):
        return shortened(text.scrub(masked(data)))  # in this order: half a secret would be known to nobody
    if isinstance(data, dict):
        return {str(name): _stored(inner, masked) for name, inner in data.items()}
    return [_stored(inner, masked) for inner in data] if isinstance(data, list) else data


def _length(data: Any) -> int:
    if isinstance(data, str):
        return len(data)
    inner = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return sum(map(_length, inner))
