"""Any server that speaks the OpenAI API, through the `openai` package. Its own retries are off."""

from __future__ import annotations

import email.utils
import socket
import time
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from gen_toolkit import text
from gen_toolkit.alias import Alias
from gen_toolkit.errors import (
    BadReply,
    MissingSecret,
    ModelError,
    ModelOverloaded,
    ModelRefused,
    ModelUnreachable,
    SettingError,
)
from gen_toolkit.messages.piece import pieces_of
from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Request
from gen_toolkit.models import wire
from gen_toolkit.models.price import cost
from gen_toolkit.models.provider import Pieces
from gen_toolkit.secret import Secret
from gen_toolkit.settings import Resolved

if TYPE_CHECKING:
    import openai

_NOT_NOW = {408, 409, 425, 429}
_DEFAULT_ADDRESS = "https://api.openai.com/v1"  # the package's own default
_PATIENCE = 3.0  # seconds to find out whether a server is there at all
_QUOTA = {"insufficient_quota", "billing_hard_limit_reached"}


class OpenAIProvider:
    """One alias on one OpenAI-compatible server."""

    def __init__(self, name: str, alias: Alias, settings: Resolved) -> None:  # noqa: ARG002 - every kind is made alike
        self._name, self._alias = name, alias
        self._model = self.model_name(alias)
        self._clients: dict[str, openai.AsyncOpenAI] = {}

    @staticmethod
    def model_name(alias: Alias) -> str:
        if not alias.model:
            raise SettingError(
                "an alias of provider 'openai' names no model",
                fix='Add model = "…" to it.',
                setting="model",
            )
        return alias.model

    def _client(self) -> openai.AsyncOpenAI:
        """One client a key: connections are kept, and a key that was corrected is used at once."""
        import openai

        key = self._key()
        if key not in self._clients:
            self._clients[key] = openai.AsyncOpenAI(
                api_key=key,
                base_url=self._alias.base_url,
                default_headers=self._alias.headers or None,
                max_retries=0,  # the retry link owns them: see docs/models.md
                timeout=self._alias.deadline_s,
            )
        return self._clients[key]

    def _key(self) -> str:
        if self._alias.api_key:
            try:
                key = Secret(self._alias.api_key).value
            except MissingSecret as error:
                error.message = f"model alias {self._name!r}: {error.message}"
                raise
            if not (key.isascii() and key.isprintable()):
                raise SettingError(
                    f"model alias {self._name!r}: what {self._alias.api_key} holds is no key",
                    fix="A key is one line of printable ASCII characters; copy it again.",
                    setting="api_key",
                )
            return key
        if self._alias.base_url:
            return "no-key"  # a server of one's own often wants none
        raise MissingSecret(
            f"model alias {self._name!r} has no api_key",
            fix='Add api_key = "env:OPENAI_API_KEY" to the alias and set that variable.',
            reference="",
        )

    def ready(self) -> None:
        """A key that can be read, and a server that takes connections (behind a proxy only it can tell)."""
        self._key()
        address = urlsplit(self._alias.base_url or _DEFAULT_ADDRESS)
        host = address.hostname or ""
        if address.scheme in getproxies() and not proxy_bypass(host):
            return
        try:
            port = address.port or (443 if address.scheme == "https" else 80)
            socket.create_connection((host, port), timeout=_PATIENCE).close()
        except OSError as error:
            raise ModelUnreachable(
                f"model alias {self._name!r}: nothing answers at {host}:{port} ({text.one_line(error, 80)})",
                fix="Start the server or correct base_url.",
                alias=self._name,
            ) from None

    async def send(self, request: Request) -> Reply:
        import openai

        body = wire.payload(request)
        if response_format := wire.schema_format(request):
            body["response_format"] = response_format
        endpoint = self._client().chat.completions.with_raw_response
        try:
            # as `extra_body` also the options that only this server knows are sent as they are
            answer = await endpoint.create(messages=body.pop("messages"), model=body.pop("model"), extra_body=body)
            decoded = answer.http_response.json()
        except openai.APIStatusError as error:
            raise self._refusal(error) from None
        except openai.APIConnectionError as error:
            raise self._unreachable(error) from None
        except ValueError as error:  # not JSON, not UTF-8
            raise BadReply(
                f"{self._name!r} answered with something that is not JSON ({type(error).__name__})",
                fix=f"Check base_url: {self._alias.base_url or 'the default'} may be a web page or a login.",
                alias=self._name,
            ) from None
        reply = wire.reply(request, decoded)
        return replace(reply, cost=cost(self._alias, request.model, reply.usage))

    async def stream(self, request: Request) -> Pieces:
        for piece in pieces_of(await self.send(request)):
            yield piece

    def _unreachable(self, error: openai.APIConnectionError) -> ModelError:
        cause = error.__cause__ or error
        return ModelUnreachable(
            f"model alias {self._name!r}: no answer from {self._alias.base_url or 'the OpenAI API'} "
            f"({text.one_line(type(cause).__name__ + ': ' + str(cause), 100)})",
            fix="Start the server or correct base_url.",
            alias=self._name,
        )

    def _refusal(self, error: openai.APIStatusError) -> ModelError:
        status = error.status_code
        said = text.one_line(error.message, 160)
        if (status in _NOT_NOW or status >= 500) and str(error.code) not in _QUOTA:
            return ModelOverloaded(
                f"{self._name!r} said not now ({status}): {said}",
                fix="Try again later, or lower the load.",
                alias=self._name,
                status=status,
                retry_after=_retry_after(error.response.headers.get("retry-after")),
            )
        advice = {
            401: f"Check the key: {self._alias.api_key or 'the alias has none'}.",
            403: "The key may not use this model.",
            404: f"Check base_url and model: {self._model!r} is not known there.",
            429: "The account has used up its quota: raise it there, or use another key.",
        }
        return ModelRefused(
            f"{self._name!r} refused the request ({status}): {said}",
            fix=advice.get(status, "Trying again will not help; change the request."),
            alias=self._name,
            status=status,
        )


def _retry_after(header: str | None) -> float | None:
    """Seconds, from seconds or from an HTTP date (RFC 9110, 10.2.3)."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
