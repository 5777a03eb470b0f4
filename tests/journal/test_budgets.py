"""The books of budgets: what is reserved and spent adds up, whoever books, and never crosses a limit."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen_toolkit.amount import Amount
from gen_toolkit.database.engine import open_database
from gen_toolkit.database.sql import Connection
from gen_toolkit.database.tables import budgets, calls, runs
from gen_toolkit.errors import BudgetExceeded, DatabaseError
from gen_toolkit.journal.accounts import Accounts
from gen_toolkit.journal.budgets import NOTHING, UNKNOWN, Account, Refusal, Reserve, Settle, Sum, book
from gen_toolkit.journal.commits import GroupCommit
from gen_toolkit.process import this_process
from gen_toolkit.scope import Budget, new_id

NOON = 1_795_780_800.0  # 2026-11-27 12:00 UTC
TODAY, TOMORROW = "2026-11-27", "2026-11-28"
HOUR = 3600.0


def budget(limit: str, key: str = "run:r", **more: Any) -> Budget:
    return Budget(key, Amount.of(limit), "the budget", **more)


def written(*entries: Reserve | Settle) -> list[Refusal | None]:
    with open_database().write() as connection:
        return book(connection, entries)


def account(key: str = "run:r") -> Account:
    with open_database().read() as connection:
        row = connection.execute(budgets.select().where(budgets.c.key == key)).mappings().one()
    return Account(**{name: value for name, value in row.items() if name != "key"})


def called(**values: Any) -> None:
    """A call as the journal has it."""
    row = {
        "id": new_id(), "key": "k", "cassette_key": "k", "request_hash": "h", "run": "other", "alias": "a",
        "model": "m", "state": "answered", "attempts": 1, "unanswered": 0, "input_tokens": 30, "output_tokens": 12,
        "cost": 1000, "process": this_process(), "asked_at": NOON, **values,
    }  # fmt: skip
    with open_database().write() as connection:
        connection.execute(calls.insert().values(row))


# arithmetic

amounts = st.one_of(st.none(), st.integers(0, 50))
sums = st.builds(Sum, amounts, amounts)
needs = st.builds(Sum, st.integers(0, 50), st.integers(0, 50))
limits = st.builds(Sum, st.one_of(st.none(), st.integers(0, 120)), st.one_of(st.none(), st.integers(0, 120)))


def within(taken: int, limit: int | None) -> bool:
    return limit is None or taken <= limit


@given(limit=limits, calls=st.lists(st.tuples(needs, st.floats(0, 1), st.booleans(), st.integers(0, 3))))
def test_however_calls_come_and_go_the_limit_is_kept_and_nothing_is_lost(
    limit: Sum, calls: list[tuple[Sum, float, bool, int]]
) -> None:
    """Each call takes a part of what it may, or nobody knows how much; it ends some calls later."""
    now, under_way, spent, unknown = Account(), list[tuple[Sum, Sum, int]](), [0, 0], [0, 0]

    def end(need: Sum, took: Sum) -> None:
        nonlocal now
        now = now.settle(need, took)
        for side, (held, known) in enumerate(((need.money, took.money), (need.tokens, took.tokens))):
            spent[side] += (held or 0) if known is None else known
            unknown[side] += held is None and known is None

    for most, part, known, length in calls:
        need = most.where(limit)
        under_way = [(n, t, left - 1) for n, t, left in under_way]
        for n, t, _left in [one for one in under_way if one[2] < 0]:
            end(n, t)
        under_way = [one for one in under_way if one[2] >= 0]
        if now.fits(need, limit):
            assert most.money is not None
            assert most.tokens is not None
            took = Sum(int(most.money * part), int(most.tokens * part)) if known else UNKNOWN
            now = now.reserve(need)
            under_way.append((need, took, length))
        assert within(now.spent_money + now.reserved_money, limit.money)
        assert within(now.spent_tokens + now.reserved_tokens, limit.tokens)
    for n, t, _ in under_way:
        end(n, t)
    assert now.reserved == NOTHING
    assert now.spent == Sum(*spent)
    assert now.unknown == Sum(*unknown)


@given(before=st.builds(Account, *[st.integers(0, 100)] * 6), need=sums, took=sums)
def test_what_is_released_leaves_no_trace_and_what_is_known_counts_as_it_is(
    before: Account, need: Sum, took: Sum
) -> None:
    assert before.reserve(need).settle(need, NOTHING) == before
    after = before.reserve(need).settle(need, took)
    assert after.reserved == before.reserved
    for side in ("money", "tokens"):
        known, held = getattr(took, side), getattr(need, side)
        added = getattr(after.spent, side) - getattr(before.spent, side)
        assert added == (held or 0 if known is None else known)


@given(need=needs, limit=limits)
def test_what_takes_nothing_fits_under_a_budget_that_is_overdrawn(need: Sum, limit: Sum) -> None:
    overdrawn = Account(spent_money=10**6, spent_tokens=10**6)
    takes_something = (limit.money is not None and need.money) or (limit.tokens is not None and need.tokens)
    assert overdrawn.fits(need, limit) == (not takes_something)


# booking


def test_a_reservation_is_held_under_all_its_budgets_or_under_none() -> None:
    inner, outer = budget("100 tokens", "run:inner"), budget("40 tokens", "run:outer")
    first, second = Reserve((outer, inner), Sum(tokens=30)), Reserve((outer, inner), Sum(tokens=11))
    (held, refused) = written(first, second)
    assert held is None
    assert refused is not None
    assert refused.budget is outer
    assert account("run:inner") == account("run:outer") == Account(reserved_tokens=30)


def test_what_a_settlement_frees_is_there_for_what_follows_it_in_the_same_transaction() -> None:
    limited = (budget("10 tokens"),)
    first, second = Reserve(limited, Sum(tokens=10)), Reserve(limited, Sum(tokens=7))
    assert written(first, Settle(first, Sum(0, 3)), second) == [None, None, None]
    assert account() == Account(spent_tokens=3, reserved_tokens=7)


def test_only_what_is_limited_is_reserved_and_all_that_is_known_is_spent() -> None:
    asked = Reserve((budget("1 USD"),), Sum(500, None))
    written(asked, Settle(asked, Sum(400, 40)))
    assert account() == Account(spent_money=400, spent_tokens=40)


def test_of_an_attempt_that_may_be_billed_all_it_might_take_is_spent_and_the_rest_is_unknown() -> None:
    asked = Reserve((budget("1 USD"),), Sum(500, None))
    written(asked, Settle(asked, UNKNOWN))
    assert account() == Account(spent_money=500, unknown_tokens=1)


def test_a_budget_that_holds_twice_is_booked_once_and_the_smaller_limit_holds() -> None:
    asked = Reserve((budget("1 USD"), budget("30 tokens")), Sum(5, 20))
    assert written(asked) == [None]
    assert account() == Account(reserved_money=5, reserved_tokens=20)
    (refused,) = written(asked)
    assert refused is not None
    assert refused.budget.limit == Amount.of("30 tokens")


def test_amounts_beyond_what_a_database_can_count_are_only_very_large() -> None:
    rich = (budget("99999999999999999999 USD, 99999999999999999999999 tokens"),)
    huge = Reserve(rich, Sum(2**61, 2**61))
    assert written(huge, Settle(huge, UNKNOWN), huge) == [None, None, None]
    assert written(huge) != [None]


def test_a_refusal_says_what_is_spent_what_is_held_and_what_was_needed() -> None:
    limited = (budget("0.01 USD", f"day:{TODAY}"),)
    first, second = (Reserve(limited, Sum(money)) for money in (4_000_000_000, 5_000_000_000))
    *_, refused = written(first, Settle(first, Sum(3_500_000_000, 7)), second, second)
    assert refused is not None
    assert refused.may_pass
    error = refused.error
    assert (error.budget, error.limit, error.spent, error.needed) == (
        "the budget", "0.01 USD", "0.0035 USD", "0.005 USD"
    )  # fmt: skip
    assert error.data["reserved"] == "0.005 USD"
    assert error.exit_code == 4
    assert "go on tomorrow" in error.fix
    assert "max_tokens" in error.fix


# a day, a pipeline, a run that is met for the first time


def test_a_day_begins_with_what_the_journal_knows_of_it() -> None:
    for at in (NOON - 12 * HOUR - 1, NOON - 12 * HOUR, NOON, NOON + 12 * HOUR - 1, NOON + 12 * HOUR):
        called(asked_at=at)
    written(Reserve((budget("1 USD", "day", daily=True).on(TODAY),), Sum(7)))
    assert account(f"day:{TODAY}") == Account(spent_money=3000, spent_tokens=3 * 42, reserved_money=7)
    written(Reserve((budget("1 USD", "day", daily=True).on(TOMORROW),), Sum(7)))
    assert account(f"day:{TOMORROW}") == Account(spent_money=1000, spent_tokens=42, reserved_money=7)


def test_a_run_begins_with_what_its_chain_of_resumed_runs_took() -> None:
    called(run="root", owner="root")
    called(run="an evaluation in the next attempt", owner="root")
    called(run="another", owner="another")
    called(run="plain", owner=None)
    written(Reserve((budget("1 USD", "run:root"), budget("1 USD", "run:plain")), Sum(7)))
    assert account("run:root") == Account(spent_money=2000, spent_tokens=84, reserved_money=7)
    assert account("run:plain") == Account(spent_money=1000, spent_tokens=42, reserved_money=7)


def test_a_pipeline_begins_with_what_its_jobs_took_on_that_day() -> None:
    with open_database().write() as connection:
        for name, kind in (("labels", "job"), ("labels", "try"), ("other", "job")):
            job = {
                "id": f"{name} {kind}", "kind": kind, "name": name, "notebook": "n", "parameters": "{}",
                "state": "succeeded", "created_at": NOON, "token": 1, "attempts": 1,
            }  # fmt: skip
            connection.execute(runs.insert().values(job))
    for owner in ("labels job", "labels try", "other job", None):
        called(run="an evaluation inside", owner=owner)
    called(run="yesterday", owner="labels job", asked_at=NOON - 24 * HOUR)
    written(Reserve((budget("1 USD", "pipeline:labels", daily=True).on(TODAY),), Sum(7)))
    assert account(f"pipeline:labels:{TODAY}") == Account(spent_money=1000, spent_tokens=42, reserved_money=7)


@pytest.mark.parametrize(
    ("values", "unknown"),
    [
        ({"cost": None}, Sum(1, 0)),
        ({"output_tokens": None}, Sum(0, 1)),
        ({"state": "failed", "unanswered": 1, "cost": None, "output_tokens": None}, Sum(1, 1)),
        ({"unanswered": 2}, Sum(1, 1)),
        ({"state": "asked", "process": "a-host-that-is-this-one 0 0", "cost": None}, Sum(1, 1)),
    ],
    ids=["no price", "no usage", "failed and may be billed", "answered at the third attempt", "killed in flight"],
)
def test_what_nobody_knows_is_not_summed_and_said(
    values: dict[str, Any], unknown: Sum, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gen_toolkit.process.socket.gethostname", lambda: "a-host-that-is-this-one")
    called(**values)
    (refused,) = written(Reserve((budget("0 USD, 0 tokens", f"day:{TODAY}"),), Sum(7, 7)))
    assert refused is not None
    assert account(f"day:{TODAY}").unknown == unknown
    assert refused.error.data["unknown"] == 1
    assert "besides 1 call whose cost nobody knows" in refused.error.message


def test_calls_that_are_under_way_elsewhere_are_not_counted_before_they_reserve() -> None:
    called(state="asked", cost=None, input_tokens=None, output_tokens=None)
    written(Reserve((budget("1 USD", f"day:{TODAY}"),), Sum(7)))
    assert account(f"day:{TODAY}") == Account(reserved_money=7)


# one process


Act = Callable[[Accounts], Any]


def on_accounts(act: Act) -> None:
    """Run `act` on books of its own loop, and wait until all is written."""

    async def run() -> None:
        commits = GroupCommit(open_database())
        await asyncio.wait_for(act(Accounts(commits)), 20)
        await commits.submit(_nothing, None)

    asyncio.run(run())


def asked(tokens: int, *limited: Budget) -> Reserve:
    return Reserve(limited or (budget("10 tokens"),), Sum(tokens=tokens))


async def reserved(accounts: Accounts, reservation: Reserve) -> Reserve:
    await accounts.reserve(reservation, waiting=contextlib.nullcontext)
    return reservation


def test_a_call_waits_for_the_room_that_others_of_this_process_may_leave() -> None:
    async def act(accounts: Accounts) -> None:
        first = await reserved(accounts, asked(8))
        waiting = asyncio.create_task(reserved(accounts, asked(5)))
        while not accounts._lines:
            await asyncio.sleep(0.01)
        assert not waiting.done()
        accounts.settle(first, Sum(0, 2))
        accounts.settle(await waiting, Sum(0, 5))

    on_accounts(act)
    assert account() == Account(spent_tokens=2 + 5)


def test_who_waits_is_refused_when_nothing_is_under_way_any_more() -> None:
    async def act(accounts: Accounts) -> None:
        first = await reserved(accounts, asked(8))
        waiting = [asyncio.create_task(reserved(accounts, asked(5))) for _ in range(3)]
        await asyncio.sleep(0.05)
        accounts.settle(first, Sum(0, 8))
        for task in waiting:
            with pytest.raises(BudgetExceeded, match="8 tokens are spent, and this call may take 5 tokens"):
                await task

    on_accounts(act)


def test_who_could_never_fit_is_refused_at_once_and_who_takes_nothing_never_waits() -> None:
    async def act(accounts: Accounts) -> None:
        await reserved(accounts, asked(8))
        waiting = asyncio.create_task(reserved(accounts, asked(5)))
        while not accounts._lines:
            await asyncio.sleep(0.01)
        with pytest.raises(BudgetExceeded):
            await reserved(accounts, asked(11, budget("10 tokens", "run:other")))
        await reserved(accounts, asked(0))
        waiting.cancel()

    on_accounts(act)


def test_room_that_only_another_process_may_leave_is_not_waited_for() -> None:
    written(asked(8))  # as another process would

    async def act(accounts: Accounts) -> None:
        with pytest.raises(BudgetExceeded, match="8 tokens are held for calls on their way"):
            await reserved(accounts, asked(5))

    on_accounts(act)


def test_who_is_cancelled_while_reserving_holds_nothing() -> None:
    async def act(accounts: Accounts) -> None:
        accounts._commits.send(_dally, None)
        gone = asyncio.create_task(reserved(accounts, asked(8)))
        await asyncio.sleep(0.05)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        await asyncio.sleep(0.4)
        await reserved(accounts, asked(10))

    on_accounts(act)
    assert account() == Account(reserved_tokens=10)


def _nothing(_: Connection, items: list[None]) -> list[None]:
    return items


def _dally(_: Connection, items: list[None]) -> list[None]:
    """The writer is busy for a while."""
    import time

    time.sleep(0.3)
    return items


def test_when_the_books_cannot_be_written_nothing_is_held() -> None:
    async def act(accounts: Accounts) -> None:
        with open_database().write() as connection:
            connection.exec_driver_sql("DROP TABLE budgets")
        with pytest.raises(DatabaseError, match="budgets"):
            await reserved(accounts, asked(1))
        assert not accounts._held

    on_accounts(act)
