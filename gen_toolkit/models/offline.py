"""Who stands at the end of the chain where everything is answered from the record: nobody."""

from __future__ import annotations

from gen_toolkit.errors import ReplayMiss
from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Request
from gen_toolkit.models.provider import Pieces


class Offline:
    """Needs no key, no weights and no server; the journal's link answers before it is asked."""

    def ready(self) -> None:
        """Always."""

    async def send(self, request: Request) -> Reply:
        raise self._asked(request)

    async def stream(self, request: Request) -> Pieces:
        raise self._asked(request)
        yield  # which makes it a generator

    def _asked(self, request: Request) -> ReplayMiss:
        return ReplayMiss(
            f"a request to {request.alias!r} was about to leave, and GEN_TOOLKIT_CALLS=replay calls nobody",
            fix="Unset GEN_TOOLKIT_CALLS, or record the request with GEN_TOOLKIT_CALLS=reuse.",
            alias=request.alias,
        )
