"""gen init, gen doctor: a workspace, and whether everything it needs is there."""

from __future__ import annotations

import json
import platform
import shlex
import shutil
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import typer

from gen_toolkit.cli.show import json_option
from gen_toolkit.errors import GenToolkitError, InputError
from gen_toolkit.text import scrub, terminal


def init(folder: Path = typer.Argument(..., metavar="DIR", help="A new folder, or an empty one.")) -> None:
    """Make a workspace with a starter notebook that runs without a key."""
    if folder.exists() and (not folder.is_dir() or any(p.name != ".git" for p in folder.iterdir())):
        raise InputError(f"{folder} is there already and not empty", fix="Name a new folder.")
    starter = files("gen_toolkit.cli") / "starter"
    try:
        for inner in ("notebooks", "pipelines", "tests", "mlruns"):
            (folder / inner).mkdir(parents=True, exist_ok=True)
        (folder / "mlruns").chmod(0o700)
        for inner in ("pipelines", "tests", "mlruns"):
            (folder / inner / ".gitkeep").touch()
        name = folder.resolve().name
        project = (starter / "pyproject.toml.txt").read_text(encoding="utf-8").replace("WORKSPACE", _slug(name))
        (folder / "pyproject.toml").write_text(project, encoding="utf-8")
        (folder / ".gitignore").write_text((starter / "gitignore.txt").read_text(encoding="utf-8"), encoding="utf-8")
        (folder / "replies.json").write_text((starter / "replies.json").read_text(encoding="utf-8"), encoding="utf-8")
        first = (starter / "first.ipynb").read_text(encoding="utf-8")
        (folder / "notebooks" / "first.ipynb").write_text(first, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror}", fix="Check permissions and space.") from None
    print(f"{folder} is a workspace. Go on with:")
    print(f"  cd {shlex.quote(str(folder))}")
    print("  gen try notebooks/first.ipynb            # run the starter as a job would")
    print("  gen promote notebooks/first.ipynb --as first && gen run first")
    print("  gen lab                                  # or open it in JupyterLab")


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in name.lower()).strip("-") or "workspace"


def doctor(as_json: bool = json_option()) -> None:
    """Look at everything the toolkit stands on, and say what to do where something is missing."""
    from gen_toolkit.settings import refuse_no_folder
    from gen_toolkit.workspace import find_workspace

    refuse_no_folder(find_workspace())
    checks: dict[str, Callable[[], str]] = {
        "python": lambda: platform.python_version(),
        "workspace": _workspace,
        "settings": _settings,
        "database": _database,
        "releases": _releases,
        "disk": _disk,
        "mlflow": _mlflow,
        "models": _models,
        "processes": _processes,
        "template": _template,
    }
    found = list(_looked_at(checks))
    if as_json:
        told = [{"what": what, "ok": ok, "found": scrub(said)} for what, ok, said in found]
        print(json.dumps(told, ensure_ascii=False))
    else:
        for what, ok, said in found:
            print(terminal(f"{'ok  ' if ok else 'FAIL'}  {what.ljust(10)}  {said}"))
    if not all(ok for _, ok, _ in found):
        raise typer.Exit(3)


def _looked_at(checks: dict[str, Callable[[], str]]) -> Iterator[tuple[str, bool, str]]:
    for what, look in checks.items():
        try:
            yield what, True, look()
        except GenToolkitError as error:
            yield what, False, str(error)


def _workspace() -> str:
    from gen_toolkit.workspace import find_workspace

    found = find_workspace()
    return f"{found.root} ({found.configuration.name if found.configuration else 'no settings: the current folder'})"


def _settings() -> str:
    from gen_toolkit.settings import Settings, load_settings

    settings = load_settings()
    named = [f"{n} from {settings.origin(n)}" for n in Settings.model_fields if settings.origin(n) != "default"]
    return "; ".join(named) or "all defaults"


def _database() -> str:
    from gen_toolkit.database.engine import open_database
    from gen_toolkit.tracking.spool import count_waiting

    database = open_database()
    waiting = count_waiting(database)
    return database.name + (f"; {waiting} events wait for MLflow" if waiting else "")


def _releases() -> str:
    """Which release of each pipeline is live, and that it is what was promoted."""
    from gen_toolkit.releases.freeze import verify
    from gen_toolkit.releases.overview import pipeline_named, pipeline_names

    said = []
    for name in pipeline_names():
        pipeline = pipeline_named(name)
        standing = pipeline.standing
        if standing.number is not None:
            verify(pipeline.release_folder(standing.number))
        said.append(f"{name} live: {standing}")
    return "; ".join(said) or "no pipeline yet"


def _disk() -> str:
    from gen_toolkit.errors import DatabaseError
    from gen_toolkit.settings import load_settings

    free = shutil.disk_usage(load_settings().workspace.prepare()).free
    if free < 500_000_000:
        raise DatabaseError(f"only {free // 1_000_000} MB are free", fix="Make room.")
    return f"{free // 1_000_000_000} GB free"


def _mlflow() -> str:
    from gen_toolkit.settings import load_settings
    from gen_toolkit.tracking.store import client, typed_errors

    uri = load_settings().tracking_uri
    with typed_errors(uri):
        client(uri).search_experiments(max_results=1)
    return uri


def _models() -> str:
    from gen_toolkit.models.weights import find_weights
    from gen_toolkit.secret import Secret
    from gen_toolkit.settings import load_settings

    settings = load_settings().settings
    said = []
    for name in sorted({"local", *settings.models}):
        _, alias = settings.alias(name)
        if alias.provider == "embedded":
            find_weights()
        for reference in alias.references:
            _ = Secret(reference).value
        said.append(f"{name} ({alias.provider})")
    return ", ".join(said)


def _processes() -> str:
    from gen_toolkit.jobs.guarantee import guarantee

    return guarantee()


def _template() -> str:
    from gen_toolkit.cli.warm import told
    from gen_toolkit.jobs.warm.keep import status
    from gen_toolkit.workspace import find_workspace

    return "; ".join(told(status(find_workspace())))
