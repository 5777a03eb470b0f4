"""gen init, gen doctor, gen ui: a workspace is made and looked at, and what is wrong with it is said in a line."""

from __future__ import annotations

from pathlib import Path

import pytest
from notebook_cells import gen


@pytest.mark.parametrize("arguments", [["doctor"], ["doctor", "--json"], ["ui"]])
def test_the_password_of_mlflows_address_is_not_shown(workspace: Path, arguments: list[str]) -> None:
    said = gen(*arguments, cwd=workspace, MLFLOW_TRACKING_URI="http://ada:hunter2pw@127.0.0.1:9/")
    assert "hunter2" not in said.stdout + said.stderr
    assert "http://[secret]@127.0.0.1:9/" in said.stdout
