"""gt.drift: what a person sees in the notebook that is worked on, and what is said where there is nothing to see."""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile import CORPUS, strange_characters, strange_tags
from notebook_cells import KEEPS, furnish, written
from released import promoted

import gen_toolkit as gt
from gen_toolkit.errors import CheckFailed, InputError, NotFound
from gen_toolkit.prompts.diff import Change
from gen_toolkit.releases.difference import Difference, Fact

ASKS = "gt.drift()"
LATER = "import math\nmath.pi"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace where `label.ipynb` was promoted as `label` with a cell that asks for the drift."""
    from notebook_cells import enter

    made = furnish(tmp_path_factory.mktemp("drift"), mlflow=False)
    with pytest.MonkeyPatch.context() as patch:
        enter(made, patch)
        promoted(written(made / "notebooks/label.ipynb", KEEPS), "label")
    return made


@pytest.fixture
def path(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The notebook as it was promoted, with the kernel that runs it."""
    monkeypatch.chdir(root / "notebooks")
    monkeypatch.setenv("GEN_TOOLKIT_NOTEBOOK", "notebooks/label.ipynb")
    return written(root / "notebooks/label.ipynb", KEEPS)


def test_the_notebook_that_it_is_called_in_is_compared_without_a_name(path: Path) -> None:
    assert gt.drift().is_empty
    written(path, KEEPS, LATER, parameters="limit: int = 5")
    found = gt.drift()
    assert found.summary() == "2 cells, parameter limit"
    assert repr(found).startswith("label.ipynb, saved ")
    assert repr(found).endswith(" against release 1: 2 cells, parameter limit")
    assert gt.drift("label") == found


def test_a_cell_that_only_asks_for_the_drift_is_none(path: Path) -> None:
    written(path, KEEPS, ASKS, 'gt.drift("label")')
    assert gt.drift().is_empty
    written(path, KEEPS, f"{ASKS}\n{LATER}")
    assert gt.drift().summary() == "1 cell"


def test_the_parts_are_folded_under_the_line(path: Path) -> None:
    written(path, KEEPS, LATER)
    shown = gt.drift()._repr_mimebundle_()
    assert shown["text/plain"] == str(gt.drift())
    line, details = shown["text/html"].split("<details>")
    assert "1 cell" in line
    assert "math.pi" in details
    assert "math.pi" not in line


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        (None, NotFound, "no live release was made of other.ipynb. Promote it: gen promote other.ipynb --as NAME"),
        ("nobody", NotFound, "Make it: gen promote NOTEBOOK --as nobody"),
        ("label", InputError, "the notebook other.ipynb is not saved yet. Save it"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    path: Path, monkeypatch: pytest.MonkeyPatch, name: str | None, error: type[Exception], said: str
) -> None:
    monkeypatch.setenv("GEN_TOOLKIT_NOTEBOOK", "notebooks/other.ipynb")
    with pytest.raises(error) as caught:
        gt.drift(name)
    assert said in str(caught.value)


def test_a_script_names_the_pipeline_and_gets_the_live_releases_own_notebook(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GEN_TOOLKIT_NOTEBOOK")
    assert gt.drift("label").is_empty
    with pytest.raises(InputError, match="the pipeline must be named"):
        gt.drift()


def test_a_notebook_that_could_not_be_promoted_says_why(path: Path) -> None:
    written(path, "input()")
    with pytest.raises(CheckFailed, match="cannot be a job"):
        gt.drift()


def test_a_job_has_no_drift(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(path, KEEPS, LATER)
    monkeypatch.setattr("gen_toolkit.releases.drift.surface", lambda: "job")
    assert gt.drift("label").is_empty


@pytest.mark.parametrize("said", CORPUS)
def test_no_text_becomes_markup(said: str) -> None:
    change = Change(said, (("=", said), ("-", said), ("+", said)))
    facts = (Fact(said, said, None), Fact(said, {said: said}, [said]))
    found = Difference(said, said, (change,), facts, (change,), facts, facts, facts, facts)
    shown = found._repr_mimebundle_()
    assert strange_tags(shown["text/html"]) == []
    assert strange_characters(shown["text/plain"] + shown["text/html"] + repr(found)) == []
