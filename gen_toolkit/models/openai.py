"""Any server that speaks the OpenAI API: one alias, and what is asked of it. How requests travel is the transport's."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace

from gen_toolkit import text
from gen_toolkit.alias import Alias
from gen_toolkit.changed import changed
from gen_toolkit.errors import MissingSecret, ModelError, ModelRefused, ModelUnreachable, SettingError
from gen_toolkit.messages.piece import Piece, pieces_of
from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Request
from gen_toolkit.models import answer, classify, wire
from gen_toolkit.models.deltas import Deltas
from gen_toolkit.models.embedding import embedding_body, embedding_reply
from gen_toolkit.models.exchange import Exchange
from gen_toolkit.models.price import cost
from gen_toolkit.models.provider import Pieces
from gen_toolkit.models.server import Server, headers_of, key_of, refuse_credentials_in_address
from gen_toolkit.models.sse import Event, EventStream, EventTooLarge
from gen_toolkit.models.transport.body import ENCODINGS, MOST_TEXT, MOST_VECTORS, unpacked, whole
from gen_toolkit.models.transport.network import proxy_for
from gen_toolkit.models.transport.shape import Response
from gen_toolkit.settings import Resolved

_ADDRESS = "https://api.openai.com/v1"
_PATIENCE = 3.0  # seconds to find out whether a server is there at all
_REST_SECONDS = 1.0  # for usage and the end of a stream, once the reason is there for which the answer ended
_END_SECONDS = 0.05  # for the last bytes behind [DONE]: read, they leave a connection to be used again
_log = logging.getLogger(__name__)


class OpenAIProvider:
    """One alias on one OpenAI-compatible server."""

    def __init__(self, name: str, alias: Alias, settings: Resolved) -> None:  # noqa: ARG002 - every kind is made alike
        refuse_credentials_in_address(name, alias)
        self._name, self._alias = name, alias
        self._server = Server(name, self.model_name(alias), alias.base_url or _ADDRESS, alias.api_key)
        self._exchange = Exchange(self._server, alias.transport)
        self._asks_for_usage = True

    @staticmethod
    def model_name(alias: Alias) -> str:
        if not alias.model:
            raise SettingError(
                f"an alias of provider {alias.provider!r} names no model",
                fix='Add model = "…" to it.',
                setting="model",
            )
        return alias.model

    def ready(self) -> None:
        """A key that can be read, and a server that takes connections (behind a proxy only it can tell)."""
        self._headers()
        host, port = self._server.host, self._server.port
        if proxy_for(self._server.address) is not None:
            return
        try:
            socket.create_connection((host, port), timeout=_PATIENCE).close()
        except OSError as error:
            raise ModelUnreachable(
                f"model alias {self._name!r}: nothing answers at {host}:{port} ({text.one_line(error, 80)})",
                fix="Start the server or correct base_url.",
                alias=self._name,
                billed=False,
            ) from None

    async def send(self, request: Request) -> Reply:
        try:
            return await self._sent(request)
        except ModelError as error:
            raise _bare(error) from None

    async def stream(self, request: Request) -> Pieces:
        """As it is written; vectors and label probabilities come at once.

        Usage is asked for by `stream_options`. A server that refuses them is asked again without, once, and from then
        on never with them: that refusal is a 400, on no bill, and logged as a warning, for from then on the cost of
        its streams is unknown.
        """
        if request.choose or request.inputs:
            for piece in pieces_of(await self.send(request)):
                yield piece
            return
        while True:
            try:
                async with contextlib.aclosing(self._streamed(request)) as pieces:
                    async for piece in pieces:
                        yield piece
                return
            except ModelError as error:
                if not self._refuses_options(error):
                    raise _bare(error) from None

    async def close(self) -> None:
        """Close the connections that are kept. The next call opens new ones."""
        await self._exchange.close()

    async def _sent(self, request: Request) -> Reply:
        if request.inputs:
            body, limit = embedding_body(request), MOST_VECTORS
        else:
            body, limit = wire.chat_body(request, self._alias.structured), MOST_TEXT
        url = self._url("/embeddings" if request.inputs else "/chat/completions")
        content = await self._exchange.whole(url, wire.encode(body), self._headers(), limit)
        decoded = answer.decoded(request, content)
        return self._priced(request, (embedding_reply if request.inputs else answer.reply)(request, decoded))

    async def _streamed(self, request: Request) -> Pieces:
        start = time.monotonic()
        body = {**wire.chat_body(request, self._alias.structured), "stream": True}
        if self._asks_for_usage:
            body.setdefault("stream_options", {"include_usage": True})
        url = self._url("/chat/completions")
        async with self._exchange.begun(url, wire.encode(body), self._headers()) as response:
            if "text/event-stream" in response.headers.get("content-type", "").lower():
                deltas = Deltas(request)
                async with contextlib.aclosing(self._pieces(response, deltas, start)) as pieces:
                    async for piece in pieces:
                        yield piece
                reply = deltas.reply()
            else:  # it does not stream, and answers at once
                content = await whole(self._server, response, MOST_TEXT)
                reply, seconds = answer.reply(request, answer.decoded(request, content)), time.monotonic() - start
                reply = replace(reply, first_token_seconds=seconds, pieces=(len(reply.text),) if reply.text else ())
                if reply.text:
                    yield Piece(reply.text, seconds)
            yield Piece(seconds=time.monotonic() - start, reply=self._priced(request, reply))

    async def _pieces(self, response: Response, deltas: Deltas, start: float) -> Pieces:
        """The texts of a stream, up to its end. Raises ModelUnreachable where that was not the end of the answer."""
        async with contextlib.aclosing(self._events(response)) as events:
            async for event in events:
                seconds = time.monotonic() - start
                if piece := deltas.event(event, seconds):
                    yield Piece(piece, seconds)
                if deltas.whole:
                    break
            else:
                raise classify.cut(self._server, "the stream ended before the answer did")
            late: list[str] = []  # from here on the answer is whole, whatever becomes of the line
            with contextlib.suppress(StopAsyncIteration, TimeoutError, ModelError):
                async with asyncio.timeout(_REST_SECONDS):
                    while not deltas.done:
                        late.append(deltas.event(await anext(events), time.monotonic() - start))
            with contextlib.suppress(TimeoutError, ModelError):
                async with asyncio.timeout(_END_SECONDS):
                    async for _ in events:
                        pass
            for piece in filter(None, late):
                yield Piece(piece, time.monotonic() - start)

    async def _events(self, response: Response) -> AsyncGenerator[Event, None]:
        stream = EventStream()
        async with contextlib.aclosing(unpacked(self._server, response, MOST_TEXT)) as chunks:
            async for chunk in chunks:
                try:
                    events = stream.feed(chunk)
                except EventTooLarge:
                    raise classify.unreadable(self._server, "an event without an end") from None
                for event in events:
                    yield event

    def _refuses_options(self, error: ModelError) -> bool:
        """Whether it was `stream_options` that a server refused; it is asked without them from then on."""
        refused = isinstance(error, ModelRefused) and error.data.get("status") in {400, 422}
        if not (self._asks_for_usage and refused and "stream_options" in error.message):
            return False
        self._asks_for_usage = False
        _log.warning("%s; its streams are asked for without them, so that their cost is unknown", error.message)
        return True

    def _priced(self, request: Request, reply: Reply) -> Reply:
        return changed(reply, cost=cost(self._alias, request.model, reply.usage))

    def _headers(self) -> dict[str, str]:
        own = headers_of(self._name, self._alias)
        return {
            "content-type": "application/json",
            "accept": "application/json",
            "accept-encoding": ENCODINGS,
            "user-agent": "gen_toolkit",
            **self._identified(own),
            **own,
        }

    def _identified(self, own: Mapping[str, str]) -> dict[str, str]:
        """What says who asks, unless the alias's own headers do."""
        return {} if "authorization" in own else {"authorization": f"Bearer {self._key()}"}

    def _url(self, path: str) -> str:
        return self._server.url(path)

    def _key(self) -> str:
        key = key_of(self._name, self._alias)
        if key is None and self._alias.base_url:
            return "no-key"  # a server of one's own often wants none
        if key is None:
            raise MissingSecret(
                f"model alias {self._name!r} has no api_key",
                fix='Add api_key = "env:OPENAI_API_KEY" to the alias and set that variable.',
                reference="",
            )
        return key


def _bare(error: ModelError) -> ModelError:
    """Without what it came through, which would hold the answer, however large, for as long as the error lives."""
    error.__context__ = None
    return error.with_traceback(None)
