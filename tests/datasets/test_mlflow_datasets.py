"""MLflow's datasets as a source of rows."""

from __future__ import annotations

import os
from typing import Any

import pytest
from mlflow_store import Store

import gen_toolkit as gt
from gen_toolkit.errors import DatasetError, TrackingError


def made(store: Store, name: str, *records: dict[str, Any]) -> None:
    experiment = store.mlflow.create_experiment(f"of {name}")
    dataset = store.mlflow.create_dataset(name, experiment_id=[experiment])
    os.environ["MLFLOW_TRACKING_URI"] = store.uri
    dataset.merge_records(list(records))


def test_inputs_and_expectations_are_columns_and_rows_have_the_ids_they_have_everywhere(store: Store) -> None:
    made(
        store,
        "questions",
        {"inputs": {"question": "2 + 2?"}, "expectations": {"answer": "4"}},
        {"inputs": {"question": "3 + 3?", "hints": ["add"]}, "expectations": {"answer": "6"}},
    )
    data = gt.dataset("mlflow:questions")
    listed = gt.dataset(
        [{"question": "2 + 2?", "answer": "4"}, {"question": "3 + 3?", "hints": ["add"], "answer": "6"}]
    )
    assert data.name == "questions"
    assert {row.id: dict(row) for row in data} == {row.id: dict(row) for row in listed}
    assert gt.dataset("mlflow:questions").digest == data.digest


def test_a_dataset_that_is_not_there_is_one_line(store: Store) -> None:
    with pytest.raises(DatasetError, match="no dataset called 'nothing'"):
        gt.dataset("mlflow:nothing")


def test_a_column_that_stands_twice_is_refused(store: Store) -> None:
    made(store, "twice", {"inputs": {"answer": "?"}, "expectations": {"answer": "4"}})
    with pytest.raises(DatasetError, match="has 'answer' as input and as expectation"):
        gt.dataset("mlflow:twice")


def test_a_process_that_was_pointed_to_another_store_is_told_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlflow.get_tracking_uri", lambda: "sqlite:///other.db")
    with pytest.raises(TrackingError, match="pointed to another store"):
        gt.dataset("mlflow:questions")
