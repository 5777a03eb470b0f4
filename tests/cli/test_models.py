"""gen models: what an alias means, and whether it answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import Gen, gen
from openai_server import OpenAIServer, completion, error

__all__ = ["gen"]
KEY = "sk-test-0123456789abcdef"

ALIASES = """
[models.fast]
model = "gpt-5-mini"
base_url = "https://api.openai.com/v1"
api_key = "env:THE_KEY"
requests_per_minute = 500
data = "eu"
fallbacks = ["near"]
[models.near]
model = "m"
base_url = "http://127.0.0.1:9/v1"
price = {input = 1, output = 2}
[models.odd]
provider = "nobody"
[models.dry]
provider = "scripted"
replies = "replies.json"
"""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gen_toolkit.models.links.retry._FIRST_PAUSE", 0.01)


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    server = OpenAIServer()
    yield server
    server.close()


def write(workspace: Path, server: OpenAIServer, more: str = "") -> None:
    (workspace / "replies.json").write_text('{"great": "positive"}')
    (workspace / "gen_toolkit.toml").write_text(
        f'[models.fast]\nmodel = "m"\nbase_url = "{server.url}"\napi_key = "env:THE_KEY"\nmax_attempts = 2\n'
        f'price = {{input = 1, output = 2}}\n{more}[models.dry]\nprovider = "scripted"\nreplies = "replies.json"\n'
    )


def test_the_list_says_what_each_alias_means_and_what_it_lacks(gen: Gen, workspace: Path) -> None:
    (workspace / "gen_toolkit.toml").write_text(ALIASES)
    found = {facts["alias"]: facts for facts in json.loads(gen("models", "list", "--json"))}
    assert list(found) == ["dry", "fast", "local", "near", "odd"]
    fast = found["fast"]
    assert (fast["provider"], fast["model"], fast["base_url"]) == ("openai", "gpt-5-mini", "https://api.openai.com/v1")
    assert (fast["key"], fast["limits"], fast["data"]) == ("env:THE_KEY", {"requests_per_minute": 500.0}, "eu")
    assert "THE_KEY is not set" in fast["key_problem"]
    assert "falls back to 'near'" in fast["problem"]
    assert "no provider 'nobody'" in found["odd"]["problem"]
    assert {name: facts["price_known"] for name, facts in found.items()} == {
        "dry": True, "fast": True, "local": True, "near": True, "odd": False
    }  # fmt: skip
    said = gen("models", "list")
    assert "env:THE_KEY (cannot be read)" in said
    assert "500 requests/minute" in said
    assert "odd: there is no provider 'nobody'" in said


def test_the_list_shows_no_key_and_no_password(gen: Gen, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_KEY", KEY)
    (workspace / "gen_toolkit.toml").write_text(ALIASES.replace("https://", "https://me:hidden@"))
    for said in (gen("models", "list"), gen("models", "list", "--json")):
        assert KEY not in said
        assert "hidden" not in said
        assert "cannot be read" not in said


def test_an_alias_that_answers_is_shown_with_what_it_took(
    gen: Gen, workspace: Path, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THE_KEY", KEY)
    write(workspace, server)
    server.say(error(500), completion("ok"))
    said = gen("models", "check", "fast")
    assert said.startswith("fast (m) answers 'ok': ")
    assert said.endswith("12+3 tokens, cost $0.000018, 2 attempts\n")
    told = json.loads(gen("models", "check", "fast", "--json"))
    assert (told["text"], told["cost"], told["usage"]["input_tokens"], told["attempts"]) == ("ok", "0.000018", 12, 1)
    assert json.loads(gen("calls", "show", told["call"], "--json"))["alias"] == "fast"


def test_what_is_wrong_is_one_line_with_the_advice(
    gen: Gen, workspace: Path, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(workspace, server)
    assert "THE_KEY is not set" in gen("models", "check", "fast", code=3)
    monkeypatch.setenv("THE_KEY", KEY)
    server.say(error(401, f"bad key {KEY}"))
    said = gen("models", "check", "fast", code=3)
    assert "401" in said
    assert KEY not in said
    told = json.loads(gen("models", "check", "fast", "--json", code=3))["error"]
    assert (told["code"], bool(told["fix"])) == ("model-refused", True)
    assert "Did you mean 'fast'?" in gen("models", "check", "fsat", code=2)
    monkeypatch.setenv("GEN_TOOLKIT_CALLS", "replay")
    assert "nothing is called in replay" in gen("models", "check", "fast", code=2)


def test_a_fallback_that_answers_does_not_hide_that_the_alias_does_not(
    gen: Gen, workspace: Path, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THE_KEY", KEY)
    write(workspace, server, 'fallbacks = ["dry"]\n')
    (workspace / "replies.json").write_text('["ok"]')
    server.say(error(503, "down for repairs"))
    said = gen("models", "check", "fast", code=3)
    assert "'fast'" in said
    assert "503" in said
    assert "Its fallback 'dry' answers." in said
    (workspace / "replies.json").write_text("[]")
    assert "Its fallback" not in gen("models", "check", "fast", code=3)


@pytest.mark.parametrize("replies", ['{"great": "positive"}', '{"a": "no", "*": "positive"}', '["positive"]'])
def test_a_script_is_asked_what_it_has_a_reply_for(
    gen: Gen, workspace: Path, server: OpenAIServer, replies: str
) -> None:
    write(workspace, server)
    (workspace / "replies.json").write_text(replies)
    assert "answers 'positive'" in gen("models", "check", "dry")


@pytest.mark.model
def test_the_embedded_model_answers_with_a_few_words(gen: Gen) -> None:
    told = json.loads(gen("models", "check", "local", "--json"))
    assert told["cost"] == "0"
    assert 0 < told["usage"]["output_tokens"] <= 16
