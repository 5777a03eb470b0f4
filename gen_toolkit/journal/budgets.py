"""What is spent under budgets, and what calls on their way may still take: booked so that none is crossed.

A booking is an entry of the journal's group commit. Reservations and settlements are handed to ONE
function in the order they were sent, so whoever settles and then reserves sees what that freed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gen_toolkit.amount import Amount, from_pico, to_pico
from gen_toolkit.database.sql import ColumnElement, Connection, and_, bindparam, case, func, insert_new, or_, select
from gen_toolkit.database.tables import budgets, calls, runs
from gen_toolkit.errors import BudgetExceeded
from gen_toolkit.process import is_alive
from gen_toolkit.scope import Budget

_LARGEST = 2**62  # a whole number of the database holds twice that

_FIX = {
    "run": "Raise the budget of the run (budget=…, or budgets.run in the settings)",
    "pipeline": "Raise budget in pipeline.toml, or go on tomorrow",
    "day": "Raise budgets.day in the settings, or go on tomorrow",
}


@dataclass(frozen=True)
class Sum:
    """Money in 10^-12 USD, and tokens. None: not limited, not known, or not asked for."""

    money: int | None = None
    tokens: int | None = None

    @classmethod
    def of(cls, amount: Amount) -> Sum:
        money = None if amount.usd is None else min(to_pico(amount.usd), _LARGEST)
        return cls(money, None if amount.tokens is None else min(amount.tokens, _LARGEST))

    def where(self, limit: Sum) -> Sum:
        """Only the sides that are limited."""
        return Sum(
            self.money if limit.money is not None else None,
            self.tokens if limit.tokens is not None else None,
        )

    def __str__(self) -> str:
        return str(Amount(None if self.money is None else from_pico(self.money), self.tokens))


NOTHING = Sum(0, 0)
UNKNOWN = Sum()


@dataclass(frozen=True)
class Account:
    """What stands in the books under one key."""

    spent_money: int = 0
    spent_tokens: int = 0
    reserved_money: int = 0
    reserved_tokens: int = 0
    unknown_money: int = 0
    """Calls of which nobody knows what they took: what is spent is without them."""
    unknown_tokens: int = 0

    @property
    def spent(self) -> Sum:
        return Sum(self.spent_money, self.spent_tokens)

    @property
    def reserved(self) -> Sum:
        return Sum(self.reserved_money, self.reserved_tokens)

    @property
    def unknown(self) -> Sum:
        return Sum(self.unknown_money, self.unknown_tokens)

    def fits(self, need: Sum, limit: Sum) -> bool:
        """Whether `need` may be reserved. What takes nothing crosses nothing."""
        sides = (
            (self.spent_money + self.reserved_money, need.money, limit.money),
            (self.spent_tokens + self.reserved_tokens, need.tokens, limit.tokens),
        )
        return all(not needed or most is None or taken + needed <= most for taken, needed, most in sides)

    def reserve(self, need: Sum) -> Account:
        return replace(
            self,
            reserved_money=self.reserved_money + (need.money or 0),
            reserved_tokens=self.reserved_tokens + (need.tokens or 0),
        )

    def settle(self, need: Sum, took: Sum) -> Account:
        """End a reservation of `need`. Where nobody knows what was taken, all that was reserved is spent."""
        money, tokens = (
            held if known is None else known for held, known in ((need.money, took.money), (need.tokens, took.tokens))
        )
        return Account(
            spent_money=self.spent_money + (money or 0),
            spent_tokens=self.spent_tokens + (tokens or 0),
            reserved_money=self.reserved_money - (need.money or 0),
            reserved_tokens=self.reserved_tokens - (need.tokens or 0),
            unknown_money=self.unknown_money + (money is None),
            unknown_tokens=self.unknown_tokens + (tokens is None),
        )


@dataclass(frozen=True)
class Reserve:
    """The most that one attempt may take, to be held under every budget (each of its day), or under none."""

    budgets: tuple[Budget, ...]
    need: Sum

    def entries(self) -> Iterator[tuple[str, Sum]]:
        """Key by key what is held: a budget that holds twice, with two limits, is booked once."""
        limits: dict[str, Sum] = {}
        for budget in self.budgets:
            limit, other = Sum.of(budget.limit), limits.get(budget.key, Sum())
            limits[budget.key] = Sum(
                limit.money if other.money is None else other.money,
                limit.tokens if other.tokens is None else other.tokens,
            )
        for key, limit in limits.items():
            yield key, self.need.where(limit)


@dataclass(frozen=True)
class Settle:
    """What became of a reservation: NOTHING where it is surely on no bill, a side None where nobody knows."""

    reservation: Reserve
    took: Sum


@dataclass(frozen=True)
class Refusal:
    """A budget that has no room for what was asked."""

    budget: Budget
    account: Account
    need: Sum

    @property
    def may_pass(self) -> bool:
        """Whether there is room as soon as calls on their way are over, should they take less than they may."""
        return replace(self.account, reserved_money=0, reserved_tokens=0).fits(self.need, Sum.of(self.budget.limit))

    @property
    def error(self) -> BudgetExceeded:
        limit = Sum.of(self.budget.limit)
        spent, held, need = (side.where(limit) for side in (self.account.spent, self.account.reserved, self.need))
        held_too = "" if held == NOTHING.where(limit) else f", {held} are held for calls on their way"
        not_known = self.account.unknown.where(limit)
        unknown = max(not_known.money or 0, not_known.tokens or 0)
        besides = f", besides {unknown} call{'s' * (unknown != 1)} whose cost nobody knows" if unknown else ""
        return BudgetExceeded(
            f"the budget of {self.budget.name} is {self.budget.limit}: {spent} are spent{besides}{held_too}, "
            f"and this call may take {need}",
            fix=f"{_FIX[self.budget.key.partition(':')[0]]}, or allow the call less output (max_tokens).",
            budget=self.budget.name,
            spent=str(spent),
            limit=str(self.budget.limit),
            needed=str(need),
            reserved=str(held),
            unknown=unknown,
        )


def book(connection: Connection, entries: Sequence[Reserve | Settle]) -> list[Refusal | None]:
    """Book in the order given. A reservation is held under all its budgets, or refused by one and held under none."""
    before = _accounts(connection, entries)
    accounts = dict(before)
    results: list[Refusal | None] = []
    for entry in entries:
        refusal = None
        if isinstance(entry, Settle):
            for key, need in entry.reservation.entries():
                accounts[key] = accounts[key].settle(need, entry.took)
        elif (refusal := _refusal(accounts, entry)) is None:
            for key, need in entry.entries():
                accounts[key] = accounts[key].reserve(need)
        results.append(refusal)
    changed = [{"of": key, **vars(now)} for key, now in accounts.items() if now != before[key]]
    if changed:
        connection.execute(_UPDATE, changed)
    return results


def _refusal(accounts: dict[str, Account], asked: Reserve) -> Refusal | None:
    for budget in asked.budgets:
        if not accounts[budget.key].fits(asked.need, Sum.of(budget.limit)):
            return Refusal(budget, accounts[budget.key], asked.need)
    return None


_COLUMNS = [column.name for column in fields(Account)]
_UPDATE = budgets.update().where(budgets.c.key == bindparam("of")).values({name: bindparam(name) for name in _COLUMNS})


def _accounts(connection: Connection, entries: Sequence[Reserve | Settle]) -> dict[str, Account]:
    """The accounts of all keys; one that is met for the first time begins with what the journal knows."""
    asked = [entry.reservation if isinstance(entry, Settle) else entry for entry in entries]
    keys = sorted({budget.key for reservation in asked for budget in reservation.budgets})
    found = _read(connection, keys)
    if missing := [key for key in keys if key not in found]:
        insert_new(connection, budgets, [{"key": key, **vars(_begun(connection, key))} for key in missing])
        found = _read(connection, keys)
    return found


def _read(connection: Connection, keys: Sequence[str]) -> dict[str, Account]:
    """Nobody else may change them before this transaction is over; in the order of their keys: no deadlock."""
    query = select(budgets).where(budgets.c.key.in_(keys)).order_by(budgets.c.key).with_for_update()
    return {row.key: Account(*(getattr(row, name) for name in _COLUMNS)) for row in connection.execute(query)}


def _begun(connection: Connection, key: str) -> Account:
    """What the journal's calls took under a budget before it was first used.

    What nobody knows cannot be summed: such calls are counted, and stay unknown. Calls that a process is
    still making are left out: under the same budget they reserve for themselves.
    """
    of_budget = _calls_of(key)
    tokens = calls.c.input_tokens + calls.c.output_tokens  # null where one of them is
    ended = connection.execute(
        select(
            func.sum(calls.c.cost),
            func.sum(tokens),
            func.sum(case((or_(calls.c.cost.is_(None), calls.c.unanswered > 0), 1), else_=0)),
            func.sum(case((or_(tokens.is_(None), calls.c.unanswered > 0), 1), else_=0)),
        ).where(of_budget, calls.c.state != "asked")
    ).one()
    asked = connection.execute(select(calls.c.process).where(of_budget, calls.c.state == "asked")).scalars()
    lost = sum(not (process and is_alive(process)) for process in asked)
    money, taken, unknown_money, unknown_tokens = (int(total or 0) for total in ended)
    return Account(money, taken, unknown_money=unknown_money + lost, unknown_tokens=unknown_tokens + lost)


def _calls_of(key: str) -> ColumnElement[Any]:
    """The calls that are made under a budget."""
    kind, _, rest = key.partition(":")
    if kind == "run":
        return or_(calls.c.owner == rest, calls.c.run == rest)
    name, _, day = rest.rpartition(":")
    midnight = datetime.fromisoformat(day).replace(tzinfo=UTC)
    on_day = and_(
        calls.c.asked_at >= midnight.timestamp(), calls.c.asked_at < (midnight + timedelta(days=1)).timestamp()
    )
    if kind == "day":
        return on_day
    jobs = select(runs.c.id).where(runs.c.name == name, runs.c.kind == "job")
    return and_(on_day, calls.c.owner.in_(jobs))
