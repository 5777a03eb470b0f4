"""Execute a frozen notebook once more, offline: every answer from a cassette, seed and due time as they were.

It runs as a job does, through papermill and under the supervisor, in a workspace that exists for as long as it
takes: no ledger, journal or MLflow of a real one hears of it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gen_toolkit import scope
from gen_toolkit.database.engine import open_database
from gen_toolkit.ipynb import Notebook, read_notebook, write_notebook, write_text
from gen_toolkit.jobs.ending import Ending
from gen_toolkit.jobs.environment import kernel_environment, remember_secrets
from gen_toolkit.jobs.fixed import DUE_MARK, HASH_SEED, SEED_MARK
from gen_toolkit.jobs.job import silent
from gen_toolkit.jobs.limits import UNLIMITED, Limits
from gen_toolkit.jobs.once import take_as_done
from gen_toolkit.jobs.outcome import outcome_of
from gen_toolkit.jobs.parameters import Parameters
from gen_toolkit.jobs.prepare import with_parameters
from gen_toolkit.jobs.supervise import Progress, supervise
from gen_toolkit.releases.cells import read_code
from gen_toolkit.releases.check import parameters_of
from gen_toolkit.releases.freeze import verify
from gen_toolkit.releases.references import find_references
from gen_toolkit.releases.reproduction.compare import Brought
from gen_toolkit.releases.reproduction.sanitize import WORKSPACE
from gen_toolkit.secret import Secret
from gen_toolkit.settings import Resolved, load_settings
from gen_toolkit.surface import RUN_MARK
from gen_toolkit.tracking.source import NOTEBOOK_MARK
from gen_toolkit.tracking.store import environment as tracking_environment
from gen_toolkit.workspace import Workspace

_MOST_COPIED = 10_000_000  # bytes; larger files are linked
_OURS = {"mlruns", "gen_toolkit.toml"}  # what the workspace of a replay has of its own


@dataclass(frozen=True)
class Replay:
    """What is executed again, and on what."""

    folder: Path
    """Of the release."""
    cassette: Path
    parameters: Mapping[str, Any]
    models: Mapping[str, Mapping[str, Any]]
    """Settings of the model aliases that it names: see `releases/aliases.py`."""
    model: str
    """The alias where a call names none."""
    seed: int | None = None
    due: float | None = None
    effects: Mapping[str, Any] = field(default_factory=dict)
    """What `gt.once` gives, by key: nothing is done in the world."""
    limits: Limits = UNLIMITED


@dataclass(frozen=True)
class Replayed:
    """How it ended, what it brought, and the folder that was its workspace, which is no more."""

    ending: Ending
    brought: Brought
    workspace: Path


def replay(what: Replay, files: Path | None = None, progress: Progress = silent) -> Replayed:
    """Execute it. `files` is a folder whose files the notebook finds in its workspace.

    Raises ReleaseError where the release is not what was promoted, and ParameterError.
    """
    verify(what.folder, beside=False)  # what lies beside it is what is compared
    notebook = read_notebook(what.folder / "notebook.ipynb")
    parameters = parameters_of(notebook, what.folder / "notebook.ipynb")
    with _workspace(what, files) as root:
        settings = load_settings(
            Workspace(root, root / "gen_toolkit.toml"),
            database="mlruns/gen_toolkit.db",
            tracking_uri=f"sqlite:///{root}/mlruns/mlflow.db",
        )
        run, folder = scope.new_id(), root / "mlruns" / "run"
        folder.mkdir(mode=0o700)
        values = parameters.values({name: _placed(value, root) for name, value in what.parameters.items()})
        write_notebook(folder / "prepared.ipynb", with_parameters(notebook, values))
        secrets = _secrets(notebook, parameters, values)
        remember_secrets(secrets)
        database = open_database(settings)
        take_as_done(database, run, what.effects)
        ending = supervise(
            run,
            folder,
            environment=_environment(what, run, settings, secrets),
            late_environment=dict,
            cwd=root,
            progress=progress,
            limits=what.limits,
            secrets=secrets,
        )
        try:
            kept = outcome_of(database, run, None)["kept"]
        finally:
            database.engine.dispose()
        path = folder / "notebook.ipynb"
        ran = read_notebook(path if path.exists() else folder / "prepared.ipynb")
    return Replayed(ending, Brought(ran, kept), root)


def _secrets(notebook: Notebook, parameters: Parameters, values: Mapping[str, Any]) -> list[str]:
    """References to what the code itself asks for; no keys of models, which are not called."""
    named = find_references(read_code(notebook), {item.name for item in parameters.items}).secrets
    given = {value.reference for value in values.values() if isinstance(value, Secret)}
    return sorted(given | {f"env:{name}" for name in named})


def _environment(what: Replay, run: str, settings: Resolved, secrets: Sequence[str]) -> dict[str, str]:
    root = settings.workspace.root
    own = {
        RUN_MARK: run,
        scope.ROOT_MARK: run,
        scope.ATTEMPT_MARK: "1",
        scope.RELEASE_MARK: str(what.folder),
        NOTEBOOK_MARK: "notebook.ipynb",
        "PYTHONHASHSEED": HASH_SEED,
        "GEN_TOOLKIT_WORKSPACE": str(root),
        "GEN_TOOLKIT_DATABASE": str(settings.database),
        "GEN_TOOLKIT_CALLS": "replay",
        "GEN_TOOLKIT_CASSETTE": str(what.cassette),
        **tracking_environment(settings),
    }
    own |= {} if what.seed is None else {SEED_MARK: str(what.seed)}
    own |= {} if what.due is None else {DUE_MARK: repr(what.due)}
    included = what.folder / "include"
    if included.is_dir():
        own["PYTHONPATH"] = os.pathsep.join(filter(None, [str(included), os.environ.get("PYTHONPATH")]))
    variables = filter(None, (Secret(reference).variable for reference in secrets))
    # settings of whoever replays it have no say: the file in its workspace has them all
    allowed = {"GEN_TOOLKIT_EMBEDDED_THREADS", *own}
    environment = kernel_environment(variables, own)
    return {k: v for k, v in environment.items() if not k.startswith("GEN_TOOLKIT_") or k in allowed}


@contextlib.contextmanager
def _workspace(what: Replay, files: Path | None) -> Iterator[Path]:
    """A folder that looks like the workspace, with records and settings of its own."""
    import tomlkit

    root = Path(tempfile.mkdtemp(prefix="gen-replay-")).resolve()
    try:
        for path in files.iterdir() if files is not None else ():
            if path.name not in _OURS and path.name != ".git":
                _lend(path, root / path.name)
        settings = {"model": what.model, "models": {name: dict(alias) for name, alias in what.models.items()}}
        write_text(root / "gen_toolkit.toml", tomlkit.dumps(settings))
        Workspace(root, None).prepare()
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _lend(path: Path, place: Path) -> None:
    """A file that the notebook may write over is a copy; folders are linked."""
    with contextlib.suppress(OSError):  # what cannot be read by us cannot be read by the notebook
        if path.is_file() and path.stat().st_size <= _MOST_COPIED:
            shutil.copyfile(path, place)
        else:
            place.symlink_to(path.resolve())


def _placed(value: Any, root: Path) -> Any:
    """A parameter that named something in the workspace names it in this one."""
    if isinstance(value, str):
        return value.replace(WORKSPACE, str(root))
    if isinstance(value, list):
        return [_placed(item, root) for item in value]
    if isinstance(value, dict):
        return {name: _placed(item, root) for name, item in value.items()}
    return value
