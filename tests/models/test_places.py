"""Places at a model: no more calls are there at once, and whoever waits for one has sent nothing."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from openai_server import Answer, OpenAIServer, completion

import gen_toolkit as gt
from gen_toolkit.database.engine import open_database
from gen_toolkit.database.tables import calls
from gen_toolkit.models.chat import achat
from gen_toolkit.models.places import at_most


@pytest.fixture(autouse=True)
def _alias(workspace: Path, server: OpenAIServer) -> None:
    (workspace / "gen_toolkit.toml").write_text(
        f'model = "m"\n[models.m]\nmodel = "m"\nbase_url = "{server.url}"\nconcurrency = 3\n'
    )


class Watched:
    """Answers after a while, and knows how many waited for it at most."""

    def __init__(self, delay: float = 0.05) -> None:
        self._lock, self._delay = threading.Lock(), delay
        self._now = self.most = 0

    def __call__(self, body: dict[str, Any]) -> Answer:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(self._delay)
        with self._lock:
            self._now -= 1
        return completion(body["messages"][-1]["content"])


def test_no_more_calls_are_at_their_models_than_there_are_places(server: OpenAIServer) -> None:
    watched = Watched()
    server.say(watched)

    async def many() -> list[str]:
        with at_most(2):
            return [reply.text for reply in await asyncio.gather(*(achat(str(n)) for n in range(10)))]

    assert asyncio.run(many()) == [str(n) for n in range(10)]
    assert watched.most == 2


def test_without_a_bound_all_go_at_once(server: OpenAIServer) -> None:
    watched = Watched()
    server.say(watched)

    async def many() -> None:
        await asyncio.gather(*(achat(str(n)) for n in range(10)))

    asyncio.run(many())
    assert watched.most > 2


def test_an_evaluation_keeps_all_places_taken_and_takes_no_more(server: OpenAIServer) -> None:
    watched = Watched()
    server.say(watched)
    rows = [{"text": str(n), "label": str(n)} for n in range(40)]
    result = gt.evaluate(gt.Prompt("p", user="{{ text }}"), rows, scorer=gt.scorers.exact("label"))
    assert (result.mean(), len(result.failed)) == (1.0, 0)
    assert watched.most == 3


def test_what_a_function_asks_at_once_is_its_own_matter(server: OpenAIServer) -> None:
    watched = Watched(delay=0.5)
    server.say(watched)

    async def five_at_once(row: Any) -> str:
        replies = await asyncio.gather(*(achat(f"{row['text']} {n}") for n in range(5)))
        return replies[0].text

    gt.evaluate(five_at_once, [{"text": str(n)} for n in range(6)], scorer=lambda value, row: bool(value))
    assert watched.most > 8  # rows of a function in flight


def test_who_is_cancelled_while_waiting_for_a_place_has_sent_nothing(server: OpenAIServer) -> None:
    place_is_left = threading.Event()

    def one(_: dict[str, Any]) -> Answer:
        place_is_left.wait(30)
        return completion("one")

    server.say(one)

    async def two() -> list[Any]:
        with at_most(1):
            first = asyncio.create_task(achat("first"))
            while not server.seen:
                await asyncio.sleep(0.01)
            second = asyncio.create_task(achat("second"))
            await _recorded(2)
            second.cancel()
            await asyncio.wait([second])
            place_is_left.set()
            return await asyncio.gather(first, second, return_exceptions=True)

    answered, cancelled = asyncio.run(two())
    assert answered.text == "one"
    assert isinstance(cancelled, asyncio.CancelledError)
    assert len(server.seen) == 1
    _, second = _ended(2)
    assert (second.state, second.unanswered, second.cost) == ("failed", 0, 0)
    assert "before it was made" in second.error


def test_who_is_cancelled_after_sending_may_be_on_the_bill(server: OpenAIServer) -> None:
    server.say(Answer(completion("late").body, delay=1.0))

    async def one() -> None:
        task = asyncio.create_task(achat("first"))
        while not server.seen:
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(one())
    (row,) = _ended(1)
    assert (row.state, row.unanswered, row.cost) == ("failed", 1, None)


async def _recorded(count: int) -> None:
    while len(_rows()) < count:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)  # and told


def _ended(count: int) -> list[Any]:
    """The calls on record, once so many are over: how one ended is written after it was cancelled."""
    until = time.monotonic() + 10
    while sum(row.state != "asked" for row in _rows()) < count and time.monotonic() < until:
        time.sleep(0.01)
    return _rows()


def _rows() -> list[Any]:
    with open_database().read() as connection:
        return list(connection.execute(calls.select().order_by(calls.c.asked_at)).all())
