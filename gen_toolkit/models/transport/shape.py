"""The shape of a carrier: it brings bytes there and back, once, and judges nothing but the connection."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Protocol

CONNECT_SECONDS = 10.0
"""For a connection, handshake included; beyond that nothing is there. The rest is the total deadline's."""
IDLE_SECONDS = 4.0
"""How long an unused connection is kept: less than the 5 s after which common servers (uvicorn, Node) close theirs.

A connection that the server closes just when we use it is the one case in which nobody can tell whether the request
was seen: such a call ends as ModelUnreachable with `billed` None, and is tried again by the retry link, visibly.
"""


class Response(Protocol):
    """An answer whose body is still to come."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]:
        """To be asked for in small letters."""
        ...

    def arrived(self) -> bytes | None:
        """The whole body, where all of it is there already, as short answers come; else None, and nothing is taken."""
        ...

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body as it arrives, still compressed where it is. Raises ModelUnreachable when it breaks off."""
        ...

    async def close(self) -> None:
        """Let go: what was read to its end leaves a connection to be used again, anything else closes it."""
        ...


class Transport(Protocol):
    """Carries requests to one server, on one event loop.

    Follows no redirect, repeats nothing, decodes nothing, sets no time limit but that for connecting.
    """

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Response:
        """Send JSON. Raises a ModelError where no answer begins."""
        ...

    async def close(self) -> None: ...
