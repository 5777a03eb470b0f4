"""The OpenAI-compatible provider against a real server: what is sent, what comes back, and every way to fail."""

from __future__ import annotations

import asyncio
import email.utils
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from openai_server import COUNTED, DONE, Answer, OpenAIServer, completion, delta, error, events, streamed, weighed
from pydantic import BaseModel

import gen_toolkit as gt
from gen_toolkit.errors import (
    BadReply,
    DeadlineExceeded,
    GenToolkitError,
    MissingSecret,
    ModelError,
    ModelOverloaded,
    ModelRefused,
    ModelUnreachable,
    QuotaExhausted,
    SettingError,
)
from gen_toolkit.loop import run_sync
from gen_toolkit.messages.request import Request
from gen_toolkit.messages.tool import Tool, ToolCall
from gen_toolkit.models.exchange import Exchange
from gen_toolkit.models.gateway import _provider
from gen_toolkit.settings import load_settings

KEY = "sk-test-0123456789abcdef"
Alias = Callable[..., None]
HELLO = [{"role": "user", "content": "hi"}]

pytestmark = pytest.mark.usefixtures("alias")


@pytest.fixture(params=["fast", "sdk"])
def alias(alias: Alias, request: pytest.FixtureRequest) -> Alias:
    """Everything here holds for both transports."""

    def write(**lines: str) -> None:
        alias(**{"transport": f'"{request.param}"', **lines})

    write()
    return write


@pytest.fixture(autouse=True)
def _the_key_is_never_written(workspace: Path, request: pytest.FixtureRequest) -> Iterator[None]:
    """After every test of this file, whatever happened in it."""
    yield
    for path in workspace.rglob("*"):
        assert path.is_dir() or b"0123456789abcdef" not in path.read_bytes(), path


# what is sent


def test_only_what_was_given_is_sent(server: OpenAIServer) -> None:
    gt.chat("hi")
    assert server.seen == [{"messages": HELLO, "model": "m"}]
    assert server.keys == [KEY]


def test_options_of_the_call_win_over_those_of_the_alias_and_go_out_as_they_are(
    server: OpenAIServer, alias: Alias
) -> None:
    alias(options="{temperature = 0, seed = 1}")
    gt.chat("hi", temperature=0.5, max_tokens=5, stop=["\n"])
    assert server.seen[0] == {
        "messages": HELLO,
        "model": "m",
        "temperature": 0.5,
        "seed": 1,
        "max_tokens": 5,
        "stop": ["\n"],
    }


def test_options_that_only_this_server_knows_go_out_too(server: OpenAIServer) -> None:
    gt.chat("hi", top_k=40, guided={"regex": "a+"})
    assert server.seen[0] == {"messages": HELLO, "model": "m", "top_k": 40, "guided": {"regex": "a+"}}


def test_the_declared_output_goes_out_as_a_schema(server: OpenAIServer) -> None:
    server.say(completion('{"value": "no"}'))
    assert gt.chat("yes or no?", output=Literal["yes", "no"]).value == "no"
    sent = server.seen[0]["response_format"]
    assert (sent["type"], sent["json_schema"]["schema"]["properties"]["value"]) == (
        "json_schema",
        {"enum": ["yes", "no"], "type": "string"},
    )


def test_choose_asks_for_one_token_and_its_rivals(server: OpenAIServer) -> None:
    server.say(weighed(Yes=0.5, no=0.2, n=0.1, other=0.2))
    reply = gt.choose("yes or no?", ["yes", "no"])
    assert reply.value == "yes"
    assert reply.probabilities == pytest.approx({"yes": 0.625, "no": 0.375})
    assert {k: v for k, v in server.seen[0].items() if k not in {"messages", "model"}} == {
        "logprobs": True,
        "top_logprobs": 20,
        "max_tokens": 1,
    }


def test_headers_of_the_alias_are_sent_and_a_server_without_key_needs_none(server: OpenAIServer, alias: Alias) -> None:
    alias(api_key="")
    assert gt.chat("hi").text == "hello"
    assert server.keys == ["no-key"]


