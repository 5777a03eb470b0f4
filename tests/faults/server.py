"""A server on loopback that does wrong what a provider can do wrong, byte by byte.

What it does to a request is a *play*: a tuple of steps, plain data. The request's message names the fault that
is wanted (`"stream-cut stream"`), the path says through which transport it was asked. A fault that begins before a
request can be read has a place of its own: a port that belongs to one case.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import email.utils
import json
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

KEY, KEY_IN_URL, KEY_IN_BASE64 = b"<KEY>", b"<KEY IN URL>", b"<KEY IN BASE64>"
KEY_BEGIN, KEY_END = b"<BEGIN OF KEY>", b"<END OF KEY>"
"""Stand for the key that came with the request: the server repeats it."""
DATE = re.compile(rb"<IN (\d+) S>")
"""Stands for an HTTP date that many seconds from now."""
ELSEWHERE = b"<ELSEWHERE>"
"""Stands for the address of a server that the request is not meant for."""

_PATIENCE = 20.0  # seconds after which a connection that nobody closes is given up: a test has failed by then


@dataclass(frozen=True)
class Pause:
    """Nothing, for so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Repeat:
    """The same bytes `times` times (None: for ever), with a pause between."""

    piece: bytes
    times: int | None = None
    every: float = 0.0


@dataclass(frozen=True)
class End:
    """No more bytes (FIN); then the client is to close its side."""


@dataclass(frozen=True)
class Reset:
    """The connection is torn (RST)."""


@dataclass(frozen=True)
class Stay:
    """The connection stays open for the next request."""


