"""What was said in a conversation: where it starts, its turns, and results that no question has carried yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gen_toolkit import text
from gen_toolkit.errors import PromptError
from gen_toolkit.messages.request import Message, as_rendered
from gen_toolkit.messages.tool import ToolCall

Messages = tuple[Message, ...]


@dataclass(frozen=True)
class History:
    """Never changed: every step makes another one. A turn is what was asked, and the answer."""

    start: Messages = ()
    turns: tuple[Messages, ...] = ()
    results: Messages = ()
    """Of tools, since the last answer."""

    @property
    def messages(self) -> Messages:
        return (*self.start, *(message for turn in self.turns for message in turn), *self.results)

    @property
    def waiting(self) -> list[Message]:
        """The calls that the last answer asks for and that have no result yet, in the form of the API."""
        last = self.turns[-1][-1] if self.turns else self.start[-1] if self.start else {}
        answered = Counter(message.get("tool_call_id") for message in self.results)
        calls = last.get("tool_calls")
        waiting = []
        for call in calls if isinstance(calls, list) else ():
            if answered[call.get("id")]:
                answered[call.get("id")] -= 1
            else:
                waiting.append(call)
        return waiting

    def asked(self, more: Messages) -> Messages:
        """What is new in the next question. Raises PromptError where the model is not to be asked now."""
        if self.waiting:
            named = text.one_line(", ".join(f"{_name(call)} ({call.get('id')})" for call in self.waiting), 120)
            raise PromptError(f"the model waits for the result of {named}", fix="Give it: talk.result(call, …).")
        asked = (*self.results, *more)
        if not asked and (self.turns or not self.start or self.start[-1]["role"] == "system"):
            raise PromptError("there is nothing to answer", fix='Say something: talk.chat("…").')
        return asked

    def with_turn(self, asked: Messages, answer: Message) -> History:
        return replace(self, turns=(*self.turns, (*asked, answer)), results=())

    def with_result(self, call: ToolCall, value: Any) -> History:
        if call.id not in [waiting.get("id") for waiting in self.waiting]:
            raise PromptError(
                f"the model does not wait for the result of {text.one_line(call.name, 60)!r} ({call.id})",
                fix="Give one result to each call of the last reply's tool_calls.",
            )
        return replace(self, results=(*self.results, call.result(value)))

    def without_last(self) -> History:
        """Without the results since the last answer; where there are none, without the last turn."""
        if self.results:
            return replace(self, results=())
        if not self.turns:
            raise PromptError("there is no turn to take back", fix="")
        return replace(self, turns=self.turns[:-1])

    def to_json(self) -> dict[str, Any]:
        return {"start": list(self.start), "turns": [list(turn) for turn in self.turns], "results": list(self.results)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> History:
        def read(messages: Any) -> Messages:
            return as_rendered(messages).messages if messages else ()

        return cls(read(data["start"]), tuple(read(turn) for turn in data["turns"]), read(data["results"]))


def _name(call: Message) -> str:
    function = call.get("function")
    return str(function.get("name")) if isinstance(function, Mapping) else "a tool"
