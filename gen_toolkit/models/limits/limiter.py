"""The calls of this process that wait for an alias's limit: first come, first served.

Leases come from the workspace's database in blocks, no more than are waited for; so capacity is not lost with a
process that dies, and processes that wait take turns. What was leased is let go only while the last look at
the database is FRESH, so that a pause which another process was told of holds here, too.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import NamedTuple

from gen_toolkit.errors import ModelOverloaded
from gen_toolkit.journal.commits import GroupCommit
from gen_toolkit.messages.reply import Usage
from gen_toolkit.models.limits.lease import EARLY, Ask, Lease, Limit, NotNow, settle
from gen_toolkit.models.limits.pace import BURST, NOTHING, Units
from gen_toolkit.models.limits.sent import Sent
from gen_toolkit.models.limits.tokens import FIRST_GUESS

FRESH = 0.25
"""Seconds for which a look at the database tells how things stand, and what it found left over may be used."""
_LOOK_AGAIN = 0.5  # seconds; whoever is late to see that all leases are void is late to get new ones
_AHEAD = 0.1  # seconds before a call is due at which a new look is taken, where it needs one
_MOST = 256  # calls that are leased at once
_PAUSE = 0.5  # seconds, where a 429 does not say how long


class Permit(NamedTuple):
    """A call may go."""

    epoch: float
    tokens: float
    """What it is expected to use."""
    leased: float
    """What was leased for it."""


class _Caller(NamedTuple):
    tokens: float
    patience: float
    since: float


class _Due(NamedTuple):
    at: float
    tokens: float


class Limiter:
    """One alias in one process. Lives on the toolkit's loop."""

    def __init__(self, limit: Limit, commits: GroupCommit) -> None:
        self.limit = limit
        self.usual_output = FIRST_GUESS
        """Tokens of this alias's answers: a mean in which the latest count most."""
        self._commits = commits
        self._callers: OrderedDict[asyncio.Future[Permit], _Caller] = OrderedDict()
        self._due: deque[_Due] = deque()
        self._credit = NOTHING
        self._owed = 0.0  # tokens used beyond what was leased for them, and not told yet
        self._epoch = 0.0
        self._looked = self._paused_until = -math.inf
        self._asking = self._void = False  # a question is on its way; its answer is void already
        self._timer: asyncio.TimerHandle | None = None
        self._sent = Sent()

    def take(self, tokens: float) -> Permit | None:
        """Let a call go at once, where that needs no asking."""
        now = time.monotonic()
        if self._callers or self._due or now - self._looked > FRESH:
            return None
        leased = self._lease(tokens, now)
        if leased is None:
            return None
        if now - self._looked > FRESH / 2 and min(self._credit) == math.inf:
            self._ask()  # where nothing but a pause holds anybody up nobody need wait for the next look
        return self._permit(tokens, leased, now)

    async def wait(self, tokens: float, patience: float) -> Permit:
        """Wait for a call's turn. Raises ModelOverloaded where its server's pause is longer than `patience` seconds.

        Whoever is cancelled leaves the turn to the next.
        """
        now = time.monotonic()
        if not self._callers:
            self._forget_missed(now)
        turn: asyncio.Future[Permit] = asyncio.get_running_loop().create_future()
        self._callers[turn] = _Caller(tokens, patience, now)
        self._refuse_impatient(now)
        self._go_on()
        try:
            return await turn
        except asyncio.CancelledError:
            if self._callers.pop(turn, None) is None and not turn.cancelled() and turn.exception() is None:
                self._due.appendleft(_Due(time.monotonic(), turn.result().leased))
                self._go_on()
            raise

    def used(self, permit: Permit, usage: Usage) -> None:
        """What a call has really used, as far as its server says."""
        if usage.output_tokens is not None:
            self.usual_output += (usage.output_tokens - self.usual_output) / 8
        known = usage.input_tokens is not None and usage.output_tokens is not None
        self._settle(
            (usage.input_tokens or 0) + (usage.output_tokens or 0) - permit.leased
            if known
            else permit.tokens - permit.leased
        )

    def unused(self, permit: Permit) -> None:
        """A call was let go, and its server did nothing for it."""
        self._settle(-permit.leased)

    def not_now(self, permit: Permit, seconds: float | None, *, slower: bool) -> None:
        """Its server does not want it now: nobody calls before `seconds` have passed, and then perhaps `slower`."""
        self._drop_leases()
        self._void = self._asking
        self._looked = -math.inf
        pause = _PAUSE if seconds is None else seconds
        said = NotNow(self.limit, permit.epoch, pause, slower, self._sent.most(time.monotonic()))
        self._commits.send(settle, said)  # what is asked after it is answered after it
        self._go_on()

    @property
    def waiting(self) -> tuple[int, float]:
        """How many calls wait, and for how many seconds the first of them has. From any thread."""
        callers = list(self._callers.values())
        return len(callers), time.monotonic() - callers[0].since if callers else 0.0

    def _go_on(self) -> None:
        """Let go whose turn it is; ask for what is missing; come back when it is time."""
        now = time.monotonic()
        while self._callers and now - self._looked <= FRESH:
            turn, caller = next(iter(self._callers.items()))
            leased = None if turn.done() else self._lease(caller.tokens, now)
            if leased is not None:
                turn.set_result(self._permit(caller.tokens, leased, now))
            elif not turn.done():
                break
            del self._callers[turn]  # also who was cancelled, and has not noticed yet
        if not self._callers:
            return
        if not self._due:
            over = self._paused_until - EARLY / 2
            self._come_back(over) if over > now else self._ask()
            return
        at = self._due[0].at
        if max(at, now) - self._looked <= FRESH:
            self._come_back(at)
        elif at - now <= _AHEAD or now - self._looked >= _LOOK_AGAIN:
            self._ask()
        else:
            self._come_back(min(at - _AHEAD, self._looked + _LOOK_AGAIN))

    def _lease(self, tokens: float, now: float) -> float | None:
        """The tokens that were leased for the next call, if it may go."""
        if self._due:
            return self._due.popleft().tokens if self._due[0].at <= now else None
        requests, left = self._credit
        if requests < 1 or left < tokens:
            return None
        self._credit = Units(requests - 1, left - tokens)
        return tokens

    def _permit(self, tokens: float, leased: float, now: float) -> Permit:
        self._sent.count(now)
        return Permit(self._epoch, tokens, leased)

    def _ask(self) -> None:
        """For leases where none are left, else how things stand: once for all who come in one turn of the loop."""
        if not self._asking:
            self._asking = True
            asyncio.get_running_loop().call_soon(self._ask_now)

    def _ask_now(self) -> None:
        """What was not used is given back, if it is not old."""
        calls = () if self._due else tuple(c.tokens for c in itertools.islice(self._callers.values(), _MOST))
        credit = self._credit if time.monotonic() - self._looked <= FRESH else NOTHING
        requests, tokens = (left if math.isfinite(left) else 0.0 for left in credit)
        ask = Ask(self.limit, calls, Units(requests, tokens - self._owed))
        self._credit = Units(credit.requests - requests, credit.tokens - tokens)  # no limit stays none
        self._owed = 0.0
        self._commits.send(settle, ask).add_done_callback(lambda told: self._answered(calls, told))

    def _answered(self, calls: tuple[float, ...], told: asyncio.Future[Lease | None]) -> None:
        void, self._asking, self._void = self._void, False, False
        if told.cancelled():
            return
        if (error := told.exception()) is not None:
            self._refuse(lambda _: error)
            return
        lease = told.result()
        assert lease is not None, "a question is answered"
        if lease.epoch != self._epoch:
            self._drop_leases()
        self._epoch, self._credit = lease.epoch, lease.credit
        self._due.extend(_Due(lease.looked + delay, tokens) for delay, tokens in zip(lease.delays, calls, strict=False))
        if void:
            self._drop_leases()
        else:
            self._looked = time.monotonic()
            self._paused_until = lease.looked + lease.paused
            self._refuse_impatient(self._looked)
        self._go_on()

    def _settle(self, tokens: float) -> None:
        """Tokens used beyond what was leased. Told with the next question, or at once where others should know."""
        pace = self.limit.pace.tokens
        self._owed += tokens
        if abs(self._owed) * pace > BURST:
            self._ask()

    def _drop_leases(self) -> None:
        """Their instants are void; the tokens are given back."""
        tokens = self._credit.tokens
        self._owed -= sum(due.tokens for due in self._due) + (tokens if math.isfinite(tokens) else 0.0)
        self._due.clear()
        self._credit = NOTHING

    def _forget_missed(self, now: float) -> None:
        """Turns that nobody took are not saved up."""
        while self._due and self._due[0].at < now - BURST:
            self._owed -= self._due.popleft().tokens

    def _refuse_impatient(self, now: float) -> None:
        paused = self._paused_until - now
        if paused > 0:
            self._refuse(lambda caller: self._too_long(paused) if caller.patience <= paused else None)

    def _refuse(self, why: Callable[[_Caller], BaseException | None]) -> None:
        for turn, caller in list(self._callers.items()):
            if not turn.done() and (error := why(caller)) is not None:
                del self._callers[turn]
                turn.set_exception(error)

    def _too_long(self, paused: float) -> ModelOverloaded:
        return ModelOverloaded(
            f"{self.limit.alias!r} has said to another call that it wants to be left alone for {paused:.0f} s more",
            fix="Wait, lower the load, or give the alias fallbacks.",
            alias=self.limit.alias,
            status=429,
            retry_after=paused,
            billed=False,
        )

    def _come_back(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(at, self._go_on)
