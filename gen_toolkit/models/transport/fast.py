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
_READ_AT_ONCE = 2**16  # bytes of an answer that wait to be read before the connection is told to wait
_SWITCHING = 101
_AT_ONCE = 2**20  # bytes of a request that are written in one go; more would keep the loop from others
_sessions: weakref.WeakSet[aiohttp.ClientSession] = weakref.WeakSet()


class FastTransport:
    """One session, so one set of kept connections, for one server on one event loop."""

    def __init__(self, server: Server) -> None:
        """To be made on the loop that will use it."""
        self._server = server
        proxy = proxy_for(server.address)
        secure = any(address.startswith("https:") for address in (server.address, proxy or ""))
        self._pool = _Pool(ssl=trusted() if secure else True, limit=0, keepalive_timeout=IDLE_SECONDS)
        self._timeout = aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS)
        self._session = aiohttp.ClientSession(
            connector=self._pool,
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            proxy=proxy,
        )
        self._is_direct = proxy is None
        self._ways: dict[str, aiohttp.ClientRequest] = {}
        _sessions.add(self._session)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Response:
        try:
            if self._is_direct and len(body) < _AT_ONCE:
                return await self._sent(url, body, headers)
            return await self._carried(url, body, headers)
        except (aiohttp.ClientError, OSError) as error:
            raise _failed(self._server, error) from None

    async def _carried(self, url: str, body: bytes, headers: Mapping[str, str]) -> Response:
        """As aiohttp does it: through proxies, and in parts."""
        sent = body if len(body) < _AT_ONCE else io.BytesIO(body)
        address = URL(url, encoded=url.isascii())
        answer = await self._session.post(address, data=sent, headers=headers, allow_redirects=False)
        return FastResponse(self._server, answer.status, answer.headers, answer.content, answer.connection, answer)

    async def _sent(self, url: str, body: bytes, headers: Mapping[str, str]) -> Response:
        """On a connection of aiohttp's, read by its parser, without the objects it makes of a request: they take half
        of the time, and a task to write in.
        """
        way = self._ways.get(url)
        if way is None:
            address = URL(url, encoded=url.isascii())
            way = self._ways[url] = aiohttp.ClientRequest(
                "POST", address, loop=asyncio.get_running_loop(), session=self._session
            )
        try:
            connection = await self._pool.connect(way, [], self._timeout)
        except TimeoutError as error:
            raise aiohttp.ConnectionTimeoutError(f"connection timeout to host {way.host}") from error
        held = _Held(connection)
        try:
            protocol, transport = connection.protocol, connection.transport
            if protocol is None or transport is None:
                raise aiohttp.ServerDisconnectedError
            protocol.set_response_params(read_until_eof=True, auto_decompress=False, read_bufsize=_READ_AT_ONCE)
            transport.write(_head(way, headers, len(body)) + body)
            message, content = await protocol.read()
            while 100 <= message.code < 200 and message.code != _SWITCHING:
                message, content = await protocol.read()
        except aiohttp.http.HttpProcessingError as error:
            held.close()
            raise aiohttp.ClientResponseError(
                way.request_info, (), status=error.code, message=error.message, headers=error.headers
            ) from error
        except BaseException:
            held.close()
            raise
        content.on_eof(held.release)
        return FastResponse(self._server, message.code, message.headers, content, held.connection, held)

    async def close(self) -> None:
        await self._session.close()


def _head(way: aiohttp.ClientRequest, headers: Mapping[str, str], length: int) -> bytes:
    """Request line and headers (RFC 9112, 3). Names and values are those of `headers_of`: one line, ASCII."""
    host = "" if "host" in headers else f"host: {way.headers['host']}\r\n"
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    return f"POST {way.url.raw_path_qs} HTTP/1.1\r\n{host}{lines}content-length: {length}\r\n\r\n".encode("ascii")


class _Held:
    """A connection, until the answer on it has come to its end."""

    def __init__(self, connection: Connection) -> None:
        self.connection: Connection | None = connection

    def release(self) -> None:
        """All was read: it can be used again."""
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.release()

    def close(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.close()


class FastResponse:
    def __init__(
        self,
        server: Server,
        status: int,
        headers: Mapping[str, str],
        content: aiohttp.StreamReader,
        connection: Connection | None,
        held: aiohttp.ClientResponse | _Held,
    ) -> None:
        self.status, self.headers = status, headers
        self._server, self._content, self._held = server, content, held
        protocol = connection.protocol if connection else None  # None: all of it has come
        self._closed = None if protocol is None else protocol.closed
        if self._closed is not None:
            self._closed.add_done_callback(self._break_off)
        elif protocol is not None:
            self._break_off()

    def arrived(self) -> bytes | None:
        try:
            return self._content.read_nowait() if self._content.is_eof() else None
        except (aiohttp.ClientError, OSError) as error:
            raise _failed(self._server, error) from None

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        try:
            async for chunk in self._content.iter_any():
                yield chunk
        except (aiohttp.ClientError, OSError) as error:
            raise _failed(self._server, error) from None

    async def close(self) -> None:
        if self._closed is not None:
            self._closed.remove_done_callback(self._break_off)
        self._held.close()

    def _break_off(self, *_: object) -> None:
        """Where a body breaks the rules of HTTP, aiohttp closes the connection and tells no one who is reading it."""
        body = self._content
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
