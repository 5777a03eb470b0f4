"""The fast carrier: aiohttp, with nothing around it. A tenth of the time that the `openai` package takes for a call."""

from __future__ import annotations

import asyncio
import atexit
import io
import os
import weakref
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import aiohttp
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from gen_toolkit.errors import ModelError
from gen_toolkit.models import classify
from gen_toolkit.models.server import Server
from gen_toolkit.models.transport.network import proxy_for, trusted
from gen_toolkit.models.transport.shape import CONNECT_SECONDS, IDLE_SECONDS, Response

_TRIES = 8
_AT_ONCE = 2**20  # bytes of a request that are written in one go; more would keep the loop from others
_sessions: weakref.WeakSet[aiohttp.ClientSession] = weakref.WeakSet()


class FastTransport:
    """One session, so one set of kept connections, for one server on one event loop."""

    def __init__(self, server: Server) -> None:
        """To be made on the loop that will use it."""
        self._server = server
        proxy = proxy_for(server.address)
        secure = any(address.startswith("https:") for address in (server.address, proxy or ""))
        self._session = aiohttp.ClientSession(
            connector=_Pool(ssl=trusted() if secure else True, limit=0, keepalive_timeout=IDLE_SECONDS),
            timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            proxy=proxy,
        )
        _sessions.add(self._session)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Response:
        sent = body if len(body) < _AT_ONCE else io.BytesIO(body)
        address = URL(url, encoded=url.isascii())
        try:
            answer = await self._session.post(address, data=sent, headers=headers, allow_redirects=False)
        except (aiohttp.ClientError, OSError) as error:
            raise _failed(self._server, error) from None
        return FastResponse(self._server, answer)

    async def close(self) -> None:
        await self._session.close()


class FastResponse:
    def __init__(self, server: Server, answer: aiohttp.ClientResponse) -> None:
        self._server, self._answer = server, answer
        self.status = answer.status
        self.headers: Mapping[str, str] = answer.headers
        protocol = answer.connection.protocol if answer.connection else None  # None: all of it has come
        self._closed = None if protocol is None else protocol.closed
        if self._closed is not None:
            self._closed.add_done_callback(self._break_off)
        elif protocol is not None:
            self._break_off()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        try:
            async for chunk in self._answer.content.iter_any():
                yield chunk
        except (aiohttp.ClientError, OSError) as error:
            raise _failed(self._server, error) from None

    async def close(self) -> None:
        if self._closed is not None:
            self._closed.remove_done_callback(self._break_off)
        self._answer.close()

    def _break_off(self, *_: object) -> None:
        """Where a body breaks the rules of HTTP, aiohttp closes the connection and tells no one who is reading it."""
        body = self._answer.content
        if not body.is_eof() and body.exception() is None:
            body.set_exception(aiohttp.ClientPayloadError("it broke the rules of HTTP"))


class _Pool(aiohttp.TCPConnector):
    """Kept connections that are in order, and that end with the process without a word."""

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self._heard: weakref.WeakSet[object] = weakref.WeakSet()

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        """One on which bytes came that nobody asked for is not used: they would pass for the answer to this request."""
        for _ in range(_TRIES):
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            assert protocol is not None, "it has just been connected"
            if not protocol.should_close:
                if protocol not in self._heard and protocol.closed is not None:
                    self._heard.add(protocol)
                    protocol.closed.add_done_callback(_hear)
                return connection
            connection.close()
        raise aiohttp.ClientConnectorError(req.connection_key, OSError("it speaks before it is asked"))

    def __del__(self, *_: object) -> None:
        """The base class closes and complains; in a forked child it would reach for the connections of the parent."""


def _hear(closed: asyncio.Future[None]) -> None:
    """How a connection ended is asked for, or asyncio would complain that nobody did."""
    if not closed.cancelled():
        closed.exception()


def _let_go() -> None:
    """At the end of the process, and in a forked child, where the connections are the parent's: touch none of them."""
    for session in list(_sessions):
        session.detach()


atexit.register(_let_go)
os.register_at_fork(after_in_child=_let_go)


def _failed(server: Server, error: Exception) -> ModelError:
    """What a failure of aiohttp means. POST is not among what it repeats by itself (RFC 9110, 9.2.2)."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return classify.not_trusted(server, error.certificate_error)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return classify.no_way(server, error.status, error.message)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return classify.not_reached(server, error)
    if isinstance(error, aiohttp.ClientResponseError):
        return classify.unreadable(server, f"something that is not HTTP as we can read it ({error.message})")
    return classify.cut(server, f"{type(error).__name__}: {error}")
