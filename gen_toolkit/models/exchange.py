"""One request and its answer over HTTP: sent once, judged by its status, read within bounds, and let go."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Literal

from gen_toolkit.models import classify
from gen_toolkit.models.deadline import clock_stopped
from gen_toolkit.models.server import Server
from gen_toolkit.models.transport.body import beginning, whole
from gen_toolkit.models.transport.shape import Response, Transport

_MOST_IN_FLIGHT = 256
"""Whole answers waited for at a time; each has a socket, and a process often has no more than 1,024."""


class Exchange:
    """The way to one server. What is kept of it (connections, who waits) belongs to the event loop it is used on."""

    def __init__(self, server: Server, transport: Literal["fast", "sdk"]) -> None:
        self._server, self._kind = server, transport
        self._lines: dict[asyncio.AbstractEventLoop, tuple[Transport, asyncio.Semaphore]] = {}

    async def whole(self, url: str, body: bytes, headers: Mapping[str, str], limit: int) -> bytes:
        """The body of an answer. Raises a ModelError for any status but 2xx, and where no whole answer comes."""
        _, turn = self._line()
        with clock_stopped() if turn.locked() else contextlib.nullcontext():
            await turn.acquire()  # those before end by their own deadlines
        try:
            response = await self._begin(url, body, headers)
            try:
                return await whole(self._server, response, limit)
            finally:
                await response.close()
        finally:
            turn.release()

    @contextlib.asynccontextmanager
    async def begun(self, url: str, body: bytes, headers: Mapping[str, str]) -> AsyncIterator[Response]:
        """An answer of status 2xx whose body is still to come. However the block ends, nothing stays open."""
        response = await self._begin(url, body, headers)
        try:
            yield response
        finally:
            await response.close()

    async def _begin(self, url: str, body: bytes, headers: Mapping[str, str]) -> Response:
        """To be closed by whoever gets it."""
        transport, _ = self._line()
        response = await transport.post(url, body, headers)
        if 200 <= response.status < 300:
            return response
        try:
            raise classify.refusal(self._server, response.status, response.headers, await beginning(response))
        finally:
            await response.close()

    async def close(self) -> None:
        """Close what is kept on this event loop."""
        transport, _ = self._lines.pop(asyncio.get_running_loop(), (None, None))
        if transport is not None:
            await transport.close()

    def _line(self) -> tuple[Transport, asyncio.Semaphore]:
        loop = asyncio.get_running_loop()
        if loop not in self._lines:
            with clock_stopped():  # loading a library takes seconds on a busy machine, and is no fault of the server's
                self._lines[loop] = self._opened(), asyncio.Semaphore(_MOST_IN_FLIGHT)
        return self._lines[loop]

    def _opened(self) -> Transport:
        if self._kind == "sdk":
            from gen_toolkit.models.transport.sdk import SdkTransport

            return SdkTransport(self._server)
        from gen_toolkit.models.transport.fast import FastTransport

        return FastTransport(self._server)
