"""One question: a request, the door it goes through, and what is made of the answer."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace

from gen_toolkit.changed import changed
from gen_toolkit.errors import OutputMismatch
from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Message, Request
from gen_toolkit.messages.sum import all_of
from gen_toolkit.models.counted import counted
from gen_toolkit.models.gateway import Door
from gen_toolkit.models.provider import Pieces


@dataclass(frozen=True)
class Question:
    """A request that can be asked: whole, or as a stream."""

    request: Request
    door: Door
    reask: bool | None = None
    """Whether an answer that does not fit the declared output is asked for once more; None: as the alias says."""

    async def answer(self) -> Reply:
        """The reply with its value in the declared form. Raises a ModelError."""
        first = counted(await self.door.chain.send(self.request))
        try:
            return self._finished(first)
        except OutputMismatch as mismatch:
            if not (self.door.settings.reask if self.reask is None else self.reask):
                raise
            again = replace(self.request, messages=(*self.request.messages, first.message, _correction(mismatch)))
            second = counted(await self.door.chain.send(again))
            reply = all_of([first, self._finished(second)])
            return replace(reply, repairs=("asked again", *reply.repairs))

    async def pieces(self) -> Pieces:
        """The reply as it is written. Never asked again: what was given away cannot be taken back."""
        async with contextlib.aclosing(self.door.chain.stream(self.request)) as answer:
            async for piece in answer:
                whole = None if piece.reply is None else self._finished(counted(piece.reply))
                yield replace(piece, reply=whole)

    def _finished(self, reply: Reply) -> Reply:
        """The reply as it is asked for. A value is made of a text, and of no call of a tool."""
        request = self.request
        if request.choose and reply.probabilities is not None:  # in the order of the labels: the record may lose it
            weighed = {label: reply.probabilities.get(label, 0.0) for label in request.choose}
            reply = changed(reply, probabilities=weighed)
        if request.tools and reply.tool_calls:
            offered = {tool.name for tool in request.tools}
            calls = tuple(replace(call, offered=call.name in offered) for call in reply.tool_calls)
            reply = replace(reply, tool_calls=calls)
        if request.output is None:
            return reply
        if reply.tool_calls:
            return replace(reply, value=None)
        cut = reply.finish_reason == "length"
        value, repairs = request.output.read(reply.text, alias=reply.model, cut=cut)
        return changed(reply, value=value, repairs=repairs)


def _correction(mismatch: OutputMismatch) -> Message:
    """What the model is told of its answer."""
    return {
        "role": "user",
        "content": f"That does not fit what was asked for: {mismatch.reason}. "
        "Answer again, in the form that was asked for and with nothing else.",
    }
