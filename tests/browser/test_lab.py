"""What the tests in JupyterLab stand on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import Notebook, watched

pytestmark = [pytest.mark.browser, pytest.mark.kernel, pytest.mark.timeout(240)]


@pytest.mark.long
def test_a_cell_runs_in_the_workspace_and_widgets_are_drawn(notebook: Notebook, workspace: Path) -> None:
    (workspace / "gen_toolkit.toml").write_text('experiment = "here"\n', encoding="utf-8")
    said = notebook.run("from gen_toolkit.settings import load_settings\nprint(load_settings().experiment)")
    assert said.inner_text().strip() == "here"
    shown = notebook.run("import ipywidgets\nipywidgets.Button(description='press')")
    shown.get_by_role("button", name="press").wait_for()


@pytest.mark.long
def test_a_cell_that_raises_fails_the_test(notebook: Notebook) -> None:
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        notebook.run("1/0")


def test_a_request_that_leaves_loopback_is_stopped_and_listed(chromium: Any) -> None:
    with watched(chromium) as (page, seen):
        page.set_content("<img src='http://example.org/x.png'><script>alert('run')</script>")
        page.wait_for_function("() => document.images[0].complete")
    assert seen.outside == ["http://example.org/x.png"]
    assert seen.dialogs == ["run"]
