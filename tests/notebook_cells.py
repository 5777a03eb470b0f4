"""What tests of jobs and releases build with: notebooks of a few cells, a furnished workspace, the real command."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from gen_toolkit.ipynb import Notebook, write_notebook

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


def furnish(root: Path, *, mlflow: bool = True, settings: str = MODEL) -> Path:
    """A workspace with a scripted model `dry` and, made once for all tests, an empty MLflow database."""
    (root / "notebooks").mkdir(parents=True, exist_ok=True)
    (root / "gen_toolkit.toml").write_text(f'model = "dry"\n{settings}', encoding="utf-8")
    (root / "replies.json").write_text(json.dumps(REPLIES), encoding="utf-8")
    return with_mlflow(root) if mlflow else root


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
