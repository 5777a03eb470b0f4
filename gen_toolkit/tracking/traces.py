"""MLflow's traces, read: what went into each and what came out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gen_toolkit.errors import DatasetError
from gen_toolkit.settings import load_settings
from gen_toolkit.tracking.deliver import RUN_TAG
from gen_toolkit.tracking.store import client, typed_errors
from gen_toolkit.tracking.writer import drain

_PATIENCE = 30.0
_RUN = re.compile(r"[0-9a-f][0-9a-f-]{7,35}")
_A_PAGE = 100
NEWEST = 200
"""How many are read where no run is named."""


@dataclass(frozen=True)
class TraceRead:
    """One trace."""

    id: str
    inputs: Any
    outputs: Any
    expectations: dict[str, Any] = field(default_factory=dict)
    """What people or rows say that should have come out, by name."""


def read_traces(which: str) -> list[TraceRead]:
    """Traces of the workspace's experiment, oldest first, after what waits to be delivered.

    `which` is a run (our id, or 8 or more characters of it, or MLflow's): all its traces; or a filter in
    MLflow's words (`tags.team = 'x'`), or nothing: the newest 200 that fit. Raises DatasetError, TrackingError.
    """
    settings = load_settings()
    drain(settings, seconds=_PATIENCE)
    with typed_errors(settings.tracking_uri):
        mlflow = client(settings.tracking_uri)
        experiment = mlflow.get_experiment_by_name(settings.experiment)
        place = [] if experiment is None else [experiment.experiment_id]
        named = _RUN.fullmatch(which)
        run = _run(mlflow, place, which) if named else None
        found = list(_pages(mlflow, place, run, None if named else which or None, None if named else NEWEST))
    if not found:
        what = f"of run {which}" if named else f"that fit {which!r}" if which else "in this workspace"
        raise DatasetError(
            f"MLflow has no traces {what}",
            fix='Evaluations leave some: gt.evaluate(…, traces="all"). Of a grid each cell is a run of its own.',
        )
    return [_read(trace) for trace in reversed(found)]


def _run(mlflow: Any, place: list[str], which: str) -> str:
    """MLflow's id of the run that `which` begins, or is."""
    found = [
        run.info.run_id
        for query in (f"tags.`{RUN_TAG}` LIKE '{which}%'", f"attributes.run_id = '{which}'")
        for run in (mlflow.search_runs(place, query, max_results=2) if place else [])
    ]
    if len(found) != 1:
        raise DatasetError(
            f"{'several runs begin' if found else 'no run begins'} with {which!r}",
            fix="Give result.run, or more characters of it.",
            run=which,
        )
    return str(found[0])


def _pages(mlflow: Any, place: list[str], run: str | None, query: str | None, most: int | None) -> Iterator[Any]:
    """The newest first."""
    page = None
    left = most
    while place and (left is None or left > 0):
        count = _A_PAGE if left is None else min(_A_PAGE, left)
        traces = mlflow.search_traces(
            locations=place, run_id=run, filter_string=query, max_results=count, page_token=page
        )
        yield from traces
        left = None if left is None else left - len(traces)
        page = traces.token
        if not page:
            return


def _read(trace: Any) -> TraceRead:
    root = next((span for span in trace.data.spans if span.parent_id is None), None)
    expected = {said.name: said.expectation.value for said in trace.info.assessments if said.expectation is not None}
    inputs, outputs = (None, None) if root is None else (root.inputs, root.outputs)
    return TraceRead(trace.info.trace_id, inputs, outputs, expected)
