"""The notebooks that bench_jobs executes, and a workspace in which each is a pipeline with one release."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from measure import PYTHON

SETTINGS = 'model = "dry"\n[models.dry]\nprovider = "scripted"\nreplies = "replies.json"\n'
NOW = "import time\nprint(time.time())"  # the first cell of each: what it prints is when it ran
# A job has an outcome, or it is refused; others are spared what that costs.
KEPT = "import os\nif 'GEN_TOOLKIT_RUN' in os.environ:\n    import gen_toolkit as gt\n    gt.keep('limit', limit)"
CELLS = {
    "trivial": [NOW, KEPT],
    "imports": [NOW, "import pandas, mlflow, openai", KEPT],
    "cells-100": [NOW, *[f"x = {number}" for number in range(97)], KEPT],
    "cells-1000": [NOW, *[f"x = {number}" for number in range(997)], KEPT],
    "output": [NOW, *["print(('0123456789' * 8 + '\\n') * 2500)"] * 100, KEPT],
}


def make(root: Path) -> Path:
    """The workspace, with the notebooks, promoted, and an MLflow database that is there already."""
    (root / "notebooks").mkdir(parents=True)
    (root / "out").mkdir()
    (root / "gen_toolkit.toml").write_text(SETTINGS, encoding="utf-8")
    (root / "replies.json").write_text('{"*": "positive"}', encoding="utf-8")
    for name, sources in CELLS.items():
        path = root / "notebooks" / f"{name}.ipynb"
        path.write_text(json.dumps(_notebook(sources)), encoding="utf-8")
        command(root, "promote", path, "--as", name)
    command(root, "run", "trivial")  # makes the databases
    return root


def _notebook(sources: list[str]) -> dict[str, object]:
    cells = [_code("limit: int = 3", "parameters"), *map(_code, sources)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    numbered = [{**cell, "id": f"c{number}"} for number, cell in enumerate(cells)]
    return {"cells": numbered, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def _code(source: str, *tags: str) -> dict[str, object]:
    metadata = {"tags": list(tags)} if tags else {}
    return {"cell_type": "code", "metadata": metadata, "source": source, "execution_count": None, "outputs": []}


def environment(**more: str) -> dict[str, str]:
    """This process's, without what would slow others down or lead them elsewhere."""
    unwanted = ("GEN_TOOLKIT_", "MLFLOW_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    return {**kept, "MLFLOW_DISABLE_TELEMETRY": "true", **more}


def command(root: Path, *arguments: str | Path, **more: str) -> None:
    done = subprocess.run(
        [PYTHON, "-m", "gen_toolkit.cli.entry", *map(str, arguments)],
        cwd=root,
        env=environment(**more),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"gen {arguments}: {done.stderr or done.stdout}")


def first_cell(notebook: Path) -> float:
    """When the first cell ran, by its own word."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    texts = ["".join(cell["outputs"][0]["text"]) for cell in cells if "time.time()" in "".join(cell["source"])]
    return float(texts[0])


def executed(notebook: Path, name: str) -> None:
    """Raises where not every cell was executed: who does less must not win."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    ran = sum(cell.get("execution_count") is not None for cell in cells if cell["cell_type"] == "code")
    assert ran > len(CELLS[name]), f"{notebook}: {ran} cells ran"
