"""pytest collects `pipelines/*/pipeline.toml`: a test a pipeline, which executes its live release offline.

The entry point `pytest11` loads this in every pytest of the environment, so it imports nothing and does nothing
until such a file is collected. The test is `gen release test` in a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    is_pipeline = file_path.name == "pipeline.toml" and file_path.parent.parent.name == "pipelines"
    if is_pipeline and (file_path.parent / "releases").is_dir():
        return PipelineFile.from_parent(parent, path=file_path)
    return None


class PipelineFile(pytest.File):
    """The operator's file of a pipeline: its live release is the test."""

    def collect(self) -> Iterator[pytest.Item]:
        try:
            live = tomllib.loads(self.path.read_text(encoding="utf-8")).get("live")
        except (OSError, ValueError) as error:
            raise self.CollectError(f"{self.path} cannot be read: {error}") from None
        if live is not None:
            yield LiveRelease.from_parent(self, name=f"release {live}", number=live)


class LiveRelease(pytest.Item):
    """Passes where the release shows and keeps what its reference does."""

    def __init__(self, *, number: int, **more: Any) -> None:
        super().__init__(**more)
        self.number = number

    def runtest(self) -> None:
        folder = self.path.parent
        command = (sys.executable, "-m", "gen_toolkit.cli.entry", "release", "test", folder.name, str(self.number))
        root = folder.parent.parent
        done = subprocess.run(
            [*command, "--json"],
            cwd=root,
            env={**os.environ, "GEN_TOOLKIT_WORKSPACE": str(root)},
            capture_output=True,
            text=True,
            check=False,
        )
        try:
            told = json.loads(done.stdout)
        except ValueError:
            raise ReleaseFailed(f"{' '.join(command[3:])} ended with {done.returncode}: {done.stderr}") from None
        if "skipped" in told:
            raise pytest.skip.Exception(told["skipped"], _use_item_location=True)
        if "error" in told:
            raise ReleaseFailed(f"{told['error']['message']}. {told['error'].get('fix', '')}".strip())
        if told["difference"]:
            found = told["difference"]
            raise ReleaseFailed(f"{found['where']} differs: {found['what']}\n{found['diff']}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *more: Any) -> Any:
        return str(excinfo.value) if isinstance(excinfo.value, ReleaseFailed) else super().repr_failure(excinfo, *more)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"{self.path.parent.name}, {self.name}"


class ReleaseFailed(Exception):
    """The release does not do what its reference says, or could not be executed."""
