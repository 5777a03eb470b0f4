"""The embedded model: it streams, stops when nobody listens, calls tools, and says what it cannot do."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

import pytest
from pydantic import BaseModel

import gen_toolkit as gt
from gen_toolkit.errors import InputError, ModelRefused
from gen_toolkit.loop import run_sync
from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Request
from gen_toolkit.messages.tool import Tool
from gen_toolkit.models.embedded import EmbeddedProvider
from gen_toolkit.models.llama import PARALLEL, open_engine
from gen_toolkit.settings import load_settings

pytestmark = pytest.mark.model

STORY = ({"role": "user", "content": "Tell a long story."},)


class City(BaseModel):
    city: str


class Weather(BaseModel):
    where: City


WEATHER = Tool("weather", "Tells the weather in a city.", Weather.model_json_schema())


@pytest.fixture
def provider() -> EmbeddedProvider:
    settings = load_settings()
    return EmbeddedProvider("local", settings.settings.alias("local")[1], settings)


def asked(*messages: Any, **more: Any) -> Request:
    return Request(messages=messages or STORY, alias="local", model="m", **more)


def test_it_streams_what_it_would_say_at_once(workspace: Any) -> None:
    whole = gt.chat("Tell a story.", max_tokens=12)
    stream = gt.stream("Tell a story.", max_tokens=12)
    pieces = [(piece.text, piece.seconds) for piece in stream if piece.text]
    reply = stream.reply
    assert reply is not None
    assert "".join(text for text, _ in pieces) == reply.text == whole.text
    assert len(pieces) > 6
    assert [seconds for _, seconds in pieces] == sorted({seconds for _, seconds in pieces})
    assert (reply.finish_reason, reply.usage.output_tokens, reply.cost) == ("length", 12, 0)
    assert reply.first_token_seconds is not None
    assert reply.between_seconds is not None
    assert (whole.pieces, whole.first_token_seconds, whole.between_seconds) == ((), None, None)


def test_it_stops_when_nobody_listens_and_takes_the_next(provider: EmbeddedProvider) -> None:
    async def left_alone() -> float:
        for _ in range(2 * PARALLEL):
            async with contextlib.aclosing(provider.stream(asked(options={"max_tokens": 1500}))) as pieces:
                await anext(pieces)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(provider.send(asked(options={"max_tokens": 1500})), 0.2)
        start = time.monotonic()
        await provider.send(asked(options={"max_tokens": 1}))
        return time.monotonic() - start

    assert run_sync(left_alone()) < 5  # 1,500 tokens take 20 s, and there were nine times as many


def test_waiting_for_a_turn_is_not_counted_to_the_deadline(workspace: Any) -> None:
    (workspace / "gen_toolkit.toml").write_text(
        '[models.local]\nprovider = "embedded"\ndeadline_s = 4\nmax_attempts = 1'
    )
    engine = open_engine()

    async def late() -> Reply:
        for _ in range(PARALLEL):
            await engine._turns.acquire()
        asyncio.get_running_loop().call_later(4.5, lambda: [engine._turns.release() for _ in range(PARALLEL)])
        return await gt.achat("hi", max_tokens=1)

    reply = run_sync(late())
    assert reply.attempts == 1
    assert reply.seconds > 4


def test_a_tool_is_called_by_its_schema(provider: EmbeddedProvider) -> None:
    request = asked(
        {"role": "user", "content": "What is the weather in Oslo?"},
        tools=(WEATHER,),
        options={"tool_choice": "required", "max_tokens": 60},
    )
    reply = run_sync(provider.send(request))
    (call,) = reply.tool_calls
    assert (call.name, reply.finish_reason, reply.text) == ("weather", "tool_calls", "")
    assert Weather.model_validate(call.arguments)
    assert (reply.usage.output_tokens or 0) > 0

    async def streamed() -> list[Any]:
        return [piece async for piece in provider.stream(request)]

    (last,) = run_sync(streamed())
    assert last.reply.tool_calls == reply.tool_calls


def test_with_tools_it_may_answer_itself(provider: EmbeddedProvider) -> None:
    request = asked(tools=(WEATHER,), options={"tool_choice": "none", "max_tokens": 8})
    assert run_sync(provider.send(request)).text
    request = asked(
        {"role": "user", "content": 'Answer {"answer": "hi"}'}, tools=(WEATHER,), options={"max_tokens": 200}
    )
    reply = run_sync(provider.send(request))
    assert bool(reply.text) != bool(reply.tool_calls)


def test_its_vectors_are_refused_with_advice(provider: EmbeddedProvider) -> None:
    for answer in (provider.send, lambda request: anext(provider.stream(request))):
        with pytest.raises(ModelRefused, match="too poor") as caught:
            run_sync(answer(Request(messages=(), inputs=("a",), alias="local")))  # type: ignore[operator]
        assert "gt.embed(" in caught.value.fix
        assert (caught.value.billed, caught.value.retryable) == (False, False)


def test_a_picture_is_refused_and_not_for_its_length(provider: EmbeddedProvider) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    with pytest.raises(ModelRefused) as caught:
        run_sync(provider.send(asked({"role": "user", "content": [picture]})))
    assert "Shorten" not in caught.value.fix
    assert caught.value.reason == ""


def test_what_json_cannot_hold_is_refused(provider: EmbeddedProvider) -> None:
    with pytest.raises(InputError, match="cannot be sent as JSON"):
        run_sync(provider.send(asked({"role": "user", "content": b"bytes"})))


def test_a_prompt_that_is_too_long_has_its_reason(provider: EmbeddedProvider) -> None:
    with pytest.raises(ModelRefused, match="Shorten the prompt") as caught:
        run_sync(provider.send(asked({"role": "user", "content": "word " * 4000})))
    assert caught.value.reason == "context-length"
