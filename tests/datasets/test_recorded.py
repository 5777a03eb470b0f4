"""Real requests and replies from the journal as rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mlflow_store import Store

import gen_toolkit as gt
from gen_toolkit import scope
from gen_toolkit.errors import DatasetError, NotFound

LABEL = gt.Prompt("label", system="You label.", user="{{ text }}?")
MODEL = gt.ScriptedModel({"*": "fine"}, name="told")


@pytest.fixture(autouse=True)
def _store(store: Store) -> Store:
    return store


def ask(*texts: str, model: gt.ScriptedModel = MODEL, prompt: gt.Prompt = LABEL) -> None:
    for text in texts:
        gt.chat(prompt(text=text), model=model)


def requests(**wanted: Any) -> list[str]:
    return [row["request"] for row in gt.recorded(**wanted)]


def test_a_row_is_what_was_asked_and_replied() -> None:
    ask("one")
    (row,) = gt.recorded()
    assert dict(row) == {
        "request": "one?",
        "messages": [{"role": "system", "content": "You label."}, {"role": "user", "content": "one?"}],
        "reply": "fine",
        "model": "told",
        "prompt": f"label#{LABEL.hash[:8]}",
    }


def test_the_last_ones_are_given_oldest_first_and_keep_their_ids() -> None:
    ask("one", "two", "three")
    before = {row["request"]: row.id for row in gt.recorded()}
    ask("four")
    assert requests(last=3) == ["two?", "three?", "four?"]
    after = {row["request"]: row.id for row in gt.recorded(last=3)}
    assert after.items() >= {name: before[name] for name in ("two?", "three?")}.items()
    assert len(set(after.values())) == 3


def test_rows_can_be_evaluated_on_as_they_are() -> None:
    ask("one", "two")
    result = gt.evaluate(
        lambda row: gt.chat(row["messages"], model=gt.ScriptedModel({"*": "fine"})).value,
        gt.recorded(),
        scorer=gt.scorers.exact("reply"),
    )
    assert result.mean() == 1.0


def test_a_prompt_is_meant_with_all_its_versions_and_none_that_begins_alike() -> None:
    ask("one")
    ask("two", prompt=gt.Prompt("label", user="{{ text }}!"))
    ask("three", prompt=gt.Prompt("label-2", user="{{ text }}"))
    ask("four", prompt=gt.Prompt("LABEL", user="{{ text }}"))
    gt.chat("five", model=MODEL)
    assert requests(prompt="label") == ["one?", "two!"]
    assert requests(prompt=str(LABEL.reference)) == ["one?"]
    assert requests() == ["one?", "two!", "three", "four", "five"]


def test_an_alias_and_a_run_narrow_it_down() -> None:
    ask("one")
    with gt.run("mine") as run:
        ask("two")
        ask("three", model=gt.ScriptedModel("fine", name="other"))
    assert requests(model="other") == ["three?"]
    assert requests(run=run.id) == requests(run=run.id[:20]) == ["two?", "three?"]
    assert requests(run=run.id, model="told") == ["two?"]
    with pytest.raises(NotFound, match="no run has calls"):
        gt.recorded(run="00000000")
    with pytest.raises(NotFound):
        gt.recorded(run=run.id[:5])


def test_a_pipeline_is_meant_with_all_its_jobs(store: Store) -> None:
    ask("by hand")
    for number, (kind, name) in enumerate([("job", "labels"), ("job", "labels"), ("try", "labels"), ("job", "other")]):
        values = (f"root-{number}", kind, name, "n", "{}", "succeeded", 1, 1, 0.0)
        columns = "id, kind, name, notebook, parameters, state, token, attempts, created_at"
        store.sql(f"INSERT INTO runs ({columns}) VALUES ({', '.join('?' * len(values))})", *values)
        with scope.inside(owner=f"root-{number}"):
            ask(f"job {number}")
    assert requests(pipeline="labels") == ["job 0?", "job 1?"]


def test_what_is_private_is_redacted_wherever_it_stands(workspace: Path) -> None:
    card = "4111 1111 1111 1111"
    model = gt.ScriptedModel({"*": "I wrote to bob@example.com"}, name="told")
    gt.chat([{"role": "user", "content": [{"type": "text", "text": f"ann@example.com pays by {card}"}]}], model=model)
    (row,) = gt.recorded()
    assert row["request"] == "[email] pays by [card]"
    assert row["reply"] == "I wrote to [email]"
    assert "ann@" not in json.dumps(row["messages"])
    (bare,) = gt.recorded(redact=["card"])
    assert bare["request"] == "ann@example.com pays by [card]"
    assert bare.id == row.id


def test_the_guards_of_the_workspace_hold_too(workspace: Path) -> None:
    ask("about project Bluebird")
    rules = '[models.strict]\nprovider = "embedded"\n[models.strict.guard.input]\ndeny = ["Bluebird"]\n'
    (workspace / "gen_toolkit.toml").write_text(rules, encoding="utf-8")
    assert "Bluebird" not in str(dict(gt.recorded(redact=[])[0]))


def test_failed_calls_and_requests_for_vectors_are_no_rows() -> None:
    with pytest.raises(gt.GenToolkitError):
        ask("one", model=gt.ScriptedModel([{"error": "no"}]))
    gt.embed('a "[{" of texts', model=gt.ScriptedModel([{"vectors": [[1.0]]}]))
    with pytest.raises(DatasetError, match="no answered call of this workspace is recorded"):
        gt.recorded()


def test_calls_whose_texts_are_gone_are_no_empty_dataset_but_an_error_that_says_so(store: Store) -> None:
    ask("one", "two")
    store.sql("UPDATE calls SET request = NULL, reply = NULL")
    with pytest.raises(DatasetError, match="2 calls were answered, and no request and reply is kept"):
        gt.recorded(prompt="label")


@pytest.mark.parametrize("last", [0, -1, 1.5, True, None, "200"])
def test_a_number_of_calls_that_is_none_is_refused(last: Any) -> None:
    with pytest.raises(DatasetError, match="no number of calls"):
        gt.recorded(last=last)


@pytest.mark.parametrize("redact", ["email", ["e-mail"], ["deny"]])
def test_what_cannot_be_redacted_is_refused(redact: Any) -> None:
    with pytest.raises(DatasetError, match="names what is not known"):
        gt.recorded(redact=redact)
