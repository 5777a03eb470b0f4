"""gen init, gen doctor, gen ui: a workspace is made and looked at, and what is wrong with it is said in a line."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from notebook_cells import gen


@pytest.mark.parametrize("arguments", [["doctor"], ["doctor", "--json"], ["ui"]])
def test_the_password_of_mlflows_address_is_not_shown(workspace: Path, arguments: list[str]) -> None:
    said = gen(*arguments, cwd=workspace, MLFLOW_TRACKING_URI="http://ada:hunter2pw@127.0.0.1:9/")
    assert "hunter2" not in said.stdout + said.stderr
    assert "http://[secret]@127.0.0.1:9/" in said.stdout


@pytest.mark.parametrize(("named", "says"), [("file", "is no folder"), ("mistyped", "is not there")])
@pytest.mark.parametrize("arguments", [["doctor"], ["runs", "list"], ["run", "label"], ["warm", "start"]])
def test_a_workspace_that_is_none_is_one_line_and_is_not_made(
    tmp_path: Path, arguments: list[str], named: str, says: str
) -> None:
    (tmp_path / "file").touch()
    said = gen(*arguments, cwd=tmp_path, GEN_TOOLKIT_WORKSPACE=str(tmp_path / named))
    assert (said.returncode, said.stdout, said.stderr.count("\n")) == (2, "", 1), said.stderr
    assert f"GEN_TOOLKIT_WORKSPACE: {tmp_path / named} {says}" in said.stderr
    assert not (tmp_path / "mistyped").exists()


def test_what_gen_init_says_to_type_can_be_typed(tmp_path: Path) -> None:
    said = gen("init", "w ü x", cwd=tmp_path).stdout
    into = next(line for line in said.splitlines() if line.startswith("  cd "))
    assert subprocess.run(["sh", "-c", f"{into} && test -d notebooks"], cwd=tmp_path, check=False).returncode == 0
