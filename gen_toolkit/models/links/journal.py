"""A call is paid once: known answers come from the journal, new ones are made durable before they are seen."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import replace
from types import TracebackType
from typing import Any

from gen_toolkit import scope
from gen_toolkit.changed import changed
from gen_toolkit.errors import DatabaseError, GenToolkitError, ModelError, ReplayMiss, from_json
from gen_toolkit.journal.call import Call, Known, new_call
from gen_toolkit.journal.cassette import Cassette
from gen_toolkit.journal.store import CANCELLED_BEFORE, InFlight, Journal
from gen_toolkit.messages.piece import pieces_of
from gen_toolkit.messages.reply import Reply, Source
from gen_toolkit.messages.request import Request
from gen_toolkit.models.places import place
from gen_toolkit.models.provider import Pieces, Provider

_LOOK_AGAIN = 0.1  # seconds between looks at a call that another process is making


class JournalLink:
    """Modes: `live` calls, `reuse` calls what has no answer yet, `replay` never calls."""

    def __init__(
        self,
        then: Provider,
        journal: Journal,
        mode: scope.Mode | None = None,
        cassette: Cassette | None = None,
        *,
        bodies: bool = True,
    ) -> None:
        self._then, self._journal, self._mode = then, journal, mode
        self._cassette, self._bodies = cassette, bodies

    async def send(self, request: Request) -> Reply:
        call = new_call(request, bodies=self._bodies)
        asked = self._asked(call)
        async with asked as known:
            if known is not None:
                return known
            async with place():
                asked.left = True
                reply = await self._then.send(request)
            return await self._answered(call, reply)

    async def stream(self, request: Request) -> Pieces:
        call = new_call(request, bodies=self._bodies)
        asked = self._asked(call)
        async with asked as known:
            if known is not None:
                for piece in pieces_of(known):
                    yield piece
                return
            asked.left = True
            async with contextlib.aclosing(self._then.stream(request)) as pieces:
                async for piece in pieces:
                    if piece.reply is not None:  # whole, and durable before the iterator ends
                        piece = replace(piece, reply=await self._answered(call, piece.reply))
                    yield piece

    def _asked(self, call: Call) -> _Asked:
        return _Asked(self, call, scope.call_mode(self._mode), self._journal.flying)

    async def ask(self, call: Call, *, reuse: bool) -> Known | None:
        """What is known, after waiting for another process that is asking; None: this one is to ask."""
        while isinstance(found := await self._journal.ask(call, reuse=reuse), InFlight):
            while self._journal.is_in_flight(call):
                await asyncio.sleep(_LOOK_AGAIN)
        return found

    async def _answered(self, call: Call, reply: Reply) -> Reply:
        reply = changed(reply, id=call.id, model=call.request.alias)
        try:
            await self._journal.answered(call, reply)
        except DatabaseError as error:
            error.reply = reply  # it is paid for: whoever asked can still have it
            raise
        if self._cassette is not None:
            self.copy(call, Known(reply=reply.to_json()))
        return reply

    async def failed(self, call: Call, error: BaseException, *, left: bool) -> None:
        shown = _shown(error, left)
        await self._journal.failed(call, shown)
        self.copy(call, Known(error=shown.to_json()))
        if isinstance(error, ModelError):
            error.call = call.id  # for whoever stands in

    def recorded(self, call: Call) -> Known:
        if self._cassette is not None:
            entry, where = self._cassette.find(call.cassette_key), str(self._cassette.path)
            found = None if entry is None else Known(reply=entry.get("reply"), error=entry.get("error"))
        else:
            found, where = self._journal.find(call), "the journal"
        if found is None:
            prompt = f" of {call.request.prompt}" if call.request.prompt else ""
            raise ReplayMiss(
                f"replay: a request{prompt} to {call.request.alias!r} is not in {where}",
                fix="Record it: run once with GEN_TOOLKIT_CALLS=reuse. A changed prompt, model or row is a new call.",
                key=call.cassette_key,
                alias=call.request.alias,
            )
        if found.reply is None and found.error is None:
            raise _no_longer(call, found)
        return found

    def reply(self, call: Call, known: Known, source: Source) -> Reply:
        if known.reply is not None:
            return Reply.from_json(known.reply, id=known.id, model=call.request.alias, source=source, attempts=0)
        error = from_json(known.error or {})
        if isinstance(error, ModelError):
            error.call = known.id
        raise error

    def copy(self, call: Call, known: Known) -> None:
        if self._cassette is not None:
            kept: dict[str, Any] = {"error": known.error} if known.reply is None else {"reply": known.reply}
            if self._cassette.bodies:
                kept["request"] = list(call.request.inputs or call.request.messages)
            self._cassette.add(call.cassette_key, kept)


class _Asked:
    """One call, from its question to its end.

    `async with` gives a known reply, or None with the intent on record; then what goes wrong inside is recorded, too.
    """

    def __init__(self, link: JournalLink, call: Call, mode: scope.Mode, flying: dict[str, asyncio.Event]) -> None:
        self._link, self._call, self._mode, self._flying = link, call, mode, flying
        self.left = False
        """Whether it has gone to the model; before that nothing can be on the bill."""
        self._over: asyncio.Event | None = None
        self._known: Reply | None = None

    async def __aenter__(self) -> Reply | None:
        link, call = self._link, self._call
        if self._mode == "replay":
            self._known = link.reply(call, link.recorded(call), "replay")
            return self._known
        while self._mode == "reuse" and (other := self._flying.get(call.key)) is not None:
            await other.wait()  # one asks, and all who ask the same at the same time get its answer
        self._over = self._flying[call.key] = asyncio.Event()
        try:
            known = await link.ask(call, reuse=self._mode == "reuse")
            if known is not None:
                link.copy(call, known)
                self._known = link.reply(call, known, "reuse")
        except BaseException:
            self._end()
            raise
        return self._known

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            is_ours = isinstance(error, Exception | asyncio.CancelledError | GeneratorExit)
            if error is not None and is_ours and self._known is None and not isinstance(error, DatabaseError):
                await self._link.failed(self._call, error, left=self.left)  # a record that failed records nothing more
        finally:
            self._end()

    def _end(self) -> None:
        if self._over is not None:
            self._over.set()
            if self._flying.get(self._call.key) is self._over:
                del self._flying[self._call.key]


def _no_longer(call: Call, found: Known) -> ReplayMiss:
    """An answer that the journal knows of, and has no text of."""
    prompt = f" of {call.request.prompt}" if call.request.prompt else ""
    asked = f"replay: the reply to a request{prompt} to {call.request.alias!r}"
    facts = {"key": call.cassette_key, "alias": call.request.alias, "call": found.id}
    if found.pruned_at is None:
        fix = 'Give the alias bodies = "full" and record it once more with GEN_TOOLKIT_CALLS=reuse.'
        return ReplayMiss(f"{asked} was not kept: its alias keeps hashes only", fix=fix, **facts)
    day = time.strftime("%Y-%m-%d", time.localtime(found.pruned_at))
    fix = "Record it once more with GEN_TOOLKIT_CALLS=reuse; bodies_days says how long replies are kept."
    return ReplayMiss(f"{asked} was removed on {day}, because of its age", fix=fix, pruned_at=found.pruned_at, **facts)


def _shown(error: BaseException, left: bool) -> GenToolkitError:
    """What the journal says of a failure; a stranger's exception may come from a function that answers."""
    if isinstance(error, GenToolkitError):
        return error
    if not left:
        return ModelError(CANCELLED_BEFORE)
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        return ModelError("the call was cancelled before its answer came", unanswered=1)
    return ModelError(f"the call failed ({type(error).__name__}: {error})", unanswered=1)
