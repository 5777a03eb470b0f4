"""What `gen release test` and pytest say of a release that was promoted without reference and calls."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from commands import Gen, gen
from notebook_cells import environment_of_nobody
from released import released
from repeated import PLUGIN

__all__ = ["gen"]


@pytest.fixture
def folder(workspace: Path) -> Path:
    return released(workspace).folder


def test_it_is_not_tested_and_the_reason_is_said(gen: Gen, folder: Path) -> None:
    said = gen("release", "test", "label")
    assert (
        said
        == "label: not tested: release 1 has no reference and no recorded calls beside it: promote anew to test it\n"
    )
    assert "has no reference" in json.loads(gen("release", "test", "label", "1", "--json"))["skipped"]


def test_a_release_that_is_not_there_is_refused(gen: Gen, folder: Path) -> None:
    assert "has no release 7" in gen("release", "test", "label", "7", code=2)
    assert "no pipeline" in gen("release", "test", "nobody", code=2)


def test_what_pytest_makes_of_pipelines(folder: Path, workspace: Path) -> None:
    """Without a reference: skipped, with the reason. Without a live release: no test. Nothing is loaded for others."""
    for path, written in {"pipelines/new": "", "pipelines/broken": "live = [", "elsewhere/label": "live = 1"}.items():
        (workspace / path / "releases").mkdir(parents=True)
        (workspace / path / "pipeline.toml").write_text(written)
    (workspace / "test_it.py").write_text(
        "import sys\n\ndef test_it():\n"
        "    ours = {name for name in sys.modules if name.startswith('gen_toolkit')}\n"
        "    assert ours <= {'gen_toolkit', 'gen_toolkit.testing', 'gen_toolkit.testing.plugin'}, ours\n"
    )
    options = ("-ra", "-p", "no:cacheprovider", *PLUGIN, "--continue-on-collection-errors")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "."],
        cwd=workspace,
        env=environment_of_nobody(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "SKIPPED [1] pipelines/label/pipeline.toml:1: release 1 has no reference" in done.stdout, done.stdout
    assert "pipelines/broken/pipeline.toml cannot be read" in done.stdout
    assert "1 passed, 1 skipped, 1 error" in done.stdout
