"""What every provider keeps: the same cases, through the same alias, for each of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from openai_server import COUNTED, DONE, Answer, OpenAIServer, completion, delta, events, streamed, weighed
from pydantic import BaseModel

import gen_toolkit as gt
from gen_toolkit import scope
from gen_toolkit.errors import ModelError
from gen_toolkit.loop import run_sync
from gen_toolkit.messages.request import Request
from gen_toolkit.messages.tool import Tool
from gen_toolkit.models.gateway import open_door

Sentiment = Literal["positive", "negative"]
LABEL = "A great film, I loved it!\n\nIs the review positive or negative?"
RATE = "Rate this film review as JSON: a great film."


class Rating(BaseModel):
    good: bool
    stars: Literal[1, 2, 3]


def as_openai(body: dict[str, Any]) -> Answer:
    """A well-behaved server: keeps to the schema, weighs first tokens, calls a tool, makes vectors, streams."""
    if "input" in body:
        data = [{"index": place, "embedding": [len(text), 1]} for place, text in enumerate(body["input"])]
        return Answer({"data": data, "usage": {"prompt_tokens": 4, "total_tokens": 4}})
    if body.get("logprobs"):
        return weighed(pos=0.6, Neg=0.3, the=0.1)
    if body.get("tools"):
        function = {"name": "weather", "arguments": '{"city": "Oslo"}'}
        calls = [{"index": 0, "id": "call-1", "type": "function", "function": function}]
        if body.get("stream"):
            return events(delta(tool_calls=calls), delta("tool_calls"), COUNTED, DONE)
        return completion(None, message={"content": None, "tool_calls": calls}, finish_reason="tool_calls")
    if body.get("stream"):
        return streamed("Hel", "lo!")
    schema = body.get("response_format", {}).get("json_schema", {}).get("schema", {})
    if not schema:
        return completion("Hello!")
    wrapped = "value" in schema["properties"]
    return completion(json.dumps({"value": "positive"} if wrapped else {"good": True, "stars": 3}))


SCRIPT = {
    "Rate this": '{"good": true, "stars": 3}',
    "weather": {"tool_calls": [{"name": "weather", "arguments": {"city": "Oslo"}}]},
    "embed": {"vectors": [[5, 1], [5, 1]]},
    "Weigh": {"probabilities": {"positive": 0.7, "negative": 0.3}},
    "review positive": "positive",
    "*": "Hello!",
}


OPENAI = ["openai/fast", "openai/sdk", "azure/fast", "azure/sdk"]


@pytest.fixture(params=[*OPENAI, "scripted", pytest.param("embedded", marks=pytest.mark.model)])
def provider(request: pytest.FixtureRequest, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The alias `subject` of this provider."""
    kind, _, transport = request.param.partition("/")
    lines = {"provider": kind}
    server = OpenAIServer() if transport else None
    if server is not None:
        server.say(as_openai)
        monkeypatch.setenv("THE_KEY", "contract-0123456789")
        lines |= {"model": "m", "base_url": server.url, "transport": transport, "api_key": "env:THE_KEY"}
    if kind == "azure":
        lines |= {"api_version": "2024-10-21"}
    if kind == "scripted":
        (workspace / "replies.json").write_text(json.dumps(SCRIPT))
        lines |= {"replies": "replies.json"}
    toml = "\n".join(f'{name} = "{value}"' for name, value in lines.items())
    price = "price = {input = 1, output = 2}" if server else ""
    (workspace / "gen_toolkit.toml").write_text(f'model = "subject"\n[models.subject]\n{toml}\n{price}\n')
    yield kind
    if server is not None:
        server.close()


def is_sound(reply: gt.Reply) -> None:
    assert (reply.model, reply.attempts, reply.source) == ("subject", 1, "live")
    assert reply.id
    assert reply.finish_reason in {"stop", "length", "tool_calls"}
    assert (reply.usage.input_tokens or 0) > 0
    assert (reply.usage.output_tokens or 0) > 0
    assert isinstance(reply.cost, Decimal)
    assert 0 <= reply.seconds < 60


def test_a_text(provider: str) -> None:
    reply = gt.chat("Say hello.", max_tokens=8)
    is_sound(reply)
    assert reply.text
    assert reply.value == reply.text


def test_labels(provider: str) -> None:
    reply = gt.chat(LABEL, output=Sentiment, max_tokens=20)
    is_sound(reply)
    assert reply.value in ("positive", "negative")


