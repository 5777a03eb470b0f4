"""In `reuse` one asks, and all who ask the same at the same time get its answer: tasks and processes."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from openai_server import Answer, OpenAIServer, completion, error

from gen_toolkit import scope
from gen_toolkit.database.engine import open_database
from gen_toolkit.database.tables import calls
from gen_toolkit.errors import GenToolkitError
from gen_toolkit.journal.store import Journal, open_journal
from gen_toolkit.models.chat import achat

SCRIPT = """
import gen_toolkit as gt
from gen_toolkit import scope
with scope.inside(mode="reuse", row=scope.Row("1")):
    print(gt.chat("hi").text, flush=True)
"""


@pytest.fixture(autouse=True)
def _alias(workspace: Path, server: OpenAIServer) -> None:
    (workspace / "gen_toolkit.toml").write_text(
        f'model = "m"\n[models.m]\nmodel = "m"\nbase_url = "{server.url}"\nmax_attempts = 1\n'
    )


async def ask() -> str:
    with scope.inside(mode="reuse", row=scope.Row("1")):
        return (await achat("hi")).text


def test_tasks_that_ask_the_same_at_once_share_one_call(server: OpenAIServer) -> None:
    server.say(Answer(completion("one").body, delay=0.2), completion("two"))

    async def many() -> list[str]:
        return await asyncio.gather(*(ask() for _ in range(20)))

    assert asyncio.run(many()) == ["one"] * 20
    assert len(server.seen) == 1


def test_when_the_one_who_asked_fails_another_asks(server: OpenAIServer) -> None:
    server.say(Answer(error(500).body, 500, delay=0.1), completion("two"))

    async def many() -> list[object]:
        return await asyncio.gather(*(ask() for _ in range(5)), return_exceptions=True)

    answers = asyncio.run(many())
    assert sum(isinstance(answer, GenToolkitError) for answer in answers) == 1, answers
    assert answers.count("two") == 4
    assert len(server.seen) == 2


def test_equal_calls_of_live_mode_are_each_made(server: OpenAIServer) -> None:
    async def many() -> None:
        await asyncio.gather(*(achat("hi") for _ in range(5)))

    asyncio.run(many())
    assert len(server.seen) == 5


def start(workspace: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", SCRIPT], cwd=workspace, stdout=subprocess.PIPE, text=True)


def until_asked(server: OpenAIServer, times: int) -> None:
    end = time.monotonic() + 30
    while len(server.seen) < times and time.monotonic() < end:
        time.sleep(0.01)
    assert len(server.seen) == times


def test_processes_share_one_call_too(workspace: Path, server: OpenAIServer) -> None:
    server.say(Answer(completion("one").body, delay=2), completion("two"))
    first = start(workspace)
    until_asked(server, 1)
    assert asyncio.run(ask()) == "one"
    assert first.communicate(timeout=30)[0] == "one\n"
    assert len(server.seen) == 1


def test_a_call_whose_process_was_killed_is_made_again(workspace: Path, server: OpenAIServer) -> None:
    server.say(Answer(completion("one").body, delay=20), completion("two"))
    first = start(workspace)
    until_asked(server, 1)
    first.kill()
    first.communicate()
    assert asyncio.run(ask()) == "two"


def test_a_call_cancelled_while_its_answer_is_written_stays_answered(server: OpenAIServer) -> None:
    """The answer is paid for: it is there for whoever asks next."""

    async def cancelled() -> None:
        task = asyncio.create_task(ask())
        writing = asyncio.Event()
        loop = asyncio.get_running_loop()
        real = Journal.answered

        async def answered(self: Journal, *given: Any) -> None:
            loop.call_soon_threadsafe(writing.set)
            await real(self, *given)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Journal, "answered", answered)
            await writing.wait()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    asyncio.run(cancelled())
    assert asyncio.run(ask()) == "hello"
    assert len(server.seen) == 1


def test_a_call_cancelled_while_its_intent_is_written_is_not_on_the_bill(server: OpenAIServer) -> None:
    journal = open_journal()

    async def cancelled() -> None:
        writing = asyncio.Event()
        loop = asyncio.get_running_loop()
        real = Journal.ask

        async def asking(self: Journal, *given: Any, **more: Any) -> Any:
            loop.call_soon_threadsafe(writing.set)
            return await real(self, *given, **more)

        with pytest.MonkeyPatch.context() as patch, open_database().write():  # the intent has to wait for this
            patch.setattr(Journal, "ask", asking)
            task = asyncio.create_task(ask())
            await writing.wait()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    asyncio.run(cancelled())
    until = time.monotonic() + 5
    while time.monotonic() < until and (found := calls_of(journal)) != [("failed", 0)]:
        time.sleep(0.01)
    assert found == [("failed", 0)]
    assert server.seen == []


def calls_of(journal: Journal) -> list[tuple[str, int | None]]:
    with journal.database.read() as connection:
        return [(row.state, row.cost) for row in connection.execute(calls.select())]
