"""A pipeline with a release, promoted once for all tests: promotion lints, and takes a second."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from notebook_cells import furnish, written

from gen_toolkit.releases.pipeline import Pipeline
from gen_toolkit.releases.promote import promote

_made: list[tempfile.TemporaryDirectory[str]] = []
_CELL = "import gen_toolkit as gt\ngt.keep('double', limit * 2)\nif limit == 13:\n    raise ValueError('unlucky')"


def released(workspace: Path, *, mlflow: bool = False) -> Pipeline:
    """`label` with parameters `limit` and `day`; it keeps `double`, and fails for 13. The workspace is furnished."""
    furnish(workspace, mlflow=mlflow)
    path = written(workspace / "notebooks/label.ipynb", _CELL, parameters="limit: int = 3\nday: str = ''")
    if not _made:
        made: tempfile.TemporaryDirectory[str] = tempfile.TemporaryDirectory(prefix="gen-released-")
        shutil.copytree(promote(path, "label").pipeline.folder, Path(made.name) / "label")
        _made.append(made)
    folder = workspace / "pipelines/label"
    if not folder.exists():
        shutil.copytree(Path(_made[0].name) / "label", folder)
    return Pipeline("label", folder)
