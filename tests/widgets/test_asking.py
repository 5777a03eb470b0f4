"""Several models at once: each answers, fails or is stopped for itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from held import Held
from openai_server import OpenAIServer, completion, error, streamed

import gen_toolkit as gt
from gen_toolkit.loop import event_loop, run_sync
from gen_toolkit.messages.request import Rendered
from gen_toolkit.widgets.asking import ask_all
from gen_toolkit.widgets.tries import Answer

PATIENCE = 30  # seconds


@pytest.fixture
def rendered(workspace: Path, server: OpenAIServer) -> Rendered:
    lines = f'model = "m"\nbase_url = "{server.url}"\nmax_attempts = 1\n'
    (workspace / "gen_toolkit.toml").write_text(f"[models.fast]\n{lines}[models.good]\n{lines}", encoding="utf-8")
    return gt.Prompt("greet", user="Hi {{ name }}")(name="Ada")


class Heard:
    """What was told of each column, in order."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Answer]] = []

    def __call__(self, column: int, answer: Answer) -> None:
        self.answers.append((column, answer))

    def last(self, column: int) -> Answer:
        return [answer for told, answer in self.answers if told == column][-1]

    def wait(self, is_so: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE
        while not is_so():
            assert time.monotonic() < until, self.answers
            time.sleep(0.02)


def both(*models: str) -> dict[str, str]:
    return {model: model for model in models}


def test_a_stream_is_told_piece_by_piece_and_ends_with_its_reply(rendered: Rendered, server: OpenAIServer) -> None:
    server.say(streamed("Hello", " Ada"))
    heard = Heard()
    run_sync(ask_all(rendered, both("fast"), True, heard))
    assert [(a.state, a.text) for _, a in heard.answers if a.text] == [
        ("writing", "Hello"),
        ("writing", "Hello Ada"),
        ("writing", "Hello Ada"),
        ("done", "Hello Ada"),
    ]
    reply = heard.last(0).reply
    assert reply is not None
    assert (reply.usage.input_tokens, reply.model) == (12, "fast")


def test_one_that_fails_is_one_line_and_the_other_answers(rendered: Rendered, server: OpenAIServer) -> None:
    said = iter([error(401, "bad <b>key</b>\nsecond line"), completion("Hello")])
    server.say(lambda body: next(said))
    heard = Heard()
    run_sync(ask_all(rendered, both("fast"), False, heard))
    run_sync(ask_all(rendered, both("good", "nobody"), False, heard))
    failed = [answer for _, answer in heard.answers if answer.state == "failed"]
    assert "401" in failed[0].error
    assert "there is no model alias 'nobody'" in failed[1].error
    assert not any("\n" in answer.error or "Traceback" in answer.error for answer in failed)
    assert [answer.text for _, answer in heard.answers if answer.state == "done"] == ["Hello"]


def test_an_answer_that_does_not_fit_is_a_line_beside_its_text(workspace: Path, server: OpenAIServer) -> None:
    line = f'[models.fast]\nmodel = "m"\nbase_url = "{server.url}"\nmax_attempts = 1\n'
    (workspace / "gen_toolkit.toml").write_text(line, encoding="utf-8")
    server.say(streamed("perhaps"))
    heard = Heard()
    run_sync(ask_all(gt.Prompt("p", user="x", output={"enum": ["yes", "no"]})(), both("fast"), True, heard))
    assert (heard.last(0).state, heard.last(0).text) == ("failed", "perhaps")
    assert "does not fit the declared output" in heard.last(0).error


def test_any_exception_of_a_model_of_ones_own_is_a_line() -> None:
    def broken(_: object) -> str:
        raise ZeroDivisionError("oh\nno")

    heard = Heard()
    run_sync(ask_all(gt.Prompt("p", user="x")(), {"mine": gt.ScriptedModel(broken)}, True, heard))
    assert heard.last(0).error == "ZeroDivisionError: oh no"


def test_stopped_keeps_what_has_come_and_closes_the_connections(rendered: Rendered, server: OpenAIServer) -> None:
    server.say(Held("Hel", "lo"))
    heard = Heard()
    future = asyncio.run_coroutine_threadsafe(ask_all(rendered, both("fast", "good"), True, heard), event_loop())
    heard.wait(lambda: {n for n, answer in heard.answers if answer.text == "Hel"} == {0, 1})
    future.cancel()
    heard.wait(lambda: {n for n, answer in heard.answers if answer.state == "stopped"} == {0, 1})
    assert [heard.last(column).text for column in (0, 1)] == ["Hel", "Hel"]
    assert server.hung_up.wait(PATIENCE)
