"""What may be sent, and what may come back: before the journal and behind it, so that it sees neither."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from gen_toolkit import scope
from gen_toolkit.database.sql import Connection
from gen_toolkit.database.tables import findings
from gen_toolkit.errors import GuardRefused
from gen_toolkit.journal.commits import GroupCommit
from gen_toolkit.messages.piece import Piece
from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Message, Request
from gen_toolkit.models.guard import Finding, Rules
from gen_toolkit.models.held import Held
from gen_toolkit.models.provider import Pieces, Provider

Direction = Literal["input", "output"]


class RequestGuardLink:
    """Applies the rules to all texts of a request: messages, their parts, arguments of tools, texts to embed."""

    def __init__(self, then: Provider, rules: Rules, commits: GroupCommit) -> None:
        self._then, self._rules, self._commits = then, rules, commits

    async def send(self, request: Request) -> Reply:
        return await self._then.send(await self._guarded(request))

    async def stream(self, request: Request) -> Pieces:
        async with contextlib.aclosing(self._then.stream(await self._guarded(request))) as pieces:
            async for piece in pieces:
                yield piece

    async def _guarded(self, request: Request) -> Request:
        found: list[Finding] = []

        def guarded(text: str) -> str:
            text, more = self._rules.applied(text)
            found.extend(more)
            return text

        messages = tuple(_message(message, guarded) for message in request.messages)
        inputs = tuple(guarded(text) for text in request.inputs)
        if not found:
            return request
        await _record(self._commits, request, "input", found)
        _refuse(request, "input", found)
        return replace(request, messages=messages, inputs=inputs)


class ReplyGuardLink:
    """Applies the rules to what comes back; of a stream no piece is given away before it is safe."""

    def __init__(self, then: Provider, rules: Rules, commits: GroupCommit) -> None:
        self._then, self._rules, self._commits = then, rules, commits

    async def send(self, request: Request) -> Reply:
        return await self._guarded(request, await self._then.send(request))

    async def stream(self, request: Request) -> Pieces:
        held = Held(self._rules)
        given: list[str] = []
        async with contextlib.aclosing(self._then.stream(request)) as pieces:
            async for piece in pieces:
                safe, found = held.rest() if piece.reply is not None else held.fed(piece.text)
                await self._judge(request, found, piece.reply)
                if safe:
                    given.append(safe)
                    yield Piece(safe, piece.seconds)
                if piece.reply is not None:
                    reply = await self._guarded(request, piece.reply, "".join(given))
                    yield replace(piece, reply=replace(reply, pieces=tuple(map(len, given))))

    async def _guarded(self, request: Request, reply: Reply, judged: str | None = None) -> Reply:
        """`judged` is the text of a stream, which was judged piece by piece."""
        text, found = (judged, []) if judged is not None else self._rules.applied(reply.text)
        calls = []
        for call in reply.tool_calls:
            written, more = self._rules.applied(call.written)
            calls.append(replace(call, written=written))
            found += more
        await self._judge(request, found, reply)
        if text == reply.text and calls == list(reply.tool_calls):
            return reply
        value = text if reply.value == reply.text else reply.value
        return replace(reply, text=text, value=value, tool_calls=tuple(calls))

    async def _judge(self, request: Request, found: Sequence[Finding], paid: Reply | None) -> None:
        if found:
            await _record(self._commits, request, "output", found)
            _refuse(request, "output", found, paid)


def _message(message: Message, guarded: Any) -> dict[str, Any]:
    """Text is what people wrote or a model said: contents, text parts, arguments of tools. Images pass."""
    content = message.get("content")
    if type(content) is str and "tool_calls" not in message:
        return {**message, "content": guarded(content)}
    changed = dict(message)
    if isinstance(content, str):
        changed["content"] = guarded(content)
    elif isinstance(content, Sequence):
        changed["content"] = [_part(part, guarded) for part in content]
    if isinstance(message.get("tool_calls"), Sequence):
        changed["tool_calls"] = [_call(call, guarded) for call in message["tool_calls"]]
    return changed


def _call(call: Any, guarded: Any) -> Any:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("arguments"), str):
        return call
    return {**call, "function": {**function, "arguments": guarded(function["arguments"])}}


def _part(part: Any, guarded: Any) -> Any:
    is_text = isinstance(part, Mapping) and isinstance(part.get("text"), str)
    return {**part, "text": guarded(part["text"])} if is_text else part


def _refuse(request: Request, direction: Direction, found: Sequence[Finding], paid: Reply | None = None) -> None:
    refused = [finding.reason for finding in found if finding.action == "refused"]
    if not refused:
        return
    what = "the request holds" if direction == "input" else "the reply holds"
    error = GuardRefused(
        f"the guard of {request.alias!r} lets nothing through where {what} {', '.join(sorted(set(refused)))}",
        fix=f"Take it out, or change guard.{direction} of the alias.",
        alias=request.alias,
        reason=refused[0],
        direction=direction,
    )
    if direction == "output":
        error.paid = paid
        error.data["unanswered"] = int(paid is None)  # a stream that was stopped may be on the bill
    raise error


async def _record(commits: GroupCommit, request: Request, direction: Direction, found: Sequence[Finding]) -> None:
    """An audit row a finding: where, why and how often, never what."""
    for finding in found:
        row = {
            "run": scope.run_or_session(),
            "alias": request.alias,
            "prompt": str(request.prompt) if request.prompt else None,
            "direction": direction,
            "reason": finding.reason,
            "action": finding.action,
            "count": finding.count,
            "found_at": time.time(),
        }
        await commits.submit(_insert, row)


def _insert(connection: Connection, rows: list[dict[str, Any]]) -> list[None]:
    connection.execute(findings.insert(), rows)
    return [None] * len(rows)
