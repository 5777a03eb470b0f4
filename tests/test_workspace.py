"""Which folder is the workspace, and who may look into its records."""

from __future__ import annotations

from pathlib import Path

import pytest

from gen_toolkit.workspace import find_workspace


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder that no marker makes a workspace."""
    folder = tmp_path / "bare" / "deep"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    ("file", "content", "found"),
    [
        ("gen_toolkit.toml", "", True),
        ("pyproject.toml", "[tool.gen_toolkit]", True),
        ("pyproject.toml", "[tool.gen_toolkit.models.fast]", True),
        ("pyproject.toml", "[tool.ruff]", False),
        ("pyproject.toml", "this is not toml", False),
    ],
)
def test_the_nearest_marked_folder_upwards_is_the_workspace(bare: Path, file: str, content: str, found: bool) -> None:
    (bare.parent / file).write_text(content)
    assert find_workspace(bare).root == (bare.parent if found else bare)


def test_without_a_mark_it_is_the_current_folder(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(bare)
    assert find_workspace().root == bare
    assert find_workspace().configuration is None


def test_the_environment_names_it_before_all(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEN_TOOLKIT_WORKSPACE", str(bare))
    assert find_workspace().root == bare


def test_our_own_file_wins_over_pyproject(bare: Path) -> None:
    (bare / "pyproject.toml").write_text("[tool.gen_toolkit]")
    (bare / "gen_toolkit.toml").write_text("")
    assert find_workspace(bare).configuration == bare / "gen_toolkit.toml"


def test_paths_start_at_the_workspace_not_at_the_current_folder(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace / "notebooks")
    found = find_workspace()
    assert (found.notebooks, found.pipelines) == (workspace / "notebooks", workspace / "pipelines")
    assert (found.records, found.runs) == (workspace / "mlruns", workspace / "mlruns" / "runs")


def test_records_are_private_also_where_the_folder_was_open(workspace: Path) -> None:
    (workspace / "mlruns").mkdir(mode=0o755)
    assert find_workspace().prepare().stat().st_mode & 0o777 == 0o700
