"""Clients to MLflow: where the store is, how long we wait for it, and what its failures are called."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen_toolkit import text
from gen_toolkit.errors import TrackingError
from gen_toolkit.settings import Resolved

if TYPE_CHECKING:
    from mlflow import MlflowClient

# MLflow's own patience is minutes (7 tries of 120 s); nothing that waits for it should wait that long.
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_MODEL_CATALOG_URI": "",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # whoever delivers shares it with --json and with cells
}


def prepare_environment(settings: Resolved) -> None:
    """Let `mlflow.*` of the same process land in the same store and experiment as ours."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("MLFLOW_TRACKING_URI", settings.tracking_uri)
    os.environ.setdefault("MLFLOW_EXPERIMENT_NAME", settings.experiment)


def environment(settings: Resolved) -> dict[str, str]:
    """The same for a child process."""
    return {
        **_QUIET,
        "MLFLOW_TRACKING_URI": settings.tracking_uri,
        "MLFLOW_EXPERIMENT_NAME": settings.experiment,
    }


_importing = threading.Lock()


def import_mlflow() -> Any:
    """The one place that loads MLflow: two threads that load parts of it at once leave it broken.

    (Python gives up the lock of a half-loaded module to escape a deadlock.) Notebooks and scripts call
    this before the writer's thread starts, because their own code may import parts of MLflow too.
    """
    with _importing:
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        logging.getLogger("alembic").setLevel(logging.WARNING)
        import mlflow
        import mlflow.entities
        import mlflow.exceptions

        # it prints a traceback of what it raises as well: what is not delivered waits in the spool, with the reason
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
        return mlflow


@cache
def client(uri: str) -> MlflowClient:
    """The client for a tracking URI."""
    _refuse_read_only(uri)
    mlflow = import_mlflow()
    with typed_errors(uri):
        return mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)


def _refuse_read_only(uri: str) -> None:
    """MLflow writes when it opens a database, and would try again for minutes where it cannot."""
    path = Path(uri.removeprefix("sqlite:///"))
    if uri.startswith("sqlite:///") and path.parent.exists() and not os.access(path.parent, os.W_OK):
        raise TrackingError(
            f"MLflow's database {path} is where nothing can be written, and MLflow does not open one just to read",
            fix="Copy the workspace to where you may write, or name a server with MLFLOW_TRACKING_URI.",
            uri=uri,
        )


def experiment_id(uri: str, name: str, artifacts: str) -> str:
    """The experiment of that name, made if it is not there.

    Ours to make, and early: MLflow's own way would put the artifacts of a local store into the current
    folder. A server decides for itself where artifacts go.
    """
    from mlflow.exceptions import MlflowException

    known = client(uri).get_experiment_by_name(name)
    if known is None:
        try:
            location = artifacts if uri.startswith("sqlite:") else None
            return str(client(uri).create_experiment(name, artifact_location=location))
        except MlflowException:
            known = client(uri).get_experiment_by_name(name)  # another process was faster
            if known is None:
                raise
    if known.lifecycle_stage == "deleted":
        client(uri).restore_experiment(known.experiment_id)
    return str(known.experiment_id)


@contextlib.contextmanager
def typed_errors(uri: str) -> Iterator[None]:
    """MLflow's exceptions as one TrackingError."""
    try:
        yield
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in {"mlflow", "requests", "sqlalchemy"}:
            raise
        raise TrackingError(
            f"MLflow at {text.one_line(uri, 100)} does not answer as it should: {text.one_line(error, 160)}",
            fix="Check MLFLOW_TRACKING_URI and that the server runs; `gen doctor` asks it.",
            uri=uri,
        ) from error


# What cannot be said to MLflow at all: an unknown kind of event, a number beyond every float.
_UNTELLABLE = (TypeError, LookupError, ArithmeticError, NotImplementedError, UnicodeError)


def is_lasting(error: Exception) -> bool:
    """Whether MLflow will refuse the same again (and waiting for it would block all that follows)."""
    if isinstance(error, _UNTELLABLE):
        return True
    code: Any = getattr(error, "error_code", None)
    return code in {
        "INVALID_PARAMETER_VALUE",
        "RESOURCE_DOES_NOT_EXIST",
        "BAD_REQUEST",
        "RESOURCE_ALREADY_EXISTS",
    }
