"""Two results side by side in a real JupyterLab, by keys."""

from __future__ import annotations

from typing import Any

import pytest

from gen_toolkit.datasets.dataset import Row
from gen_toolkit.evals.comparison import Comparison
from gen_toolkit.evals.result import Result, RowResult
from gen_toolkit.evals.score import Score
from tests.browser.lab import Notebook, watched

pytestmark = [pytest.mark.long, pytest.mark.browser, pytest.mark.kernel, pytest.mark.timeout(180)]

COMPARED = """
import gen_toolkit as gt
from gen_toolkit.datasets.dataset import Row
from gen_toolkit.evals.result import Result, RowResult
from gen_toolkit.evals.score import Score

BAD = "<img src=x onerror=alert(1)><script>alert(2)</script>"

def result(title, replies):
    rows = tuple(
        RowResult(Row({"text": f"text {n} {BAD}", "kind": "ab"[n % 2]}, f"row{n}"), value, {"exact": Score(score, BAD)})
        for n, (value, score) in enumerate(replies)
    )
    return Result(title, "p", "m", "generate", "d", "x", ("exact",), rows, 1.5)

theirs = result(f"before {BAD}", [("a refund please", 1), ("hello there", 0), ("same", 1), ("kept", 1)])
mine = result("after", [("a refund now", 0), ("hello here", 1), ("same", 1), (f"kept {BAD}", 1)])
mine.compare(theirs)
"""


def test_rows_are_gone_through_by_keys_filters_and_search(notebook: Notebook) -> None:
    shown = notebook.run(COMPARED)
    pane = shown.locator(".gen-pane")
    pane.wait_for()
    place, row = pane.locator("[data-shown=place]"), pane.locator("[data-shown=row]")
    assert place.inner_text() == "1 of 4"
    assert "exact: too few rows" in pane.inner_text()
    assert row.locator("del").all_inner_texts() == ["please"]
    assert row.locator("ins").all_inner_texts() == ["now"]
    assert row.locator("del").evaluate("e => getComputedStyle(e).backgroundColor") != "rgba(0, 0, 0, 0)"

    pane.click(position={"x": 5, "y": 5})
    keyboard = notebook.page.keyboard
    cells = notebook.page.locator(".jp-Notebook-cell").count()

    def reads(wanted: str) -> None:
        pane.locator("[data-shown=place]", has_text=wanted).wait_for()

    keyboard.press("j")
    reads("2 of 4")
    keyboard.press("ArrowRight")
    reads("3 of 4")
    keyboard.press("k")
    reads("2 of 4")
    keyboard.press("3")
    reads("1 of 1")
    assert "row0" in row.inner_text()
    keyboard.press("4")
    row.get_by_text("row1").wait_for()
    keyboard.press("2")
    reads("1 of 3")
    keyboard.press("1")
    reads("1 of 4")
    keyboard.press("/")
    keyboard.type("here")
    reads("1 of 1")  # "hello there" against "hello here"
    assert pane.locator("[data-name=search]").input_value() == "here"
    keyboard.press("Escape")
    keyboard.press("5")
    reads("0 of 0")
    keyboard.press("1")
    reads("1 of 1")
    pane.locator("[data-name=search]").fill("")
    reads("2 of 4")
    pane.locator("[data-name=part]").select_option(label="kind = b")
    reads("1 of 2")
    pane.get_by_label("next row").click()
    reads("2 of 2")
    assert row.locator("img, script").count() == 0
    assert pane.locator("img, script").count() == 0
    assert "<script>alert(2)</script>" in row.inner_text()
    assert notebook.page.locator(".jp-Notebook-cell").count() == cells  # no key was taken for a command of the notebook
    assert notebook.page.locator(".jp-Notebook-cell .jp-MarkdownCell").count() == 0


def test_the_page_of_a_comparison_filters_without_a_kernel_and_without_a_script(chromium: Any) -> None:
    bad = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    told = compared("a refund please", f"kept {bad}").to_html()
    with watched(chromium) as (page, seen):
        page.set_content(told)
        rows = page.locator("article")
        assert [rows.nth(n).is_visible() for n in range(rows.count())] == [True, True]
        page.get_by_label("all 2").focus()
        page.keyboard.press("ArrowRight")
        assert page.get_by_label("disagreements 1").is_checked()
        assert [rows.nth(n).is_visible() for n in range(rows.count())] == [True, False]
        assert page.locator("img, script").count() == 0
        page.get_by_label("all 2").check()
        assert bad in rows.nth(1).inner_text()
    assert (seen.outside, seen.dialogs) == ([], [])


def compared(reply: str, kept: str) -> Comparison:
    mine, theirs = (
        Result(title, "p", "m", "generate", "d", "x", ("exact",), (row("1", said), row("2", kept)), 1.5)
        for title, said in (("after", reply), ("before", "a refund now"))
    )
    return mine.compare(theirs)


def row(name: str, value: str) -> RowResult:
    return RowResult(Row({"text": name}, name), value, {"exact": Score(1.0)})
