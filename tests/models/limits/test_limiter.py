"""The calls of one process: first come, first served, no question for each of them, and one word for all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from gen_toolkit.alias import Alias
from gen_toolkit.database.engine import open_database
from gen_toolkit.database.sql import func, select
from gen_toolkit.database.tables import limits
from gen_toolkit.errors import DatabaseError, ModelOverloaded
from gen_toolkit.journal.commits import GroupCommit
from gen_toolkit.messages.reply import Usage
from gen_toolkit.models.limits import limiter as kind
from gen_toolkit.models.limits.lease import Limit
from gen_toolkit.models.limits.limiter import FRESH, Limiter, Permit
from gen_toolkit.models.limits.open import open_limiter, waits
from gen_toolkit.models.limits.pace import Units

PATIENT = float("inf")


class Counting(GroupCommit):
    """Group commits that count what is asked of them."""

    questions = 0

    def send(self, work: Any, item: Any) -> asyncio.Future[Any]:
        self.questions += 1
        return super().send(work, item)


def limiter(requests: float = 0.0, tokens: float = 0.0, commits: GroupCommit | None = None) -> Limiter:
    """As in a process of its own; `requests` and `tokens` a second, 0: no limit."""
    pace = Units(*(1 / rate if rate else 0.0 for rate in (requests, tokens)))
    return Limiter(Limit("fast", "fast 1", pace), commits or GroupCommit(open_database()))


async def go(limiter: Limiter, tokens: float = 0.0, patience: float = PATIENT) -> Permit:
    return limiter.take(tokens) or await limiter.wait(tokens, patience)


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(work(), 20)

    asyncio.run(bounded())


async def instants(calls: Sequence[Awaitable[Permit]]) -> list[float]:
    """Seconds from now to when each of them may go."""
    start = time.monotonic()

    async def instant(call: Awaitable[Permit]) -> float:
        await call
        return time.monotonic() - start

    return list(await asyncio.gather(*map(instant, calls)))


def rows() -> int:
    with open_database().read() as connection:
        return int(connection.execute(select(func.count()).select_from(limits)).scalar_one())


def test_who_comes_first_goes_first_and_at_the_pace() -> None:
    async def work() -> None:
        one = limiter(requests=20)
        went = await instants([go(one) for _ in range(11)])
        assert went == sorted(went)
        assert 0.5 <= went[-1] < 8.0

    run(work)


def test_an_alias_without_limits_writes_nothing_and_looks_now_and_then() -> None:
    async def work() -> None:
        commits = Counting(open_database())
        one = limiter(commits=commits)
        start = time.monotonic()
        await asyncio.gather(*(go(one) for _ in range(300)))
        for _ in range(1_000):
            await go(one, 5_000.0)
        assert commits.questions <= 3 + (time.monotonic() - start) / (FRESH / 2)

    run(work)
    assert rows() == 0


def test_where_there_is_no_limit_the_next_look_is_taken_before_anybody_must_wait_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fresh = 20.0  # so that nothing happens by time alone
    monkeypatch.setattr(kind, "FRESH", fresh)

    async def work() -> None:
        commits = Counting(open_database())
        one = limiter(commits=commits)
        await go(one)
        for _ in range(3):
            asked = commits.questions
            one._looked = aged = time.monotonic() - fresh * 0.6
            assert all(one.take(100.0) for _ in range(100))
            while one._looked == aged:
                await asyncio.sleep(0.01)
            assert commits.questions == asked + 1

    run(work)


@pytest.mark.parametrize(("requests", "tokens"), [(20_000, 0), (0, 20_000_000), (20_000, 20_000_000)])
def test_limits_that_are_not_reached_cost_no_question_a_call(requests: float, tokens: float) -> None:
    async def work() -> None:
        commits = Counting(open_database())
        one = limiter(requests, tokens, commits)
        await go(one, 100)  # the schedule begins
        await asyncio.sleep(0.6)
        start = time.monotonic()
        for _ in range(4_000):
            one.used(await go(one, 100), Usage(50, 40))
        assert commits.questions < 12 + (time.monotonic() - start) / FRESH

    run(work)


def test_processes_share_the_pace_and_take_turns(either_database: str) -> None:
    async def work() -> None:
        one, other = limiter(requests=40), limiter(requests=40)
        start = time.monotonic()
        mine, others = await asyncio.gather(
            instants([go(one) for _ in range(40)]), instants([go(other) for _ in range(40)])
        )
        assert time.monotonic() - start >= 79 / 40 - 0.5
        assert abs(mine[-1] - others[-1]) < 1.0
        assert abs(sum(at < 1.0 for at in mine) - sum(at < 1.0 for at in others)) <= 21

    run(work)


def test_whoever_is_cancelled_leaves_the_turn_to_the_next() -> None:
    async def work() -> None:
        one = limiter(requests=0.5)
        await go(one)
        start = time.monotonic()
        waiting = [asyncio.create_task(go(one)) for _ in range(4)]
        await asyncio.sleep(0.05)
        for task in waiting[:3]:
            task.cancel()
        await waiting[3]
        assert time.monotonic() - start < 6  # its own turn would have come after eight seconds
        assert one.waiting == (0, 0.0)

    run(work)


@pytest.mark.parametrize("cancelled_before", [True, False])
def test_a_turn_that_comes_in_the_moment_of_cancelling_is_not_lost(
    cancelled_before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kind, "FRESH", 30.0)  # so that nothing happens by time alone
    monkeypatch.setattr("gen_toolkit.models.limits.pace.BLOCK", 30.0)

    async def work() -> None:
        one = limiter(requests=0.1)
        await go(one)
        first, second = (asyncio.create_task(go(one)) for _ in range(2))
        while len(one._due) < 2:
            await asyncio.sleep(0.001)
        one._due[0] = one._due[0]._replace(at=time.monotonic())  # the first is due, and nobody has told it
        happens = [first.cancel, one._go_on]
        for happened in happens if cancelled_before else reversed(happens):
            happened()
        await second
        assert first.cancelled()
        assert len(one._due) == 1  # the second has the turn of the first

    run(work)


def test_a_server_s_word_holds_for_other_processes_also_for_what_they_have_leased(
    either_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gen_toolkit.models.limits.pace.BLOCK", 5.0)  # all that wait have leases

    async def work() -> None:
        one, other = limiter(requests=10), limiter(requests=10)
        permit = await go(one)
        start = time.monotonic()
        waiting = asyncio.gather(instants([go(other) for _ in range(14)]))
        await asyncio.sleep(0.15)
        said = time.monotonic() - start
        one.not_now(permit, 2.0, slower=True)
        (went,) = await waiting
        assert not [at for at in went if said + FRESH + 0.6 < at < said + 1.95]
        assert await instants([go(one)])

    run(work)


def test_a_server_s_word_holds_for_a_process_that_comes_later_also_without_limits() -> None:
    async def work() -> None:
        one = limiter()
        permit = await go(one)
        begun = time.monotonic()
        one.not_now(permit, 2.0, slower=False)
        while not rows():
            await asyncio.sleep(0.01)
        await go(limiter())
        assert time.monotonic() - begun >= 1.85
        assert (await instants([go(one)]))[0] < 1.8

    run(work)


def test_whoever_cannot_wait_so_long_is_told_at_once() -> None:
    async def work() -> None:
        one = limiter(requests=1)
        permit = await go(one)
        waiting = asyncio.create_task(go(one, patience=5.0))
        await asyncio.sleep(0.01)
        one.not_now(permit, 30.0, slower=True)
        for call in (waiting, go(one, patience=5.0), go(limiter(requests=1), patience=5.0)):
            with pytest.raises(ModelOverloaded, match="left alone for") as caught:
                await asyncio.wait_for(call, 4)
            assert caught.value.data["retry_after"] == pytest.approx(30, abs=5)
            assert caught.value.billed is False

    run(work)


def test_tokens_count_as_they_were_used_not_as_they_were_guessed() -> None:
    async def work() -> None:
        one = limiter(tokens=1_000)
        one.used(await go(one, 10), Usage(400, 600))
        assert 0.3 < (await instants([go(one, 10)]))[0] < 8.0

        two = limiter(tokens=1_000)
        two.used(await go(two, 12_000), Usage(5, 5))
        assert (await instants([go(two, 10)]))[0] < 8.0

    run(work)


def test_tokens_of_a_call_that_its_server_did_not_take_are_given_back() -> None:
    async def work() -> None:
        one = limiter(tokens=1_000)
        one.unused(await go(one, 12_000))
        assert (await instants([go(one, 10)]))[0] < 8.0

    run(work)


def test_answers_tell_how_long_answers_are() -> None:
    async def work() -> None:
        one = limiter(tokens=100_000)
        for _ in range(60):
            one.used(await go(one, 10), Usage(5, 40))
        assert one.usual_output == pytest.approx(40, abs=1)
        one.used(await go(one, 10), Usage())
        assert one.usual_output == pytest.approx(40, abs=1)

    run(work)


def test_a_database_that_fails_is_an_error_of_those_who_wait() -> None:
    async def work() -> None:
        with open_database().write() as connection:
            connection.exec_driver_sql("DROP TABLE limits")
        one = limiter(requests=5)
        for outcome in await asyncio.gather(*(go(one) for _ in range(3)), return_exceptions=True):
            assert isinstance(outcome, DatabaseError)

    run(work)


def test_long_waits_can_be_shown() -> None:
    async def work() -> None:
        one = open_limiter("slow", Alias(requests_per_minute=6), GroupCommit(open_database()))
        await go(one)
        waiting = [asyncio.create_task(go(one)) for _ in range(3)]
        await asyncio.sleep(0.2)
        (wait,) = waits(longer_than=0.1)
        assert (wait.alias, wait.calls) == ("slow", 3)
        assert 0.1 < wait.seconds < 5
        assert waits(longer_than=60) == []
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert waits(longer_than=0.0) == []

    run(work)


def test_an_alias_that_leads_to_another_server_has_a_limit_of_its_own() -> None:
    commits = GroupCommit(open_database())
    here, there = (Alias(model="m", base_url=f"http://{host}:1/v1") for host in ("one", "two"))
    assert open_limiter("fast", here, commits) is open_limiter("fast", here, commits)
    assert open_limiter("fast", here, commits).limit.key != open_limiter("fast", there, commits).limit.key


def test_an_alias_of_any_name_has_a_limit(either_database: str) -> None:
    async def work() -> None:
        for name in ("schnell " * 60, "быстро\0"):
            one = open_limiter(name, Alias(requests_per_minute=600), GroupCommit(open_database()))
            assert (await instants([go(one) for _ in range(4)]))[-1] > 0.2

    run(work)
