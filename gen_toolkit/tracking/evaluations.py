"""What MLflow knows of evaluations of a prompt: rows, verdicts, when. For whoever decides by them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from gen_toolkit.settings import load_settings
from gen_toolkit.tracking.store import client, typed_errors
from gen_toolkit.tracking.writer import drain

_VERDICT = "gen_toolkit.verdict."
_PATIENCE = 30.0


@dataclass(frozen=True)
class Evaluation:
    """An evaluation that ended well."""

    run: str
    """Our id of the run."""
    name: str
    at: float
    """When it began, seconds since 1970."""
    rows: int | None
    failed: int | None
    verdicts: dict[str, str] = field(default_factory=dict)
    """What the verdict says, by scorer."""
    repeats: int = 1
    """How often each row was asked; `rows` and `failed` count them all."""
    grid: str | None = None
    """Of a cell, the run of its grid."""


def evaluations_of(prompts: Iterable[str]) -> list[Evaluation]:
    """The evaluations of these prompts (as param `prompt` names them), the newest first; of a grid its cells.

    What waits to be delivered is delivered before. Raises TrackingError.
    """
    settings = load_settings()
    drain(settings, seconds=_PATIENCE)
    found: list[Any] = []
    grids: set[str] = set()
    with typed_errors(settings.tracking_uri):
        mlflow = client(settings.tracking_uri)
        experiment = mlflow.get_experiment_by_name(settings.experiment)
        for prompt in prompts if experiment else ():
            found += _search(mlflow, experiment, f"params.prompt = '{prompt}' AND status = 'FINISHED'")
            around = _search(mlflow, experiment, f"params.prompt LIKE '%{prompt}%' AND params.cells != ''")
            grids.update(map(_id, around))
    return sorted(
        (_evaluation(run, grids) for run in found if _id(run) not in grids), key=lambda evaluation: -evaluation.at
    )


def _search(mlflow: Any, experiment: Any, which: str) -> Iterator[Any]:
    page = None
    while True:
        mine = f"{which} AND tags.`gen_toolkit.kind` = 'evaluation'"
        runs = mlflow.search_runs([experiment.experiment_id], mine, page_token=page)
        yield from runs
        page = runs.token
        if not page:
            return


def _id(run: Any) -> str:
    return str(run.data.tags.get("gen_toolkit.run", run.info.run_id))


def _evaluation(run: Any, grids: set[str]) -> Evaluation:
    tags, metrics = run.data.tags, run.data.metrics
    rows, failed = metrics.get("rows"), metrics.get("rows_failed")
    parent = tags.get("gen_toolkit.parent")
    return Evaluation(
        run=_id(run),
        name=run.info.run_name or "",
        at=run.info.start_time / 1000,
        rows=None if rows is None else int(rows),
        failed=None if failed is None else int(failed),
        verdicts={key.removeprefix(_VERDICT): value for key, value in tags.items() if key.startswith(_VERDICT)},
        repeats=int(run.data.params.get("repeats", 1)),
        grid=parent if parent in grids else None,
    )
