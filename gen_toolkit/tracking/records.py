"""MLflow's datasets, read: their records as rows."""

from __future__ import annotations

from typing import Any

from gen_toolkit.errors import DatasetError, TrackingError
from gen_toolkit.settings import load_settings
from gen_toolkit.tracking.store import client, import_mlflow, prepare_environment, typed_errors


def read_records(name: str) -> list[dict[str, Any]]:
    """The inputs and expectations of each record of MLflow's dataset of that name, as one row, oldest first.

    Raises DatasetError where there is none, or several, of the name, or where a record names something twice.
    """
    settings = load_settings()
    prepare_environment(settings)
    uri = settings.tracking_uri
    mlflow = import_mlflow()
    if mlflow.get_tracking_uri() != uri:  # records are fetched from the store that the process points to
        raise TrackingError(
            "MLflow was pointed to another store in this process, so its datasets cannot be read from this workspace's",
            fix="Leave mlflow.set_tracking_uri out, or set MLFLOW_TRACKING_URI for all.",
            uri=uri,
        )
    with typed_errors(uri):
        quoted = name.replace("'", "''")
        found = list(client(uri).search_datasets(filter_string=f"name = '{quoted}'", max_results=2))
        if len(found) != 1:
            raise DatasetError(
                f"MLflow has {'several datasets' if found else 'no dataset'} called {name!r}",
                fix="Look in the MLflow UI under Datasets.",
                name=name,
            )
        records = sorted(found[0].records, key=lambda record: (record.created_time, record.dataset_record_id))
    return [_row(record, name) for record in records]


def _row(record: Any, name: str) -> dict[str, Any]:
    inputs, expected = dict(record.inputs or {}), dict(record.expectations or {})
    twice = sorted(inputs.keys() & expected.keys())
    if twice:
        raise DatasetError(
            f"record {record.dataset_record_id} of MLflow's dataset {name!r} has {twice[0]!r} "
            "as input and as expectation",
            fix="Give one of the two another name.",
            column=twice[0],
        )
    return {**inputs, **expected}