# what comes back


def test_usage_cost_and_finish_reason_are_taken_over(alias: Alias) -> None:
    alias(price="{input = 1, output = 10}")
    reply = gt.chat("hi")
    assert reply.usage == gt.Usage(12, 3, 4, None)
    assert (reply.cost, reply.finish_reason, reply.attempts) == (Decimal("0.000042"), "stop", 1)


def test_what_the_server_does_not_say_is_unknown(server: OpenAIServer) -> None:
    server.say(Answer({"choices": [{"message": {"content": "hello"}}]}))
    reply = gt.chat("hi")
    assert (reply.usage, reply.cost, reply.finish_reason) == (gt.Usage(), None, None)


@pytest.mark.parametrize("number", [-1, "3", 1.5, True, None, 10**30])
def test_a_count_that_is_none_is_unknown(server: OpenAIServer, number: Any) -> None:
    body = {"choices": [{"message": {"content": "hello"}}], "usage": {"prompt_tokens": number}}
    server.say(Answer(body))
    assert gt.chat("hi").usage == gt.Usage()


def test_half_a_character_is_no_reason_to_lose_a_paid_reply(server: OpenAIServer) -> None:
    server.say(Answer('{"choices": [{"message": {"content": "\\ud800!"}}]}'))
    assert gt.chat("hi").text == "\ud800!"


# what fails at once

WRONG_KEY = f"Incorrect API key provided: {KEY}"
FINAL = {
    "400": (error(400, "bad request"), ModelRefused, "change the request"),
    "401": (error(401, WRONG_KEY), ModelRefused, "Check the key: env:THE_KEY"),
    "403": (error(403), ModelRefused, "may not use this model"),
    "404": (error(404), ModelRefused, "Check base_url and model: 'm'"),
    "422": (error(422), ModelRefused, "change the request"),
    "no quota": (error(429, code="insufficient_quota"), QuotaExhausted, "quota"),
    "html with 400": (Answer("<html>\n<h1>no</h1>", 400), ModelRefused, "change the request"),
    "odd code": (error(400, code=["x"]), ModelRefused, "change the request"),
    "refusal": (completion(None, message={"content": None, "refusal": "I\nwill not"}), BadReply, "Change the prompt"),
}


@pytest.mark.parametrize(("answer", "kind", "advice"), FINAL.values(), ids=FINAL)
def test_what_will_not_get_better_is_asked_once(
    server: OpenAIServer, answer: Answer, kind: type[ModelError], advice: str
) -> None:
    server.say(answer)
    failed = failure(kind, advice)
    assert (len(server.seen), failed.attempts) == (1, 1)


def failure(kind: type[GenToolkitError], advice: str, **options: Any) -> Any:
    """The one typed error of a call: a line, of our own, without the key."""
    with pytest.raises(GenToolkitError) as caught:
        gt.chat("hi", **options)
    failed = caught.value
    assert type(failed) is kind, repr(failed)
    assert "fast" in failed.message
    assert advice in failed.fix
    assert "\n" not in str(failed)
    assert KEY not in f"{failed} {failed!r} {failed.data} {json.dumps(failed.to_json())}"
    return failed


def test_choose_needs_log_probabilities(server: OpenAIServer) -> None:
    with pytest.raises(BadReply, match="log-probabilities"):
        gt.choose("yes or no?", ["yes", "no"])
    assert len(server.seen) == 1


@pytest.mark.parametrize("logprob", ["1000", "NaN", "-Infinity", '"x"', "null"])
def test_an_impossible_log_probability_is_a_bad_reply_or_no_more_than_certain(
    server: OpenAIServer, logprob: str
) -> None:
    top = f'[{{"token": "yes", "logprob": {logprob}}}, {{"token": "no", "logprob": 0}}]'
    server.say(Answer(f'{{"choices": [{{"message": {{}}, "logprobs": {{"content": [{{"top_logprobs": {top}}}]}}}}]}}'))
    try:
        reply = gt.choose("yes or no?", ["yes", "no"])
    except BadReply:
        return
    assert sum((reply.probabilities or {}).values()) == pytest.approx(1)