def test_a_pydantic_model(provider: str) -> None:
    reply = gt.chat(RATE, output=Rating, max_tokens=60)
    is_sound(reply)
    assert isinstance(reply.value, Rating)
    assert reply.value == Rating.model_validate_json(reply.text)


def test_choose(provider: str) -> None:
    reply = gt.choose("Weigh it. " + LABEL, ["positive", "negative"])
    is_sound(reply)
    probabilities = reply.probabilities or {}
    assert list(probabilities) == ["positive", "negative"]
    assert sum(probabilities.values()) == pytest.approx(1)
    assert reply.value == max(probabilities, key=lambda label: probabilities[label])


def test_a_recorded_answer_is_given_again_without_a_call(provider: str) -> None:
    replies = []
    for mode in ("live", "replay"):
        with scope.inside(mode=mode, row=scope.Row("1")):
            replies.append(gt.chat("Say hello.", max_tokens=8))
    first, again = replies
    assert again.to_json() == first.to_json()
    assert again.source == "replay"


def test_a_conversation_with_several_roles(provider: str) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Say hello."},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "Say it again."},
    ]
    is_sound(gt.chat(messages, max_tokens=8))


def test_a_stream(provider: str) -> None:
    stream = gt.stream("Say hello.", max_tokens=8)
    pieces = list(stream)
    assert stream.reply is not None
    is_sound(stream.reply)
    assert "".join(piece.text for piece in pieces) == stream.text == stream.reply.text != ""
    assert tuple(len(piece.text) for piece in pieces[:-1]) == stream.reply.pieces
    assert [piece.reply is None for piece in pieces] == [True] * (len(pieces) - 1) + [False]
    assert stream.reply.first_token_seconds is not None


def test_a_recorded_stream_is_given_again_in_the_same_pieces(provider: str) -> None:
    said = []
    for mode in ("live", "replay"):
        with scope.inside(mode=mode, row=scope.Row("1")):
            said.append([piece.text for piece in gt.stream("Say hello.", max_tokens=8)])
    assert said[0] == said[1]


def ask(**asked: Any) -> gt.Reply:
    """Through the whole chain, as the surface for tools and vectors does."""
    reply: gt.Reply = run_sync(open_door("subject").chain.send(Request(**{"messages": (), **asked})))
    return reply


WEATHER = Tool("weather", "Tells the weather.", {"type": "object", "properties": {"city": {"type": "string"}}})


def test_a_tool(provider: str) -> None:
    asked = ({"role": "user", "content": "What is the weather in Oslo?"},)
    reply = ask(messages=asked, tools=(WEATHER,), options={"tool_choice": "required", "max_tokens": 60})
    if provider != "scripted":
        is_sound(reply)
    (call,) = reply.tool_calls
    assert (call.name, bool(call.id), reply.text) == ("weather", True, "")
    assert call.arguments is not None


def test_vectors(provider: str) -> None:
    texts = ("embed one", "embed two")
    if provider == "embedded":
        with pytest.raises(ModelError, match=r"gt\.embed"):
            ask(inputs=texts)
        return
    reply = ask(inputs=texts)
    assert reply.vectors is not None
    assert [len(vector) for vector in reply.vectors] == [2, 2]
    assert (reply.usage.input_tokens, reply.usage.output_tokens, reply.finish_reason) == (4, 0, "stop")
    assert isinstance(reply.cost, Decimal)


@pytest.mark.model
def test_the_embedded_model_says_the_same_twice_and_costs_nothing(workspace: Path) -> None:
    first, second = (gt.chat("Name a colour.", max_tokens=8) for _ in range(2))
    assert first.text == second.text
    assert first.cost == second.cost == 0


@pytest.mark.model
def test_a_prompt_longer_than_the_embedded_models_window_is_refused_with_advice(workspace: Path) -> None:
    with pytest.raises(ModelError, match="Shorten the prompt") as caught:
        gt.chat("word " * 4000)
    assert caught.value.attempts == 1
    assert "\n" not in str(caught.value)


@pytest.mark.model
@pytest.mark.parametrize("options", [{"temperature": "hot"}, {"max_tokens": "many"}], ids=str)
def test_an_impossible_option_is_one_typed_error(workspace: Path, options: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="embedded"):
        gt.chat("hi", **{"max_tokens": 4, **options})
