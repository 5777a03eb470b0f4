"""What is said before an evaluation begins."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import gen_toolkit as gt
from gen_toolkit import scope
from gen_toolkit.datasets.read import dataset
from gen_toolkit.evals.forecast import Forecast, forecast
from gen_toolkit.evals.tasks import task_of

pytestmark = pytest.mark.usefixtures("store")

ROWS = [{"text": f"film {n:04}", "label": "good"} for n in range(20)]
PROMPT = gt.Prompt("label", user="{{ text }}, is it good?")
RIGHT = gt.scorers.exact("label")


@pytest.fixture(autouse=True)
def aliases(workspace: Path) -> None:
    (workspace / "gen_toolkit.toml").write_text(
        '[models.dry]\nprovider = "scripted"\nreplies = "r.json"\n'
        '[models.priced]\nmodel = "m"\nbase_url = "http://127.0.0.1:9/v1"\nprice = { input = 1, output = 2 }\n'
        "requests_per_minute = 60\n"
    )
    (workspace / "r.json").write_text('{"*": "good"}')


def of(model: str, rows: Any = ROWS, **more: Any) -> Forecast:
    data = dataset(rows)
    with scope.inside(default_mode="reuse"):  # as evaluations are
        found = forecast([task_of(PROMPT, data, model, None)], data, **more)
    assert found is not None
    return found


def test_answers_that_the_journal_has_are_left_out() -> None:
    assert (of("dry").calls, of("dry").known, of("dry").seconds) == (20, 0, None)
    gt.evaluate(PROMPT, ROWS[:15], scorer=RIGHT, model="dry")
    expected = of("dry")
    assert (expected.calls, expected.known, expected.usd) == (5, 15, Decimal(0))
    assert expected.output_tokens == 5
    assert expected.seconds is not None
    assert "5 calls to make (15 answers are known)" in str(expected)


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    expected = of("priced")
    assert (expected.output_tokens, expected.usd, expected.seconds) == (None, None, 20.0)
    assert "an unknown number out, unknown price, about 20.0 s" in str(expected)


def test_repeats_are_calls_of_their_own() -> None:
    assert of("dry", repeats=3).calls == 60


def test_a_long_dataset_is_looked_at_here_and_there() -> None:
    rows = [{"text": f"film {n:04}", "label": "good"} for n in range(2000)]
    assert str(of("dry", rows)).startswith("about 2,000 calls to make")


def test_of_functions_nobody_can_tell() -> None:
    data = dataset(ROWS)
    assert forecast([task_of(lambda row: "x", data, None, None)], data) is None


def test_it_is_said_in_a_line_before_the_first_call(capsys: pytest.CaptureFixture[str]) -> None:
    gt.evaluate(PROMPT, ROWS, scorer=RIGHT, model="dry", name="mine")
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("mine: 20 calls to make: about ")
    gt.evaluate(PROMPT, ROWS, scorer=RIGHT, model="dry", name="mine")
    assert "mine: no call to make: 20 answers are known" in capsys.readouterr().err
    gt.evaluate(PROMPT, ROWS, scorer=RIGHT, model="dry", name="mine", calls="live")
    assert "mine: 20 calls to make" in capsys.readouterr().err
