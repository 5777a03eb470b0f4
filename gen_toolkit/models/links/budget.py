"""Nothing is sent that might cross a budget: each attempt reserves the most it can take, then counts what it took."""

from __future__ import annotations

import contextlib
import time
from datetime import UTC, datetime
from decimal import Decimal

from gen_toolkit import scope
from gen_toolkit.alias import Alias
from gen_toolkit.amount import Amount, to_pico
from gen_toolkit.errors import InputError, MissingSecret, MissingWeights, ModelError
from gen_toolkit.journal.accounts import Accounts
from gen_toolkit.journal.budgets import NOTHING, UNKNOWN, Reserve, Sum
from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Request
from gen_toolkit.models.bounds import input_bound, output_bound
from gen_toolkit.models.deadline import clock_stopped
from gen_toolkit.models.price import worst_case
from gen_toolkit.models.provider import Pieces, Provider

_MILLION = 1_000_000
_clock = time.time  # the one that says what day it is


class BudgetLink:
    """`day`: what the workspace may spend on one day (UTC), as the settings say. No budget: no work."""

    def __init__(self, then: Provider, alias: Alias, accounts: Accounts, day: str | None) -> None:
        self._then, self._alias, self._accounts = then, alias, accounts
        self._day = None if day is None else scope.Budget("day", Amount.of(day), "the workspace", daily=True)

    async def send(self, request: Request) -> Reply:
        attempt = await self._attempt(request)
        try:
            return attempt.answered(await self._then.send(request))
        except BaseException as error:
            attempt.failed(error)
            raise

    async def stream(self, request: Request) -> Pieces:
        attempt = await self._attempt(request)
        try:
            async with contextlib.aclosing(self._then.stream(request)) as pieces:
                async for piece in pieces:
                    if piece.reply is not None:  # counted before the reply is given away, and so before it is recorded
                        attempt.answered(piece.reply)
                    yield piece
        except BaseException as error:
            attempt.failed(error)
            raise
        attempt.ended()

    async def _attempt(self, request: Request) -> _Attempt:
        """What it may take is held while it is under way; what it took is spent."""
        attempt = _Attempt(self._accounts)
        if budgets := self._in_force():
            await attempt.reserve(Reserve(budgets, self._most(request, budgets)))
        return attempt

    def _in_force(self) -> tuple[scope.Budget, ...]:
        around = scope.current().budgets
        budgets = around if self._day is None else (*around, self._day)
        if not budgets:
            return ()
        today = datetime.fromtimestamp(_clock(), UTC).date().isoformat()
        return tuple(budget.on(today) for budget in budgets)

    def _most(self, request: Request, budgets: tuple[scope.Budget, ...]) -> Sum:
        """The most that the attempt can take of what is limited. Raises InputError where nobody can tell."""
        input_tokens, output_tokens = input_bound(request), output_bound(request)
        money = tokens = None
        if any(budget.limit.usd is not None for budget in budgets):
            money = to_pico(self._most_usd(request, input_tokens, output_tokens))
        if any(budget.limit.tokens is not None for budget in budgets):
            if output_tokens is None:
                raise _unbounded(request)
            tokens = input_tokens + output_tokens
        return Sum(money, tokens)

    def _most_usd(self, request: Request, input_tokens: int, output_tokens: int | None) -> Decimal:
        asked = _MILLION if output_tokens is None else output_tokens
        most = worst_case(self._alias, request.model, input_tokens, asked)
        if most is None:
            raise InputError(
                f"a budget in USD cannot hold a call to {request.alias!r}: its price is not known",
                fix=f"Put price = {{ input = …, output = … }} (USD per million tokens) into alias {request.alias!r}.",
                alias=request.alias,
            )
        if output_tokens is None and worst_case(self._alias, request.model, 0, _MILLION):
            raise _unbounded(request)
        return most


class _Attempt:
    """An attempt under way. What it holds, if anything, is settled once, by how it ends."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._held: Reserve | None = None

    async def reserve(self, most: Reserve) -> None:
        await self._accounts.reserve(most, waiting=clock_stopped)
        self._held = most

    def answered(self, reply: Reply) -> Reply:
        if self._held is None:
            return reply
        usage = reply.usage
        known = usage.input_tokens is not None and usage.output_tokens is not None
        tokens = (usage.input_tokens or 0) + (usage.output_tokens or 0) if known else None
        self._settle(Sum(None if reply.cost is None else to_pico(reply.cost), tokens))
        return reply

    def failed(self, error: BaseException) -> None:
        if isinstance(error, ModelError):
            unbilled = error.billed is False
        else:  # these are found out before anything is sent; of whatever else nobody can tell
            unbilled = isinstance(error, InputError | MissingSecret | MissingWeights)
        self._settle(NOTHING if unbilled else UNKNOWN)

    def ended(self) -> None:
        """Without an error; of a stream that gave no reply nobody can tell."""
        self._settle(UNKNOWN)

    def _settle(self, took: Sum) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._accounts.settle(held, took)


def _unbounded(request: Request) -> InputError:
    return InputError(
        f"a budget cannot hold a call to {request.alias!r} that does not say how long its answer may be",
        fix=f"Give the call max_tokens=…, or put options = {{ max_tokens = … }} into alias {request.alias!r}.",
        alias=request.alias,
    )
