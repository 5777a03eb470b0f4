"""gen release review: the page of a release, and of a notebook that is none yet."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from notebook_cells import KEEPS, furnish, gen, written
from released import released

from gen_toolkit.errors import CheckFailed, NotFound
from gen_toolkit.releases.pipeline import Pipeline
from gen_toolkit.releases.promotion.evidence import Case
from gen_toolkit.releases.review.made import review_of_notebook, review_of_release
from gen_toolkit.releases.review.page import Page, write_review
from gen_toolkit.releases.side import side_of_release


def text(folder: Path, name: str = "review.md") -> str:
    return (folder / name).read_text(encoding="utf-8")


SCORES = """import gen_toolkit as gt
rows = [{"text": str(n)} for n in range(8)]
gt.evaluate(lambda row: row["text"], rows, scorer=gt.scorers.custom(lambda v, row: int(v) % 2 == 0, name="right"))
gt.keep("done", True)
"""


def test_the_page_that_promotion_wrote_is_the_page(workspace: Path) -> None:
    pipeline = released(workspace)
    folder = pipeline.release_folder()
    if not (folder / "review.html").exists():  # of what was promoted without a run nothing is proven
        write_review(folder, Page.of(pipeline, {"name": "label"}, side_of_release(pipeline), Case()))
    assert review_of_release("label") == folder


def test_of_a_release_without_a_page_one_is_made_against_the_one_before(workspace: Path) -> None:
    pipeline = released(workspace)
    for name in ("review.html", "review.md"):
        (pipeline.release_folder() / name).unlink(missing_ok=True)
    first = review_of_release("label", 1)
    assert "## What it runs" in text(first)
    assert first.is_relative_to(workspace / "mlruns")
    for path in first.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(NotFound, match="has no release 7"):
        review_of_release("label", 7)


def test_a_notebook_is_shown_against_what_is_live_and_nothing_is_promoted(workspace: Path) -> None:
    pipeline = released(workspace)
    path = written(workspace / "notebooks/label.ipynb", KEEPS, parameters="limit: int = 9\nday: str = ''")
    folder = review_of_notebook("label", path)
    assert "# `label`, as the notebook is now" in text(folder)
    assert "## What changed since release 1" in text(folder)
    assert "`type integer, default 9`" in text(folder)
    assert "default-src 'none'" in text(folder, "review.html")
    assert pipeline.numbers() == [1]


def test_a_pipeline_may_be_named_before_it_is_there(workspace: Path) -> None:
    furnish(workspace, mlflow=False)
    path = written(workspace / "notebooks/fresh.ipynb", KEEPS)
    assert "## What it runs" in text(review_of_notebook("fresh", path))
    assert not (workspace / "pipelines/fresh").exists()
    with pytest.raises(CheckFailed):
        review_of_notebook("fresh", written(path, "input()"))


def test_a_live_release_that_was_changed_keeps_no_page_from_being_made(workspace: Path) -> None:
    pipeline = released(workspace)
    side = side_of_release(pipeline)
    shutil.copyfile(written(workspace / "other.ipynb", KEEPS), pipeline.release_folder() / "notebook.ipynb")
    page = Page.of(pipeline, {"name": "label", "release": 2}, side, Case())
    assert page.live is None
    write_review(workspace, page)
    assert "The live release cannot be compared with" in text(workspace)


def test_the_command_says_where_the_page_is_or_prints_it(workspace: Path) -> None:
    released(workspace)
    path = Path(gen("release", "review", "label", cwd=workspace).stdout.strip())
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert gen("release", "review", "label", "--markdown", cwd=workspace).stdout == text(path.parent)
    refused = gen("release", "review", "label", "1", "--notebook", "notebooks/label.ipynb", cwd=workspace)
    assert (refused.returncode, "Leave out N or --notebook" in refused.stderr) == (2, True)


@pytest.mark.kernel
def test_the_page_of_a_notebook_says_what_its_last_execution_found_and_executes_nothing(workspace: Path) -> None:
    path = written(furnish(workspace) / "notebooks/label.ipynb", SCORES)
    (workspace / "pipelines/label").mkdir(parents=True)
    (workspace / "pipelines/label/pipeline.toml").write_text("[gates.scores.right]\nat_least = 0.9\n", encoding="utf-8")
    unmeasured = text(review_of_notebook("label", path))
    assert "nothing was measured; no run was held to the gates of pipeline.toml." in unmeasured
    assert gen("try", path, cwd=workspace).returncode == 0
    folder = review_of_notebook("label", path)
    assert "`right` is 0.500" in text(folder)
    assert "the gate failed: `right at least 0.9`. It would be refused." in text(folder)
    assert Pipeline("label", workspace / "pipelines/label").numbers() == []
