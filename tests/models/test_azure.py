"""Azure's addresses and its header; all else is the OpenAI provider's."""

from __future__ import annotations

from typing import Any

import pytest
from openai_server import Answer, OpenAIServer, completion, error, streamed

from gen_toolkit.alias import Alias
from gen_toolkit.errors import MissingSecret, ModelRefused, SettingError
from gen_toolkit.loop import run_sync
from gen_toolkit.messages.request import Request
from gen_toolkit.models.azure import AzureProvider

KEY = "azure-0123456789abcdef"
ASKED = Request(messages=({"role": "user", "content": "hi"},), alias="work", model="my deployment")


@pytest.fixture(params=["fast", "sdk"])
def provider(request: pytest.FixtureRequest, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("THE_KEY", KEY)
    made = []

    def make(**settings: Any) -> AzureProvider:
        given = {"model": ASKED.model, "base_url": server.url.removesuffix("/v1"), "api_key": "env:THE_KEY"}
        given |= {"api_version": "2024-10-21", "provider": "azure", "transport": request.param, **settings}
        made.append(AzureProvider("work", Alias(**given), None))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        run_sync(each.close())


def test_a_deployment_has_its_address_and_the_key_its_header(server: OpenAIServer, provider: Any) -> None:
    assert run_sync(provider().send(ASKED)).text == "hello"
    assert server.paths == ["/openai/deployments/my%20deployment/chat/completions?api-version=2024-10-21"]
    assert server.headers[0]["api-key"] == KEY
    assert "authorization" not in server.headers[0]


def test_streams_and_vectors_go_there_too(server: OpenAIServer, provider: Any) -> None:
    async def streamed_text() -> str:
        return "".join([piece.text async for piece in asker.stream(ASKED)])

    asker = provider()
    server.say(streamed("hel", "lo"), Answer({"data": [{"embedding": [1.0]}]}))
    assert run_sync(streamed_text()) == "hello"
    assert run_sync(asker.send(Request(messages=(), inputs=("a",), alias="work"))).vectors == ((1.0,),)
    assert server.paths[1] == "/openai/deployments/my%20deployment/embeddings?api-version=2024-10-21"


@pytest.mark.parametrize("header", ["api-key", "Authorization"])
def test_a_token_may_come_by_a_header_of_the_alias(
    server: OpenAIServer, provider: Any, monkeypatch: pytest.MonkeyPatch, header: str
) -> None:
    monkeypatch.setenv("TOKEN", "Bearer of-entra-id")
    run_sync(provider(api_key=None, headers={header: "env:TOKEN"}).send(ASKED))
    sent = {name: value for name, value in server.headers[0].items() if name in {"api-key", "authorization"}}
    assert sent == {header.lower(): "Bearer of-entra-id"}


@pytest.mark.parametrize("missing", ["base_url", "api_version", "model"])
def test_what_an_alias_lacks_is_named_before_a_call(provider: Any, missing: str) -> None:
    with pytest.raises(SettingError, match=missing):
        provider(**{missing: None})


def test_without_a_key_nothing_is_sent(server: OpenAIServer, provider: Any) -> None:
    with pytest.raises(MissingSecret, match="work"):
        run_sync(provider(api_key=None).send(ASKED))
    assert server.seen == []


def test_its_filter_is_told_by_its_reason(server: OpenAIServer, provider: Any) -> None:
    server.say(error(400, "The response was filtered", code="content_filter"))
    with pytest.raises(ModelRefused) as caught:
        run_sync(provider().send(ASKED))
    assert caught.value.reason == "content-filter"


def test_it_answers_as_the_model_it_has(server: OpenAIServer, provider: Any) -> None:
    server.say(completion("hello", content_filter_results={}))
    assert run_sync(provider().send(ASKED)).finish_reason == "stop"
