"""From our ids to MLflow's, and to addresses a person can open."""

from __future__ import annotations

import contextlib
import threading

from gen_toolkit.errors import GenToolkitError, NotFound
from gen_toolkit.settings import load_settings
from gen_toolkit.tracking.deliver import RUN_TAG
from gen_toolkit.tracking.store import client, typed_errors
from gen_toolkit.tracking.writer import drain

_PATIENCE = 2.0  # seconds that work waits for its MLflow run, so that `mlflow.*` calls land in it


def await_mlflow_run(run: str) -> str | None:
    """MLflow's id of our run if the store answers soon, else None: nothing may hang on MLflow.

    The clock starts when MLflow's own import is done; a store that is being made for the first time
    takes longer than we wait, and is then made by the writer in the background.
    """
    settings = load_settings()
    found: list[str | None] = []
    ready = threading.Event()

    def ask() -> None:
        with contextlib.suppress(GenToolkitError, ImportError):
            client(settings.tracking_uri)
            ready.set()
            found.append(mlflow_run_id(run, seconds=_PATIENCE))

    thread = threading.Thread(target=ask, name="gen_toolkit mlflow", daemon=True)
    thread.start()
    ready.wait(timeout=5 * _PATIENCE)
    thread.join(_PATIENCE)
    return found[0] if found else None


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


def our_run(mlflow_id: str) -> tuple[str, dict[str, str]]:
    """Our id of MLflow's run, and its tags. Raises NotFound, TrackingError."""
    settings = load_settings()
    with typed_errors(settings.tracking_uri):
        mlflow = client(settings.tracking_uri)
        from mlflow.exceptions import MlflowException

        try:
            found = mlflow.get_run(mlflow_id)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            found = None
    tags = {} if found is None else dict(found.data.tags)
    if RUN_TAG not in tags:
        said = "MLflow has no run" if found is None else "the toolkit did not make MLflow's run"
        raise NotFound(f"{said} {mlflow_id}", fix="Copy the address of a run from the MLflow UI of this workspace.")
    return tags[RUN_TAG], tags
