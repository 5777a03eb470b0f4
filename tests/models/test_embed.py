"""gt.embed: one vector a text, in order, through the same chain as every other call."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import gen_toolkit as gt
from gen_toolkit import scope
from gen_toolkit.errors import BadReply, InputError, ModelRefused
from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Request
from gen_toolkit.models.counted import count_calls
from gen_toolkit.models.embed import MOST_CHARACTERS, MOST_TEXTS


def lengths(texts: tuple[str, ...]) -> dict[str, Any]:
    return {"vectors": [[len(text), 1.0] for text in texts]}


def numbered(count: int) -> list[str]:
    return ["x" * number for number in range(1, count + 1)]


@pytest.mark.parametrize("texts", ["abc", ["abc"], ("abc",), iter(["abc"])], ids=["text", "list", "tuple", "iterator"])
def test_one_text_gives_a_list_of_one_vector(texts: Any) -> None:
    model = gt.ScriptedModel(lengths)
    reply = gt.embed(texts, model=model, dimensions=2)
    assert reply.value == [(3.0, 1.0)]
    assert reply.vectors == ((3.0, 1.0),)
    assert reply.id
    (request,) = model.requests
    assert (request.inputs, request.messages, request.options) == (("abc",), (), {"dimensions": 2})


def test_it_works_in_a_running_loop() -> None:
    async def cell() -> gt.Reply:
        return gt.embed(["a", "bb"], model=gt.ScriptedModel(lengths))

    assert asyncio.run(cell()).value == [(1.0, 1.0), (2.0, 1.0)]


def test_many_texts_go_in_several_requests_and_come_back_in_order() -> None:
    model, replies = gt.ScriptedModel(lengths), list[gt.Reply]()
    with count_calls(replies):
        reply = gt.embed(numbered(2 * MOST_TEXTS + 1), model=model)
    assert [vector[0] for vector in reply.value] == list(range(1, 2 * MOST_TEXTS + 2))
    assert sorted(len(request.inputs) for request in model.requests) == [1, MOST_TEXTS, MOST_TEXTS]
    assert len(replies) == 3
    assert reply.usage == gt.Usage(2 * MOST_TEXTS + 1, 0, 0, 0)
    assert (reply.cost, reply.attempts, reply.id) == (Decimal(0), 3, "")


def test_a_request_holds_no_more_text_than_servers_take() -> None:
    model = gt.ScriptedModel(lengths)
    long = "x" * (MOST_CHARACTERS // 2)
    reply = gt.embed([long, long, "a", long + long + long, "b"], model=model)
    assert len(reply.value) == 5
    assert sorted(len(request.inputs) for request in model.requests) == [1, 1, 1, 2]


class Watched(gt.ScriptedModel):
    """Knows how many requests were under way at once, and what each costs."""

    def __init__(self, costs: list[Decimal | None]) -> None:
        super().__init__(lengths)
        self.costs, self.now, self.most = costs, 0, 0

    async def send(self, request: Request) -> Reply:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.01)
        self.now -= 1
        reply = await super().send(request)
        return replace(reply, cost=self.costs[(len(self.requests) - 1) % len(self.costs)])


def test_requests_are_made_together_but_no_more_than_the_alias_says() -> None:
    model = Watched([Decimal("0.1")])
    reply = gt.embed([f"text {number}" for number in range(20 * MOST_TEXTS)], model=model)
    assert model.most == 8
    assert reply.cost == Decimal("2.0")


def test_an_unknown_cost_of_one_request_makes_the_whole_unknown() -> None:
    assert gt.embed(numbered(3 * MOST_TEXTS), model=Watched([Decimal("0.1"), None])).cost is None


def test_known_vectors_are_taken_from_the_journal() -> None:
    model = gt.ScriptedModel(lengths)
    texts = numbered(MOST_TEXTS + 1)
    with scope.inside(mode="reuse", row=scope.Row("1")):
        first = gt.embed(texts, model=model)
    with scope.inside(mode="reuse", row=scope.Row("1")):
        again = gt.embed([*texts, "more"], model=model)
    with scope.inside(mode="replay", row=scope.Row("1")):
        replayed = gt.embed(texts, model=model)
    assert [len(request.inputs) for request in model.requests[2:]] == [2]  # the full part was known
    assert replayed.value == first.value == again.value[:-1]
    assert (first.source, again.source, replayed.source) == ("live", "live", "replay")


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        ([], "no texts"),
        (iter(()), "no texts"),
        (["a", 3], r"number 1 of the texts to embed is no text but 3"),
        (["a", None], "number 1"),
        ([b"a"], "number 0"),
        (b"abc", "bytes is no list"),
        ({"a": 1}, "dict is no list"),
        ({"a", "b"}, "set is no list"),
        (3, "int is no list"),
        (None, "NoneType is no list"),
    ],
)
def test_what_is_no_list_of_texts_is_refused_before_the_call(texts: Any, why: str) -> None:
    model = gt.ScriptedModel(lengths)
    with pytest.raises(InputError, match=why):
        gt.embed(texts, model=model)
    assert model.requests == []


def test_an_answer_in_vectors_of_several_sizes_is_no_answer() -> None:
    with pytest.raises(BadReply, match="2 texts with 2 vectors"):
        gt.embed(["a", "b"], model=gt.ScriptedModel([{"vectors": [[1.0], [1.0, 2.0]]}]))


def test_the_first_failure_ends_it() -> None:
    model = gt.ScriptedModel([{"error": "no"}])
    with pytest.raises(ModelRefused):
        gt.embed(numbered(3 * MOST_TEXTS), model=model)


def test_the_vectors_are_shown_by_their_number(workspace: Path) -> None:
    shown = gt.embed(["a", "b"], model=gt.ScriptedModel(lengths))._repr_mimebundle_()
    assert re.fullmatch(r"2 vectors of 2 numbers", shown["text/plain"])
