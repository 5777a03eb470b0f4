"""No lock-in: a release runs unchanged under papermill and Airflow 3 of another environment (`make airflow`)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from notebook_cells import environment_of_nobody, furnish, written
from released import promoted

from gen_toolkit.database.engine import open_database
from gen_toolkit.ipynb import read_notebook
from gen_toolkit.journal.store import count
from gen_toolkit.releases.freeze import verify
from gen_toolkit.releases.pipeline import Pipeline

ROOT = Path(__file__).parents[2]
AIRFLOW = ROOT / ".peers" / "airflow"
pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not (AIRFLOW / "bin" / "airflow").exists(), reason="make airflow installs it"),
]


@pytest.fixture
def films(workspace: Path) -> Pipeline:
    """A live release that asks a model, in a workspace whose environment Airflow has a kernel of."""
    furnish(workspace)
    cell = (
        "import gen_toolkit as gt\ngt.keep('said', gt.chat('a good film', model='dry').text)\ngt.keep('limit', limit)"
    )
    made = promoted(written(workspace / "notebooks/films.ipynb", cell), "films")
    install = ["-m", "ipykernel", "install", "--prefix", str(workspace / "jupyter"), "--name", "gen-toolkit"]
    named = ["--env", "GEN_TOOLKIT_WORKSPACE", str(workspace), "--env", "PYTHONPATH", str(ROOT)]
    subprocess.run([sys.executable, *install, *named], check=True, capture_output=True, timeout=120)
    return made.pipeline


def elsewhere(workspace: Path, **more: str) -> dict[str, str]:
    """The environment of somebody who has Airflow and not this toolkit."""
    known = {name: value for name, value in environment_of_nobody().items() if not name.startswith("PYTHON")}
    return {**known, "JUPYTER_PATH": str(workspace / "jupyter/share/jupyter"), **more}


def shown(path: Path) -> str:
    return json.dumps([cell.get("outputs") for cell in read_notebook(path)["cells"]])


def test_papermill_of_another_environment_runs_it(films: Pipeline, workspace: Path, tmp_path: Path) -> None:
    frozen = films.releases / "1" / "notebook.ipynb"
    before = frozen.read_bytes()
    command = [str(AIRFLOW / "bin/papermill"), str(frozen), str(tmp_path / "out.ipynb"), "-k", "gen-toolkit"]
    done = subprocess.run(
        [*command, "-p", "limit", "5"],
        cwd=tmp_path,
        env=elsewhere(workspace),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "kept said = positive" in shown(tmp_path / "out.ipynb")
    assert "kept limit = 5" in shown(tmp_path / "out.ipynb")
    assert frozen.read_bytes() == before


def test_the_dag_of_the_docs_runs_the_live_release(films: Pipeline, workspace: Path, tmp_path: Path) -> None:
    dags = tmp_path / "dags"
    dags.mkdir()
    (dags / "films.py").write_text(dag_of_the_docs())
    environment = elsewhere(
        workspace,
        AIRFLOW_HOME=str(tmp_path / "airflow"),
        AIRFLOW__CORE__DAGS_FOLDER=str(dags),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        GEN_TOOLKIT_WORKSPACE=str(workspace),
    )
    airflow(environment, "db", "migrate")
    said = airflow(environment, "dags", "test", "films", "2026-11-24")
    assert shown(workspace / "mlruns/films-2026-11-24.ipynb").count("kept said = positive") == 1, said
    assert "kept limit = 3" in shown(workspace / "mlruns/films-2026-11-24.ipynb")
    assert count(open_database()) == 1
    assert verify(films.releases / "1")["release"] == 1


def airflow(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [str(AIRFLOW / "bin/airflow"), *arguments],
        cwd=environment["AIRFLOW__CORE__DAGS_FOLDER"],
        env={**environment, "PATH": f"{AIRFLOW / 'bin'}{os.pathsep}{environment['PATH']}"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    return done.stdout + done.stderr


def dag_of_the_docs() -> str:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/releases.md").read_text(encoding="utf-8"), re.DOTALL)
    return next(block for block in blocks if "PapermillOperator" in block)
