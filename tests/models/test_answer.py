"""What came back of a call: answers in the forms that servers send, at once and in pieces, and what is none."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gen_toolkit as gt
from gen_toolkit.errors import BadReply, ModelError, ModelOverloaded, ModelRefused
from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Request
from gen_toolkit.messages.tool import ToolCall
from gen_toolkit.models import answer
from gen_toolkit.models.deltas import Deltas
from gen_toolkit.models.embedding import embedding_reply
from gen_toolkit.models.sse import Event

ASKED = Request(messages=({"role": "user", "content": "hi"},), alias="fast", model="m")
KEYS = [
    *("choices", "message", "delta", "content", "tool_calls", "function", "name"),
    *("arguments", "index", "refusal", "usage", "logprobs", "error", "code"),
]
USAGE = {"prompt_tokens": 12, "completion_tokens": 3}
CALL = {"id": "a", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}


def whole(message: Any, finish: Any = "stop", **more: Any) -> Reply:
    return answer.reply(ASKED, {"choices": [{"message": message, "finish_reason": finish}], "usage": USAGE, **more})


def pieces(*deltas: Any, finish: Any = "stop", usage: Any = USAGE) -> tuple[list[str], Reply]:
    """Each delta one second after the other."""
    reader = Deltas(ASKED)
    said = [reader.chunk({"choices": [{"delta": delta, "index": 0}]}, second) for second, delta in enumerate(deltas, 1)]
    reader.chunk({"choices": [{"delta": {}, "finish_reason": finish, "index": 0}]}, 99)
    reader.chunk({"choices": [], "usage": usage}, 99)
    return said, reader.reply()


# whole answers


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("hello", "hello"),
        ("", ""),
        (
            [{"type": "text", "text": "hel"}, {"type": "thinking", "thinking": []}, {"type": "text", "text": "lo"}],
            "hello",
        ),
    ],
)
def test_a_text_is_a_text_or_comes_in_parts(content: Any, text: str) -> None:
    reply = whole({"content": content})
    assert (reply.text, reply.value, reply.finish_reason, reply.usage) == (text, text, "stop", gt.Usage(12, 3))


def test_an_answer_whose_bound_was_reached_before_its_first_word_is_empty() -> None:
    reply = whole({"content": None}, "length")
    assert (reply.text, reply.finish_reason) == ("", "length")


def test_calls_of_tools_need_no_text_and_may_be_several() -> None:
    other = {"id": "b", "type": "function", "function": {"name": "time", "arguments": "{}"}}
    reply = whole({"content": None, "tool_calls": [CALL, other]}, "tool_calls")
    assert reply.tool_calls == (ToolCall("a", "weather", '{"city": "Oslo"}'), ToolCall("b", "time", "{}"))
    assert (reply.text, reply.finish_reason, reply.tool_calls[0].arguments) == ("", "tool_calls", {"city": "Oslo"})


@pytest.mark.parametrize(
    ("function", "written"),
    [
        ({"name": "f", "arguments": {"a": 1}}, '{"a": 1}'),
        ({"name": "f", "arguments": None}, ""),
        ({"name": "f"}, ""),
        ({"name": "f", "arguments": "{broken"}, "{broken"),
    ],
)
def test_arguments_stay_as_they_were_written(function: Any, written: str) -> None:
    (call,) = whole({"content": None, "tool_calls": [{"function": function}]}).tool_calls
    assert (call.id, call.written) == ("call-1", written)


REFUSED = {
    "refusal": ({"content": None, "refusal": "I will not"}, "stop", BadReply, False),
    "filter": ({"content": "so f"}, "content_filter", ModelRefused, False),
    "old form": (
        {"content": None, "function_call": {"name": "f", "arguments": "{}"}},
        "function_call",
        BadReply,
        False,
    ),
    "no content": ({"content": None}, "stop", BadReply, True),
    "no message": (None, "stop", BadReply, True),
    "text of another type": ({"content": 3}, "stop", BadReply, True),
    "parts without text": ({"content": [{"type": "image"}]}, "stop", BadReply, True),
    "a call without name": (
        {"content": None, "tool_calls": [{"function": {"arguments": "{}"}}]},
        "stop",
        BadReply,
        True,
    ),
    "a call with an empty name": ({"tool_calls": [{"function": {"name": ""}}]}, "stop", BadReply, True),
    "a call of another kind": (
        {"content": None, "tool_calls": [{"type": "custom", "custom": {}}]},
        "stop",
        BadReply,
        True,
    ),
    "calls that are none": ({"content": None, "tool_calls": "f()"}, "stop", BadReply, True),
    "a null call": ({"content": None, "tool_calls": [None]}, "stop", BadReply, True),
}


@pytest.mark.parametrize(("message", "finish", "kind", "again"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_answer_is_one_typed_error_that_was_billed_where_tokens_were_counted(
    message: Any, finish: str, kind: type[ModelError], again: bool
) -> None:
    with pytest.raises(ModelError, match="fast") as caught:
        whole(message, finish)
    assert (type(caught.value), caught.value.retryable, caught.value.billed) == (kind, again, True)
    with pytest.raises(kind) as caught:
        whole(message, finish, usage=None)
    assert caught.value.billed is None


def test_a_filtered_answer_says_so() -> None:
    with pytest.raises(ModelRefused) as caught:
        whole({"content": ""}, "content_filter")
    assert caught.value.reason == "content-filter"


@pytest.mark.parametrize("finish", [None, 3, ["stop"], {}])
def test_a_reason_that_is_none_is_unknown(finish: Any) -> None:
    assert whole({"content": "hello"}, finish).finish_reason is None


@pytest.mark.parametrize(
    "body",
    [None, [], 3, "x", {}, {"choices": None}, {"choices": {}}, {"choices": []}, {"choices": [3]}, {"choices": [[]]}],
    ids=json.dumps,
)
def test_what_has_not_the_form_of_an_answer_is_a_bad_reply(body: Any) -> None:
    with pytest.raises(BadReply):
        answer.reply(ASKED, body)


@pytest.mark.parametrize("content", [b"", b"<html>", b'{"a": ', b"\xff", b"[" * 100_000, b"9" * 5000, b"\xef\xbb\xbfx"])
def test_bytes_that_are_no_json_are_a_bad_reply(content: bytes) -> None:
    with pytest.raises(BadReply, match="not JSON"):
        answer.decoded(ASKED, content)


def test_a_byte_order_mark_is_no_reason_to_lose_an_answer() -> None:
    assert answer.decoded(ASKED, b'\xef\xbb\xbf{"a": "\xc3\xa9"}') == {"a": "é"}


# in pieces


def test_pieces_make_the_reply_that_would_have_come_at_once() -> None:
    said, reply = pieces({"role": "assistant", "content": ""}, {"content": "Hel"}, {"content": "lo"}, {"content": "!"})
    assert said == ["", "Hel", "lo", "!"]
    assert (reply.text, reply.finish_reason, reply.usage) == ("Hello!", "stop", gt.Usage(12, 3))
    assert (reply.pieces, reply.first_token_seconds, reply.between_seconds) == ((3, 2, 1), 2, 1.0)


def test_times_between_pieces_need_two() -> None:
    _, reply = pieces({"content": "Hello"})
    assert (reply.pieces, reply.first_token_seconds, reply.between_seconds) == ((5,), 1, None)
    _, reply = pieces({"content": ""})
    assert (reply.text, reply.pieces, reply.first_token_seconds) == ("", (), None)


def test_the_times_of_a_stream_are_kept() -> None:
    _, reply = pieces({"content": "a"}, {"content": "b"})
    assert Reply.from_json(json.loads(json.dumps(reply.to_json()))).to_json() == reply.to_json()
    assert Reply.from_json(reply.to_json()).between_seconds == reply.between_seconds == 1.0


def part(index: int | None, **function: str) -> dict[str, Any]:
    identity = {"id": function.pop("id")} if "id" in function else {}
    return {"tool_calls": [{**({} if index is None else {"index": index}), **identity, "function": function}]}


PARTS = {
    "by index": [
        part(0, id="a", name="weather", arguments=""),
        part(0, arguments='{"ci'),
        part(1, id="b", name="time", arguments="{"),
        part(0, arguments='ty": 1}'),
        part(1, arguments="}"),
    ],
    "by id": [
        part(None, id="a", name="weather", arguments='{"ci'),
        part(None, id="a", arguments='ty": 1}'),
        part(None, id="b", name="time", arguments="{}"),
    ],
    "one after the other": [
        part(None, id="a", name="weather", arguments='{"ci'),
        part(None, arguments='ty": 1}'),
        part(None, id="b", name="time", arguments="{"),
        part(None, arguments="}"),
    ],
}


@pytest.mark.parametrize("parts", PARTS.values(), ids=PARTS)
def test_calls_of_tools_are_put_together(parts: list[dict[str, Any]]) -> None:
    said, reply = pieces(*parts, finish="tool_calls")
    assert set(said) == {""}
    assert reply.tool_calls == (ToolCall("a", "weather", '{"city": 1}'), ToolCall("b", "time", "{}"))
    assert (reply.text, reply.finish_reason, reply.first_token_seconds) == ("", "tool_calls", 1)


def test_only_the_first_of_several_answers_is_the_reply() -> None:
    reader = Deltas(ASKED)
    other = {"choices": [{"index": 1, "delta": {"content": "x"}}, {"index": 0, "delta": {"content": "a"}}]}
    assert reader.chunk(other, 1) == "a"
    assert not reader.whole


def test_without_usage_the_usage_is_unknown() -> None:
    assert pieces({"content": "a"}, usage=None)[1].usage == gt.Usage()


def test_a_stream_is_whole_by_the_servers_word_or_by_a_reason() -> None:
    reader = Deltas(ASKED)
    reader.event(Event(b'{"choices": [{"delta": {"content": "a"}}]}'), 1)
    assert not reader.whole
    reader.event(Event(b" [DONE] "), 1)
    assert (reader.done, reader.whole, reader.reply().text, reader.reply().finish_reason) == (True, True, "a", None)


@pytest.mark.parametrize(
    "event", [Event(b""), Event(b"{}", "ping"), Event(b"not JSON", "x"), Event(b'{"usage": null}')]
)
def test_events_that_are_not_for_us_say_nothing(event: Event) -> None:
    assert Deltas(ASKED).event(event, 1) == ""


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (Event(b"{"), BadReply),
        (Event(b"\xff"), BadReply),
        (Event(b"[" * 100_000), BadReply),
        (Event(b"3"), BadReply),
        (Event(b"{}"), BadReply),
        (Event(b'{"choices": 3}'), BadReply),
        (Event(b'{"choices": [3]}'), BadReply),
        (Event(b'{"choices": [{"delta": 3}]}'), BadReply),
        (Event(b'{"choices": [{"delta": {"content": 3}}]}'), BadReply),
        (Event(b'{"choices": [{"delta": {"tool_calls": 3}}]}'), BadReply),
        (Event(b'{"choices": [{"delta": {"tool_calls": [{}]}}]}'), BadReply),
        (Event(b'{"choices": [{"delta": {"function_call": {"name": "f"}}}]}'), BadReply),
        (Event(b'{"error": {"message": "x"}}'), BadReply),
        (Event(b'{"error": {"message": "x", "code": 502}}'), ModelOverloaded),
        (Event(b'{"message": "x", "code": "context_length_exceeded"}', "error"), ModelRefused),
        (Event(b"gone", "error"), BadReply),
    ],
    ids=lambda case: str(case.data[:40]) if isinstance(case, Event) else "",
)
def test_a_malformed_event_or_one_that_tells_of_an_error_is_typed(event: Event, kind: type[ModelError]) -> None:
    with pytest.raises(ModelError, match="fast") as caught:
        Deltas(ASKED).event(event, 1)
    assert type(caught.value) is kind
    assert caught.value.billed is None


@pytest.mark.parametrize("choice", [{"delta": None}, {}, {"index": None, "delta": {"content": None}}])
def test_a_choice_without_text_says_nothing(choice: Any) -> None:
    assert Deltas(ASKED).chunk({"choices": [choice]}, 1) == ""


def test_a_stream_without_a_choice_is_no_empty_answer() -> None:
    reader = Deltas(ASKED)
    reader.event(Event(b"[DONE]"), 1)
    with pytest.raises(BadReply, match="an empty stream"):
        reader.reply()


def test_a_refusal_and_a_filter_end_a_stream_as_they_end_an_answer() -> None:
    with pytest.raises(BadReply, match="I will not"):
        pieces({"refusal": "I will"}, {"refusal": " not"})
    with pytest.raises(ModelRefused) as caught:
        pieces({"content": "so f"}, finish="content_filter")
    assert caught.value.reason == "content-filter"


# whatever comes


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=15,
)


@given(JSON, JSON)
def test_any_json_is_an_answer_or_one_typed_error(value: Any, other: Any) -> None:
    body = {"choices": [{"message": value, "delta": other, "finish_reason": "stop"}], "usage": other}
    for said in (value, body, {"choices": value}, {"choices": [value]}, {"error": value}, {"data": value}):
        for asked in (ASKED, replace(ASKED, choose=("a", "b"))):
            with contextlib.suppress(ModelError):
                answer.reply(asked, said)
        with contextlib.suppress(ModelError):
            embedding_reply(replace(ASKED, inputs=("a",)), said)
        with contextlib.suppress(ModelError):
            reader = Deltas(ASKED)
            reader.chunk(said, 1)
            reader.chunk(said, 2)
            reader.reply()


@pytest.mark.parametrize("key", ["content", "refusal", "tool_calls", "function_call", "error", "message", "choices"])
def test_json_too_deep_to_be_shown_is_an_answer_or_one_typed_error(key: str) -> None:
    for depth in (500, 700, *range(800, 1000, 10)):
        deep: Any = "x"
        for _ in range(depth):
            deep = [deep]
        for said in ({key: deep}, {"choices": [{"message": {key: deep}, "delta": {key: deep}}]}):
            with contextlib.suppress(ModelError):
                answer.reply(ASKED, said)
            with contextlib.suppress(ModelError):
                Deltas(ASKED).chunk(said, 1)
