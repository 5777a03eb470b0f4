"""A frozen notebook imports what was reviewed, wherever it is executed."""

from __future__ import annotations

import os
import py_compile
import subprocess
import sys
from importlib.util import cache_from_source
from pathlib import Path

import pytest
from notebook_cells import KEEPS, environment_of_nobody, furnish, written
from released import promoted

from gen_toolkit.ipynb import read_notebook, source


@pytest.fixture
def folder(workspace: Path) -> Path:
    """A release that includes a module and one in a package."""
    path = written(furnish(workspace, mlflow=False) / "notebooks/label.ipynb", KEEPS, "import helpers, tools.deep")
    (workspace / "tools").mkdir()
    for name in ("helpers.py", "tools/__init__.py", "tools/deep.py"):
        (workspace / name).write_text("said = 'reviewed'\n")
    (workspace / "pipelines/label").mkdir(parents=True)
    (workspace / "pipelines/label/pipeline.toml").write_text("include = ['helpers.py', 'tools']\n")
    return promoted(path, "label").pipeline.release_folder()


def said(folder: Path, *first_of_path: Path) -> str:
    """What its modules say in a process that executes the first cell of its notebook."""
    first = source(read_notebook(folder / "notebook.ipynb")["cells"][0])
    code = f"{first}\nimport helpers, tools.deep\nprint(helpers.said, tools.deep.said)"
    places = filter(None, [*map(str, first_of_path), os.environ.get("PYTHONPATH")])
    environment = {**environment_of_nobody(), "PYTHONPATH": os.pathsep.join(places)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def test_it_imports_what_the_release_includes_and_leaves_nothing_there(folder: Path) -> None:
    assert said(folder) == "reviewed reviewed\n"
    assert said(folder, folder / "include") == "reviewed reviewed\n"  # as a job has it
    assert not list(folder.rglob("__pycache__"))


@pytest.mark.parametrize("name", ["helpers.py", "tools/deep.py"])
def test_bytecode_beside_it_is_not_executed(folder: Path, name: str, tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text("said = 'planted'\n")
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(other), cache_from_source(str(folder / "include" / name)), invalidation_mode=unchecked)
    assert said(folder) == "reviewed reviewed\n"
    assert said(folder, folder / "include") == "reviewed reviewed\n"
