"""Tools a model may ask for: what it is told of them, and what it asked. They are never run here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gen_toolkit import text
from gen_toolkit.errors import GenToolkitError, InputError, OutputMismatch, PromptError
from gen_toolkit.messages.repair import strict_json

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what the API takes


def check_name(name: Any) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise PromptError(
            f"{text.one_line(repr(name), 80)} cannot be a tool's name",
            fix="Use letters of ASCII, digits, '_' and '-', at most 64.",
        )


@dataclass(frozen=True)
class Tool:
    """A function as a model sees it. `gt.chat(…, tools=[function])` makes it; see `messages.function`."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON Schema of the arguments: an object."""
    strict: bool | None = None
    """Whether the server must hold the arguments to the schema; None: it is not said."""

    def to_json(self) -> dict[str, Any]:
        told = {"name": self.name, "description": self.description, "parameters": dict(self.parameters)}
        return told if self.strict is None else {**told, "strict": self.strict}


@dataclass(frozen=True)
class ToolCall:
    """What a model wants called, with the arguments it wrote."""

    id: str
    name: str
    written: str
    """The arguments as the model wrote them."""
    offered: bool = True
    """Whether there is a tool of this name; a model may make one up."""

    @property
    def arguments(self) -> dict[str, Any] | None:
        """What was written; None where that is no JSON object, or where no such tool was offered."""
        try:
            found = strict_json(self.written or "{}")
        except ValueError:
            return None
        return found if isinstance(found, dict) and self.offered else None

    def checked(self, function: Callable[..., Any]) -> dict[str, Any]:
        """The arguments as `function` takes them: its types, and only those that were written.

        Raises OutputMismatch where they do not fit; `call.result(error)` tells the model so.
        """
        from gen_toolkit.messages.function import signature_of

        if self.arguments is not None:
            return signature_of(function).checked(self)
        raise self.mismatch("the arguments are no JSON object" if self.offered else "there is no such tool")

    def mismatch(self, reason: str) -> OutputMismatch:
        return OutputMismatch(
            f"the call of {text.one_line(self.name, 64)!r} does not fit: {text.one_line(reason, 200)}; "
            f"it was {text.one_line(self.written, 80)!r}",
            fix="Tell the model: call.result(error).",
            text=self.written,
            reason=text.one_line(reason, 300),
        )

    def result(self, value: Any) -> dict[str, Any]:
        """The message that tells the model what came of this call.

        A text as it is, an exception as a line that begins with "error:", anything else as JSON. Raises
        InputError for what JSON cannot hold.
        """
        return {"role": "tool", "tool_call_id": self.id, "content": _told(value)}

    def to_json(self) -> dict[str, str]:
        return {"id": self.id, "name": self.name, "written": self.written}


def _told(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, BaseException):
        reason = value.data.get("reason") or value.message if isinstance(value, GenToolkitError) else value
        return f"error: {text.one_line(reason, 300) or type(value).__name__}"
    from pydantic_core import PydanticSerializationError, to_json

    try:
        return to_json(value).decode()
    except (PydanticSerializationError, ValueError) as error:
        raise InputError(
            f"a result of type {type(value).__name__} cannot be told to a model ({error})",
            fix="Give a text, or what JSON can hold.",
        ) from None