Step = bytes | Pause | Repeat | End | Reset | Stay
Play = tuple[Step, ...]
"""After the last step the server waits for the client to close the connection, unless it is to stay."""


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, asked for plainly and as a stream; an empty play: not in this way."""

    name: str
    plain: Play = ()
    stream: Play = ()
    once: bool = False
    """Whether the second request is answered well."""
    place: str = ""
    """Where it happens, if not behind the port that all share: see `FaultServer.place`."""
    waits: float = 0.0
    """Seconds that a second request has to stay away."""
    deadline_s: float = 5.0
    within: float | None = None
    """Seconds after which it is over, where that is sooner than the deadline."""
    text: str = "hello"
    """What an answer, or what came of a stream, says."""
    finish: str | None = "stop"
    usage: bool = True
    """Whether the answer says what it took."""
    through: tuple[str, ...] = ("fast", "sdk")
    """The transports that it is the same for."""
    lingers: bool = False
    """Whether its connection is closed only when Python next collects garbage: where no one of ours can reach it."""
    alone: bool = False
    """Whether it is large: then nothing else runs beside it."""


@dataclass
class Visit:
    """One request, or one connection that never became a request. Times are those of `time.monotonic`."""

    case: str
    at: float
    wall: float
    key: str = ""
    streamed: bool = False
    not_before: float = 0.0
    """The date (`time.time`) that the server told the client to wait for."""
    closed: float | None = None
    """When the connection was gone."""


class FaultServer:
    """Plays `faults`; `visits` says who came, with which key, and when they left."""

    def __init__(
        self, faults: Mapping[str, Fault], good: Mapping[str, Play], contexts: Mapping[str, ssl.SSLContext]
    ) -> None:
        self._faults, self._good, self._contexts = faults, good, contexts
        self.visits: list[Visit] = []
        self.strangers: list[Visit] = []
        """Who followed a redirect to the other server."""
        self._sockets: list[socket.socket] = []
        self._connections: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault server", daemon=True)
        self._thread.start()
        self._elsewhere = self._listen(self._stranger)
        self.port = self._listen(self._shared)

    def address(self, transport: str) -> str:
        """The `base_url` behind which all faults without a place of their own are."""
        return f"http://127.0.0.1:{self.port}/{transport}/v1"

    def place(self, fault: Fault, case: str) -> str:
        """Open the place of one case; its `base_url`."""
        kind = fault.place
        if kind == "no such name":
            return "http://nothing.invalid/v1"
        if kind == "refused":
            return f"http://127.0.0.1:{self._bound()}/v1"
        if kind == "deaf":
            return f"http://127.0.0.1:{self._deaf()}/v1"
        if kind in {"early", "plain"}:
            port = self._listen(lambda conn: self._early(conn, fault, case))
            return f"{'https' if kind == 'plain' else 'http'}://127.0.0.1:{port}/v1"
        if kind == "silent":
            port = self._listen(lambda conn: self._early(conn, fault, case))
            return f"https://127.0.0.1:{port}/v1"
        context = self._contexts[kind.removesuffix(" asked plainly")]
        port = self._listen(lambda conn: self._shared(conn, context, case))
        return f"{'http' if kind.endswith('plainly') else 'https'}://127.0.0.1:{port}/v1"

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()
        for listening in self._sockets:
            listening.close()

    async def _stop(self) -> None:
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    # ports

    def _bound(self, backlog: int | None = None) -> int:
        """A port of our own on loopback; without a backlog nobody listens there, so that it refuses."""
        own = socket.socket()
        self._sockets.append(own)
        own.bind(("127.0.0.1", 0))
        if backlog is not None:
            own.listen(backlog)
            own.setblocking(False)
        return int(own.getsockname()[1])

    def _deaf(self) -> int:
        """A port whose queue is full: who knocks hears nothing, as behind a firewall."""
        port = self._bound(backlog=0)
        for _ in range(4):
            knocking = socket.socket()
            knocking.setblocking(False)
            knocking.connect_ex(("127.0.0.1", port))
            self._sockets.append(knocking)
        return port

    def _listen(self, meet: Callable[[socket.socket], Awaitable[None]]) -> int:
        port = self._bound(backlog=128)
        listening = self._sockets[-1]

        async def accept() -> None:
            while True:
                connection, _ = await self._loop.sock_accept(listening)
                self._keep(self._loop.create_task(_quietly(meet(connection))))

        self._loop.call_soon_threadsafe(lambda: self._keep(self._loop.create_task(accept())))
        return port

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    # connections

    def _came(self, case: str = "") -> Visit:
        visit = Visit(case, time.monotonic(), time.time())
        self.visits.append(visit)
        return visit

    async def _shared(self, conn: socket.socket, context: ssl.SSLContext | None = None, case: str = "") -> None:
        """Read requests, and play what each of them asks for."""
        visit = self._came(case) if case else None
        try:
            talk = await _Talk.begin(self._loop, conn, context)
        except (OSError, asyncio.IncompleteReadError):
            if visit is not None:
                visit.closed = time.monotonic()
            return
        async with contextlib.aclosing(talk):
            while (request := await talk.request()) is not None:
                name, way = request.wanted[:2]
                fault = self._faults.get(name) or Fault(name, self._good["plain"], self._good["stream"])
                if visit is None:
                    visit = self._came(case or f"{fault.name}/{way}/{request.path[1]}")
                visit.key, visit.streamed = request.key, request.body.get("stream") is True
                play = fault.plain if way == "plain" else fault.stream
                if fault.once and self._seen(visit.case) > 1:
                    play = self._good[way]
                await talk.perform(self._filled(play, visit), visit)
                visit = None

    async def _early(self, conn: socket.socket, fault: Fault, case: str) -> None:
        """Play before a request was read."""
        visit = self._came(case)
        talk = await _Talk.begin(self._loop, conn, None)
        async with contextlib.aclosing(talk):
            await talk.perform(self._filled(fault.plain or fault.stream, visit), visit)

    async def _stranger(self, conn: socket.socket) -> None:
        """The server that a request is not meant for: it remembers what was brought to it."""
        visit = Visit("", time.monotonic(), time.time())
        self.strangers.append(visit)
        talk = await _Talk.begin(self._loop, conn, None)
        async with contextlib.aclosing(talk):
            request = await talk.request()
            if request is not None:
                visit.key = request.key
            await talk.perform(self._good["plain"], visit)

    def _seen(self, case: str) -> int:
        return sum(visit.case == case for visit in self.visits)

    def _filled(self, play: Play, visit: Visit) -> Play:
        """The play with what is only known now."""

        def date(match: re.Match[bytes]) -> bytes:
            visit.not_before = int(time.time() + int(match[1]))
            return email.utils.formatdate(visit.not_before, usegmt=True).encode()

        def fill(step: Step) -> Step:
            if not isinstance(step, bytes) or len(step) > 100_000:
                return step
            key = visit.key.encode()
            known = {
                KEY: key,
                KEY_BEGIN: key[:9],
                KEY_END: key[9:],
                KEY_IN_URL: quote(key, safe="").encode(),
                KEY_IN_BASE64: base64.b64encode(key),
                ELSEWHERE: f"http://localhost:{self._elsewhere}".encode(),
            }
            for name, value in known.items():
                step = step.replace(name, value)
            return DATE.sub(date, step)

        return tuple(fill(step) for step in play)


@dataclass(frozen=True)
class _Request:
    path: list[str]
    key: str
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def wanted(self) -> list[str]:
        """The fault and the way it is asked for."""
        messages = self.body.get("messages")
        return str(messages[-1]["content"]).split(" ") if messages else ["", "plain"]


class _Talk:
    """One connection."""

    def __init__(self, loop: asyncio.AbstractEventLoop, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self._loop, self._reader, self._writer = loop, reader, writer

    @classmethod
    async def begin(cls, loop: asyncio.AbstractEventLoop, conn: socket.socket, context: ssl.SSLContext | None) -> _Talk:
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = asyncio.StreamReader(loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, conn, ssl=context)
        return cls(loop, reader, asyncio.StreamWriter(transport, protocol, reader, loop))

    async def request(self) -> _Request | None:
        """The next request; None when the client has gone."""
        try:
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = re.search(r"(?im)^content-length: *(\d+)", head)
            key = re.search(r"(?im)^authorization: *Bearer (.*?)\r$", head)
            body = json.loads(await self._reader.readexactly(int(length[1]) if length else 0) or b"{}")
        except (OSError, EOFError):
            return None
        return _Request(head.split(" ")[1].split("/"), key[1] if key else "", body)

    async def perform(self, play: Play, visit: Visit) -> None:
        """Every step, unless the client leaves before; then wait until it does."""
        if play[-1:] == (Stay(),):
            await self._act(play[:-1])
            return
        leaving = self._loop.create_task(self._left())
        acting = self._loop.create_task(_quietly(self._act(play)))
        try:
            await asyncio.wait({leaving, acting}, return_when=asyncio.FIRST_COMPLETED)
            if Reset not in map(type, play):
                await asyncio.wait({leaving}, timeout=_PATIENCE)
            if leaving.done() or Reset in map(type, play):
                visit.closed = time.monotonic()
        finally:
            for task in (leaving, acting):
                task.cancel()
            await asyncio.gather(leaving, acting, return_exceptions=True)

    async def _act(self, play: Play) -> None:
        for step in play:
            if isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
            elif isinstance(step, Repeat):
                left = step.times
                while left is None or left > 0:
                    await self._send(step.piece)
                    await asyncio.sleep(step.every)
                    left = None if left is None else left - 1
            elif isinstance(step, End):
                self._writer.write_eof()
            elif isinstance(step, Reset):
                await asyncio.sleep(0.05)  # what was sent before is on its way: a reset would overtake it
                own = self._writer.get_extra_info("socket")
                own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self._writer.transport.abort()
            else:
                await self._send(step)

    async def _send(self, piece: bytes) -> None:
        self._writer.write(piece)
        await self._writer.drain()

    async def _left(self) -> None:
        """Returns when the client has closed, or torn, the connection."""
        with contextlib.suppress(OSError):
            while await self._reader.read(65536):
                pass

    async def aclose(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await asyncio.wait_for(self._writer.wait_closed(), 0.5)


async def _quietly(work: Awaitable[None]) -> None:
    """A client that leaves in the middle is what these tests are about."""
    with contextlib.suppress(OSError, EOFError, asyncio.TimeoutError):
        await work


def server_context(certificate: Path) -> ssl.SSLContext:
    """TLS with the certificate and key in one PEM file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
