"""An evaluation under a budget: it stops in order, and a larger budget goes on where it stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from mlflow_store import Store

import gen_toolkit as gt
from gen_toolkit.database.engine import open_database
from gen_toolkit.database.tables import calls
from gen_toolkit.errors import BudgetExceeded, BudgetTooSmall, InputError
from gen_toolkit.journal.store import count

pytestmark = pytest.mark.usefixtures("store")

ROWS = [{"text": f"film {n:02}", "label": "good"} for n in range(20)]
LABEL = gt.Prompt("label", user="{{ text }}", output=Literal["good", "bad"])
RIGHT = gt.scorers.exact("label", name="accuracy")
TAKES = 3  # tokens of a call: two words asked, one said


@pytest.fixture(autouse=True)
def dry(workspace: Path) -> None:
    (workspace / "gen_toolkit.toml").write_text(
        'model = "dry"\n[models.dry]\nprovider = "scripted"\nreplies = "replies.json"\noptions = { max_tokens = 5 }\n'
    )
    (workspace / "replies.json").write_text('{"*": "good"}')


def evaluate(budget: str | None, **more: Any) -> Any:
    return gt.evaluate(LABEL, ROWS, scorer=RIGHT, budget=budget, **more)


def answered() -> int:
    with open_database().read() as connection:
        return len(connection.execute(calls.select().where(calls.c.state == "answered")).all())


def test_it_stops_when_the_budget_is_used_up_and_the_next_goes_on_where_it_stopped(store: Store) -> None:
    with pytest.raises(BudgetExceeded) as caught:
        gt.evaluate(LABEL, ROWS[:1], scorer=RIGHT, budget="1 tokens")
    assert answered() == 0
    need = int(caught.value.needed.removesuffix(" tokens"))
    with pytest.raises(BudgetExceeded, match=r"the budget of run 'label#.*tokens are spent, and this call") as caught:
        evaluate(f"{need + 8 * TAKES} tokens")
    first = answered()
    assert first == 9
    assert caught.value.spent == f"{first * TAKES} tokens"
    assert [run.info.status for run in store.runs("evaluation")] == ["FAILED", "FAILED"]
    result = evaluate(f"{need + 20 * TAKES} tokens")
    assert (result.mean("accuracy"), result.calls, result.failed) == (1.0, len(ROWS) - first, [])
    assert answered() == len(ROWS)


def test_what_cannot_fit_in_any_case_is_refused_before_the_first_call() -> None:
    with pytest.raises(BudgetTooSmall, match="was not begun: what its 20 calls send takes 13 tokens") as caught:
        evaluate("9 tokens")
    assert (caught.value.limit, caught.value.needed, caught.value.exit_code) == ("9 tokens", "13 tokens", 4)
    assert "20 calls to make" in caught.value.forecast
    assert caught.value.result is None
    assert count(open_database()) == 0


def test_answers_that_are_known_do_not_count_against_the_budget() -> None:
    evaluate(None)
    assert evaluate("1 tokens").mean() == 1.0


def test_rows_that_were_under_way_are_finished_and_no_other_is_begun() -> None:
    begun: list[str] = []
    finished: list[str] = []
    refused = asyncio.Event()

    async def ask(row: Any) -> str:
        begun.append(row["text"])
        if len(begun) == 9:
            try:
                await gt.achat(row["text"], max_tokens=10**6)  # there is no room for this one
            finally:
                refused.set()
        elif len(begun) > 1:
            await refused.wait()
            await asyncio.sleep(0.2)
        finished.append(row["text"])
        return "good"

    with pytest.raises(BudgetExceeded):
        gt.evaluate(ask, ROWS, scorer=RIGHT, budget="1000 tokens")
    assert len(begun) == 1 + 8  # the first row, and then as many as are under way at once
    assert len(finished) == len(begun) - 1


@pytest.mark.parametrize("asks", ["function", "scorer"])
def test_functions_and_judges_that_ask_are_held_to_it_too(asks: str) -> None:
    def ask(row: Any) -> str:
        return gt.chat(row["text"]).text

    def judge(value: Any, row: Any) -> bool:
        return gt.chat(f"rate {row['text']}").text == "good"

    subject: Callable[..., Any] = ask if asks == "function" else lambda row: "good"
    with pytest.raises(BudgetExceeded):
        gt.evaluate(subject, ROWS, scorer=judge if asks == "scorer" else RIGHT, budget="350 tokens")
    assert 0 < answered() < len(ROWS)


def test_the_baseline_is_on_the_same_bill() -> None:
    other = gt.Prompt("other", user="it is {{ text }}" + "!" * 300, output=Literal["good", "bad"])
    with pytest.raises(BudgetExceeded):
        evaluate("800 tokens", baseline=other)
    assert answered() == len(ROWS)


def test_aevaluate_takes_a_budget() -> None:
    with pytest.raises(BudgetExceeded):
        asyncio.run(gt.aevaluate(LABEL, ROWS, scorer=RIGHT, budget="1 tokens"))


def test_what_no_budget_can_hold_raises_at_the_first_row(workspace: Path) -> None:
    settings = (workspace / "gen_toolkit.toml").read_text()
    (workspace / "gen_toolkit.toml").write_text(settings.replace("options", "# options"))
    with pytest.raises(InputError, match="does not say how long its answer may be"):
        evaluate("1000 tokens")
    assert count(open_database()) == 1
