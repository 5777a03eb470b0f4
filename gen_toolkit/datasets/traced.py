"""gt.dataset("traces:…"): MLflow's traces as rows to evaluate on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gen_toolkit import text
from gen_toolkit.datasets.place import Place, Table
from gen_toolkit.datasets.plain import plain_row
from gen_toolkit.datasets.redacted import redacted
from gen_toolkit.errors import DatasetError, TrackingError
from gen_toolkit.tracking.store import is_lasting
from gen_toolkit.tracking.traces import TraceRead, read_traces

_OUTPUT = "output"


def traced(which: str) -> tuple[Table, list[str]]:
    """(rows, their ids) of the traces that `which` names; a row's id is its trace's.

    Columns: the inputs (a mapping gives its own, anything else `input`), `output`, and expectations by name.
    Real texts: they are redacted as `gt.recorded` does.
    """
    masked = redacted()
    try:
        found = read_traces(which)
    except TrackingError as error:
        if not (isinstance(error.__cause__, Exception) and is_lasting(error.__cause__)):
            raise
        raise DatasetError(
            f"{which!r} is neither a run nor a filter that MLflow reads: {text.one_line(error.__cause__, 160)}",
            fix="Give result.run, or a filter such as trace.status = 'OK'.",
        ) from None
    rows = [plain_row(masked(_row(trace)), Place(row=number)) for number, trace in enumerate(found)]
    return Table(rows, f"traces {which}".strip()), [trace.id for trace in found]


def _row(trace: TraceRead) -> dict[str, Any]:
    inputs = dict(trace.inputs) if isinstance(trace.inputs, Mapping) else {"input": trace.inputs}
    row: dict[str, Any] = {}
    for columns in (inputs, {_OUTPUT: trace.outputs}, trace.expectations):
        twice = sorted(row.keys() & columns.keys())
        if twice:
            raise DatasetError(
                f"trace {trace.id} has {twice[0]!r} twice: among its inputs, its output and its expectations",
                fix="Read the traces with mlflow.search_traces, and name the columns yourself.",
                column=twice[0],
            )
        row |= columns
    return row
