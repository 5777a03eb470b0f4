"""Replies and usage: what is unknown stays unknown, also through the journal's JSON."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

import gen_toolkit as gt
from gen_toolkit.messages.sum import all_of, cost_of
from gen_toolkit.messages.tool import ToolCall

FULL = gt.Reply(
    text="hi",
    value="hi",
    finish_reason="stop",
    usage=gt.Usage(1, 2, 3, None),
    cost=Decimal("0.0000012"),
    seconds=1.5,
    probabilities={"a": 0.25, "b": 0.75},
)


@pytest.mark.parametrize("reply", [FULL, gt.Reply(text="hi", value="hi")], ids=["full", "bare"])
def test_a_reply_survives_json(reply: gt.Reply) -> None:
    assert gt.Reply.from_json(json.loads(json.dumps(reply.to_json()))) == reply


def test_usage_adds_and_unknown_stays_unknown() -> None:
    assert gt.Usage(1, 2, None, 4) + gt.Usage(10, 20, 30, 40) == gt.Usage(11, 22, None, 44)


def test_an_unknown_cost_and_finish_reason_are_shown_as_such() -> None:
    html = gt.Reply(text="hi", value="hi")._repr_mimebundle_()["text/html"]
    assert "unknown" in html
    assert "not given" in html


@pytest.mark.parametrize(("text", "plain"), [("", 'f({"a": 1})\ng()'), ("let me see", 'let me see\nf({"a": 1})\ng()')])
def test_calls_of_tools_are_shown_behind_the_text(text: str, plain: str) -> None:
    calls = (ToolCall("1", "f", '{"a": 1}'), ToolCall("2", "g", ""))
    assert gt.Reply(text=text, tool_calls=calls)._repr_mimebundle_()["text/plain"] == plain


def test_a_reply_is_shown_and_not_obeyed() -> None:
    evil = "<script>alert(1)</script>\x1b[2J"
    shown = gt.Reply(text=evil, value=evil, model=evil, finish_reason=evil)._repr_mimebundle_()
    assert "<script>" not in shown["text/html"]
    assert "\x1b" not in "".join(shown.values())


@pytest.mark.parametrize(("reply", "plain"), [(FULL, "hi"), (gt.Reply(text="3", value=3), "3")])
def test_the_value_is_what_is_shown(reply: gt.Reply, plain: str) -> None:
    assert reply._repr_mimebundle_()["text/plain"] == plain
    assert str(reply) == reply.text


def test_several_replies_are_the_last_with_what_all_of_them_took() -> None:
    first = gt.Reply(id="1", text="a", usage=gt.Usage(1, 2, None, 4), cost=Decimal("0.1"), seconds=1.0, attempts=2)
    last = gt.Reply(
        id="2", text="b", usage=gt.Usage(10, 20, 30, 40), cost=Decimal("0.2"), seconds=0.5, unanswered=1, source="reuse"
    )
    whole = all_of([first, last])
    assert (whole.id, whole.text) == ("2", "b")
    assert whole.usage == gt.Usage(11, 22, None, 44)
    assert (whole.cost, whole.seconds, whole.attempts, whole.unanswered) == (Decimal("0.3"), 1.5, 3, 1)
    assert (whole.source, all_of([last, last]).source) == ("live", "reuse")
    assert cost_of([first, gt.Reply()]) is None
    assert cost_of([]) == 0
