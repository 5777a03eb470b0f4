"""The command: every refusal is one line that says what to do, with an exit code that a script can use."""

from __future__ import annotations

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from commands import in_process
from notebook_cells import KEEPS, MODEL, code, enter, furnish, gen, gen_json, with_mlflow, written

ASK = "import gen_toolkit as gt\ngt.keep('label', gt.chat('a good film', model=model).value)"
PARAMETERS = "model: str = 'dry'\nlimit: int = 3"

# arguments, exit code, a piece of the line on standard error
REFUSED: list[tuple[list[str], int, str]] = [
    (["check", "nowhere.ipynb"], 2, "cannot be read"),
    (["check", "plain.txt"], 2, "not JSON"),
    (["check", "notebooks"], 2, "cannot be read"),
    (["check", "notebooks/old.ipynb"], 2, "format 3"),
    (["try", "nowhere.ipynb"], 2, "cannot be read"),
    (["try", "notebooks/bad.ipynb"], 1, "keeps-nothing"),
    (["try", "notebooks/good.ipynb", "-p", "limit"], 2, "Write -p name=value"),
    (["try", "notebooks/good.ipynb", "-p", "limt=3"], 2, "Did you mean 'limit'"),
    (["try", "notebooks/good.ipynb", "-p", "limit=x"], 2, "It is declared as int"),
    (["try", "notebooks/good.ipynb", "-p", "limit=@nowhere.json"], 2, "nowhere.json"),
    (["try", "notebooks/good.ipynb", "-p", "limit=@plain.txt"], 2, "plain.txt"),
    (["try", "notebooks/good.ipynb", "-p", "model=dyr"], 2, "Did you mean 'dry'"),
    (["try", "notebooks/good.ipynb", "--timeout", "0"], 2, "--timeout"),
    (["promote", "notebooks/good.ipynb"], 2, "--as"),
    (["promote", "notebooks/good.ipynb", "--as", "../x"], 2, "cannot be a pipeline's name"),
    (["promote", "notebooks/bad.ipynb", "--as", "bad"], 1, "keeps-nothing"),
    (["promote", "notebooks/dynamic.ipynb", "--as", "bad"], 1, "dynamic-reference"),
    (["run"], 2, "NAME"),
    (["run", "nobody"], 2, "gen promote NOTEBOOK --as nobody"),
    (["run", "..", "-p", "a=1"], 2, "cannot be a pipeline's name"),
    (["run", "label", "--release", "9"], 2, "has no release 9"),
    (["run", "label", "-p", "model=local"], 2, "does not name the model alias 'local'"),
    (["run", "label", "-p", "limit=1.5"], 2, "It is declared as int"),
    (["runs", "show", "0000"], 2, "8 characters"),
    (["runs", "show", "00000000"], 2, "gen runs list"),
    (["runs", "list", "--limit", "0"], 2, "--limit"),
    (["init", "notebooks"], 2, "not empty"),
    (["nonsense"], 2, "nonsense"),
]
AS_JSON = [REFUSED[index][0] for index in (0, 5, 8, 18, 21)]  # all go through one door: a few show it


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = furnish(tmp_path_factory.mktemp("commands") / "work", mlflow=False, warm=True)
    written(root / "notebooks/good.ipynb", ASK, parameters=PARAMETERS)
    written(root / "notebooks/bad.ipynb", "x = 1")
    written(root / "notebooks/dynamic.ipynb", KEEPS, "gt.load_prompt('a' + 'b')")
    (root / "notebooks/old.ipynb").write_text('{"nbformat": 3, "cells": [], "metadata": {}}')
    (root / "plain.txt").write_text("not json")
    assert gen("promote", "notebooks/good.ipynb", "--as", "label", cwd=root).returncode == 0  # it is executed for that
    return root


@pytest.fixture(scope="module")
def answers(root: Path) -> dict[tuple[str, ...], tuple[Any, Any]]:
    """What each refused command answers; to a few also, as a shell hears it, with --json."""
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(2) as threads:
        enter(root, patch)
        plain = [in_process(arguments, patch) for arguments, _, _ in REFUSED]
        asked = dict(zip(map(tuple, AS_JSON), threads.map(lambda a: gen(*a, "--json", cwd=root), AS_JSON), strict=True))
    return {tuple(row[0]): (said, asked.get(tuple(row[0]))) for row, said in zip(REFUSED, plain, strict=True)}


@pytest.mark.parametrize(("arguments", "exit_code", "says"), REFUSED, ids=[" ".join(row[0]) for row in REFUSED])
def test_what_cannot_be_done_is_refused_in_one_line(
    answers: dict[tuple[str, ...], tuple[Any, Any]], arguments: list[str], exit_code: int, says: str
) -> None:
    plain, asked = answers[tuple(arguments)]
    assert plain.returncode == exit_code, plain.stderr
    assert says in plain.stderr
    assert "Traceback" not in plain.stderr + plain.stdout
    if not plain.stderr.startswith("Usage: "):  # how the line itself is to be written, typer tells in its own way
        assert plain.stderr.startswith("error: ")
        assert plain.stderr.count("\n") == 1
    if asked is None:
        return
    error = json.loads(asked.stdout)["error"]
    assert asked.returncode == exit_code
    assert asked.stderr == ""
    assert error["code"]
    assert error["message"] in plain.stderr
    assert error["fix"] in plain.stderr