# what may get better

AGAIN = {
    "408": (error(408), ModelOverloaded, "Try again later"),
    "409": (error(409), ModelOverloaded, "Try again later"),
    "429": (error(429), ModelOverloaded, "Try again later"),
    "500": (error(500, WRONG_KEY), ModelOverloaded, "Try again later"),
    "503 in html": (Answer("<html>\nno", 503), ModelOverloaded, "Try again later"),
    "html with 200": (Answer("<html>login</html>"), BadReply, "may be a web page or a login"),
    "truncated json": (Answer('{"choices": [{"mess'), BadReply, "Check base_url"),
    "not an object": (Answer([1]), BadReply, "Check that base_url"),
    "error with 200": (Answer({"error": {"message": WRONG_KEY}}), BadReply, "Check that base_url"),
    "empty choices": (Answer({"choices": []}), BadReply, "Check that base_url"),
    "null choice": (Answer({"choices": [None]}), BadReply, "Check that base_url"),
    "null content": (completion(None), BadReply, "Check that base_url"),
    "empty body": (Answer(""), BadReply, "Check base_url"),
    "cut connection": (Answer("{}", headers={"content-length": "99"}, cut=True), ModelUnreachable, "Start the server"),
}


@pytest.mark.parametrize(("answer", "kind", "advice"), AGAIN.values(), ids=AGAIN)
def test_what_may_get_better_is_asked_again_and_at_most_so_often(
    server: OpenAIServer, alias: Alias, answer: Answer, kind: type[ModelError], advice: str
) -> None:
    alias(max_attempts="3")
    server.say(answer)
    failed = failure(kind, advice)
    assert (len(server.seen), failed.attempts) == (3, 3)


@pytest.mark.parametrize("answer", [error(429), error(500), Answer("<html>"), completion(None)])
def test_a_later_answer_is_the_answer(server: OpenAIServer, answer: Answer) -> None:
    server.say(answer, answer, completion("hello"))
    reply = gt.chat("hi")
    assert (reply.text, reply.attempts, len(server.seen)) == ("hello", 3, 3)


def test_retry_after_is_kept_to(server: OpenAIServer) -> None:
    server.say(error(429, retry_after="0.4"), completion("hello"))
    before = time.monotonic()
    assert gt.chat("hi").attempts == 2
    assert 0.4 <= time.monotonic() - before < 3


def test_retry_after_as_a_date_reaches_the_error(server: OpenAIServer, alias: Alias) -> None:
    alias(max_attempts="1")
    server.say(error(503, retry_after=email.utils.formatdate(time.time() + 3600, usegmt=True)))
    assert failure(ModelOverloaded, "later").retry_after == pytest.approx(3600, abs=60)


# the total deadline

SLOW = {
    "hang": Answer("{}", delay=30),
    "drip": Answer({"choices": [], "pad": "x" * 500}, drip=0.05),
    "drip of a good answer": Answer(completion("hello " * 100).body, drip=0.05),
}


@pytest.mark.parametrize("answer", SLOW.values(), ids=SLOW)
def test_the_deadline_bounds_an_answer_that_does_not_come(server: OpenAIServer, alias: Alias, answer: Answer) -> None:
    alias(deadline_s="1")
    server.say(answer)
    before = time.monotonic()
    failed = failure(DeadlineExceeded, "Raise deadline_s")
    assert time.monotonic() - before < 15
    assert (len(server.seen), failed.attempts, failed.exit_code) == (1, 1, 4)


def test_what_loading_the_transport_takes_is_not_the_servers_time(
    server: OpenAIServer, alias: Alias, monkeypatch: pytest.MonkeyPatch
) -> None:
    alias(deadline_s="2")
    opened = Exchange._opened

    def slowly(exchange: Exchange) -> Any:
        time.sleep(2.1)
        return opened(exchange)

    monkeypatch.setattr(Exchange, "_opened", slowly)
    server.say(completion("hello"))
    assert gt.chat("hi").text == "hello"


