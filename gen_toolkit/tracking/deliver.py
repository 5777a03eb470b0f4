"""One event to MLflow. Every delivery may be repeated: runs are found by our own id before they are made."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from gen_toolkit.database.engine import Database
from gen_toolkit.events import (
    Assessed,
    DatasetUsed,
    Event,
    FileRecorded,
    PromptUsed,
    Recorded,
    Reviewed,
    RowsTraced,
    RunEnded,
    RunStarted,
    TableRecorded,
    ValueKept,
)
from gen_toolkit.metrics import as_metric
from gen_toolkit.tracking.assessments import deliver_assessment
from gen_toolkit.tracking.store import client, experiment_id
from gen_toolkit.tracking.trace_write import deliver_traces

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

RUN_TAG = "gen_toolkit.run"
_STATUS = {"succeeded": "FINISHED", "failed": "FAILED", "timed out": "FAILED"}
_LONGEST_PARAM, _LONGEST_TAG = 6000, 5000
_MOST_TWINS = 10
_LONGEST_DATASET_NAME, _DATASET_DIGEST, _MOST_COLUMNS = 500, 16, 1000


class Delivery:
    """The way to one experiment of one store."""

    def __init__(self, uri: str, experiment: str, artifacts: str) -> None:
        self.client: MlflowClient = client(uri)
        self.experiment = experiment_id(uri, experiment, artifacts)
        self._known: dict[str, str] = {}

    def find(self, run: str, *, anew: bool = False) -> str | None:
        """MLflow's id of our run. `anew`: also look whether it is there twice by now."""
        if run not in self._known or anew:
            found = self.client.search_runs([self.experiment], f"tags.`{RUN_TAG}` = '{run}'", max_results=_MOST_TWINS)
            if not found:
                return None
            self._known[run] = self._only(found, self._known.get(run))
        return self._known[run]

    def _only(self, found: Sequence[Run], known: str | None) -> str:
        """Of several that bear the id of one run the one that holds something; the others are deleted.

        A server that hung makes a run when nobody waits for its answer any more, and so a second time.
        """

        def holds(run: Run) -> tuple[bool, int]:
            return run.info.run_id == known, len(run.data.params) + len(run.data.metrics) + len(run.data.tags)

        kept, *twins = sorted(found, key=holds, reverse=True)
        for twin in twins:
            self.client.delete_run(twin.info.run_id)
        return str(kept.info.run_id)

    def start(self, event: RunStarted) -> str:
        known = self.find(event.run)
        if known is not None:
            return known
        tags = {RUN_TAG: event.run, "gen_toolkit.kind": event.run_kind, **event.tags}
        parent = self.find(event.parent) if event.parent else None
        if event.parent:
            tags["gen_toolkit.parent"] = event.parent
        if parent:
            tags["mlflow.parentRunId"] = parent
        made = self.client.create_run(
            self.experiment,
            start_time=_milliseconds(event.time),
            tags=_cut(tags, _LONGEST_TAG),
            run_name=event.name,
        )
        self._known[event.run] = made.info.run_id
        return str(made.info.run_id)


def deliver(event: Event, delivery: Delivery, database: Database) -> None:
    """`database` is the workspace's: an event about calls names them, and what was said is there."""
    if isinstance(event, RunStarted):
        run = delivery.start(event)
        _log(delivery.client, run, event.time, params=event.params)
        return
    run_id = delivery.find(event.run, anew=isinstance(event, RunEnded))
    if run_id is None:
        return  # its start was refused for good: there is nothing to add to
    if isinstance(event, RowsTraced):
        deliver_traces(event, run_id, delivery.experiment, delivery.client, database)
    else:
        _deliver(event, run_id, delivery.client)


@singledispatch
def _deliver(event: Event, run: str, mlflow: MlflowClient) -> None:
    raise NotImplementedError(event.kind)


@_deliver.register(Recorded)
def _(event: Recorded, run: str, mlflow: MlflowClient) -> None:
    _log(mlflow, run, event.time, event.params, event.metrics, event.tags)


