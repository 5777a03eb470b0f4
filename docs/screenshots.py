"""The pictures in docs/images, from the runs of `make demo`: `make demo screenshots`."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
sys.path.insert(0, str(ROOT))


def main() -> None:
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
