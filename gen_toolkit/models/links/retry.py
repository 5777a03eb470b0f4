"""Try again what may succeed: by class of failure, with jitter, under one total deadline."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import replace

from gen_toolkit.errors import DeadlineExceeded, ModelError
from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Request
from gen_toolkit.models.provider import Provider

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 20.0


class RetryLink:
    """`deadline_s` bounds everything: attempts, pauses, and an answer that drips."""

    def __init__(self, then: Provider, *, max_attempts: int, deadline_s: float) -> None:
        self._then, self._max_attempts, self._deadline_s = then, max_attempts, deadline_s

    async def send(self, request: Request) -> Reply:
        start = time.monotonic()
        attempts = 0
        last: ModelError | None = None
        try:
            async with asyncio.timeout(self._deadline_s):
                while True:
                    attempts += 1
                    try:
                        reply = await self._then.send(request)
                        return replace(reply, attempts=attempts, seconds=time.monotonic() - start)
                    except ModelError as error:
                        last = error
                        error.attempts = error.data["attempts"] = attempts
                        if not error.retryable or attempts >= self._max_attempts:
                            raise
                        pause = _pause(attempts, error.data.get("retry_after"))
                        if time.monotonic() - start + pause >= self._deadline_s:
                            raise TimeoutError from None  # waiting would only bring the same, later
                        await asyncio.sleep(pause)
        except TimeoutError:
            because = f"; the last attempt said: {last.message}" if last else ""
            raise DeadlineExceeded(
                f"{request.alias!r} gave no answer within {self._deadline_s:g} s and {attempts} attempts{because}",
                fix="Raise deadline_s of the alias, or look at the server.",
                alias=request.alias,
                attempts=attempts,
                deadline_s=self._deadline_s,
            ) from last


def _pause(attempt: int, retry_after: float | None) -> float:
    """Full jitter under an exponential cap, and never sooner than the server asks.

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    cap = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (attempt - 1))
    return max(retry_after or 0.0, random.uniform(0, cap))  # noqa: S311 - jitter, not a secret
