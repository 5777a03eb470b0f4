"""Wait for the alias's limit before every attempt, and hold all to what its server says. The retries are not here."""

from __future__ import annotations

import contextlib

from gen_toolkit.errors import ModelError, ModelOverloaded
from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Request
from gen_toolkit.models.deadline import clock_stopped, seconds_left
from gen_toolkit.models.limits.limiter import Limiter, Permit
from gen_toolkit.models.limits.tokens import estimate
from gen_toolkit.models.provider import Pieces, Provider

_TOO_MANY = 429


class LimitLink:
    """While a call waits here its deadline's clock stands still."""

    def __init__(self, then: Provider, limiter: Limiter) -> None:
        self._then, self._limiter = then, limiter

    async def send(self, request: Request) -> Reply:
        permit = await self._permit(request)
        try:
            reply = await self._then.send(request)
        except ModelError as error:
            self._hear(permit, error)
            raise
        self._limiter.used(permit, reply.usage)
        return reply

    async def stream(self, request: Request) -> Pieces:
        permit = await self._permit(request)
        try:
            async with contextlib.aclosing(self._then.stream(request)) as pieces:
                async for piece in pieces:
                    if piece.reply is not None:
                        self._limiter.used(permit, piece.reply.usage)
                    yield piece
        except ModelError as error:
            self._hear(permit, error)
            raise

    async def _permit(self, request: Request) -> Permit:
        limiter = self._limiter
        tokens = estimate(request, limiter.usual_output) if limiter.limit.pace.tokens else 0.0
        permit = limiter.take(tokens)
        if permit is None:
            patience = seconds_left()
            with clock_stopped():
                permit = await limiter.wait(tokens, patience)
        return permit

    def _hear(self, permit: Permit, error: ModelError) -> None:
        if error.billed is False:
            self._limiter.unused(permit)
        after = error.data.get("retry_after")
        slower = error.data.get("status") == _TOO_MANY
        if isinstance(error, ModelOverloaded) and (slower or after is not None):
            self._limiter.not_now(permit, after, slower=slower)
