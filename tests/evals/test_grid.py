"""gt.evaluate over several prompts, models, options, methods and repeats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import pytest
from mlflow_store import Store

import gen_toolkit as gt
from gen_toolkit.errors import BudgetExceeded, InputError, ModelRefused, ModelUnreachable
from gen_toolkit.evals.grid import Grid

pytestmark = pytest.mark.usefixtures("store")

ROWS = [{"text": f"film {n:02}", "label": "good"} for n in range(24)]
RIGHT = gt.scorers.exact("label", name="accuracy")
ASK = gt.Prompt("ask", user="{{ text }}?", output=Literal["good", "bad"])
TELL = gt.Prompt("tell", user="{{ text }}!", output=Literal["good", "bad"])


def kind(name: str = "kind") -> gt.ScriptedModel:
    """Says good to questions, and bad to orders."""
    return gt.ScriptedModel({"?": "good", "*": "bad"}, name=name)


def test_each_prompt_is_asked_of_each_model_and_each_is_a_result() -> None:
    grid = gt.evaluate([ASK, TELL], ROWS, scorer=RIGHT, model=[kind("a"), kind("b")])
    assert isinstance(grid, Grid)
    assert [(cell.prompt.split("#")[0], cell.model, cell.mean()) for cell in grid] == [
        ("ask", "a", 1.0),
        ("ask", "b", 1.0),
        ("tell", "a", 0.0),
        ("tell", "b", 0.0),
    ]
    assert len({cell.title for cell in grid}) == 4
    assert grid[grid[2].title] is grid[2]
    assert grid.best().prompt.startswith("ask#")


def test_options_and_methods_make_cells_too_and_a_function_is_one() -> None:
    asked = gt.ScriptedModel({"*": {"text": "good", "probabilities": {"good": 0.4, "bad": 0.6}}})
    grid = gt.evaluate(ASK, ROWS[:2], scorer=RIGHT, model=asked, options=[{"temperature": 0}, {"temperature": 1}])
    assert [dict(cell.options) for cell in grid] == [{"temperature": 0}, {"temperature": 1}]
    assert sorted({request.options["temperature"] for request in asked.requests}) == [0, 1]
    grid = gt.evaluate([ASK, lambda row: "good"], ROWS[:2], scorer=RIGHT, model=asked, method=["generate", "choose"])
    assert [(cell.model, cell.method, cell.mean()) for cell in grid] == [
        (asked.name, "generate", 1.0),
        (asked.name, "choose", 0.0),
        ("", "generate", 1.0),
    ]


def test_a_single_cell_in_lists_is_a_result() -> None:
    assert gt.evaluate([ASK], ROWS, scorer=[RIGHT], model=[kind()]).mean() == 1.0


def test_it_is_one_run_with_a_child_for_each_cell(store: Store) -> None:
    grid = gt.evaluate([ASK, TELL], ROWS, scorer=RIGHT, model=kind(), name="wording")
    parent = store.run(grid.run)
    assert (parent.info.run_name, parent.data.params["cells"]) == ("wording", "2")
    assert (parent.data.metrics["calls"], parent.data.metrics["rows"]) == (48, 48)
    table = store.artifact(grid.run, "cells.json")
    assert [line[table["columns"].index("accuracy")] for line in table["data"]] == [1.0, 0.0]
    for cell in grid:
        run = store.run(cell.run)
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert (run.data.params["prompt"], run.data.metrics["accuracy"]) == (cell.prompt, cell.mean())
        assert (run.data.metrics["calls"], run.info.status) == (24, "FINISHED")
        assert len(store.artifact(cell.run, "rows.json")["data"]) == 24


def test_more_prompts_models_and_rows_ask_only_for_what_is_new() -> None:
    first, second = kind("a"), kind("b")
    gt.evaluate(ASK, ROWS[:10], scorer=RIGHT, model=first)
    gt.evaluate([ASK, TELL], ROWS[:10], scorer=RIGHT, model=first)
    assert len(first.requests) == 20
    grid = gt.evaluate([ASK, TELL], ROWS[:12], scorer=RIGHT, model=[first, second])
    assert [cell.calls for cell in grid] == [2, 12, 2, 12]
    assert gt.evaluate([ASK, TELL], ROWS[:12], scorer=RIGHT, model=[first, second]).to_json() == grid.to_json()


def test_verdicts_against_a_baseline_are_held_together(store: Store) -> None:
    """Six of six rows won are p = 0.031 alone, and 0.0625 as one of two."""

    def says(messages: Any) -> str:
        asked = messages[0]["content"]
        return "bad" if asked < "film 06" and "?" not in asked else "good"

    lucky = gt.ScriptedModel(says)
    base = gt.Prompt("base", user="{{ text }}.", output=Literal["good", "bad"])
    alone = gt.evaluate(ASK, ROWS, scorer=RIGHT, model=lucky, baseline=base).verdicts[0]
    assert (alone.finding, alone.adjusted_p) == ("better", None)
    again = gt.Prompt("again", user="{{ text }}??", output=Literal["good", "bad"])
    grid = gt.evaluate([ASK, again], ROWS, scorer=RIGHT, model=lucky, baseline=base)
    found = [cell.verdicts[0] for cell in grid]
    assert [verdict.p for verdict in found] == [alone.p] * 2
    assert [verdict.adjusted_p for verdict in found] == [2 * alone.p] * 2
    assert "better" not in {verdict.finding for verdict in found}
    assert store.run(grid[1].run).data.tags["gen_toolkit.verdict.accuracy"] == str(found[1])
    assert str(found[0]) in grid._repr_mimebundle_()["text/plain"]


def test_a_baseline_differs_from_its_cell_in_the_prompt_only() -> None:
    strict = gt.ScriptedModel({"*": "bad"}, name="strict")
    grid = gt.evaluate(ASK, ROWS, scorer=RIGHT, model=[kind(), strict], baseline=TELL)
    assert [cell.verdicts[0].finding for cell in grid] == ["better", "no difference shown"]


def test_cells_are_compared_with_one_of_them() -> None:
    grid = gt.evaluate([ASK, TELL], ROWS, scorer=RIGHT, model=kind())
    judged = grid.compare(1)
    assert [[v.finding for v in cell.verdicts] for cell in judged] == [["better"], []]
    assert grid.compare(grid[0].title)[1].verdicts[0].finding == "worse"
    cells: list[Any] = ["x", 9, -9, 1.5, grid, len]
    for cell in cells:
        with pytest.raises(InputError, match="there is no cell"):
            grid.compare(cell)
    assert grid[-1] is grid[1]


def test_a_model_that_cannot_answer_costs_its_cell_and_no_other(workspace: Path, store: Store) -> None:
    (workspace / "gen_toolkit.toml").write_text(
        '[models.dead]\nmodel = "m"\nbase_url = "http://127.0.0.1:9/v1"\nmax_attempts = 1\ndeadline_s = 3\n'
    )
    grid = gt.evaluate(ASK, ROWS, scorer=RIGHT, model=["dead", kind()])
    assert [cell.mean() for cell in grid] == [1.0]
    assert [cell.title.split(" · ")[-1] for cell in grid.failed] == ["dead"]
    assert "failed: " in grid._repr_mimebundle_()["text/plain"]
    assert sorted(run.info.status for run in store.runs("evaluation")) == ["FAILED", "FINISHED", "FINISHED"]
    with pytest.raises(ModelUnreachable):
        gt.evaluate([ASK, TELL], ROWS, scorer=RIGHT, model="dead")


def test_a_model_that_cannot_answer_costs_no_verdict_of_the_others() -> None:
    down = gt.ScriptedModel({}, name="down")
    grid = gt.evaluate([ASK], ROWS, scorer=RIGHT, model=[kind(), down], baseline=TELL)
    assert [cell.verdicts[0].finding for cell in grid] == ["better"]
    assert [cell.title for cell in grid.failed] == [f"{ASK.reference} · down"]
    assert len(down.requests) == 1  # its baseline has nothing to be compared with


def test_a_baseline_that_cannot_be_asked_costs_its_cells_their_verdicts_and_no_more() -> None:
    picky = gt.ScriptedModel({"?": "good"}, name="picky")
    grid = gt.evaluate([ASK, lambda row: "good"], ROWS, scorer=RIGHT, model=[kind(), picky], baseline=TELL)
    assert [[verdict.finding for verdict in cell.verdicts] for cell in grid] == [["better"], [], ["better"]]
    assert grid[1].note.startswith(f"not compared with {TELL.reference}: the script has no reply")
    assert grid[1].note in str(grid)
    with pytest.raises(ModelRefused):  # where none is compared
        gt.evaluate(ASK, ROWS, scorer=RIGHT, model=picky, baseline=TELL)


def test_a_budget_holds_for_all_cells_and_what_is_done_is_kept(workspace: Path) -> None:
    (workspace / "gen_toolkit.toml").write_text(
        'model = "dry"\n[models.dry]\nprovider = "scripted"\nreplies = "r.json"\noptions = { max_tokens = 5 }\n'
    )
    (workspace / "r.json").write_text('{"*": "good"}')
    prompts = [gt.Prompt(name, user=name + " {{ text }}") for name in ("one", "two")]
    with pytest.raises(BudgetExceeded) as caught:
        gt.evaluate(prompts, ROWS, scorer=RIGHT, budget="450 tokens")
    first, second = caught.value.result
    assert (len(first.rows), first.note) == (24, "")
    assert 0 < len(second.rows) < 24
    assert "stopped by its budget" in second.note
    assert f"{second.title}: {second.note}" in caught.value.result._repr_mimebundle_()["text/plain"]


def test_each_repeat_is_a_call_and_the_repeats_of_a_row_count_together() -> None:
    said = iter(["good", "bad"] * 100)
    asked = gt.ScriptedModel(lambda messages: next(said))
    result = gt.evaluate(ASK, ROWS, scorer=RIGHT, model=asked, repeats=3)
    assert (len(result.rows), result.calls) == (72, 72)
    found = result.scores["accuracy"]
    assert found is not None
    assert found.groups == 24
    assert result.to_pandas()["repeat"].tolist() == [0] * 24 + [1] * 24 + [2] * 24
    again = gt.evaluate(ASK, ROWS, scorer=RIGHT, model=asked, repeats=4)
    assert (again.calls, len(again.rows)) == (24, 96)
    (verdict,) = result.compare(again)
    assert (verdict.rows, verdict.groups, verdict.difference) == (72, 24, 0.0)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no prompt": ({"subject": []}, "a list is empty"),
    "the same twice": ({"subject": [ASK, ASK]}, "two cells are the same"),
    "no options": ({"options": "hot"}, "are no options"),
    "an option that is no option": ({"options": [{}, {"stream": True}]}, "stream= is no option here"),
    "no repeats": ({"repeats": 0}, "repeats=0 is no number of times"),
}


@pytest.mark.parametrize("problem", WRONG)
def test_what_cannot_work_is_refused_before_the_first_call(problem: str, store: Store) -> None:
    changed, says = WRONG[problem]
    asked = kind()
    given: dict[str, Any] = {"subject": ASK, "scorer": RIGHT, "model": asked, **changed}
    with pytest.raises(InputError, match=says):
        gt.evaluate(given.pop("subject"), ROWS, **given)
    assert (asked.requests, store.runs("evaluation")) == ([], [])


def test_a_grid_is_shown_and_taken_along() -> None:
    prompts = [ASK, gt.Prompt("plain", user="{{ text }}")]
    grid = gt.evaluate(
        prompts, ROWS, scorer=RIGHT, model=gt.ScriptedModel({"*": "good"}), name="<script>alert(1)</script>"
    )
    assert "<script>" not in grid.to_html()
    assert grid[0].title in grid.to_html()
    frame = grid.to_pandas()
    assert (list(frame.index), list(frame["accuracy"])) == ([cell.title for cell in grid], [1.0, 1.0])
    assert [cell["scores"]["accuracy"][0] for cell in json.loads(grid.to_json())["cells"]] == [1.0, 1.0]
