"""What a grid with traces looks like in a real MLflow UI: traces, a row, two cells row by row, their tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.browser.mlflow_ui import (
    CHROMIUM,
    browse,
    compare_address,
    open_compare,
    open_evaluation,
    open_row,
    open_table_compare,
    open_traces,
    serve,
    text_of,
)

pytestmark = [
    pytest.mark.long,
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt-get install chromium"),
]

HOSTILE = "<img src=x onerror=alert(1)> a quiet joy"


@dataclass(frozen=True)
class Shown:
    address: str
    experiment: str
    cells: list[str]
    """MLflow's ids: the model `one`, which is right, and `two`."""
    page: Any
    outside: list[str]


@pytest.fixture
def shown(workspace: Path) -> Iterator[Shown]:
    import gen_toolkit as gt
    from gen_toolkit.settings import load_settings
    from gen_toolkit.tracking.find import mlflow_run_id
    from gen_toolkit.tracking.store import client

    rows = [{"text": HOSTILE, "label": "positive"}, {"text": "two dull hours", "label": "negative"}]
    prompt = gt.Prompt("label-review", user="{{ text }}?", output=Literal["positive", "negative"]).save("the first")
    one = gt.ScriptedModel({"dull": "negative", "*": "positive"}, name="one")
    two = gt.ScriptedModel({"*": "positive"}, name="two")
    right = gt.scorers.exact("label", name="accuracy")
    grid = gt.evaluate(prompt, gt.dataset(rows, name="reviews"), scorer=right, model=[one, two], traces="all")
    cells = [str(mlflow_run_id(cell.run)) for cell in grid]
    settings = load_settings()
    experiment = client(settings.tracking_uri).get_experiment_by_name(settings.experiment).experiment_id
    outside: list[str] = []
    with serve(workspace) as address, browse(outside) as page:
        yield Shown(address, experiment, cells, page, outside)


def test_traces_evaluation_tables_and_the_compare_page_show_a_grid(shown: Shown) -> None:
    page, address, experiment = shown.page, shown.address, shown.experiment

    open_traces(page, address, experiment, "two dull hours")
    assert text_of(page, **{"a quiet joy": 2}).count("a quiet joy") == 2
    _is_harmless(shown)

    open_row(page, address, experiment, shown.cells[1], "two dull hours")
    text_of(page, "label-review@1", "1 linked prompt", "positive", "accuracy")

    open_evaluation(page, address, experiment, *shown.cells, "two dull hours")
    text_of(page, "Comparing", positive=3, negative=1)
    _is_harmless(shown)

    open_table_compare(page, address, experiment, "metrics.accuracy > 0")
    text_of(page, "rows.json", "label-review@1 · one", "label-review@1 · two", "reviews (", positive=3)
    _is_harmless(shown)

    open_compare(page, compare_address(address, experiment, shown.cells))
    page.get_by_text("dataset_digest").first.wait_for()
    _is_harmless(shown)


def _is_harmless(shown: Shown) -> None:
    assert shown.page.locator("img[src='x']").count() == 0
    assert shown.outside == []
