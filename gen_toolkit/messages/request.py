"""What is asked of a model: canonical, hashable, free of where and when it is asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from gen_toolkit import display, text
from gen_toolkit.errors import PromptError
from gen_toolkit.messages.output import Output
from gen_toolkit.messages.tool import Tool

Message = Mapping[str, Any]


def digest(data: Any) -> str:
    """SHA-256 of the canonical JSON of `data`, in hexadecimal."""
    canonical = json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class PromptReference:
    """Which prompt a request came from."""

    name: str
    hash: str
    version: int | None = None

    def __str__(self) -> str:
        return f"{self.name}@{self.version}" if self.version else f"{self.name}#{self.hash[:8]}"


@dataclass(frozen=True)
class Rendered:
    """Messages ready to be sent, with the prompt they came from, the output and the options it declares."""

    messages: tuple[Message, ...]
    prompt: PromptReference | None = None
    output: Output | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    """Sent with the request, under those of the call and above those of the alias."""

    def __str__(self) -> str:
        return "\n\n".join(f"[{m['role']}]\n{content_text(m)}" for m in self.messages)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        body = "".join(f"<i>{text.html(m['role'])}</i>{display.html_text(content_text(m))}" for m in self.messages)
        return display.bundle(str(self), display.html_card(str(self.prompt or "messages"), "rendered", body))


@dataclass(frozen=True)
class Request:
    """One request to one model. The chain fills in alias, provider and model: see `addressed`."""

    messages: tuple[Message, ...]
    alias: str = ""
    provider: str = ""
    model: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    output: Output | None = None
    choose: tuple[str, ...] = ()
    """Labels to weigh by the probability of their first token instead of generating a text."""
    tools: tuple[Tool, ...] = ()
    inputs: tuple[str, ...] = ()
    """Texts to embed; then there are no messages."""
    prompt: PromptReference | None = None
    instead_of: str | None = None
    """Id of the failed call of another alias that this one stands in for."""

    def addressed(self, alias: str, provider: str, model: str, options: Mapping[str, Any]) -> Request:
        """This request to one model: its alias's options, under those of the call."""
        return replace(self, alias=alias, provider=provider, model=model, options={**options, **self.options})

    @cached_property
    def hash(self) -> str:
        """The same for the same question to the same model, wherever it is asked."""
        asked: dict[str, Any] = {
            "messages": self.messages,
            "provider": self.provider,
            "model": self.model,
            "options": dict(self.options),
            "schema": self.output.schema if self.output else None,
            "choose": self.choose,
        }
        if self.tools:
            asked["tools"] = [tool.to_json() for tool in self.tools]
        if self.inputs:
            asked["inputs"] = self.inputs
        return digest(asked)


def content_text(message: Message) -> str:
    """What a message says, for people and for counting: its texts, and its other parts by their kind."""
    content = message.get("content")
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}] if content else []
    said = []
    for part in parts:
        is_text = isinstance(part, Mapping) and part.get("type") == "text"
        said.append(str(part["text"]) if is_text else f"[{part.get('type') if isinstance(part, Mapping) else part}]")
    for call in message.get("tool_calls") or ():
        function = call.get("function", {}) if isinstance(call, Mapping) else {}
        said.append(f"{function.get('name')}({function.get('arguments')})")
    return "\n".join(said)


def as_rendered(prompt: Rendered | str | Sequence[Message]) -> Rendered:
    """What `gt.chat` takes: a rendered prompt, a text, or a list of messages."""
    if isinstance(prompt, Rendered):
        return prompt
    if isinstance(prompt, str):
        return Rendered(({"role": "user", "content": prompt},))
    if callable(prompt):
        raise PromptError(
            "a prompt was given where its rendering is needed",
            fix="Render it first: chat(prompt(text=…)).",
        )
    given: Any = prompt  # whatever the annotation says
    if not isinstance(given, Sequence) or not given or not all(isinstance(message, Mapping) for message in given):
        raise PromptError(
            f"{type(prompt).__name__} {text.one_line(prompt, 40)!r} is no prompt",
            fix="Give a rendered prompt, a text, or a list of messages.",
        )
    messages = tuple(dict(message) for message in prompt)
    for message in messages:
        if not message.get("role") or ("content" not in message and not message.get("tool_calls")):
            raise PromptError(
                f"a message needs 'role' and 'content', this one has {', '.join(message) or 'nothing'}",
                fix='Write {"role": "user", "content": "…"}.',
            )
    return Rendered(messages)
