"""Ask another alias where one cannot answer. Each keeps its own deadline, limits, guard and record."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from gen_toolkit.errors import ModelError
from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Request
from gen_toolkit.models.provider import Pieces, Provider


class Addressee(Protocol):
    """One alias, and the chain to it."""

    @property
    def chain(self) -> Provider: ...

    def address(self, request: Request) -> Request: ...


class FallbackLink:
    """The first alias that answers is the one. Only where another model might answer is another asked."""

    def __init__(self, aliases: Sequence[Addressee]) -> None:
        self._aliases = aliases

    async def send(self, request: Request) -> Reply:
        failed: ModelError | None = None
        for alias in self._aliases:
            try:
                return await alias.chain.send(_addressed(alias, request, failed))
            except ModelError as error:
                failed = self._next_after(error, alias, failed)
        raise AssertionError("the last alias answers or raises")

    async def stream(self, request: Request) -> Pieces:
        failed: ModelError | None = None
        for alias in self._aliases:
            try:
                async with contextlib.aclosing(alias.chain.stream(_addressed(alias, request, failed))) as pieces:
                    async for piece in pieces:
                        yield piece
                return
            except ModelError as error:
                failed = self._next_after(error, alias, failed)

    def _next_after(self, error: ModelError, alias: Addressee, before: ModelError | None) -> ModelError:
        """The error to go on from, or its raise: nobody is left, nobody could help, or a part was given away."""
        if not error.elsewhere or error.partial or alias is self._aliases[-1]:
            raise error from before
        return error


def _addressed(alias: Addressee, request: Request, failed: ModelError | None) -> Request:
    addressed = alias.address(request)
    return addressed if failed is None else replace(addressed, instead_of=failed.call)
