"""A review in a real JupyterLab by keyboard only: left, taken up again, blind; what was said is in MLflow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mlflow_store import Store, store

from tests.browser.lab import Lab, Notebook

__all__ = ["store"]
pytestmark = [pytest.mark.long, pytest.mark.browser, pytest.mark.kernel, pytest.mark.timeout(240)]

EVALUATED = """
import gen_toolkit as gt
BAD = "<img src=x onerror=alert(1)><script>alert(2)</script>"
rows = [{"text": f"message {n} {BAD}"} for n in range(20)]
short = gt.evaluate(lambda row: f"short {row['text']}", rows, scorer=lambda value, row: 1.0, name="short one")
"""
REVIEWED = "short.review(['bad', 'good'], guidelines=f'Be strict. {BAD}', reviewer='ada', name='tone')"


def focused(notebook: Notebook, shown: Any) -> Any:
    """The pane with the focus, as a reviewer gets it with the Tab key."""
    pane = shown.locator(".gen-pane")
    pane.wait_for()
    pane.focus()
    return pane


def progress(pane: Any, wanted: str) -> None:
    pane.locator("[data-shown=progress]", has_text=wanted).wait_for()


def test_twenty_rows_are_reviewed_by_keyboard_only_left_and_taken_up_again(
    store: Store, lab: Lab, notebook: Notebook, workspace: Path
) -> None:
    pane = focused(notebook, notebook.run(EVALUATED + REVIEWED))
    keyboard = notebook.page.keyboard
    cells = notebook.page.locator(".jp-Notebook-cell").count()
    assert "Be strict." in pane.inner_text()
    assert "short message 0" in pane.inner_text()
    pane.get_by_text("guidelines", exact=True).click()  # folded, and stays so
    for n in range(7):
        keyboard.press("2" if n % 2 else "1")
        progress(pane, f"{n + 1} of 20 labelled")
    keyboard.press("u")
    progress(pane, "6 of 20 labelled")
    keyboard.press("s")
    progress(pane, "6 of 20 labelled, 1 skipped")
    keyboard.press("n")
    keyboard.type("s2 is a note")
    keyboard.press("Enter")
    keyboard.press("1")
    progress(pane, "7 of 20 labelled, 1 skipped")
    assert not pane.get_by_text("Be strict.").is_visible()
    assert pane.locator("img, script").count() == 0
    assert notebook.page.locator(".jp-Notebook-cell").count() == cells  # no key was taken for a command of the notebook

    notebook.page.evaluate("async () => { await window.jupyterapp.commands.execute('docmanager:save'); }")
    notebook.close()  # and the next day
    again = lab.open(notebook.page, workspace / "notebooks" / "tried.ipynb")
    pane = focused(again, again.run(EVALUATED + REVIEWED))
    progress(pane, "7 of 20 labelled, 1 skipped")
    again.page.keyboard.press("ArrowLeft")
    pane.get_by_text("row 8 of 20").wait_for()
    again.page.keyboard.press("ArrowRight")
    pane.get_by_text("row 9 of 20").wait_for()
    for n in range(7, 20):
        again.page.keyboard.press("2")
        progress(pane, f"{n + 1} of 20 labelled")
    pane.get_by_text("All rows have a label.").wait_for()
    again.page.keyboard.press("u")
    progress(pane, "19 of 20 labelled")
    again.page.keyboard.press("n")
    again.page.keyboard.type("last")
    pane.get_by_role("button", name="2 good").click(delay=300)  # leaves the note, which is told, and gives the label
    pane.get_by_text("All rows have a label.").wait_for()
    again.run("from gen_toolkit.tracking.writer import drain\nassert drain(seconds=60) == 0")
    told = human(store, again.run("print(short.run)").inner_text().strip())
    values = [value for value, _, _ in told]
    assert (values.count("good"), values.count("bad")) == (3 + 13, 4)
    assert sorted(note for _, _, note in told if note) == ["last", "s2 is a note"]
    assert {who for _, who, _ in told} == {"ada"}


def test_of_two_replies_seen_blind_nothing_says_whose_they_are_before_the_end(store: Store, notebook: Notebook) -> None:
    compared = EVALUATED.replace("range(20)", "range(6)")
    compared += """
long = gt.evaluate(lambda row: f"long {row['text']}", rows, scorer=lambda value, row: 1.0, name="long one")
review = short.review(other=long, reviewer="ada")
review
"""
    pane = focused(notebook, notebook.run(compared))
    for n in range(6):
        assert "long one" not in pane.inner_text()
        left = pane.locator("[data-shown=row]").inner_text().split("\nB\n")[0]
        notebook.page.keyboard.press("1" if "\nshort message" in left else "2")
        progress(pane, f"{n + 1} of 6 labelled")
    pane.get_by_text("Enter ends the review").wait_for()
    assert "long one" not in pane.inner_text()
    notebook.page.keyboard.press("Enter")
    pane.get_by_text("better than long one").wait_for()
    assert pane.locator("img, script").count() == 0
    notebook.run("from gen_toolkit.tracking.writer import drain\nassert drain(seconds=60) == 0")
    told = human(store, notebook.run("print(short.run)").inner_text().strip())
    assert [value for value, _, _ in told] == ["better"] * 6


def human(store: Store, run: str) -> list[tuple[str, str, str]]:
    """What people said of the rows of a run of ours, as MLflow has it: (value, who, note)."""
    (mlflow,) = [r for r in store.runs("evaluation") if r.data.tags["gen_toolkit.run"] == run]
    traces = store.mlflow.search_traces(
        locations=[mlflow.info.experiment_id], run_id=mlflow.info.run_id, include_spans=False, max_results=100
    )
    return [
        (held.value, held.source.source_id, held.rationale or "")
        for trace in traces
        for held in trace.info.assessments
        if held.source.source_type == "HUMAN"
    ]
