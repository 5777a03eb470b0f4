"""Whether a notebook may call MLflow: only then does its run wait for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from notebook_cells import code

from gen_toolkit.jobs.mlflow_use import first_use, included_files, uses_mlflow


@pytest.mark.parametrize(
    "source",
    [
        "x = 1",
        "import mlflow",
        "import pandas, mlflow, openai",
        "import mlflow.sklearn",
        "# mlflow comes later\nimport mlflow",
        "try:\n    import mlflow\nexcept ImportError:\n    pass",
    ],
)
def test_importing_it_is_no_use(source: str) -> None:
    assert not uses_mlflow(source)


@pytest.mark.parametrize(
    "source",
    [
        "mlflow.log_metric('a', 1)",
        "import mlflow; mlflow.autolog()",
        "import mlflow as m",
        "import mlflow.sklearn as ms",
        "from mlflow import log_metric",
        "from mlflow.tracking import MlflowClient",
        "from tools import mlflow",
        "import tools\ntools.mlflow.start_run()",
        "m = __import__('mlflow')",
        "import importlib; importlib.import_module('mlflow.sklearn')",
        "!mlflow runs list",
        "%load_ext mlflow",
        "x = (mlflow",
        "x = '\0 mlflow'",
    ],
)
def test_everything_else_that_speaks_of_it_is(source: str) -> None:
    assert uses_mlflow(source)


def test_the_first_cell_that_uses_it_is_found_and_words_are_no_code(tmp_path: Path) -> None:
    words = {"cell_type": "markdown", "metadata": {}, "source": ["mlflow.log_metric"]}
    lines = {**code(""), "source": ["import os\n", "mlflow.log_metric('a', 1)"]}
    assert first_use([words, code("import mlflow"), lines, code("mlflow.x")], []) == 2
    assert first_use([words, code("import mlflow")], []) is None


def test_an_included_file_that_uses_it_may_be_called_by_any_cell(tmp_path: Path) -> None:
    assert included_files(tmp_path) == []
    (tmp_path / "include" / "deep").mkdir(parents=True)
    (tmp_path / "include" / "deep" / "tools.py").write_text("import mlflow\n", encoding="utf-8")
    assert first_use([code("import tools")], included_files(tmp_path)) is None
    (tmp_path / "include" / "deep" / "more.py").write_text("import mlflow\nmlflow.log_metric\n", encoding="utf-8")
    assert first_use([code("import tools")], included_files(tmp_path)) == 0
