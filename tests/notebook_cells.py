"""What tests of jobs and releases build with: notebooks of a few cells, a furnished workspace, the real command."""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from gen_toolkit.ipynb import Notebook, write_notebook
from gen_toolkit.jobs.warm import address, keep
from gen_toolkit.workspace import find_workspace

OF_TESTS = {"GEN_TOOLKIT_EMBEDDED_THREADS", "GEN_TOOLKIT_DELIVERY"}
"""Settings that tests have for themselves; all others are taken away before a test."""
KEEPS = "import gen_toolkit as gt\ngt.keep('done', True)"
MODEL = '[models.dry]\nprovider = "scripted"\nreplies = "replies.json"\n'
REPLIES = {"good": "positive", "bad": "negative", "*": "positive"}


def code(source: str, *tags: str, outputs: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    metadata = {"tags": list(tags)} if tags else {}
    return {
        "cell_type": "code",
        "id": f"c{abs(hash(source)) % 10**9}",
        "metadata": metadata,
        "source": source,
        "execution_count": None,
        "outputs": list(outputs),
    }


def notebook(*cells: str | dict[str, Any], parameters: str | None = "limit: int = 3") -> Notebook:
    """A notebook of code cells, the first tagged `parameters` unless there is to be none."""
    first = [] if parameters is None else [code(parameters, "parameters")]
    made = [code(cell) if isinstance(cell, str) else cell for cell in cells]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": [*first, *made], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def written(path: Path, *cells: str | dict[str, Any], parameters: str | None = "limit: int = 3") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_notebook(path, notebook(*cells, parameters=parameters))
    return path


def source_of(cell: Mapping[str, Any]) -> str:
    return "".join(cell["source"])


def furnish(root: Path, *, mlflow: bool = True, settings: str = MODEL, warm: bool = False) -> Path:
    """A workspace with a scripted model `dry` and, made once for all tests, an empty MLflow database.

    `warm`: where what is tested is not how a job starts, its commands are forked from a template that is up.
    """
    (root / "notebooks").mkdir(parents=True, exist_ok=True)
    (root / "gen_toolkit.toml").write_text(f'model = "dry"\n{settings}', encoding="utf-8")
    (root / "replies.json").write_text(json.dumps(REPLIES), encoding="utf-8")
    if warm and (socket := _template()):
        (root / "mlruns").mkdir(mode=0o700, exist_ok=True)
        (root / "mlruns" / address.SOCKET).unlink(missing_ok=True)
        (root / "mlruns" / address.SOCKET).symlink_to(socket)
    return with_mlflow(root) if mlflow else root


@functools.cache
def _template() -> Path | None:
    """The socket of a template for all workspaces of this process, which keeps it up; None where there can be none."""
    folder = Path(tempfile.mkdtemp(prefix="gen-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "gen_toolkit.toml").write_text("")
    if not keep.keep_warm(find_workspace(folder), idle=1.0):
        return None
    until = time.monotonic() + 60
    while keep.status(find_workspace(folder)) is None:
        if time.monotonic() > until:
            return None
        time.sleep(0.1)
    return folder / "mlruns" / address.SOCKET


def with_mlflow(root: Path) -> Path:
    """The workspace, with an MLflow database that is there already: making one takes seconds."""
    (root / "mlruns").mkdir(mode=0o700, exist_ok=True)
    (root / "mlruns" / "mlflow.db").write_bytes(_empty_mlflow())
    return root


@functools.cache
def _empty_mlflow() -> bytes:
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_MODEL_CATALOG_URI": ""}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mlflow.db"
        make = f"import mlflow; mlflow.MlflowClient('sqlite:///{path}').search_experiments()"
        environment = {**environment_of_nobody(), **quiet}
        subprocess.run([sys.executable, "-c", make], env=environment, check=True, capture_output=True, timeout=120)
        return path.read_bytes()


def gen(*arguments: str | Path, cwd: Path, timeout: float = 90, **environment: str) -> subprocess.CompletedProcess[str]:
    """The real command in a process of its own."""
    return subprocess.run(
        command(*arguments),
        cwd=cwd,
        env={**environment_of_nobody(), **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def environment_of_nobody() -> dict[str, str]:
    """Without the settings that toolkit and MLflow leave in this process for the tests that come later."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GEN_TOOLKIT_", "MLFLOW_")) or name in OF_TESTS
    }


def enter(root: Path, patch: pytest.MonkeyPatch) -> None:
    """Work in `root` from here on, as the fixture `workspace` does for a test; for fixtures of a whole module."""
    for name in os.environ.keys() - environment_of_nobody().keys():
        patch.delenv(name)
    patch.chdir(root)


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "gen_toolkit.cli.entry", *map(str, arguments)]


def gen_json(*arguments: str | Path, cwd: Path, **environment: str) -> Any:
    """What the command prints with `--json`, whatever its exit code."""
    done = gen(*arguments, "--json", cwd=cwd, **environment)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)