@_deliver.register(ValueKept)
def _(event: ValueKept, run: str, mlflow: MlflowClient) -> None:
    metric = as_metric(event.value)
    if metric is not None:
        _log(mlflow, run, event.time, metrics={event.name: metric})
    else:
        mlflow.log_text(run, _json(event.value), f"kept/{event.name}.json")


@_deliver.register(TableRecorded)
def _(event: TableRecorded, run: str, mlflow: MlflowClient) -> None:
    # The form of mlflow.log_table, which itself would append when it is repeated.
    mlflow.log_text(run, _json({"columns": event.columns, "data": event.rows}), event.file)
    mlflow.set_tag(run, "mlflow.loggedArtifacts", json.dumps([{"path": event.file, "type": "table"}]))


@_deliver.register(FileRecorded)
def _(event: FileRecorded, run: str, mlflow: MlflowClient) -> None:
    mlflow.log_text(run, _utf8(event.content), event.file)


@_deliver.register(PromptUsed)
def _(event: PromptUsed, run: str, mlflow: MlflowClient) -> None:
    mlflow.link_prompt_version_to_run(run, f"prompts:/{event.name}/{event.version}")


@_deliver.register(Reviewed)
def _(event: Reviewed, run: str, mlflow: MlflowClient) -> None:
    """Each step of a review is the ledger's; MLflow is told what came of it, in events of their own."""


@_deliver.register(DatasetUsed)
def _(event: DatasetUsed, run: str, mlflow: MlflowClient) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    columns = [{"name": _utf8(name), "type": kind} for name, kind in event.columns.items()]
    used = Dataset(
        name=_utf8(event.name)[:_LONGEST_DATASET_NAME],
        digest=event.digest[:_DATASET_DIGEST],
        source_type="code",
        source=json.dumps({"tags": {"gen_toolkit.dataset": event.name, "gen_toolkit.digest": event.digest}}),
        schema=json.dumps({"mlflow_colspec": columns}) if len(columns) <= _MOST_COLUMNS else None,
        profile=json.dumps({"num_rows": event.rows}),
    )
    mlflow.log_inputs(run, [DatasetInput(used, [InputTag("mlflow.data.context", "evaluation")])])


@_deliver.register(Assessed)
def _(event: Assessed, run: str, mlflow: MlflowClient) -> None:
    deliver_assessment(event, run, mlflow)


@_deliver.register(RunEnded)
def _(event: RunEnded, run: str, mlflow: MlflowClient) -> None:
    mlflow.set_tag(run, "gen_toolkit.state", event.state)
    mlflow.set_terminated(run, _STATUS.get(event.state, "KILLED"), _milliseconds(event.time))


def _log(
    mlflow: MlflowClient,
    run: str,
    time: float,
    params: Any = None,
    metrics: Any = None,
    tags: Any = None,
) -> None:
    from mlflow.entities import Metric, Param, RunTag

    stamp = _milliseconds(time)  # of the event, so that a repeated delivery is the same point
    numbers = [Metric(k, v, stamp, 0) for k, v in (metrics or {}).items() if math.isfinite(v)]
    texts = [Param(k, v) for k, v in _cut(params or {}, _LONGEST_PARAM).items()]
    marks = [RunTag(k, v) for k, v in _cut(tags or {}, _LONGEST_TAG).items()]
    if numbers or texts or marks:
        mlflow.log_batch(run, metrics=numbers, params=texts, tags=marks)


def _cut(values: Any, longest: int) -> dict[str, str]:
    texts = {
        str(k): _utf8(v if isinstance(v, str) else json.dumps(v, ensure_ascii=False, default=str))
        for k, v in values.items()
    }
    return {k: v if len(v) <= longest else v[: longest - 1] + "…" for k, v in texts.items()}


def _json(data: Any) -> str:
    """Readable; but half of a surrogate pair (a model cut off in the middle) is in no UTF-8 file: then escaped."""
    told = json.dumps(data, ensure_ascii=False)
    return told if told == _utf8(told) else json.dumps(data)


def _utf8(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
