"""Another alias answers where one cannot; only where it may, and the record says who stood in for whom."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from openai_server import Answer, OpenAIServer, completion, error

import gen_toolkit as gt
from gen_toolkit import scope
from gen_toolkit.database.engine import open_database
from gen_toolkit.database.sql import select
from gen_toolkit.database.tables import calls
from gen_toolkit.errors import GenToolkitError, ModelOverloaded, ModelRefused, SettingError


@pytest.fixture
def first() -> Iterator[OpenAIServer]:
    server = OpenAIServer()
    yield server
    server.close()


@pytest.fixture
def second() -> Iterator[OpenAIServer]:
    server = OpenAIServer()
    server.say(completion("second"))
    yield server
    server.close()


@pytest.fixture(autouse=True)
def aliases(workspace: Path, first: OpenAIServer, second: OpenAIServer) -> None:
    (workspace / "gen_toolkit.toml").write_text(
        f"""
model = "first"
[models.first]
model = "m"
base_url = "{first.url}"
max_attempts = 1
fallbacks = ["second"]
[models.second]
model = "n"
base_url = "{second.url}"
max_attempts = 1
options = {{ temperature = 0 }}
"""
    )


ELSEWHERE = {
    "500": error(500),
    "429": error(429),
    "html": Answer("<html>"),
    "no quota": error(429, code="insufficient_quota"),
}


@pytest.mark.parametrize("fault", ELSEWHERE.values(), ids=ELSEWHERE)
def test_another_alias_answers_with_its_own_model_and_options(
    first: OpenAIServer, second: OpenAIServer, fault: Answer
) -> None:
    first.say(fault)
    reply = gt.chat("hi", max_tokens=3)
    assert (reply.text, reply.model) == ("second", "second")
    assert {k: v for k, v in second.seen[0].items() if k != "messages"} == {
        "model": "n",
        "temperature": 0,
        "max_tokens": 3,
    }
    assert "temperature" not in first.seen[0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_what_is_wrong_with_the_request_or_the_alias_is_said_and_not_hidden(
    first: OpenAIServer, second: OpenAIServer, status: int
) -> None:
    first.say(error(status))
    with pytest.raises(ModelRefused):
        gt.chat("hi")
    assert second.seen == []


def test_when_nobody_can_the_last_says_why_and_the_first_is_its_cause(
    first: OpenAIServer, second: OpenAIServer
) -> None:
    first.say(error(500))
    second.say(error(503))
    with pytest.raises(ModelOverloaded, match="'second' said not now") as caught:
        gt.chat("hi")
    assert "'first' said not now" in str(caught.value.__cause__)


def test_a_stream_falls_back_before_its_first_piece(first: OpenAIServer, second: OpenAIServer) -> None:
    first.say(error(500))
    stream = gt.stream("hi")
    assert [piece.text for piece in stream if piece.text] == ["second"]


def test_the_record_says_who_stood_in_for_whom(first: OpenAIServer) -> None:
    first.say(error(500))
    gt.chat("hi")
    with open_database().read() as connection:
        failed, answered = connection.execute(select(calls).order_by(calls.c.asked_at)).all()
    assert (failed.alias, failed.state, answered.alias, answered.state) == ("first", "failed", "second", "answered")
    assert answered.instead_of == failed.id


def test_an_answer_that_a_fallback_gave_is_reused_though_the_first_would_answer_now(
    first: OpenAIServer, second: OpenAIServer
) -> None:
    first.say(error(500), completion("first"))
    for source in ("live", "reuse", "replay"):
        with scope.inside(mode="reuse" if source == "live" else source, row=scope.Row("1")):
            reply = gt.chat("hi")
        assert (reply.text, reply.model, reply.source) == ("second", "second", source)
    assert (len(first.seen), len(second.seen)) == (1, 1)


def test_a_failure_for_which_nobody_answered_is_asked_again(first: OpenAIServer, second: OpenAIServer) -> None:
    first.say(error(500), completion("first"))
    second.say(error(500))
    with scope.inside(mode="reuse", row=scope.Row("1")), pytest.raises(GenToolkitError):
        gt.chat("hi")
    with scope.inside(mode="reuse", row=scope.Row("1")):
        assert gt.chat("hi").text == "first"


def test_texts_do_not_go_where_their_label_does_not_allow(workspace: Path, first: OpenAIServer) -> None:
    path = workspace / "gen_toolkit.toml"
    path.write_text(path.read_text().replace('model = "n"', 'model = "n"\ndata = "abroad"'))
    with pytest.raises(SettingError, match="falls back to 'second' \\(data 'abroad'\\)"):
        gt.chat("hi")
    assert first.seen == []
