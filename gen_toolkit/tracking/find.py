"""From our ids to MLflow's, and to addresses a person can open."""

from __future__ import annotations

from gen_toolkit.settings import load_settings
from gen_toolkit.tracking.deliver import RUN_TAG
from gen_toolkit.tracking.store import client, typed_errors
from gen_toolkit.tracking.writer import drain


def mlflow_run_id(run: str, *, seconds: float = 30.0) -> str | None:
    """MLflow's id of our run, delivering what waits first; None when it is not there in time."""
    settings = load_settings()
    drain(settings, seconds=seconds)
    with typed_errors(settings.tracking_uri):
        mlflow = client(settings.tracking_uri)
        experiment = mlflow.get_experiment_by_name(settings.experiment)
        if experiment is None:
            return None
        found = mlflow.search_runs([experiment.experiment_id], f"tags.`{RUN_TAG}` = '{run}'", max_results=1)
    return str(found[0].info.run_id) if found else None
