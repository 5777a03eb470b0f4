"""Traces to MLflow, many at once; a delivery that is repeated adds nothing."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from gen_toolkit.database.engine import Database
from gen_toolkit.events import RowsTraced
from gen_toolkit.journal.said import said
from gen_toolkit.tracking.row_trace import RowTrace
from gen_toolkit.tracking.store import is_lasting
from gen_toolkit.tracking.trace_entities import Entities, entities

if TYPE_CHECKING:
    from mlflow import MlflowClient

_SPANS_ARE_HERE = {"mlflow.trace.spansLocation": "TRACKING_STORE"}  # which `log_spans` would add, one by one
_AT_ONCE = 4  # requests to a server: more only wait for its database


def deliver_traces(event: RowsTraced, run: str, experiment: str, mlflow: MlflowClient, database: Database) -> None:
    """`run` and `experiment` are MLflow's ids."""
    from mlflow.tracing.client import TracingClient

    _deliver(event, run, experiment, TracingClient(mlflow.tracking_uri).store, database)


def _deliver(event: RowsTraced, run: str, experiment: str, store: Any, database: Database) -> None:
    rows = [RowTrace(**row) for row in event.rows]
    texts = said(database, [call for row in rows for call in row.calls])
    made = [entities(event, row, texts, run, experiment) for row in rows]
    ids = [each.info.trace_id for each in made]
    known = {info.trace_id for info in store.batch_get_trace_infos(ids)}
    fresh = [each for each in made if each.info.trace_id not in known]
    if not hasattr(store, "ManagedSessionMaker"):
        _one_by_one(store, experiment, made, known)
    elif fresh:
        try:
            _together(store, experiment, fresh)
        except Exception as error:
            if not is_lasting(error):
                raise
            _one_by_one(store, experiment, made, known)  # one that is refused must not take the others with it


def _one_by_one(store: Any, experiment: str, made: Sequence[Entities], known: Collection[str]) -> None:
    """As a server takes them: each trace for itself, then all spans, in place of those that are there already."""
    refused: dict[str, Exception] = {}

    def start(each: Entities) -> None:
        try:
            store.start_trace(each.info)
        except Exception as error:
            if not is_lasting(error):
                raise
            refused[each.info.trace_id] = error

    with ThreadPoolExecutor(_AT_ONCE, "gen_toolkit traces") as threads:
        list(threads.map(start, [each for each in made if each.info.trace_id not in known]))
    store.log_spans(experiment, [span for each in made if each.info.trace_id not in refused for span in each.spans])
    if refused:
        raise next(iter(refused.values()))


def _together(store: Any, experiment: str, fresh: Sequence[Entities]) -> None:
    """All of them or none, by the store's own methods, in one transaction and with one look at the experiment.

    Left alone, `start_trace` commits, and reads the experiment, for every trace: that takes four times as long.
    """
    own = copy.copy(store)  # the same database; but the user's threads share the store itself
    found = store.get_experiment(experiment)
    own.get_experiment = lambda _: found
    with store.ManagedSessionMaker(read_only=False) as session:

        @contextlib.contextmanager
        def shared(read_only: bool = True) -> Iterator[Any]:  # noqa: ARG001 - MLflow's signature
            yield session

        own.ManagedSessionMaker = shared
        session.flush = _later  # one insert for all of a table
        try:
            for each in fresh:
                each.info.tags |= _SPANS_ARE_HERE
                own.start_trace(each.info)
        finally:
            del session.flush
        session.flush()
        with session.no_autoflush:
            own.log_spans(experiment, [span for each in fresh for span in each.spans])


def _later(*_: Any) -> None:
    """The caller flushes when all are there."""
