"""What differs between releases, and between a release and the working notebook."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from notebook_cells import KEEPS, MODEL, code, furnish, gen, gen_json, written
from released import promoted

from gen_toolkit.errors import CheckFailed
from gen_toolkit.releases.difference import Difference, difference
from gen_toolkit.releases.overview import pipeline_named, releases_of
from gen_toolkit.releases.side import Side, side_of_notebook, side_of_release

SECOND = "score = limit * 2\nprint(score)\nscore + 1"


@pytest.fixture
def path(workspace: Path) -> Path:
    (workspace / "pipelines/label").mkdir(parents=True)
    return written(furnish(workspace, mlflow=False) / "notebooks/label.ipynb", KEEPS, SECOND)


def between(old: int, new: int) -> Difference:
    pipeline = pipeline_named("label")
    return difference(side_of_release(pipeline, old), side_of_release(pipeline, new))


def test_cells_are_found_again_when_others_come_before_them(path: Path) -> None:
    promoted(path, "label")
    changed = SECOND.replace("* 2", "* 3")
    promoted(written(path, "import math\nmath.pi", KEEPS, changed), "label")
    found = between(1, 2)
    assert [change.part for change in found.cells] == ["cell 2 added", "cell 4"]
    assert str(found.cells[1]) == "score = limit * [-2-]{+3+}\nprint(score)\nscore + 1"
    assert found.summary() == "2 cells"
    assert [change.part for change in between(2, 1).cells] == ["cell 2 removed", "cell 3"]


def test_a_cell_that_has_nothing_in_common_is_a_removal_and_an_addition(path: Path) -> None:
    promoted(path, "label")
    promoted(written(path, KEEPS, "for page in ():\n    raise KeyError(page)"), "label")
    assert [change.part for change in between(1, 2).cells] == ["cell 3 removed", "cell 3 added"]


def test_parameters_models_and_files_are_told_apart(path: Path, workspace: Path) -> None:
    asks = "import gen_toolkit as gt\nimport tools\ngt.keep('x', gt.chat('hi', model='dry').text)"
    (workspace / "pipelines/label/pipeline.toml").write_text('include = ["tools.py"]\n')
    (workspace / "tools.py").write_text("x = 1\n")
    promoted(written(path, asks), "label")
    (workspace / "tools.py").write_text("x = 2\n")
    (workspace / "gen_toolkit.toml").write_text(f'model = "dry"\n{MODEL}options = {{ temperature = 1 }}\n')
    promoted(written(path, asks, parameters="limit: int = 5\nname: str = 'a'"), "label")
    found = between(1, 2)
    assert [fact.name for fact in found.parameters] == ["limit", "name"]
    assert found.parameters[1].old is None
    assert [fact.name for fact in found.models] == ["dry options"]
    assert [fact.name for fact in found.include] == ["tools.py"]
    assert [f"{change.part}: {change}" for change in found.files] == ["tools.py: x = [-1-]{+2+}\n"]
    assert found.summary() == "1 cell, parameter limit, parameter name, model dry options, file tools.py"


def test_prompts_differ_by_version_and_word_by_word() -> None:
    def side(version: int, text: str) -> Side:
        frozen = {
            "version": version,
            "content": {"messages": [{"role": "user", "content": text}]},
            "hash": str(version),
        }
        parts: dict[str, Any] = {"code": [], "parameters": {}, "models": {}, "include": {}}
        return Side(str(version), {**parts, "prompts": {"label@live": frozen}}, {"python": "3.11.7", "packages": {}})

    found = difference(side(4, "Is it good?"), side(6, "Is it bad?"))
    assert found.summary() == "prompt label@live: 4 → 6, text of label@live"
    assert "[-good-]{+bad+}" in str(found.texts[0])


def test_the_environment_is_shown_and_makes_no_other_release(path: Path) -> None:
    promoted(path, "label")
    now = side_of_release(pipeline_named("label"))
    other = Side("x", now.content, {"python": "3.99", "packages": {**now.environment["packages"], "jinja2": "0.1"}})
    found = difference(now, other)
    assert [fact.name for fact in found.environment] == ["jinja2", "python"]
    assert found.is_empty
    assert found.summary() == "2 packages"


def test_drift_is_what_the_next_promotion_would_change(path: Path) -> None:
    promoted(path, "label")
    pipeline = pipeline_named("label")
    assert difference(side_of_release(pipeline), side_of_notebook(pipeline)).is_empty
    written(path, KEEPS, SECOND, "more = 1")
    assert difference(side_of_release(pipeline), side_of_notebook(pipeline)).summary() == "1 cell"
    written(path, KEEPS, "undefined_here")
    with pytest.raises(CheckFailed):
        side_of_notebook(pipeline)


def test_a_damaged_release_is_listed_with_what_is_wrong(path: Path, workspace: Path) -> None:
    promoted(path, "label")
    promoted(written(path, KEEPS), "label")
    notebook = workspace / "pipelines/label/releases/1/notebook.ipynb"
    notebook.write_text(notebook.read_text().replace("score", "sc0re", 1))
    newest, damaged = releases_of("label")
    assert (newest.number, newest.live, newest.problem) == (2, True, "")
    assert damaged.problem == "notebook.ipynb of release 1 of label was changed: it is not what was promoted"
    done = gen("release", "verify", "label", cwd=workspace)
    assert (done.returncode, "release 1" in done.stdout) == (1, True)
    assert gen("release", "verify", "label", "2", cwd=workspace).returncode == 0


def test_the_command_shows_a_difference_for_people_and_for_scripts(path: Path, workspace: Path) -> None:
    promoted(path, "label")
    promoted(written(path, code("print('\x1b[31m<b>')"), KEEPS, SECOND), "label")
    done = gen("release", "diff", "label", "1", "2", cwd=workspace)
    assert done.returncode == 0, done.stderr
    assert "release 1 → release 2: 1 cell" in done.stdout
    assert "\x1b" not in done.stdout
    told = gen_json("release", "diff", "label", "1", "2", cwd=workspace)
    assert (told["same"], told["cells"][0]["part"]) == (False, "cell 2 added")
    assert json.dumps(told)
    assert gen("release", "drift", "label", cwd=workspace).returncode == 0
    missing = gen("release", "diff", "label", "1", "9", cwd=workspace)
    assert (missing.returncode, "It has: 1, 2." in missing.stderr) == (2, True)


def test_of_an_included_file_whose_text_is_unknown_only_the_hash_differs() -> None:
    parts: dict[str, Any] = {"code": [], "parameters": {}, "models": {}, "prompts": {}}
    old = Side("1", {**parts, "include": {"tools.py": "ab"}}, {}, {"tools.py": "x = 1\n"})
    found = difference(old, Side("2", {**parts, "include": {"tools.py": "cd"}}, {}))
    assert (len(found.include), found.files) == (1, ())
    gone = difference(old, Side("2", {**parts, "include": {}}, {}))
    assert str(gone.files[0]) == "[-x = 1\n-]"