def test_the_deadline_bounds_all_attempts_together(server: OpenAIServer, alias: Alias) -> None:
    alias(deadline_s="2", max_attempts="100")
    server.say(Answer({"error": {}}, 500, delay=0.25))
    before = time.monotonic()
    failed = failure(DeadlineExceeded, "Raise deadline_s")
    assert time.monotonic() - before < 10  # and not the 25 s of a hundred attempts
    assert failed.attempts >= 2
    assert failed.attempts - len(server.seen) in (0, 1)  # the last one may not have come so far
    assert "the last attempt said" in failed.message


def test_a_wait_that_the_deadline_forbids_is_not_begun(server: OpenAIServer) -> None:
    server.say(error(429, retry_after="3600"))
    before = time.monotonic()
    assert "429" in failure(DeadlineExceeded, "Raise deadline_s").message
    assert time.monotonic() - before < 15


# no connection, no key


def test_a_server_that_is_not_there_is_named(alias: Alias) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    alias(base_url=f'"http://127.0.0.1:{port}/v1"', max_attempts="2")
    failed = failure(ModelUnreachable, "Start the server or correct base_url")
    assert (str(port) in failed.message, failed.attempts) == (True, 2)


def test_a_missing_key_is_named_with_its_alias_and_found_once_it_is_set(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("THE_KEY")
    failure(MissingSecret, "export THE_KEY")
    assert server.seen == []
    monkeypatch.setenv("THE_KEY", KEY)
    assert gt.chat("hi").text == "hello"


def test_a_corrected_key_is_used(server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_KEY", "sk-wrong-key")
    gt.chat("hi")
    monkeypatch.setenv("THE_KEY", KEY)
    gt.chat("hi")
    assert server.keys == ["sk-wrong-key", KEY]


@pytest.mark.parametrize("key", ["sk-test-0123456789abcdef-ключ", "sk-test-0123456789abcdef\nx"])
def test_a_key_that_no_header_can_hold_is_one_typed_error(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("THE_KEY", key)
    failure(SettingError, "printable")
    assert server.seen == []


def test_without_model_or_key_nothing_is_sent(server: OpenAIServer, alias: Alias) -> None:
    alias(model="")
    with pytest.raises(SettingError, match=r'Add model = "…"'):
        gt.chat("hi")
    alias(api_key="", base_url="")
    failure(MissingSecret, "env:OPENAI_API_KEY")


class Person(BaseModel):
    name: str


def test_a_reply_that_does_not_fit_is_paid_recorded_and_refused(server: OpenAIServer) -> None:
    server.say(completion("Ann"))
    with pytest.raises(gt.GenToolkitError, match="does not fit") as caught:
        gt.chat("who?", output=Person)
    assert (caught.value.code, len(server.seen)) == ("output-mismatch", 1)


def test_a_forked_child_has_connections_of_its_own(server: OpenAIServer) -> None:
    code = """
import gc, os, sys, gen_toolkit as gt
from gen_toolkit.models.transport import shape
shape.IDLE_SECONDS = 60
gt.chat("in the parent")
child = os.fork()
if child == 0:
    said = gt.chat("in the child").text
    gc.collect()
    sys.exit(said != "hello")  # as a process ends that was not told to leave quietly
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
raise SystemExit(code or gt.chat("in the parent again").text != "hello")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(server.seen) == 3
    first, of_the_child, last = server.connections
    assert of_the_child != first
    assert last == first, "a child leaves the connections of its parent alone"


# streams


def read(prompt: str = "hi", **options: Any) -> tuple[list[str], gt.Reply]:
    stream = gt.stream(prompt, **options)
    said = [piece.text for piece in stream if piece.text]
    assert stream.reply is not None
    return said, stream.reply


def test_a_stream_brings_its_text_in_pieces_and_at_the_end_all_that_a_reply_has(
    server: OpenAIServer, alias: Alias
) -> None:
    alias(price="{input = 1, output = 10}")
    server.say(streamed("Hel", "lo", "!", drip=0.2))
    said, reply = read()
    assert server.seen == [{"messages": HELLO, "model": "m", "stream": True, "stream_options": {"include_usage": True}}]
    assert (said, reply.text, reply.pieces) == (["Hel", "lo", "!"], "Hello!", (3, 2, 1))
    assert (reply.usage, reply.cost, reply.finish_reason) == (gt.Usage(12, 3, 4), Decimal("0.000042"), "stop")
    assert reply.first_token_seconds is not None
    assert reply.between_seconds is not None
    assert 0.02 <= reply.first_token_seconds <= reply.seconds
    assert 0.05 <= reply.between_seconds <= reply.seconds


def test_pieces_come_while_the_answer_is_written(server: OpenAIServer) -> None:
    server.say(streamed("Hel", "lo", drip=0.2))
    before = time.monotonic()
    for piece in gt.stream("hi"):
        if piece.text == "Hel":
            first, seconds = time.monotonic() - before, piece.seconds
    assert first < time.monotonic() - before - 0.3
    assert 0.2 <= seconds <= first


def test_a_server_that_does_not_stream_is_read_at_once(server: OpenAIServer) -> None:
    server.say(completion("hello"))
    said, reply = read()
    assert (said, reply.pieces, reply.usage) == (["hello"], (5,), gt.Usage(12, 3, 4))
    assert reply.first_token_seconds is not None


def test_a_stream_without_usage_has_none_and_no_cost(server: OpenAIServer, alias: Alias) -> None:
    alias(price="{input = 1, output = 10}")
    server.say(events(delta(content="hello"), delta("stop"), DONE))
    assert read()[1].usage == gt.Usage()
    assert read()[1].cost is None


@pytest.mark.parametrize(
    "refusal",
    [
        error(400, "Unrecognized request argument supplied: stream_options"),
        Answer({"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "no"}]}, 422),
    ],
    ids=["OpenAI's words", "FastAPI's"],
)
def test_a_server_that_refuses_stream_options_is_asked_without_them_once_and_for_all(
    server: OpenAIServer, caplog: pytest.LogCaptureFixture, refusal: Answer
) -> None:
    def say(body: dict[str, Any]) -> Answer:
        return refusal if "stream_options" in body else streamed("hello")

    server.say(say)
    _, reply = read()
    assert (reply.text, reply.attempts, reply.unanswered) == ("hello", 1, 0)
    read()
    assert ["stream_options" in body for body in server.seen] == [True, False, False]
    assert [record.levelname for record in caplog.records if "stream_options" in record.message] == ["WARNING"]


def test_another_refusal_of_a_stream_is_not_taken_for_that(server: OpenAIServer) -> None:
    server.say(error(400, "no such model"))
    with pytest.raises(ModelRefused):
        read()
    assert len(server.seen) == 1


def test_a_stream_that_is_cut_is_no_answer_and_keeps_what_came(server: OpenAIServer) -> None:
    server.say(events(delta(content="Hel"), cut=True))
    stream = gt.stream("hi")
    with pytest.raises(ModelUnreachable) as caught:
        list(stream)
    assert (stream.text, caught.value.partial, caught.value.attempts, len(server.seen)) == ("Hel", "Hel", 1, 1)


def test_a_stream_that_fails_before_its_first_piece_is_asked_for_again(server: OpenAIServer) -> None:
    server.say(error(500), events(cut=True), events(delta(role="assistant"), cut=True), streamed("hello"))
    _, reply = read()
    assert (reply.text, reply.attempts, reply.unanswered) == ("hello", 4, 3)


def test_a_stream_held_back_by_a_filter_says_so(server: OpenAIServer) -> None:
    server.say(events(delta(content="so f"), delta("content_filter"), COUNTED, DONE))
    with pytest.raises(ModelRefused) as caught:
        read()
    assert (caught.value.reason, caught.value.partial, len(server.seen)) == ("content-filter", "so f", 1)


def test_the_deadline_bounds_a_stream_that_drips(server: OpenAIServer, alias: Alias) -> None:
    alias(deadline_s="0.5")
    server.say(streamed(*"hello " * 50, drip=0.05))
    before = time.monotonic()
    with pytest.raises(DeadlineExceeded) as caught:
        read()
    assert time.monotonic() - before < 10  # all of it takes 15 s
    assert "hello"[: len(caught.value.partial)] == caught.value.partial[:5]
    assert server.hung_up.wait(5)


def test_a_stream_that_is_closed_hangs_up(server: OpenAIServer) -> None:
    server.say(streamed(*"hello " * 50, drip=0.05))
    with gt.stream("hi") as stream:
        next(stream)
    assert server.hung_up.wait(5)


def test_choose_is_not_streamed(server: OpenAIServer) -> None:
    server.say(weighed(yes=0.6, no=0.4))
    provider, request = (
        _provider_of("fast"),
        Request(messages=tuple(HELLO), alias="fast", model="m", choose=("yes", "no")),
    )

    async def pieces() -> list[Any]:
        return [piece async for piece in provider.stream(request)]

    assert [piece.text for piece in run_sync(pieces())] == ["yes", ""]
    assert "stream" not in server.seen[0]


# tools and vectors


WEATHER = Tool("weather", "Tells the weather.", {"type": "object", "properties": {"city": {"type": "string"}}})
CALL = {"id": "a", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}


def _provider_of(name: str) -> Any:
    settings = load_settings()
    return _provider(name, settings.settings.alias(name)[1], settings)


def send(**asked: Any) -> gt.Reply:
    request = Request(alias="fast", model="m", **{"messages": tuple(HELLO), **asked})
    reply: gt.Reply = run_sync(_provider_of("fast").send(request))
    return reply


def test_tools_are_offered_and_their_calls_come_back(server: OpenAIServer) -> None:
    server.say(completion(None, message={"content": None, "tool_calls": [CALL]}, finish_reason="tool_calls"))
    reply = send(tools=(WEATHER,), options={"tool_choice": "required"})
    assert reply.tool_calls == (ToolCall("a", "weather", '{"city": "Oslo"}'),)
    assert (reply.text, reply.finish_reason, reply.message["tool_calls"]) == ("", "tool_calls", [CALL])
    assert server.seen[0]["tools"] == [{"type": "function", "function": WEATHER.to_json()}]
    assert server.seen[0]["tool_choice"] == "required"


def test_vectors_have_an_address_of_their_own(server: OpenAIServer, alias: Alias) -> None:
    alias(price="{input = 1, output = 0}")
    server.say(Answer({"data": [{"index": 0, "embedding": [1, 0.5]}], "usage": {"prompt_tokens": 4}}))
    reply = send(messages=(), inputs=("a",), options={"dimensions": 2})
    assert (server.paths, server.seen) == (["/v1/embeddings"], [{"input": ["a"], "model": "m", "dimensions": 2}])
    assert (reply.vectors, reply.usage, reply.cost) == (((1.0, 0.5),), gt.Usage(4, 0), Decimal("0.000004"))


@pytest.mark.parametrize("structured", ["json", "prompt"])
def test_an_output_may_be_asked_for_without_a_schema(server: OpenAIServer, alias: Alias, structured: str) -> None:
    alias(structured=f'"{structured}"')
    server.say(completion('{"name": "Ann"}'))
    assert gt.chat("who?", output=Person).value == Person(name="Ann")
    assert server.seen[0].get("response_format") == ({"type": "json_object"} if structured == "json" else None)
    assert '"name"' in server.seen[0]["messages"][0]["content"]


def test_more_calls_than_there_is_room_for_wait_without_losing_their_time(
    server: OpenAIServer, alias: Alias, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gen_toolkit.models.exchange._MOST_IN_FLIGHT", 1)
    alias(deadline_s="2.8", max_attempts="1")  # less than the 3 s that all of them take
    server.say(Answer(completion("hello").body, delay=0.25))

    async def many() -> list[gt.Reply]:
        return await asyncio.gather(*(gt.achat(f"{number}") for number in range(12)))

    assert [reply.text for reply in asyncio.run(many())] == ["hello"] * 12
    assert len(set(server.connections)) == 1
