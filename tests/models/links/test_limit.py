"""Limits of an alias as a user meets them: through gt.chat and gt.stream, against a real server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openai_server import Answer, OpenAIServer, completion, error

import gen_toolkit as gt
from gen_toolkit.errors import DeadlineExceeded, ModelOverloaded

Alias = Callable[..., None]

pytestmark = pytest.mark.usefixtures("alias")


def timed(server: OpenAIServer, *answers: Answer) -> list[float]:
    """Let the server give these answers, the last again and again; when it was asked."""
    asked: list[float] = []

    def answer(_: dict[str, Any]) -> Answer:
        asked.append(time.monotonic())
        return answers[min(len(asked), len(answers)) - 1]

    server.say(answer)
    return asked


def at_once(calls: int) -> list[str]:
    async def all_of_them() -> list[gt.Reply]:
        return await asyncio.gather(*(gt.achat(f"number {number}") for number in range(calls)))

    return [reply.text for reply in asyncio.run(all_of_them())]


def test_calls_wait_for_requests_per_minute_and_their_deadline_waits_with_them(
    server: OpenAIServer, alias: Alias
) -> None:
    gt.chat("what is loaded at the first call is loaded")
    alias(requests_per_minute="240", deadline_s="2.2")
    start = time.monotonic()
    assert at_once(12) == ["hello"] * 12
    assert time.monotonic() - start > 2.7


def test_calls_wait_for_tokens_per_minute_by_the_bound_of_their_output(server: OpenAIServer, alias: Alias) -> None:
    alias(tokens_per_minute="60000", options="{max_tokens = 600}")
    server.say(Answer(completion("hello").body, delay=0.3))
    start = time.monotonic()
    assert at_once(2) == ["hello"] * 2
    assert time.monotonic() - start > 0.7


def test_retry_after_holds_for_the_other_calls_of_the_alias(server: OpenAIServer) -> None:
    asked = timed(server, error(429, retry_after="1"), completion("hello"))

    async def two() -> None:
        first = asyncio.ensure_future(gt.achat("one"))
        while not asked:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        assert (await gt.achat("two")).text == (await first).text == "hello"

    asyncio.run(two())
    assert len(asked) == 3
    assert asked[1] - asked[0] >= 1


def test_retry_after_holds_also_where_the_call_itself_is_given_up(server: OpenAIServer, alias: Alias) -> None:
    alias(max_attempts="1")
    asked = timed(server, error(503, retry_after="1"), completion("hello"))
    with pytest.raises(ModelOverloaded):
        gt.chat("one")
    assert gt.chat("two").attempts == 1
    assert asked[1] - asked[0] >= 1


def test_a_429_that_does_not_say_how_long_is_a_short_pause(server: OpenAIServer, alias: Alias) -> None:
    alias(max_attempts="1")
    asked = timed(server, error(429), completion("hello"))
    with pytest.raises(ModelOverloaded):
        gt.chat("one")
    gt.chat("two")
    assert 0.4 < asked[1] - asked[0] < 3


def test_a_pause_beyond_the_deadline_is_told_at_once_and_nothing_is_sent(server: OpenAIServer, alias: Alias) -> None:
    alias(deadline_s="5")
    server.say(error(429, retry_after="600"), completion("hello"))
    start = time.monotonic()
    for _ in range(2):
        with pytest.raises(DeadlineExceeded):
            gt.chat("hi")
    with pytest.raises(DeadlineExceeded, match="left alone for"):
        list(gt.stream("hi"))
    assert time.monotonic() - start < 4
    assert len(server.seen) == 1


def test_in_a_pause_beyond_the_deadline_another_alias_is_asked(server: OpenAIServer, workspace: Path) -> None:
    server.say(error(429, retry_after="600"), completion("hello"))
    toml = (workspace / "gen_toolkit.toml").read_text().replace("[models.fast]", '[models.fast]\nfallbacks = ["other"]')
    (workspace / "gen_toolkit.toml").write_text(f'{toml}\n[models.other]\nmodel = "o"\nbase_url = "{server.url}"\n')
    assert [gt.chat(f"number {number}").model for number in range(3)] == ["other"] * 3
    assert [seen["model"] for seen in server.seen] == ["m", "o", "o", "o"]


def test_streams_wait_too(server: OpenAIServer, alias: Alias) -> None:
    alias(requests_per_minute="120")
    start = time.monotonic()
    for _ in range(3):
        assert "".join(map(str, gt.stream("hi"))) == "hello"
    assert time.monotonic() - start > 0.95


def test_a_stream_that_is_refused_pauses_the_others(server: OpenAIServer, alias: Alias) -> None:
    alias(max_attempts="1")
    asked = timed(server, error(429, retry_after="1"), completion("hello"))
    with pytest.raises(ModelOverloaded):
        list(gt.stream("hi"))
    gt.chat("hi")
    assert asked[1] - asked[0] >= 1


def test_a_model_that_is_made_up_on_the_spot_has_no_limit() -> None:
    refusal = ModelOverloaded("no", status=429, retry_after=60.0)
    model = gt.ScriptedModel([refusal, "hello"])
    with pytest.raises(ModelOverloaded):
        gt.chat("hi", model=model)
    start = time.monotonic()
    assert gt.chat("hi", model=model).text == "hello"
    assert time.monotonic() - start < 5
