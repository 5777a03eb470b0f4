"""The reference beside a release: what was given, what was shown and kept, and nothing of the machine or the day."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from notebook_cells import code, notebook

from gen_toolkit import text
from gen_toolkit.errors import NotebookError, ReleaseError
from gen_toolkit.ipynb import write_notebook
from gen_toolkit.jobs.fixed import seed_of
from gen_toolkit.releases.reproduction.reference import read_reference, without, write_reference

RUN = "01a22acb-97f7-7d5c-9fb6-8d5174de7eee"


def executed(folder: Path, shown: str) -> Path:
    """As a job leaves it."""
    output = {"output_type": "stream", "name": "stdout", "text": shown}
    ran = notebook({**code("print(1)"), "outputs": [output], "execution_count": 2})
    ran["metadata"]["gen_toolkit"] = {"run": RUN, "attempt": RUN, "state": "succeeded"}
    ran["metadata"]["papermill"] = {"input_path": str(folder / "prepared.ipynb")}
    write_notebook(folder / "executed.ipynb", ran)
    return folder / "executed.ipynb"


def test_it_says_what_was_given_and_what_came_of_it(workspace: Path, tmp_path: Path) -> None:
    path = executed(workspace, f"wrote {workspace}/out.csv in 1.5 s\n")
    write_reference(tmp_path, path, {"limit": 3}, {"accuracy": 0.7, "file": f"{workspace}/out.csv"}, due=1795928000.5)
    found = read_reference(tmp_path)
    assert found.parameters == {"limit": 3}
    assert found.brought.kept == {"accuracy": 0.7, "file": "[workspace]/out.csv"}
    assert (found.seed, found.due) == (seed_of(RUN), 1795928000.5)
    assert found.brought.notebook["cells"][1]["outputs"][0]["text"] == "wrote [workspace]/out.csv in [duration]\n"


def test_it_holds_no_path_secret_or_time_and_is_the_same_each_time(workspace: Path, tmp_path: Path) -> None:
    text.remember_secret("hunter2hunter2")
    path = executed(workspace, "the key is hunter2hunter2\n")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_reference(tmp_path / name, path, {"key": "hunter2hunter2"}, {"said": "hunter2hunter2"})
    for name in ("reference.ipynb", "reference.json"):
        told = (tmp_path / "one" / name).read_text()
        assert told == (tmp_path / "two" / name).read_text()
        assert "hunter2" not in told
        assert str(workspace) not in told
        assert RUN not in told
        assert (tmp_path / "one" / name).stat().st_mode & 0o777 == 0o644


def test_a_release_without_says_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    assert without(tmp_path / "1").startswith("release 1 has no reference and no recorded calls beside it: promote")


def test_what_is_no_notebook_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotebookError):
        write_reference(tmp_path, tmp_path / "missing.ipynb", {}, {})


def test_a_damaged_reference_is_refused_in_a_line(workspace: Path, tmp_path: Path) -> None:
    write_reference(tmp_path, executed(workspace, "x"), {}, {})
    assert "has no recorded calls beside it" in without(tmp_path)
    (tmp_path / "cassette.jsonl").write_text("")
    assert without(tmp_path) == ""
    (tmp_path / "reference.json").write_text(json.dumps([1]))
    with pytest.raises(ReleaseError, match="cannot be read"):
        read_reference(tmp_path)
