"""What a template imports: what every run needs, and the modules that the workspace and its pipelines name."""

from __future__ import annotations

import gc
import importlib
import importlib.util
import sys
import threading
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gen_toolkit import text
from gen_toolkit.settings import load_settings
from gen_toolkit.workspace import Workspace

# By name: a template runs what it is asked to run, and knows no floor above its own.
_OWN = (
    "gen_toolkit.cli.app",
    "gen_toolkit.cli.begin",
    "gen_toolkit.cli.runs",
    "gen_toolkit.cli.show",
    "gen_toolkit.display",
    "gen_toolkit.releases.start",
    "gen_toolkit.releases.again",
    "gen_toolkit.releases.overview",
    "gen_toolkit.releases.enter",
    "gen_toolkit.releases.work",
    "gen_toolkit.jobs.begin",
    "gen_toolkit.jobs.reconcile",
    "gen_toolkit.jobs.courier",
    "gen_toolkit.jobs.reaper",
    "gen_toolkit.jobs.runner",
    "gen_toolkit.jobs.variables",
    "gen_toolkit.jobs.kernel",
    "gen_toolkit.jobs.warm.start",
    "gen_toolkit.alerts.outbox",
    "gen_toolkit.alerts.reasons",
    "gen_toolkit.alerts.send",
    "gen_toolkit.tracking.listener",
    "gen_toolkit.tracking.courier",
    "gen_toolkit.tracking.find",
    "gen_toolkit.tracking.run",
    "gen_toolkit.tracking.keep",
    "gen_toolkit.models.chat",
    "gen_toolkit.models.scripted",
    "gen_toolkit.models.openai",
    "gen_toolkit.models.embedded",
    "gen_toolkit.prompts.registry",
    "gen_toolkit.datasets.read",
    "gen_toolkit.evals.evaluate",
    "gen_toolkit.evals.scorers",
)
_THEIRS = (
    "numpy",
    "pandas",
    "openai",
    "mlflow",
    "mlflow.entities",
    "mlflow.exceptions",
    "mlflow.tracking",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.store.tracking.rest_store",
    "mlflow.store.model_registry.sqlalchemy_store",
    "alembic.runtime.migration",
    "sqlalchemy.dialects.sqlite",
    "nbformat.v4",
    "nbclient.client",
    "papermill",
    "papermill.engines",
    "papermill.clientwrap",
    "jupyter_client.manager",
    "jupyter_client.asynchronous",
    "jupyter_client.provisioning.local_provisioner",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.history",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.core.completer",
    "IPython.core.interactiveshell",
    "IPython.core.magics",
    "IPython.extensions.storemagic",
    "tornado.platform.asyncio",
    "ipykernel.kernelspec",
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
    "ipykernel.comm",
    "ipywidgets",
)


@dataclass
class Loaded:
    """What came of it."""

    modules: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    """Modules that are not imported, and why."""


def wanted(workspace: Workspace) -> list[str]:
    """The names in `warm` of the settings and of every pipeline.toml. A broken pipeline is not ours to report."""
    named = list(load_settings(workspace).settings.warm)
    for file in sorted(workspace.pipelines.glob("*/pipeline.toml")):
        try:
            if not file.is_file():  # a pipe would never end
                continue
            found: Any = tomllib.loads(file.read_text(encoding="utf-8")).get("warm", [])
        except (OSError, ValueError, RecursionError):
            continue
        named += [name for name in found if isinstance(name, str)] if isinstance(found, list) else []
    return list(dict.fromkeys(named))


def load(named: Sequence[str], workspace: Workspace, without: Iterable[str] = ()) -> Loaded:
    """Import everything. A module that cannot be imported is left out, and told by `problems`."""
    loaded = Loaded(problems=dict.fromkeys(without, "it leaves threads or connections behind that no fork survives"))
    for name in [*named, *_OWN, *_THEIRS]:  # theirs first: one that no fork survives is found before all is loaded
        if name in loaded.problems:
            continue
        problem = _workspace_s(name, workspace) if name in named else None
        if problem is None:
            try:
                importlib.import_module(name)
            except Exception as error:  # noqa: BLE001 - whatever a module does, the others can be had
                problem = text.one_line(f"{type(error).__name__}: {error}", 200)
        if problem is not None:
            loaded.problems[name] = problem
        elif unforkable():
            raise Unforkable(name)
        else:
            loaded.modules.append(name)
    return loaded


class Unforkable(Exception):
    """A module that leaves something behind that a fork does not survive."""


def _workspace_s(name: str, workspace: Workspace) -> str | None:
    """The workspace's own code is frozen with each release: what lies here today is not what a run imports."""
    try:
        found = importlib.util.find_spec(name.partition(".")[0])
    except (ImportError, ValueError):
        return None  # importing it says it better
    origin = Path(found.origin) if found and found.origin else None
    root = workspace.root
    if origin is None or not origin.is_relative_to(root) or origin.is_relative_to(sys.prefix):
        return None
    return "it is the workspace's own, and belongs to its releases"


def unforkable() -> str | None:
    """Why this process may not be forked; None where it may. Threads of C libraries see to themselves."""
    if threading.active_count() > 1:
        return "it has threads"
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None and asyncio.events._get_running_loop() is not None:
        return "an event loop is running in it"
    zmq = sys.modules.get("zmq")
    if zmq is not None and zmq.Context._instance is not None:
        return "it has a zmq context"
    return None


def contexts() -> int:
    """How many zmq contexts there are, also such as nobody speaks of. Looks at every object: takes its time."""
    zmq = sys.modules.get("zmq")
    kinds = {type(it) for it in gc.get_objects()} if zmq is not None else set()
    found = [kind for kind in kinds if zmq is not None and issubclass(kind, zmq.Context)]
    return sum(type(it) in found and not it.closed for it in gc.get_objects()) if found else 0
