"""MLflow's traces as a dataset: whose, with which ids, and without what is private."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from mlflow.entities import Expectation, Span
from mlflow.tracing.client import TracingClient
from mlflow_store import Store, store

import gen_toolkit as gt
from gen_toolkit.errors import DatasetError
from gen_toolkit.settings import load_settings

__all__ = ["store"]

ROWS = [{"text": f"film {n}, write to ada{n}@example.org", "label": "good"} for n in range(5)]
LABEL = gt.Prompt("label", user="{{ text }}?")


def evaluated(name: str) -> Any:
    model = gt.ScriptedModel({"*": "good"})
    right = gt.scorers.exact("label", name="accuracy")
    return gt.evaluate(LABEL, ROWS, scorer=right, model=model, name=name, traces="all")


def test_traces_of_a_run_are_rows_with_ids_that_stay_and_texts_that_are_redacted(store: Store) -> None:
    result = evaluated("one")
    evaluated("other")
    data = gt.dataset(f"traces:{result.run}")
    assert data.columns == ["text", "label", "output"]
    assert sorted(row["text"] for row in data) == [f"film {n}, write to [email]" for n in range(5)]
    assert {row["output"] for row in data} == {"good"}
    assert all(row.id.startswith("tr-") for row in data)
    again = gt.dataset(f"traces:{store.run(result.run).info.run_id}")
    assert (again.digest, [row.id for row in again]) == (data.digest, [row.id for row in data])
    assert (
        gt.evaluate(LABEL, data, scorer=gt.scorers.exact("output"), model=gt.ScriptedModel({"*": "good"})).mean() == 1
    )


def test_all_traces_and_those_that_fit_a_filter_are_rows(store: Store) -> None:
    evaluated("one")
    evaluated("other")
    assert len(gt.dataset("traces:")) == 10
    assert len(gt.dataset("traces:trace.status = 'OK'")) == 10
    with pytest.raises(DatasetError, match=r"no traces that fit \"trace.status = 'ERROR'\""):
        gt.dataset("traces:trace.status = 'ERROR'")


def test_traces_of_other_programs_are_rows_too(store: Store) -> None:
    with gt.run("makes the experiment"):
        pass
    assert store.drain() == 0
    tracing = TracingClient(store.uri)
    experiment = store.mlflow.get_experiment_by_name(load_settings().experiment).experiment_id
    told = {
        "mlflow.traceRequestId": "tr-" + "0" * 31 + "1",
        "mlflow.spanInputs": {"q": "why?"},
        "mlflow.spanOutputs": 1,
    }
    span = Span.from_dict(
        {
            "trace_id": base64.b64encode((1).to_bytes(16)).decode(),
            "span_id": base64.b64encode((1).to_bytes(8)).decode(),
            "parent_span_id": "",
            "name": "answer",
            "start_time_unix_nano": 10**18,
            "end_time_unix_nano": 10**18 + 1,
            "status": {"code": "STATUS_CODE_OK", "message": ""},
            "attributes": {name: json.dumps(value) for name, value in told.items()},
        }
    )
    tracing.log_spans(experiment, [span])
    tracing.log_assessment(span.trace_id, Expectation(name="right", value="BECAUSE"))
    (row,) = gt.dataset("traces:")
    assert (row.id, dict(row)) == (span.trace_id, {"q": "why?", "output": 1, "right": "BECAUSE"})


def test_a_run_without_traces_and_one_that_is_none_are_refused(store: Store) -> None:
    result = gt.evaluate(LABEL, ROWS, scorer=lambda value, row: 1, model=gt.ScriptedModel({"*": "good"}), traces=0)
    with pytest.raises(DatasetError, match=f"no traces of run {result.run}"):
        gt.dataset(f"traces:{result.run}")
    with pytest.raises(DatasetError, match="no run begins with 'deadbeef'"):
        gt.dataset("traces:deadbeef")


def test_a_word_that_is_neither_a_run_nor_a_filter_is_the_users_mistake(store: Store) -> None:
    evaluated("one")
    with pytest.raises(DatasetError, match="'zzzz' is neither a run nor a filter that MLflow reads") as caught:
        gt.dataset("traces:zzzz")
    assert caught.value.exit_code == 2
