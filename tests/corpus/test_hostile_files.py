"""`gen check` of whatever calls itself a notebook: it ends as the table says, in lines, and writes nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hostile import strange_characters
from notebook_cells import MODEL

from gen_toolkit.cli.app import main
from gen_toolkit.errors import NotebookError
from gen_toolkit.ipynb import normalised_code, read_notebook
from gen_toolkit.releases.mend import mend
from tests.corpus.hostile_files import CASES


@pytest.fixture(autouse=True)
def home(tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home beside the workspace, so that a write to either would be seen."""
    (workspace / "gen_toolkit.toml").write_text(MODEL, encoding="utf-8")
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return folder


def everything(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Of all that lies below: kind, size and time of the last change. Nothing is opened: some never ends."""
    facts = {str(path): path.lstat() for path in [folder, *folder.rglob("*")]}
    return {name: (fact.st_mode, fact.st_size, fact.st_mtime_ns) for name, fact in facts.items()}


def ended(arguments: list[str], patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit code and what was printed. Anything but an exit is a failure: a user would see its traceback."""
    patch.setattr(sys, "argv", ["gen", *arguments])
    capture.readouterr()
    with pytest.raises(SystemExit) as code:
        main()
    said = capture.readouterr()
    return int(code.value.code or 0), said.out, said.err


@pytest.mark.parametrize("name", CASES)
def test_a_check_ends_as_its_table_says_and_writes_nothing(
    name: str, tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case = CASES[name]
    path = case.make(workspace / "notebooks")
    before = everything(tmp_path)
    code, out, err = ended(["check", "--", str(path)], monkeypatch, capsys)
    assert code == case.exit_code, (out[:500], err[:500])
    lines = (out + err).splitlines()
    assert any(case.says in line for line in lines), lines[:5]
    assert "Traceback" not in out + err
    assert strange_characters(out + err) == []
    assert err.count("\n") == (0 if out else 1)  # findings, or one error
    assert max(map(len, lines)) < 6000
    assert everything(tmp_path) == before


def test_of_all_that_is_no_notebook_each_is_a_finding_in_json_and_sarif(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = {}
    for name, case in CASES.items():
        if case.exit_code == 2:
            folder = workspace / "notebooks" / str(len(paths))
            folder.mkdir()
            paths[name] = str(case.make(folder))
    arguments = ["check", "--json", "--sarif", "found.sarif", "--", *paths.values()]
    code, out, err = ended(arguments, monkeypatch, capsys)
    assert (code, err) == (2, "")
    told = json.loads(out)
    assert len(told) == len(paths) >= 40
    for name, one in zip(paths, told, strict=True):
        assert CASES[name].says in one["findings"][0]["message"] + one["findings"][0]["fix"]
    results = json.loads((workspace / "found.sarif").read_text())["runs"][0]["results"]
    assert len(results) == len(paths)


@pytest.mark.parametrize("name", CASES)
def test_fix_changes_no_code_and_leaves_a_notebook(name: str, workspace: Path) -> None:
    path = CASES[name].make(workspace / "notebooks")
    try:
        code = normalised_code(read_notebook(path))
        done = mend(path)
    except NotebookError:
        return  # the test above says which
    after = read_notebook(path)
    assert normalised_code(after) == code
    assert mend(path) == [], done
