"""An answer that does not fit is asked for once more where that is allowed, and never twice."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from openai_server import OpenAIServer, completion
from pydantic import BaseModel

import gen_toolkit as gt
from gen_toolkit import scope
from gen_toolkit.errors import InputError, ModelRefused, OutputMismatch
from gen_toolkit.models.counted import count_calls

Sentiment = Literal["positive", "negative"]


class Person(BaseModel):
    name: str
    age: int


def asked(*, model: Any, **more: Any) -> gt.Reply:
    return gt.chat("Who?", model=model, output=Person, **more)


def awaited(*, model: Any, **more: Any) -> gt.Reply:
    return asyncio.run(gt.achat("Who?", model=model, output=Person, **more))


@pytest.mark.parametrize("ask", [asked, awaited])
def test_the_model_is_told_in_one_line_what_did_not_fit(ask: Callable[..., gt.Reply]) -> None:
    model = gt.ScriptedModel(['{"name": "Ann"}', '{"name": "Ann", "age": 3}'])
    reply = ask(model=model, reask=True)
    assert (reply.value, reply.text) == (Person(name="Ann", age=3), '{"name": "Ann", "age": 3}')
    assert reply.repairs == ("asked again",)
    first, second = (request.messages for request in model.requests)
    assert second[: len(first)] == first
    assert second[-2] == {"role": "assistant", "content": '{"name": "Ann"}'}
    assert second[-1]["role"] == "user"
    assert "age: Field required" in second[-1]["content"]
    assert "\n" not in second[-1]["content"]


def test_the_second_answer_that_does_not_fit_is_the_error() -> None:
    model = gt.ScriptedModel(["no", "nor this", '{"name": "Ann", "age": 3}'])
    with pytest.raises(OutputMismatch, match="nor this"):
        asked(model=model, reask=True)
    assert len(model.requests) == 2


@pytest.mark.parametrize("reask", [None, False])
def test_nobody_is_asked_again_unless_it_is_allowed(reask: bool | None) -> None:
    model = gt.ScriptedModel(["no", '{"name": "Ann", "age": 3}'])
    with pytest.raises(OutputMismatch):
        asked(model=model, reask=reask)
    assert len(model.requests) == 1


def test_what_fits_after_a_repair_is_not_asked_for_again() -> None:
    model = gt.ScriptedModel(["Here: {'name': 'Ann', 'age': 3}"])
    assert asked(model=model, reask=True).repairs == ("text around", "single quotes")


@pytest.mark.parametrize(
    ("setting", "argument", "calls"),
    [("true", None, 2), ("true", False, 1), ("false", True, 2), ("", None, 1)],
)
def test_the_alias_says_so_unless_the_call_does(
    server: OpenAIServer, alias: Callable[..., None], setting: str, argument: bool | None, calls: int
) -> None:
    alias(reask=setting)
    server.say(completion("perhaps"), completion("positive"))
    with contextlib.suppress(OutputMismatch):
        gt.chat("?", output=Sentiment, reask=argument)
    assert len(server.seen) == calls


def test_both_calls_are_paid_for_and_summed(server: OpenAIServer, alias: Callable[..., None]) -> None:
    alias(price="{input = 1, output = 2}")
    server.say(completion("perhaps"), completion("Positive"))
    replies: list[gt.Reply] = []
    with count_calls(replies):
        reply = gt.chat("?", output=Sentiment, reask=True)
    assert (reply.value, reply.repairs) == ("positive", ("asked again", "case"))
    assert reply.usage == gt.Usage(24, 6, 8, None)
    assert reply.cost == Decimal("36e-6")
    assert reply.attempts == 2
    assert reply.seconds == sum(each.seconds for each in replies)
    assert [each.text for each in replies] == ["perhaps", "Positive"]


def test_an_unknown_cost_stays_unknown(server: OpenAIServer, alias: Callable[..., None]) -> None:
    server.say(completion("perhaps"), completion("positive"))
    assert gt.chat("?", output=Sentiment, reask=True).cost is None


def test_the_journal_has_both_calls_and_what_was_said_in_between(workspace: Path) -> None:
    with scope.inside(row=scope.Row("1")):
        reply = gt.chat("Who?", model=gt.ScriptedModel(["no", '{"name": "A", "age": 1}']), output=Person, reask=True)
    with contextlib.closing(sqlite3.connect(workspace / "mlruns" / "gen_toolkit.db")) as connection:
        query = "SELECT id, request, reply, state FROM calls ORDER BY asked_at"
        first, second = connection.execute(query).fetchall()
    assert (first[3], second[3], second[0]) == ("answered", "answered", reply.id)
    roles = [[message["role"] for message in json.loads(call[1])] for call in (first, second)]
    assert roles == [["user"], ["user", "assistant", "user"]]
    assert [json.loads(call[2])["text"] for call in (first, second)] == ["no", '{"name": "A", "age": 1}']


def test_a_replay_tells_the_same_without_a_call() -> None:
    model = gt.ScriptedModel(["no", '{"name": "A", "age": 1}'])
    replies = []
    for mode in ("live", "replay"):
        with scope.inside(mode=mode, row=scope.Row("1")):
            replies.append(asked(model=model, reask=True))
    first, again = replies
    assert (again.value, again.repairs, again.source, again.attempts) == (first.value, first.repairs, "replay", 0)
    assert len(model.requests) == 2


def test_a_failure_of_the_second_call_is_the_error() -> None:
    with pytest.raises(ModelRefused, match="enough"):
        asked(model=gt.ScriptedModel(["no", {"error": "enough"}]), reask=True)


def test_an_answer_that_reached_its_limit_is_not_completed_but_asked_for_again(
    server: OpenAIServer, alias: Callable[..., None]
) -> None:
    cut = completion('["a", "b"', finish_reason="length")
    server.say(cut, cut, completion('["a", "b"]'))
    with pytest.raises(OutputMismatch, match=r"breaks off.*max_tokens"):
        gt.chat("?", output=list[str])
    reply = gt.chat("?", output=list[str], reask=True)
    assert (reply.value, reply.repairs) == (["a", "b"], ("asked again",))


@pytest.mark.parametrize(
    "ask",
    [
        lambda model: gt.stream("?", model=model, output=Sentiment, reask=True),
        lambda model: gt.choose("?", ["a", "b"], model=model, reask=True),
    ],
    ids=["stream", "choose"],
)
def test_a_stream_and_a_choice_are_never_asked_again(ask: Callable[..., Any]) -> None:
    model = gt.ScriptedModel("a")
    with pytest.raises(InputError, match="reask= is no option"):
        ask(model)
    assert model.requests == []


def test_a_stream_that_does_not_fit_is_an_error_at_its_end(server: OpenAIServer, alias: Callable[..., None]) -> None:
    alias(reask="true")
    server.say(completion("perhaps"), completion("positive"))
    with pytest.raises(OutputMismatch):
        list(gt.stream("?", output=Sentiment))
    assert len(server.seen) == 1


@pytest.mark.parametrize("name", ["messages", "input", "stream", "output", "tools", "reask"])
def test_what_has_a_place_of_its_own_is_no_option(name: str) -> None:
    with pytest.raises(InputError, match=f"{name}= is no option"):
        gt.embed("a", model=gt.ScriptedModel("a"), **{name: []})
