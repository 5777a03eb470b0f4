"""The help of a command that takes parameters shows those of what is named, of that release."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import Gen, gen
from notebook_cells import KEEPS, written
from released import released

from gen_toolkit.releases.promotion.promote import promote

__all__ = ["gen"]

DECLARED = """from typing import Annotated, Literal
from annotated_types import Ge, Le
limit: Annotated[int, Ge(1), Le(100)] = 20  # how many \x1b[31mreviews
mode: Literal["fast", "careful"] = "fast"
"""


def test_the_help_of_a_run_shows_the_parameters_of_the_release(gen: Gen, workspace: Path) -> None:
    released(workspace)
    promote(written(workspace / "notebooks/label.ipynb", KEEPS, parameters=DECLARED), "label")
    said = gen("run", "label", "--help")
    assert said.startswith("Usage:")
    assert "Parameters of label (release 2), given as -p NAME=VALUE:" in said
    assert "  limit  int >= 1 and <= 100  [default: 20]    how many reviews\n" in said
    assert "  mode   fast | careful       [default: fast]\n" in said
    before = gen("run", "label", "--release", "1", "--help")
    assert "release 1" in before
    assert "  day    str  [default: ]\n" in before


def test_the_help_of_a_try_shows_the_parameters_of_the_notebook(gen: Gen, workspace: Path) -> None:
    path = written(workspace / "notebooks/n.ipynb", KEEPS, parameters=DECLARED)
    assert "Parameters of n.ipynb, given as -p NAME=VALUE:\n  limit  int" in gen("try", str(path), "-p", "x", "-h")
    assert "  none\n" in gen("try", str(written(path, KEEPS, parameters="")), "-h")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "nowhere"], "there is no pipeline 'nowhere'"),
        (["run", "../x"], "cannot be a pipeline's name"),
        (["run", "label", "--release", "9"], "has no release 9"),
        (["try", "nowhere.ipynb"], "nowhere.ipynb cannot be read"),
    ],
)
def test_help_is_given_also_where_nothing_is_found(gen: Gen, workspace: Path, arguments: list[str], says: str) -> None:
    released(workspace)
    said = gen(*arguments, "--help")
    assert said.startswith("Usage:")
    assert says in said


@pytest.mark.parametrize("arguments", [["run"], ["try"], ["run", "--jobs", "3"]])
def test_help_without_a_name_is_the_commands_own(gen: Gen, arguments: list[str]) -> None:
    assert "Parameters of" not in gen(*arguments, "--help")


def test_a_release_shows_types_bounds_and_defaults(gen: Gen, workspace: Path) -> None:
    released(workspace)
    promote(written(workspace / "notebooks/label.ipynb", KEEPS, parameters=DECLARED), "label")
    said = gen("release", "show", "label")
    assert "parameter   limit  int >= 1 and <= 100  [default: 20]  how many reviews\n" in said
