"""gt.evaluate: rows through a prompt or a function, scored, tracked, compared."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from mlflow_store import Store
from openai_server import Answer, OpenAIServer, completion, error

import gen_toolkit as gt
from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import (
    DatasetError,
    InputError,
    MissingVariable,
    ModelRefused,
    ModelUnreachable,
    ReplayMiss,
    ScorerError,
)
from gen_toolkit.journal.costs import costs

pytestmark = pytest.mark.usefixtures("store")

ROWS = [
    {"text": "great", "label": "good"},
    {"text": "awful", "label": "bad"},
    {"text": "fine", "label": "good"},
    {"text": "dull", "label": "good"},
]
LABEL = gt.Prompt("label", user="{{ text }}?", output=Literal["good", "bad"])
RIGHT = gt.scorers.exact("label", name="accuracy")


def model(**replies: Any) -> gt.ScriptedModel:
    return gt.ScriptedModel({"great": "good", "awful": "bad", "fine": "good", "*": "bad", **replies})


def test_a_prompt_is_rendered_with_its_defaults_then_the_rows_columns() -> None:
    asked = gt.ScriptedModel("x")
    prompt = gt.Prompt("p", user="{{ tone }} {{ text }}", defaults={"tone": "kindly", "text": "nothing"})
    gt.evaluate(prompt, [{"text": "great", "other": 1}], scorer=lambda value, row: row["other"], model=asked)
    assert [r.messages[0]["content"] for r in asked.requests] == ["kindly great"]


def test_every_row_is_scored_in_order_with_an_interval() -> None:
    result = gt.evaluate(LABEL, ROWS, scorer=RIGHT, model=model())
    assert [r.value for r in result.rows] == ["good", "bad", "good", "bad"]
    assert [r.scores["accuracy"].value for r in result.rows] == [1.0, 1.0, 1.0, 0.0]
    assert result.mean("accuracy") == 0.75
    assert str(result.scores["accuracy"]) == "0.750 [0.301, 0.954]"
    assert (result.calls, result.usage.output_tokens) == (4, 4)


def _sync(row: Any) -> Any:
    return gt.chat(f"{row['text']}?", model=ASKED).text


async def _async(row: Any) -> Any:
    return (await gt.achat(f"{row['text']}?", model=ASKED)).text


class _Callable:
    async def __call__(self, row: Any) -> Any:
        return await _async(row)


ASKED = model()


@pytest.mark.parametrize(
    "function", [_sync, _async, lambda row: _async(row), _Callable()], ids=["sync", "async", "lambda", "object"]
)
def test_a_function_sync_or_async_may_be_evaluated(function: Callable[..., Any]) -> None:
    assert gt.evaluate(function, ROWS, scorer=RIGHT).mean() == 0.75


def test_the_calls_a_function_makes_are_counted_to_its_row() -> None:
    def many(row: Any) -> str:
        return [gt.chat(f"{row['text']} {n}", model=asked).text for n in range(row["calls"])][-1]

    asked = model()
    rows = [{"text": "great", "calls": n} for n in (1, 3, 2)]
    result = gt.evaluate(many, rows, scorer=lambda value, row: True)
    assert [r.calls for r in result.rows] == [1, 3, 2]
    assert [r.usage.input_tokens for r in result.rows] == [2, 6, 4]


def test_a_judge_that_asks_a_model_is_a_scorer_and_its_calls_are_the_rows() -> None:
    def judge(value: Any, row: Any) -> float:
        return float(gt.chat(f"rate {value}", model=gt.ScriptedModel("0.5")).text)

    result = gt.evaluate(LABEL, ROWS[:2], scorer=judge, model=model())
    assert (result.mean("judge"), result.calls, result.failed) == (0.5, 4, [])


def test_an_awaited_scorer_is_awaited() -> None:
    async def judge(value: Any, row: Any) -> bool:
        await asyncio.sleep(0)
        return value == row["label"]

    assert gt.evaluate(LABEL, ROWS, scorer=judge, model=model()).mean() == 0.75


def test_failed_rows_are_counted_and_shown_and_never_scored(store: Store) -> None:
    asked = model(awful={"error": "no comment"}, fine="perhaps")
    result = gt.evaluate(LABEL, ROWS, scorer=RIGHT, model=asked)
    assert [r.error is None for r in result.rows] == [True, False, False, True]
    assert "no comment" in str(result.rows[1].error)
    assert "perhaps" in str(result.rows[2].error)
    assert [len(r.scores) for r in result.rows] == [1, 0, 0, 1]
    assert result.mean() == 0.5
    assert "4, 2 failed" in result._repr_mimebundle_()["text/plain"]
    metrics = store.run(result.run).data.metrics
    assert (metrics["rows"], metrics["rows_failed"], metrics["accuracy"]) == (4, 2, 0.5)


def test_a_scorers_error_is_a_failed_row_and_no_score() -> None:
    def picky(value: Any, row: Any) -> Any:
        return 1 / 0 if row["text"] == "awful" else float("nan") if row["text"] == "fine" else True

    result = gt.evaluate(LABEL, ROWS, scorer=picky, model=model())
    assert [r.error for r in result.rows][1] == "scorer picky: ZeroDivisionError: division by zero"
    assert "returned nan" in str(result.rows[2].error)
    assert (result.mean(), len(result.failed)) == (1.0, 2)


@pytest.mark.parametrize("leaves", [lambda row: sys.exit(3), lambda row: 1 / 0], ids=["exit", "error"])
def test_a_function_that_leaves_fails_its_row_and_nothing_else(leaves: Callable[..., Any]) -> None:
    result = gt.evaluate(leaves, ROWS, scorer=RIGHT)
    assert len(result.failed) == 4
    assert gt.chat("great", model=model()).text == "good"


PROBLEMS: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "missing column": ({"rows": [{"txt": "a", "label": "b"}]}, MissingVariable, r"'text'.*Did you mean 'txt'\?"),
    "column missing in one row": ({"rows": [*ROWS, {"label": "b"}]}, MissingVariable, "no column of every row"),
    "no rows": ({"rows": []}, DatasetError, "no rows to evaluate on"),
    "mistyped label column": ({"scorer": gt.scorers.exact("lable")}, ScorerError, r"Did you mean 'label'\?"),
    "no scorer": ({"scorer": "accuracy"}, ScorerError, "is no scorer"),
    "unknown method": ({"method": "guess"}, InputError, "method='guess' is unknown"),
    "unknown mode": ({"calls": "replya"}, InputError, "calls='replya' is no mode"),
    "threshold of three": (
        {"subject": gt.Prompt("p", user="{{ text }}", output=Literal["a", "b", "c"]), "method": gt.Choose(0.5)},
        InputError,
        "between two labels",
    ),
    "nothing to choose": ({"subject": gt.Prompt("p", user="{{ text }}"), "method": "choose"}, InputError, "no labels"),
    "no subject": ({"subject": "label-review"}, InputError, "neither a prompt nor a function"),
    "a model of no kind": ({"model": 5}, InputError, "model= is int, neither the alias of a model nor"),
    "models of no kind": ({"model": [["fast"]]}, InputError, "model= is list, neither the alias"),
    "a name that is no text": ({"name": 5}, InputError, "name=5 is no name"),
    "a baseline that is a function": ({"baseline": lambda row: 1}, InputError, "is no baseline"),
    "unknown alias": ({"model": "fsat"}, InputError, "no model alias 'fsat'"),
    "a baseline's column": ({"baseline": gt.Prompt("b", user="{{ txet }}")}, MissingVariable, "txet"),
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_cannot_work_raises_before_the_first_call_and_leaves_no_run_open(problem: str, store: Store) -> None:
    changed, kind, says = PROBLEMS[problem]
    asked = model()
    given = {"subject": LABEL, "rows": ROWS, "scorer": RIGHT, "model": asked, **changed}
    with pytest.raises(kind, match=says):
        gt.evaluate(given.pop("subject"), given.pop("rows"), **given)
    assert asked.requests == []
    assert store.runs("evaluation") == []


def test_a_baseline_of_other_rows_is_refused_before_the_first_call() -> None:
    other = gt.evaluate(LABEL, [{"text": "x", "label": "y"}], scorer=RIGHT, model=model())
    asked = model()
    with pytest.raises(InputError, match="share no rows"):
        gt.evaluate(LABEL, ROWS, scorer=RIGHT, model=asked, baseline=other)
    assert asked.requests == []


def _dead_alias(workspace: Path) -> None:
    (workspace / "gen_toolkit.toml").write_text(
        '[models.dead]\nmodel = "m"\nbase_url = "http://127.0.0.1:9/v1"\nmax_attempts = 1\ndeadline_s = 3\n'
    )


def test_an_unreachable_model_is_one_typed_error_and_no_table(workspace: Path, store: Store) -> None:
    _dead_alias(workspace)
    start = time.monotonic()
    with pytest.raises(ModelUnreachable, match="'dead'"):
        gt.evaluate(LABEL, ROWS, scorer=RIGHT, model="dead")
    assert time.monotonic() - start < 8
    (run,) = store.runs("evaluation")
    assert run.info.status == "FAILED"
    assert run.data.metrics["calls"] == 1


def test_an_unreachable_model_is_no_table_either_where_the_first_rows_are_known(workspace: Path, store: Store) -> None:
    _dead_alias(workspace)

    def ask(row: Any) -> str:
        return gt.chat(row["text"], model=model() if row["text"] == "great" else "dead").text

    gt.evaluate(ask, ROWS[:1], scorer=RIGHT)
    with pytest.raises(ModelUnreachable):
        gt.evaluate(ask, ROWS, scorer=RIGHT)
    assert {run.info.status for run in store.runs("evaluation")} == {"FINISHED", "FAILED"}


def test_a_model_that_refuses_the_first_row_raises() -> None:
    with pytest.raises(ModelRefused):
        gt.evaluate(LABEL, ROWS, scorer=RIGHT, model=gt.ScriptedModel({"awful": "bad"}))


@pytest.mark.parametrize("reason", ["context-length", "content-filter"])
@pytest.mark.parametrize("place", [0, 2])
def test_a_row_that_is_too_long_or_not_liked_fails_alone_wherever_it_stands(reason: str, place: int) -> None:
    asked = model(**{ROWS[place]["text"]: ModelRefused("not this one", reason=reason)})
    result = gt.evaluate(LABEL, ROWS, scorer=RIGHT, model=asked)
    assert [row.error for row in result.rows] == ["not this one" if n == place else None for n in range(4)]


@pytest.fixture
def priced(workspace: Path) -> Iterator[str]:
    """An alias at 15 millionths of a dollar a call: its server breaks at `dull`, its guard stops what `fine` brings."""
    server = OpenAIServer()

    def say(body: dict[str, Any]) -> Answer:
        asked = body["messages"][-1]["content"]
        return error(500) if "dull" in asked else completion("secretly" if "fine" in asked else "good")

    server.say(say)
    (workspace / "gen_toolkit.toml").write_text(
        f'[models.priced]\nmodel = "m"\nbase_url = "{server.url}"\nmax_attempts = 1\n'
        'price = {input = 1, output = 1}\nguard = {output = {deny = ["secretly"]}}\n'
    )
    yield "priced"
    server.close()


@pytest.mark.parametrize(
    ("texts", "cost"),
    [(["great", "awful"], 30), (["great", "fine"], 30), (["great", "dull"], None)],
    ids=["answered", "not let through", "perhaps on the bill"],
)
@pytest.mark.parametrize("judged", [False, True])
def test_a_row_that_failed_costs_what_the_journal_says_of_it(
    priced: str, texts: list[str], cost: int | None, judged: bool
) -> None:
    def judge(value: Any, row: Any) -> bool:
        return gt.chat(value, model=priced).text == "good"

    rows = [{"text": text} for text in texts]
    ask = (lambda row: row["text"]) if judged else gt.Prompt("ask", user="{{ text }}")
    scorer = judge if judged else gt.scorers.contains(texts=["good"])
    result = gt.evaluate(ask, rows, scorer=scorer, model=None if judged else priced)
    assert result.cost == (None if cost is None else cost * Decimal("0.000001"))
    recorded = costs(open_database(), "run")[result.run]
    assert result.cost == (recorded.cost if recorded.is_exact else None)


def test_the_same_evaluation_again_makes_no_call_and_gives_the_same_bytes() -> None:
    asked = model()
    first = gt.evaluate(LABEL, ROWS, scorer=RIGHT, model=asked)
    again = gt.evaluate(LABEL, ROWS, scorer=RIGHT, model=asked)
    assert len(asked.requests) == 4
    assert (first.calls, again.calls) == (4, 0)
    assert first.to_json() == again.to_json()
    assert first.run != again.run
    assert json.loads(first.to_json())["scores"]["accuracy"][0] == 0.75


def test_live_calls_again_and_replay_never() -> None:
    asked = model()
    gt.evaluate(LABEL, ROWS[:2], scorer=RIGHT, model=asked)
    assert gt.evaluate(LABEL, ROWS[:2], scorer=RIGHT, model=asked, calls="live").calls == 2
    assert gt.evaluate(LABEL, ROWS[:2], scorer=RIGHT, model=asked, calls="replay").calls == 0
    with pytest.raises(ReplayMiss, match="not in the journal"):
        gt.evaluate(LABEL, ROWS, scorer=RIGHT, model=asked, calls="replay")
    assert len(asked.requests) == 4


def test_a_runs_mode_holds_for_the_evaluations_inside() -> None:
    asked = model()
    with gt.run("first", calls="replay"), pytest.raises(ReplayMiss):
        gt.evaluate(LABEL, ROWS[:1], scorer=RIGHT, model=asked)
    assert asked.requests == []
    for _ in range(2):
        with gt.run("second", calls="live"):
            gt.evaluate(LABEL, ROWS[:1], scorer=RIGHT, model=asked)
    assert len(asked.requests) == 2


def test_a_changed_prompt_row_or_model_is_called_anew() -> None:
    asked, other = model(), model(new="new")
    gt.evaluate(LABEL, ROWS, scorer=RIGHT, model=asked)
    assert gt.evaluate(gt.Prompt("label", user="{{ text }}!"), ROWS, scorer=RIGHT, model=asked).calls == 4
    assert gt.evaluate(LABEL, [*ROWS, {"text": "new", "label": "a"}], scorer=RIGHT, model=asked).calls == 1
    assert gt.evaluate(LABEL, ROWS, scorer=RIGHT, model=other).calls == 4


def test_equal_rows_are_asked_each_for_itself() -> None:
    asked = gt.ScriptedModel(["good", "bad", "good"])
    result = gt.evaluate(LABEL, ROWS[:1] * 3, scorer=RIGHT, model=asked)
    assert sorted(r.value for r in result.rows) == ["bad", "good", "good"]
    assert len({r.row.id for r in result.rows}) == 3


def test_no_more_rows_are_under_way_than_the_alias_allows(workspace: Path) -> None:
    (workspace / "gen_toolkit.toml").write_text(
        '[models.two]\nprovider = "scripted"\nreplies = "r.json"\nconcurrency = 2\n'
    )
    (workspace / "r.json").write_text('{"*": "good"}')
    under_way, most = 0, []

    async def slowly(value: Any, row: Any) -> bool:
        nonlocal under_way
        under_way += 1
        most.append(under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        return True

    gt.evaluate(LABEL, [{"text": str(n), "label": "good"} for n in range(12)], scorer=slowly, model="two")
    assert max(most) == 2
    most.clear()

    async def work(row: Any) -> bool:
        return await slowly(row, row)

    gt.evaluate(work, [{"n": n} for n in range(30)], scorer=lambda value, row: value)
    assert max(most) == 8


def test_labels_are_chosen_by_probability_and_by_threshold(store: Store) -> None:
    asked = gt.ScriptedModel({"*": {"probabilities": {"good": 0.55, "bad": 0.45}}})
    likeliest = gt.evaluate(LABEL, ROWS, scorer=RIGHT, model=asked, method="choose")
    strict = gt.evaluate(LABEL, ROWS, scorer=RIGHT, model=asked, method=gt.Choose(threshold=0.6))
    assert ({r.value for r in likeliest.rows}, {r.value for r in strict.rows}) == ({"good"}, {"bad"})
    assert len(asked.requests) == 4  # a threshold asks nothing new
    assert store.run(strict.run).data.params["method"] == "choose, threshold 0.6"


def test_a_baseline_that_does_not_exist_yet_is_a_note_and_no_error() -> None:
    result = gt.evaluate(LABEL, ROWS, scorer=RIGHT, model=model(), baseline="label@live")
    assert result.verdicts == ()
    assert "no baseline yet: label@live" in result._repr_mimebundle_()["text/plain"]


def test_a_baseline_gives_a_paired_verdict(store: Store) -> None:
    gt.Prompt("label", user="{{ text }}", output=Literal["good", "bad"]).save(alias="staging")
    rows = [{"text": f"n{n}", "label": "good"} for n in range(8)]
    asked = gt.ScriptedModel({"?": "good", "*": "bad"})
    result = gt.evaluate(LABEL, rows, scorer=RIGHT, model=asked, baseline="label@staging")
    (verdict,) = result.verdicts
    assert (verdict.finding, verdict.wins, verdict.baseline) == ("better", 8, "label@1")
    assert str(verdict) in result._repr_mimebundle_()["text/plain"]
    assert store.run(result.run).data.tags["gen_toolkit.verdict.accuracy"] == str(verdict)
    for again in (gt.load_prompt("label@1"), gt.evaluate(gt.load_prompt("label@1"), rows, scorer=RIGHT, model=asked)):
        assert gt.evaluate(LABEL, rows, scorer=RIGHT, model=asked, baseline=again).verdicts[0].finding == "better"
    assert len(asked.requests) == 16


def test_aevaluate_is_the_same_awaited_and_its_calls_live_on_the_toolkits_loop() -> None:
    loops = set()

    async def reply() -> str:
        loops.add(asyncio.get_running_loop())
        return "good"

    asked = gt.ScriptedModel(lambda messages: reply())
    here = asyncio.new_event_loop()
    try:
        awaited = here.run_until_complete(gt.aevaluate(LABEL, ROWS, scorer=RIGHT, model=asked))
    finally:
        here.close()
    assert awaited.mean() == 0.75
    gt.chat("x", model=asked)
    assert len(loops) == 1


def test_two_evaluations_at_once_do_not_mix(store: Store) -> None:
    results: dict[str, Any] = {}

    def work(name: str) -> None:
        asked = gt.ScriptedModel({"*": name}, name=name)
        rows = [{"text": f"{n}", "label": name} for n in range(20)]
        with gt.run(name):
            results[name] = gt.evaluate(gt.Prompt("p", user="{{ text }}"), rows, scorer=RIGHT, model=asked)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {name: (r.mean(), r.calls) for name, r in results.items()} == dict.fromkeys("abc", (1.0, 20))
    outer = {run.data.tags["gen_toolkit.run"]: run.info.run_name for run in store.runs("run")}
    for name, result in results.items():
        inner = store.run(result.run)
        assert outer[inner.data.tags["gen_toolkit.parent"]] == name
        assert (inner.data.params["model"], inner.data.metrics["calls"]) == (name, 20)


def test_ctrl_c_stops_the_evaluation_and_leaves_the_run_killed(store: Store) -> None:
    begun: list[int] = []

    async def slow(row: Any) -> None:
        begun.append(1)
        await asyncio.sleep(60)

    def interrupt() -> None:
        while not begun:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        gt.evaluate(slow, ROWS, scorer=RIGHT)
    until = time.monotonic() + 10
    while not (runs := store.runs("evaluation")) or runs[0].info.status == "RUNNING":
        assert time.monotonic() < until
    assert (runs[0].info.status, len(begun)) == ("KILLED", 1)


def test_what_a_model_says_is_shown_and_never_obeyed_nor_lost(store: Store) -> None:
    said = "<script>alert(1)</script> \ud83d \x1b[2J"
    result = gt.evaluate(
        gt.Prompt("p", user="{{ text }}"), ROWS[:1], scorer=lambda value, row: True, model=gt.ScriptedModel(said)
    )
    assert "<script>" not in result._repr_mimebundle_()["text/html"]
    assert store.artifact(result.run, "rows.json")["data"][0][-4] == said


@pytest.mark.parametrize("value", [{1, 2}, object, float("nan"), b"\xff", "half \ud83d", 10**400], ids=ascii)
def test_a_strange_value_of_a_function_costs_no_result(store: Store, value: Any) -> None:
    result = gt.evaluate(lambda row: value, ROWS, scorer=lambda value, row: True)
    assert result.mean() == 1.0
    assert len(store.artifact(result.run, "rows.json")["data"]) == 4
    assert store.sql("select problem from spool where problem is not null") == []


def test_a_row_that_cannot_be_rendered_fails_alone() -> None:
    rows = [{"text": "good", "n": 1, "label": "positive"}, {"text": "good", "n": 0, "label": "positive"}]
    prompt = gt.Prompt("divide", user="{{ text }} {{ 6 / n }}")
    found = gt.evaluate(prompt, rows, model=gt.ScriptedModel({"*": "positive"}), scorer=gt.scorers.exact("label"))
    assert [row.error is None for row in found.rows] == [True, False]
    assert found.mean() == 1.0


def test_a_row_that_does_not_fit_is_asked_again_where_its_alias_says_so(workspace: Path) -> None:
    """And both calls are the row's."""
    (workspace / "gen_toolkit.toml").write_text(
        '[models.told]\nprovider = "scripted"\nreplies = "r.json"\nreask = true\n'
        '[models.once]\nprovider = "scripted"\nreplies = "r.json"\n'
    )
    replies = {"does not fit what was asked": "good", "great": "a masterpiece", "*": "bad"}
    (workspace / "r.json").write_text(json.dumps(replies))
    asked = gt.evaluate(LABEL, ROWS, scorer=RIGHT, model="told")
    assert [row.value for row in asked.rows] == ["good", "bad", "bad", "bad"]
    assert [row.calls for row in asked.rows] == [2, 1, 1, 1]
    assert asked.rows[0].usage.output_tokens == 3
    assert asked.calls == 5
    once = gt.evaluate(LABEL, ROWS, scorer=RIGHT, model="once")
    assert [row.error is None for row in once.rows] == [False, True, True, True]
    again = gt.evaluate(LABEL, ROWS, scorer=RIGHT, model="told")
    assert (again.calls, again.rows[0].value) == (0, "good")


def test_a_function_may_hold_a_conversation_and_its_calls_are_the_rows() -> None:
    script = gt.ScriptedModel(lambda messages: "good" if len(messages) > 2 else "let me think")

    def think(row: Any) -> str:
        talk = gt.Conversation(model=script)
        talk.chat(row["text"])
        return talk.chat("so?").text

    result = gt.evaluate(think, ROWS, scorer=RIGHT)
    assert [row.calls for row in result.rows] == [2, 2, 2, 2]
    assert result.mean("accuracy") == 0.75
