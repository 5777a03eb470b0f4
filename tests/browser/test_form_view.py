"""gt.form in a real JupyterLab: a job is filled in, run and seen to its end."""

from __future__ import annotations

from pathlib import Path

import pytest
from notebook_cells import furnish, written

from gen_toolkit.releases.promotion.promote import promote
from tests.browser.lab import Notebook

pytestmark = [pytest.mark.long, pytest.mark.browser, pytest.mark.kernel, pytest.mark.timeout(600)]

DECLARED = """from typing import Annotated, Literal
from annotated_types import Ge, Le
limit: Annotated[int, Ge(1), Le(100)] = 20  # how many <img src=x onerror=alert(1)>
mode: Literal["fast", "careful"] = "fast"
tags: list[str] = []
"""
CELL = "import gen_toolkit as gt\ngt.keep('given', [limit, mode, tags])\ngt.keep('twice', limit * 2)"


def test_a_form_is_filled_in_and_its_job_run(notebook: Notebook, workspace: Path) -> None:
    furnish(workspace)
    promote(written(workspace / "notebooks/label.ipynb", CELL, parameters=DECLARED), "label")
    shown = notebook.run("import gen_toolkit as gt\nform = gt.form('label')\nform")
    command = shown.locator("[data-shown=command]")
    command.get_by_text("gen run label").wait_for()
    assert shown.locator("img, script").count() == 0
    tags = shown.locator("textarea")
    tags.fill("a, b")
    shown.get_by_role("alert").get_by_text("parameter tags").wait_for()
    run = shown.get_by_role("button", name="Run")
    assert run.is_disabled()
    tags.fill('["a", "b"]')
    shown.locator("select").select_option("careful")
    shown.locator("input[type=number]").fill("21")
    shown.locator("input[type=number]").press("Tab")
    command.get_by_text("limit=21").wait_for()
    assert command.inner_text() == """gen run label -p limit=21 -p mode=careful -p 'tags=["a", "b"]'"""
    run.click()
    outcome = shown.locator("[data-shown=outcome]")
    outcome.wait_for(timeout=300_000)
    assert "label · release 1  succeeded" in outcome.inner_text()
    assert "42" in outcome.inner_text()
    shown.get_by_text("ended with exit code 0").wait_for()
    assert not run.is_disabled()
