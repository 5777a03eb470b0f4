"""Notebooks that were not written here (`make real-notebooks`): check never says "cannot run" of one that runs."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gen_toolkit.errors import NotebookError
from gen_toolkit.ipynb import Notebook, read_notebook, write_notebook
from gen_toolkit.releases.check import check

pytestmark = pytest.mark.long

FOLDER = Path(__file__).parents[2] / ".peers" / "notebooks"
CANNOT_RUN = {"syntax", "undefined-name", "missing-import", "unknown-magic"}
PARAMETERS = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": "", "outputs": []}


def _notebooks() -> Iterator[tuple[Path, Notebook]]:
    for path in sorted(FOLDER.rglob("*.ipynb")):
        with contextlib.suppress(NotebookError):  # an older format, or no notebook at all
            yield path, read_notebook(path)


def _with_parameters(notebook: Notebook) -> Notebook:
    """So that every rule is asked: without such a cell, check says that one is missing and stops."""
    if any("parameters" in cell.get("metadata", {}).get("tags", ()) for cell in notebook["cells"]):
        return notebook
    return {**notebook, "cells": [{**PARAMETERS, "execution_count": None}, *notebook["cells"]]}


@pytest.mark.skipif(not FOLDER.is_dir(), reason="make real-notebooks fetches them")
def test_what_check_says_cannot_run_papermill_cannot_run_either(workspace: Path) -> None:
    seen, doubted = 0, 0
    for number, (path, notebook) in enumerate(_notebooks()):
        subject = workspace / "notebooks" / f"{number}.ipynb"
        subject.parent.mkdir(exist_ok=True)
        write_notebook(subject, _with_parameters(notebook))
        findings = check(subject).findings
        rules = {finding.rule for finding in findings if finding.level == "error"}
        seen += 1
        if rules & CANNOT_RUN and "kernel" not in rules:
            doubted += 1
            assert not _papermill_runs(subject), (path, rules)
    print(f"{seen} notebooks, {doubted} of which check says they cannot run, and papermill agrees")
    assert seen >= 20
    assert doubted >= 1


def _papermill_runs(path: Path) -> bool:
    command = [sys.executable, "-m", "papermill", str(path), "/dev/null", "-k", "python3", "--no-progress-bar"]
    done = subprocess.run([*command, "--execution-timeout", "60"], cwd=path.parent, capture_output=True, timeout=300)
    return done.returncode == 0
