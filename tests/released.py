"""A pipeline with a release, promoted once for all tests: promotion lints, and takes a second."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path

from notebook_cells import furnish, written

from gen_toolkit.releases.check import checked
from gen_toolkit.releases.freeze import freeze
from gen_toolkit.releases.pipeline import Pipeline, pipeline_of
from gen_toolkit.releases.promotion.evidence import Case
from gen_toolkit.releases.promotion.make import make
from gen_toolkit.releases.promotion.promote import Promoted, same_release
from gen_toolkit.settings import load_settings

_made: list[tempfile.TemporaryDirectory[str]] = []
_CELL = "import gen_toolkit as gt\ngt.keep('double', limit * 2)\nif limit == 13:\n    raise ValueError('unlucky')"


def released(workspace: Path, *, mlflow: bool = False) -> Pipeline:
    """`label` with parameters `limit` and `day`; it keeps `double`, and fails for 13. The workspace is furnished."""
    furnish(workspace, mlflow=mlflow)
    path = written(workspace / "notebooks/label.ipynb", _CELL, parameters="limit: int = 3\nday: str = ''")
    if not _made:
        made: tempfile.TemporaryDirectory[str] = tempfile.TemporaryDirectory(prefix="gen-released-")
        shutil.copytree(promoted(path, "label").pipeline.folder, Path(made.name) / "label")
        _made.append(made)
    folder = workspace / "pipelines/label"
    if not folder.exists():
        shutil.copytree(Path(_made[0].name) / "label", folder)
    return Pipeline("label", folder)


def promoted(path: Path, name: str) -> Promoted:
    """`gen promote` without what proves a notebook, which takes a kernel and seconds."""
    pipeline = pipeline_of(load_settings().workspace, name, must_exist=False)
    operator = pipeline.settings()
    subject = checked(path, tuple(operator.get("include", ())))
    frozen = freeze(subject, tuple(operator.get("models", ())))
    with pipeline.alone():
        known = same_release(pipeline, frozen.digest)
        number = known or make(pipeline, frozen, subject)
        pipeline.set_live(number)
    return Promoted(pipeline, number, frozen.digest, made=known is None, case=Case())


def promoted_in(root: Path, path: str, name: str) -> Promoted:
    """The same in another workspace than the test's."""
    with contextlib.chdir(root):
        return promoted(root / path, name)