def test_what_was_refused_left_no_run_anywhere(root: Path, answers: object) -> None:
    (promoted,) = gen_json("runs", "list", cwd=root)  # the one that promotion rests on
    assert promoted["kind"] == "try"
    assert [folder.name for folder in (root / "mlruns/runs").iterdir()] == [promoted["attempt"]]
    assert not list((root / "mlruns").glob("try-*"))
    with sqlite3.connect(root / "mlruns/gen_toolkit.db") as database:
        started = database.execute("select run from spool where kind = 'run-started'").fetchall()
    assert {run for (run,) in started} == {promoted["id"], promoted["attempt"]}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("nonsense = 1\n" + MODEL, "'nonsense'"),
        ("[models.dry\n", "cannot be read"),
    ],
)
def test_wrong_settings_are_one_line_that_names_them(workspace: Path, settings: str, says: str) -> None:
    path = written(furnish(workspace, mlflow=False) / "notebooks/good.ipynb", ASK, parameters=PARAMETERS)
    (workspace / "gen_toolkit.toml").write_text(settings)
    done = gen("promote", path, "--as", "x", cwd=workspace)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_check_tells_every_finding_with_its_cell(root: Path) -> None:
    leak = code("key = 'sk-" + "a1" * 12 + "'")
    path = written(root / "notebooks/secret.ipynb", "x = 1", leak)
    done = gen("check", path, cwd=root)
    assert done.returncode == 1
    whole, third = done.stdout.splitlines()
    assert "[keeps-nothing]" in whole
    assert third.startswith("cell 3: a literal looks like a secret [secret]")
    told = gen_json("check", path, cwd=root)
    assert [(f["rule"], f["cell"]) for f in told["findings"]] == [("keeps-nothing", None), ("secret", 3)]
    assert gen("check", "notebooks/good.ipynb", cwd=root).returncode == 0


def test_promote_says_what_is_live_and_what_was_there_already(root: Path) -> None:
    again = gen("promote", "notebooks/good.ipynb", "--as", "label", cwd=root)
    assert again.returncode == 0
    assert again.stdout.startswith("release 1 is this notebook already")


@pytest.mark.kernel
def test_a_new_workspace_promotes_and_runs_its_starter(workspace: Path) -> None:
    fresh = workspace / "fresh"
    assert "is a workspace" in gen("init", "fresh", cwd=workspace).stdout
    with_mlflow(fresh)
    assert "release 1 of first is live" in gen("promote", "notebooks/first.ipynb", "--as", "first", cwd=fresh).stdout
    ran = gen("run", "first", "-p", "limit=4", cwd=fresh)
    assert ran.returncode == 0
    assert "first · release 1  succeeded" in ran.stdout
    assert "accuracy    1" in ran.stdout
    assert "cell 1/" in ran.stderr
    row, proof = gen_json("runs", "list", cwd=fresh)
    assert (row["state"], row["parameters"]["limit"]) == ("succeeded", 4)
    assert (proof["state"], proof["kind"]) == ("succeeded", "try")  # that it was promoted on
    shown = gen("runs", "show", row["id"][:13], cwd=fresh).stdout
    assert "accuracy    1" in shown
    assert "-p limit=4" in shown


@pytest.mark.kernel
def test_a_run_that_failed_exits_with_1_and_shows_the_cell(workspace: Path) -> None:
    path = written(furnish(workspace, warm=True) / "notebooks/bad.ipynb", KEEPS, "raise ValueError('no rows')")
    done = gen("try", path, cwd=workspace)
    assert done.returncode == 1
    assert "bad  failed" in done.stdout
    assert "cell 4: ValueError: no rows" in done.stdout
    assert "Traceback" not in done.stderr


def test_of_a_release_that_is_not_there_nothing_is_verified(tmp_path: Path) -> None:
    root = furnish(tmp_path / "work", mlflow=False, warm=True)
    path = written(root / "notebooks/label.ipynb", KEEPS)
    assert gen("promote", path, "--as", "label", cwd=root).returncode == 0
    refused = gen("release", "verify", "label", "9", cwd=root)
    assert (refused.returncode, "It has: 1." in refused.stderr) == (2, True)


def test_what_gen_check_finds_in_several_notebooks_is_told_also_where_one_is_none(tmp_path: Path) -> None:
    root = furnish(tmp_path / "work", mlflow=False)
    good = written(root / "notebooks/good.ipynb", KEEPS)
    asking = written(root / "notebooks/asking.ipynb", KEEPS, "input()")
    none = root / "notebooks/none.ipynb"
    none.write_text("no notebook")
    done = gen("check", none, asking, good, cwd=root)
    assert (done.returncode, done.stderr) == (2, "")
    said = done.stdout.splitlines()
    assert [line.partition(":")[0] for line in said] == [str(none), str(asking), str(good)]
    assert "[notebook]" in said[0]
    assert "[asks]" in said[1]


@pytest.mark.parametrize("place", ["nowhere/x.sarif", "notebooks"])
def test_findings_that_cannot_be_written_are_one_line(tmp_path: Path, place: str) -> None:
    root = furnish(tmp_path / "work", mlflow=False)
    done = gen("check", written(root / "notebooks/good.ipynb", KEEPS), "--sarif", root / place, cwd=root)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "cannot be written" in done.stderr
