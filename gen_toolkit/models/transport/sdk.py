"""The carrier of the `openai` package: slower, and the way back where the fast one does not get through."""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import httpx2
import openai

from gen_toolkit import text
from gen_toolkit.errors import ModelError
from gen_toolkit.models import classify
from gen_toolkit.models.server import Server
from gen_toolkit.models.transport.network import proxy_for, trusted
from gen_toolkit.models.transport.shape import CONNECT_SECONDS, IDLE_SECONDS, Response

# What the package would take from variables of the environment; here the alias says all.
_AMBIENT = ("authorization", "openai-organization", "openai-project")


class SdkTransport:
    """One client, with its own repeats off."""

    def __init__(self, server: Server) -> None:
        self._server = server
        timeout = httpx2.Timeout(None, connect=CONNECT_SECONDS)
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=IDLE_SECONDS)
        carrier = _Carrier(
            timeout=timeout,
            limits=limits,
            follow_redirects=False,
            trust_env=False,
            proxy=proxy_for(server.address),
            verify=trusted(),
        )
        self._client = openai.AsyncOpenAI(
            api_key="by header", base_url=server.address, max_retries=0, timeout=timeout, http_client=carrier
        )

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Response:
        ours: dict[str, Any] = {**dict.fromkeys(_AMBIENT, openai.Omit()), **headers}
        try:
            await self._client.post(url, cast_to=httpx2.Response, content=body, options={"headers": ours})
        except _Arrived as arrived:
            return SdkResponse(self._server, arrived.response)
        except openai.APIConnectionError as error:
            raise _failed(self._server, error.__cause__ or error) from None
        raise AssertionError("every answer arrives as _Arrived")

    async def close(self) -> None:
        await self._client.close()


class SdkResponse:
    def __init__(self, server: Server, answer: httpx2.Response) -> None:
        self._server, self._answer = server, answer
        self.status = answer.status_code
        self.headers: Mapping[str, str] = answer.headers

    def arrived(self) -> None:
        """It is not told."""

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        try:
            async for chunk in self._answer.aiter_raw():
                yield chunk
        except (httpx2.RequestError, OSError) as error:
            raise _failed(self._server, error) from None

    async def close(self) -> None:
        await self._answer.aclose()


class _Arrived(openai.OpenAIError):
    """An answer, handed over before the package reads it: of a refusal it would read and unpack all there is.

    It lets errors of its own kind through.
    """

    def __init__(self, response: httpx2.Response) -> None:
        super().__init__()
        self.response = response


class _Carrier(httpx2.AsyncClient):
    async def send(self, request: httpx2.Request, **_: Any) -> httpx2.Response:
        raise _Arrived(await super().send(request, stream=True))


class _Scrubbed(logging.Filter):
    """What these packages log of an answer may hold a key that the server has sent back."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = text.scrub(record.getMessage()), ()
        return True


for _name in ("httpcore2.connection", "httpcore2.http11", "httpcore2.proxy", "httpx2", "openai", "openai._base_client"):
    logging.getLogger(_name).addFilter(_Scrubbed())


def _failed(server: Server, error: BaseException) -> ModelError:
    """What a failure of httpx2 means; the cause of a failed connection stands deeper down."""
    causes = [error]
    while (deeper := causes[-1].__cause__ or causes[-1].__context__) is not None and deeper not in causes:
        causes.append(deeper)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return classify.not_trusted(server, cause)
    if isinstance(error, httpx2.ProxyError):
        status, _, message = str(error).partition(" ")
        return classify.no_way(server, int(status) if status.isdecimal() else 502, message)
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        return classify.not_reached(server, f"{type(causes[-1]).__name__}: {causes[-1]}")
    said = f"{type(error).__name__}: {error}"
    closed = "disconnected" in said or "closed connection" in said  # the one class is for both
    if isinstance(error, httpx2.RemoteProtocolError) and not closed:
        return classify.unreadable(server, f"something that is not HTTP as we can read it ({said})")
    return classify.cut(server, said)
