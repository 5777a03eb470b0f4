"""The pictures in docs/images, from the runs of `make demo`: `make demo screenshots`.

`python docs/screenshots.py views` makes those of notebooks alone, which need no runs.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
sys.path.insert(0, str(ROOT))


EVALUATED = """
import gen_toolkit as gt

rows = [
    {"message": "My card was charged twice for order 4711.", "team": "billing"},
    {"message": "The app closes when I open a photo.", "team": "technical"},
    {"message": "Where is my parcel? It was due on Monday.", "team": "shipping"},
    {"message": "How do I change the name on my invoice?", "team": "billing"},
] * 5
replies = {
    "before": [
        "Sorry for the trouble! We will look into the double charge soon.",
        "Please restart your phone and open the photo again.",
        "Your parcel is on its way.",
        "Open Settings, choose Invoices, and change the name there.",
    ],
    "after": [
        "Sorry for the trouble! We have refunded the double charge; you will see it within 3 days.",
        "Please update to version 5.2, which opens photos again, then restart your phone.",
        "Your parcel is on its way.",
        "Write to us and we change the name for you.",
    ],
}
good = {"before": [0, 0, 1, 1], "after": [1, 1, 1, 0]}
data = gt.dataset([{**row, "number": n} for n, row in enumerate(rows)])
before, after = (
    gt.evaluate(
        lambda row, name=name: replies[name][row["number"] % 4],
        data,
        name=f"answer@{version}",
        scorer=lambda value, row, name=name: good[name][row["number"] % 4],
    )
    for version, name in ((3, "before"), (4, "after"))
)
"""
VIEWS = {
    "compare-view.png": ("after.compare(before)", ["2"]),
    "review.png": (
        "after.review(['bad', 'good'], guidelines='Good: says what was done, or what to do next.', reviewer='ada')",
        ["2", "2", "1", "2", "2", "s"],
    ),
}


def views() -> None:
    """What a notebook shows: a workspace of its own, a real JupyterLab."""
    from tests.browser.lab import launch, serve_lab, watched

    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        (root / "state").mkdir()
        (root / "gen_toolkit.toml").touch()
        path = root / "views.ipynb"
        with serve_lab(root, root / "state") as lab, launch() as browser, watched(browser, 1200, 900) as (page, _):
            for name, (shown, keys) in VIEWS.items():
                path.write_text(_EMPTY, encoding="utf-8")
                notebook = lab.open(page, path)
                notebook.run(EVALUATED)
                picture(notebook.run(shown), page, keys).screenshot(path=IMAGES / name)
                page.evaluate("async () => { await window.jupyterapp.commands.execute('docmanager:save'); }")
                notebook.close()


_EMPTY = '{"cells": [], "metadata": {"kernelspec": {"name": "python3"}}, "nbformat": 4, "nbformat_minor": 5}'


def picture(output: Any, page: Any, keys: list[str]) -> Any:
    """The pane of an output after these keys."""
    pane = output.locator(".gen-pane")
    pane.wait_for()
    pane.focus()
    for key in keys:
        before = pane.inner_html()
        page.keyboard.press(key)
        page.wait_for_function("([pane, before]) => pane.innerHTML != before", arg=[pane.element_handle(), before])
    return pane


def main() -> None:
    if sys.argv[1:] != ["views"]:
        runs()
    views()


def runs() -> None:
    """What the MLflow UI shows of the demo."""
    from gen_toolkit.settings import load_settings
    from gen_toolkit.tracking.store import client
    from tests.browser.mlflow_ui import browse, compare_address, open_compare, serve

    settings = load_settings()
    mlflow = client(settings.tracking_uri)
    experiment = mlflow.get_experiment_by_name(settings.experiment).experiment_id
    names = ["A, generated", "A, chosen", "B, chosen", "demo · release 1"]
    found = mlflow.search_runs(
        [experiment], "metrics.calls > 0", order_by=["attributes.start_time DESC"], max_results=500
    )
    scored = [run for run in reversed(found) if run.data.metrics.get("rows", 150) == 150]  # not those inside the job
    newest = {run.info.run_name: run.info.run_id for run in scored}
    with serve(ROOT) as address, browse() as page:
        open_compare(page, compare_address(address, experiment, [newest[name] for name in names]))
        page.screenshot(path=IMAGES / "compare.png")


if __name__ == "__main__":
    main()
