"""Try again what may succeed: by class of failure, with jitter, under one total deadline."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from dataclasses import replace

from gen_toolkit.changed import changed
from gen_toolkit.errors import DeadlineExceeded, GenToolkitError, ModelError
from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Request
from gen_toolkit.models.deadline import Deadline
from gen_toolkit.models.provider import Pieces, Provider

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 20.0


class RetryLink:
    """`deadline_s` bounds everything: attempts, pauses, and an answer that drips."""

    def __init__(self, then: Provider, *, max_attempts: int, deadline_s: float) -> None:
        self._then, self._max_attempts, self._deadline_s = then, max_attempts, deadline_s

    async def send(self, request: Request) -> Reply:
        attempts = _Attempts(request, self._max_attempts, self._deadline_s)
        try:
            async with attempts.deadline:
                while True:
                    try:
                        return attempts.reply(await self._then.send(attempts.next()))
                    except ModelError as error:
                        await attempts.wait_after(error)
        except (TimeoutError, GenToolkitError) as error:
            attempts.end(error)
            raise

    async def stream(self, request: Request) -> Pieces:
        """Once a piece was given away there is no second attempt: pieces of two are never joined."""
        attempts = _Attempts(request, self._max_attempts, self._deadline_s)
        try:
            async with attempts.deadline:
                while True:
                    try:
                        async with contextlib.aclosing(self._then.stream(attempts.next())) as pieces:
                            async for piece in pieces:
                                attempts.partial.append(piece.text)
                                if piece.reply is not None:
                                    piece = replace(piece, reply=attempts.reply(piece.reply))
                                yield piece
                        return
                    except ModelError as error:
                        await attempts.wait_after(error)
        except (TimeoutError, GenToolkitError) as error:
            attempts.end(error)
            raise


class _Attempts:
    """The attempts of one call: what was tried, what failed, whether to go on."""

    def __init__(self, request: Request, most: int, deadline_s: float) -> None:
        self._request, self._most = request, most
        self._deadline_s = deadline_s
        self.deadline = Deadline(deadline_s)
        self._start = time.monotonic()
        self._made = 0
        self._under_way = False
        self._unanswered = 0
        self._last: ModelError | None = None
        self.partial: list[str] = []
        """Pieces of a stream that were given away."""

    def next(self) -> Request:
        self._made += 1
        self._under_way = True
        return self._request

    def reply(self, reply: Reply) -> Reply:
        seconds = time.monotonic() - self._start
        return changed(reply, attempts=self._made, unanswered=self._unanswered, seconds=seconds)

    async def wait_after(self, error: ModelError) -> None:
        """Pause before the next attempt, or raise where there must be none."""
        self._last = error
        self._under_way = False
        if error.billed is not False:
            self._unanswered += 1
        pause = _pause(self._made, error.data.get("retry_after"))
        if not error.retryable or self._made >= self._most or any(self.partial):
            raise self._told(error)
        if pause >= self.deadline.left:
            raise TimeoutError from None  # waiting would only bring the same, later
        await asyncio.sleep(pause)

    def end(self, error: TimeoutError | GenToolkitError) -> None:
        """Say of an error what the whole call took. Raises DeadlineExceeded where it is that time is up."""
        if isinstance(error, TimeoutError):
            if self._under_way:
                self._unanswered += 1  # what was cut off may have been answered, and billed
            because = f"; the last attempt said: {self._last.message}" if self._last else ""
            late = DeadlineExceeded(
                f"{self._request.alias!r} gave no whole answer within {self._deadline_s:g} s "
                f"and {self._made} attempt{'s' * (self._made != 1)}{because}",
                fix="Raise deadline_s of the alias, or look at the server.",
                alias=self._request.alias,
                deadline_s=self._deadline_s,
            )
            raise self._told(late) from self._last
        if not isinstance(error, ModelError):  # ours: this attempt was never sent, those before it were
            error.data |= {"attempts": self._made - 1, "unanswered": self._unanswered}

    def _told(self, error: ModelError) -> ModelError:
        """The error with what the whole call took, and of a stream what came before it."""
        error.attempts = error.data["attempts"] = self._made
        error.data["unanswered"] = self._unanswered
        if any(self.partial):
            error.partial = error.data["partial"] = "".join(self.partial)
        return error


def _pause(attempt: int, retry_after: float | None) -> float:
    """Full jitter under an exponential cap, and never sooner than the server asks.

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    cap = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (attempt - 1))
    return max(retry_after or 0.0, random.uniform(0, cap))  # noqa: S311 - jitter, not a secret
