"""A reply that comes in pieces: events of a streamed chat completion, put together. No input, no output, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Request
from gen_toolkit.models import answer, classify
from gen_toolkit.models.sse import Event

_DONE = b"[DONE]"


class Deltas:
    """Feed it each event with the second of its arrival; it gives the text of it, and at the end the reply."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._texts: list[str] = []
        self._times: list[float] = []
        self._begun: float | None = None
        self._calls: list[_Call] = []
        self._indexed: dict[int, _Call] = {}
        self._refusal: list[str] = []
        self._finish: Any = None
        self._usage: Any = None
        self._choices = False
        self.done = False
        """Whether the server has said that this was all."""

    @property
    def whole(self) -> bool:
        """Whether the answer has come to its end: by the server's word, or by the reason it finished for."""
        return self.done or isinstance(self._finish, str)

    def event(self, event: Event, seconds: float) -> str:
        """Raises a ModelError for an event that is malformed, or tells of an error."""
        if event.name == "error":
            raise classify.stated(self._request.alias, event.data)
        if event.data.strip() == _DONE:
            self.done = True
        if self.done or event.name not in {"", "message"} or not event.data.strip():
            return ""
        return self.chunk(answer.decoded(self._request, event.data, "an event of the stream"), seconds)

    def chunk(self, chunk: Any, seconds: float) -> str:
        """The same for an event that is decoded already."""
        if not isinstance(chunk, Mapping):
            raise answer.bad(self._request, f"an event that is no JSON object but {answer.shown(chunk)[:80]}")
        if chunk.get("error"):
            raise classify.stated(self._request.alias, chunk)
        if isinstance(chunk.get("usage"), Mapping):
            self._usage = chunk["usage"]
        choices = chunk.get("choices")
        if not isinstance(choices, list):
            if "usage" in chunk and choices is None:
                return ""
            raise answer.bad(self._request, "an event without choices")
        return "".join(self._choice(choice, seconds) for choice in choices)

    def reply(self) -> Reply:
        """The whole reply, by the same rules as one that came at once."""
        if not self._choices:
            raise answer.bad(self._request, "an empty stream")
        message = {
            "content": "".join(self._texts),
            "refusal": "".join(self._refusal),
            "tool_calls": [call.to_json() for call in self._calls],
        }
        body = {"choices": [{"message": message, "finish_reason": self._finish}], "usage": self._usage}
        times = self._times
        return replace(
            answer.reply(self._request, body),
            pieces=tuple(map(len, self._texts)),
            first_token_seconds=self._begun,
            between_seconds=(times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else None,
        )

    def _choice(self, choice: Any, seconds: float) -> str:
        if not isinstance(choice, Mapping):
            raise answer.bad(self._request, "a choice that is no JSON object")
        if (choice.get("index") or 0) != 0:
            return ""  # more than one was asked for; the first is the reply
        self._choices = True
        if choice.get("finish_reason") is not None:
            self._finish = choice["finish_reason"]
        delta = choice.get("delta")
        if delta is None:
            return ""
        if not isinstance(delta, Mapping) or not isinstance(delta.get("content"), str | list | None):
            raise answer.bad(self._request, "a delta that is none")
        if delta.get("function_call"):
            raise answer.bad(self._request, "a function_call, the API's old form", final=True, fix="Give tools=[…].")
        if isinstance(delta.get("refusal"), str):
            self._refusal.append(delta["refusal"])
        calls = delta.get("tool_calls") or []
        for call in calls if isinstance(calls, list) else [None]:
            self._call(call)
        text = answer.content_text(delta.get("content")) or ""
        if (text or self._calls) and self._begun is None:
            self._begun = seconds
        if text:
            self._texts.append(text)
            self._times.append(seconds)
        return text

    def _call(self, part: Any) -> None:
        """A part of a tool call; which one, its index says, or, where a server sends none, its id."""
        function = part.get("function") if isinstance(part, Mapping) else None
        if not isinstance(function, Mapping):
            raise answer.bad(self._request, "a tool call that names no function")
        call = self._place(part.get("index"), part.get("id"))
        call.id = call.id or part.get("id")
        call.name = call.name or function.get("name")
        if isinstance(function.get("arguments"), str):
            call.arguments.append(function["arguments"])

    def _place(self, index: Any, identity: Any) -> _Call:
        last = self._calls[-1] if self._calls else None
        found = self._indexed.get(index) if isinstance(index, int) else None
        if last is not None and not isinstance(index, int) and (not identity or identity == last.id):
            found = last
        if found is None:
            found = _Call()
            self._calls.append(found)
            if isinstance(index, int):
                self._indexed[index] = found
        return found


class _Call:
    """A tool call that is still coming."""

    def __init__(self) -> None:
        self.id: Any = None
        self.name: Any = None
        self.arguments: list[str] = []

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "function": {"name": self.name, "arguments": "".join(self.arguments)}}
