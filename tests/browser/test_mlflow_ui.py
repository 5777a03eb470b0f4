"""What a reviewer sees: evaluations and the job side by side in a real MLflow UI."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.mlflow_ui import CHROMIUM, browse, compare_address, open_compare, serve, text_of

pytestmark = [
    pytest.mark.long,
    pytest.mark.browser,
    pytest.mark.kernel,
    pytest.mark.timeout(240),
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt-get install chromium"),
]

STARTER = Path(__file__).parents[2] / "gen_toolkit" / "cli" / "starter"


def test_the_compare_page_shows_evaluations_and_the_job_side_by_side(workspace: Path) -> None:
    from released import promoted

    import gen_toolkit as gt
    from gen_toolkit.releases.start import run_release
    from gen_toolkit.settings import load_settings
    from gen_toolkit.tracking.find import mlflow_run_id
    from gen_toolkit.tracking.store import client

    (workspace / "gen_toolkit.toml").write_text(
        '[models.dry]\nprovider = "scripted"\nreplies = "replies.json"\n', encoding="utf-8"
    )
    (workspace / "replies.json").write_text((STARTER / "replies.json").read_text(encoding="utf-8"), encoding="utf-8")
    notebook = workspace / "notebooks" / "first.ipynb"
    notebook.write_text((STARTER / "first.ipynb").read_text(encoding="utf-8"), encoding="utf-8")

    rows = [{"text": "<img src=x onerror=alert(1)> refund", "team": "billing"}, {"text": "hello", "team": "other"}]
    prompt = gt.Prompt("sort-message", user="{{ text }}")
    scorer = gt.scorers.exact("team", name="accuracy")
    result = gt.evaluate(prompt, rows, model="dry", scorer=scorer, name="the evaluation")
    promoted(notebook, "first")
    finished = run_release("first", {})
    assert finished.run.state == "succeeded"

    settings = load_settings()
    ours = [mlflow_run_id(result.run), mlflow_run_id(finished.run.id)]
    experiment = client(settings.tracking_uri).get_experiment_by_name(settings.experiment).experiment_id
    outside: list[str] = []
    with serve(workspace) as address, browse(outside) as page:
        open_compare(page, compare_address(address, experiment, [str(run) for run in ours]))
        text_of(page, "the evaluation", "first · release 1", "accuracy", "cost_usd", "seconds", "dry", "sort-message#")
        broken = page.locator("img[src='x']").count()

    assert broken == 0
    assert outside == []
