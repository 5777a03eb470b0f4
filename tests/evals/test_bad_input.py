"""Whatever scorers give and rows hold: errors are counted per row and shown, and never become scores."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mlflow_store import Store

import gen_toolkit as gt
from gen_toolkit.errors import InputError

pytestmark = pytest.mark.usefixtures("delivered")  # what goes wrong beside MLflow, too

ECHO = gt.Prompt("echo", user="{{ text }}")
RIGHT = gt.scorers.exact("label", name="right")


def rows(count: int, label: str = "good") -> list[dict[str, Any]]:
    return [{"text": f"row {n}", "label": label} for n in range(count)]


def evaluated(given: Any, **more: Any) -> Any:
    return gt.evaluate(ECHO, given, model=gt.ScriptedModel({"*": "good"}), **{"scorer": RIGHT, **more})


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("scorer", "says"),
    [
        (lambda value, row: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda value, row: float("nan"), "returned nan"),
        (lambda value, row: float("-inf"), "returned -inf"),
        (lambda value, row: 10**400, "returned inf"),
        (lambda value, row: None, "returned None"),
        (lambda value, row: "good", "returned 'good'"),
        (lambda value, row: 1j, "returned 1j"),
        (lambda value, row: [1.0], "returned [1.0]"),
        (lambda value, row: gt.Score("0.5"), "returned Score(value='0.5'"),  # type: ignore[arg-type]
        (lambda value, row: 1.5, "returned 1.5, which is not in its range from 0 to 1"),
    ],
    ids=["raises", "nan", "infinity", "huge", "none", "text", "complex", "list", "text in a Score", "out of range"],
)
def test_what_is_no_score_is_an_error_at_its_row(scorer: Any, says: str) -> None:
    named = gt.scorers.custom(
        lambda value, row: scorer(value, row) if row["text"] == "row 1" else 1.0, name="mine", range=(0, 1)
    )
    result = evaluated(rows(3), scorer=named)
    assert [row.error is None for row in result.rows] == [True, False, True]
    assert says in str(result.rows[1].error)
    assert result.rows[1].scores == {}
    assert (result.mean(), len(result.failed)) == (1.0, 1)


@pytest.mark.usefixtures("store")
def test_where_every_row_fails_there_is_no_mean_and_no_interval() -> None:
    result = evaluated(rows(3), scorer=gt.scorers.custom(lambda value, row: None, name="mine"))
    assert result.scores == {"mine": None}
    assert result.summary()["mine"] == "no row scored"
    with pytest.raises(InputError, match="no row was scored by 'mine': 3 failed"):
        result.mean()


@pytest.mark.parametrize(("label", "mean"), [("good", 1.0), ("bad", 0.0)], ids=["all right", "all wrong"])
def test_all_right_and_all_wrong_have_an_interval_that_leaves_room(store: Store, label: str, mean: float) -> None:
    result = evaluated(rows(20, label))
    found = result.scores["right"]
    assert found is not None
    assert (found.mean, found.low, found.high) == (mean, pytest.approx(0.839 * mean, abs=1e-3), found.high)
    assert found.high == pytest.approx(1.0 if mean else 0.161, abs=1e-3)
    assert store.run(result.run).data.metrics["right"] == mean
    again = result.compare(evaluated(rows(20, label), calls="live"))
    assert [verdict.finding for verdict in again] == ["no difference shown"]


def test_one_row_is_a_result_without_an_interval_and_too_few_to_compare(store: Store) -> None:
    result = evaluated(rows(1), baseline=gt.Prompt("other", user="{{ text }}!"))
    found = result.scores["right"]
    assert found is not None
    assert (found.mean, found.rows) == (1.0, 1)
    assert [verdict.finding for verdict in result.verdicts] == ["too few rows"]
    assert store.run(result.run).data.metrics["rows"] == 1


def test_texts_of_a_megabyte_go_through_whole(store: Store) -> None:
    long = "word " * 200_000
    given = [{"text": f"{n} {long}", "label": long} for n in range(2)]
    result = gt.evaluate(ECHO, given, model=gt.ScriptedModel({"*": long}), scorer=RIGHT)
    assert result.mean() == 1.0
    assert len(result.rows[0].value) == len(long)
    table = store.artifact(result.run, "rows.json")
    assert table["data"][0][table["columns"].index("output")] == long
    assert len(repr(result)) <= 400


@pytest.mark.usefixtures("store")
def test_columns_of_mixed_types_are_rendered_scored_and_shown_each_as_it_is() -> None:
    mixed: list[Any] = [1, "1", 1.5, True, None, ["a", {"b": 2}], {"c": [None]}, "ünï\0code"]
    given = [{"text": value, "label": value} for value in mixed]
    result = gt.evaluate(lambda row: row["label"], given, scorer=lambda value, row: value == row["label"])
    assert (result.mean(), result.failed) == (1.0, [])
    assert [row.plain_value for row in result.rows] == mixed
    assert [row.error for row in evaluated(given).rows] == [None] * len(mixed)
    for value in ("1.5", "{&#x27;c&#x27;: [None]}"):
        assert value in result.to_html()


@pytest.mark.usefixtures("store")
def test_a_dataset_that_changed_under_its_name_has_another_digest_and_equal_rows_are_compared(workspace: Path) -> None:
    file = workspace / "rows.csv"
    file.write_text("text,label\n" + "".join(f"row {n},good\n" for n in range(30)), encoding="utf-8")
    first = evaluated("rows.csv")
    file.write_text("text,label\n" + "".join(f"row {n},good\n" for n in range(10, 50)), encoding="utf-8")
    second = evaluated("rows.csv", baseline=first)
    assert first.dataset == second.dataset
    assert first.dataset_digest != second.dataset_digest
    assert second.calls == 20, "only rows that are new are asked"
    assert [verdict.rows for verdict in second.verdicts] == [20]
    file.write_text("text,label\nnone of them,good\n", encoding="utf-8")
    with pytest.raises(InputError, match="no row"):
        evaluated("rows.csv", baseline=first)


@pytest.mark.timeout(300)
def test_evaluations_in_two_processes_at_once_share_a_workspace_and_ask_once(store: Store, workspace: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    script = f"import {Path(__file__).stem} as t; r = t.evaluated(t.rows(60)); print(r.calls, r.mean(), r.run)"
    both = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            env=environment,
            cwd=workspace,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=200) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    found = [out.split() for out, _ in said]
    assert sum(int(calls) for calls, _, _ in found) == 60
    assert {mean for _, mean, _ in found} == {"1.0"}
    assert store.sql("select count(*) from calls where state = 'answered'") == [(60,)]
    for calls, _, run in found:
        metrics = store.run(run).data.metrics
        assert (metrics["rows"], metrics["right"], metrics["calls"]) == (60, 1.0, int(calls))
