"""A call is paid once: known answers come from the journal, new ones are made durable before they are seen."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from gen_toolkit import scope
from gen_toolkit.errors import GenToolkitError, ModelError, ReplayMiss, from_json
from gen_toolkit.journal.cassette import Cassette
from gen_toolkit.journal.store import Call, Journal, new_call
from gen_toolkit.messages.reply import Reply, Source
from gen_toolkit.messages.request import Request
from gen_toolkit.models.provider import Provider


class JournalLink:
    """Modes: `live` calls, `reuse` calls what has no answer yet, `replay` never calls."""

    def __init__(self, then: Provider, journal: Journal, cassette: Cassette | None) -> None:
        self._then, self._journal, self._cassette = then, journal, cassette

    async def send(self, request: Request) -> Reply:
        mode = scope.call_mode()
        call = new_call(request)
        if mode == "replay":
            return self._known(call, self._recorded(call), "replay")
        if mode == "reuse":
            found = self._journal.find(call)
            if found is not None:
                self._copy(call, found)
                return self._known(call, found, "reuse")
        return await self._make(call)

    async def _make(self, call: Call) -> Reply:
        await self._journal.asked(call)
        try:
            reply = await self._then.send(call.request)
        except (Exception, asyncio.CancelledError) as error:
            shown = _shown(error)
            await self._journal.failed(call, shown, int(shown.data.get("attempts", 1)))
            self._copy(call, {"error": shown.to_json()})
            raise
        reply = replace(reply, id=call.id, model=call.request.alias)
        await self._journal.answered(call, reply)
        self._copy(call, {"reply": reply.to_json()})
        return reply

    def _recorded(self, call: Call) -> dict[str, Any]:
        if self._cassette is not None:
            found, where = self._cassette.find(call.cassette_key), str(self._cassette.path)
        else:
            found, where = self._journal.find(call, failures=True), "the journal"
        if found is None:
            prompt = f" of {call.request.prompt}" if call.request.prompt else ""
            raise ReplayMiss(
                f"replay: a request{prompt} to {call.request.alias!r} is not in {where}",
                fix="Record it: run once with GEN_TOOLKIT_CALLS=reuse. A changed prompt, model or row is a new call.",
                key=call.cassette_key,
                alias=call.request.alias,
            )
        return found

    def _known(self, call: Call, found: dict[str, Any], source: Source) -> Reply:
        if "reply" in found:
            return Reply.from_json(
                found["reply"], id=found.get("id", ""), model=call.request.alias, source=source, attempts=0
            )
        raise from_json(found["error"])

    def _copy(self, call: Call, entry: dict[str, Any]) -> None:
        if self._cassette is not None:
            kept = {k: v for k, v in entry.items() if k != "id"}
            if self._cassette.bodies:
                kept["request"] = list(call.request.messages)
            self._cassette.add(call.cassette_key, kept)


def _shown(error: BaseException) -> GenToolkitError:
    """What the journal says of a failure; a stranger's exception may come from a function that answers."""
    if isinstance(error, GenToolkitError):
        return error
    if isinstance(error, asyncio.CancelledError):
        return ModelError("the call was cancelled")
    return ModelError(f"the call failed ({type(error).__name__}: {error})")
