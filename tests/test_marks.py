"""A job is not left by emptying the environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gen_toolkit import marks
from gen_toolkit.scope import job_attempt
from gen_toolkit.settings import load_settings
from gen_toolkit.surface import RUN_MARK, surface


@pytest.fixture
def job(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This process is a job of the workspace, and works elsewhere."""
    monkeypatch.setattr(marks, "_held", {})
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setenv(RUN_MARK, "attempt")
    monkeypatch.setenv("GEN_TOOLKIT_WORKSPACE", str(workspace))
    monkeypatch.setenv("GEN_TOOLKIT_EXPERIMENT", "films")
    marks.hold()
    monkeypatch.chdir("/")
    return workspace


def test_whoever_empties_the_environment_is_still_in_the_job_its_workspace_and_settings(job: Path) -> None:
    os.environ.clear()
    found = load_settings()
    assert (found.workspace.root, found.experiment) == (job, "films")
    os.environ.clear()
    assert (job_attempt(), surface()) == ("attempt", "job")


def test_what_is_changed_or_removed_by_name_stays_so(job: Path) -> None:
    os.environ["GEN_TOOLKIT_WORKSPACE"] = str(job / "notebooks")
    del os.environ["GEN_TOOLKIT_EXPERIMENT"]
    found = load_settings()
    assert (found.workspace.root, found.experiment) == (job / "notebooks", "notebooks")


def test_outside_of_a_job_an_empty_environment_is_empty(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setenv(RUN_MARK, "attempt")
    os.environ.clear()
    assert job_attempt() is None
