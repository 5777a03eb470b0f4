"""What is asked of a model: canonical, hashable, free of where and when it is asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from json.encoder import encode_basestring
from typing import Any

from gen_toolkit import display, text
from gen_toolkit.changed import changed
from gen_toolkit.errors import PromptError
from gen_toolkit.json_text import writer
from gen_toolkit.messages.output import Output
from gen_toolkit.messages.tool import Tool

Message = Mapping[str, Any]


canonical_text = writer(sort_keys=True, ensure_ascii=False, compact=True)
"""The JSON of data that digests are made of: the same for equal data."""


def canonical(data: Any) -> bytes:
    """The `canonical_text` of `data`, as it is hashed."""
    return canonical_text(data).encode("utf-8", "surrogatepass")


def digest(data: Any) -> str:
    """SHA-256 of the canonical JSON of `data`, in hexadecimal."""
    return hashlib.sha256(canonical(data)).hexdigest()


def digest_of_texts(*texts: str) -> str:
    """The `digest` of a list of texts: keys are made of them, several a call."""
    written = f"[{','.join(map(encode_basestring, texts))}]"
    return hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()


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
        return changed(self, alias=alias, provider=provider, model=model, options={**options, **self.options})

    @cached_property
    def hash(self) -> str:
        """The same for the same question to the same model, wherever it is asked."""
        before: dict[str, Any] = {"choose": self.choose}
        if self.inputs:
            before["inputs"] = self.inputs
        after: dict[str, Any] = {
            "model": self.model,
            "options": dict(self.options),
            "provider": self.provider,
            "schema": self.output.schema if self.output else None,
        }
        if self.tools:
            after["tools"] = [tool.to_json() for tool in self.tools]
        # the canonical text of all that, without writing the messages once more
        asked = f'{canonical_text(before)[:-1]},"messages":{self.said},{canonical_text(after)[1:]}'
        return hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()

    @cached_property
    def said(self) -> str:
        """The canonical text of the messages: hashed, and kept by the journal."""
        return canonical_text(self.messages)


def content_text(message: Message) -> str:
    """What a message says, for people and for counting: its texts, its other parts by their kind, its calls."""
    content = message.get("content")
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}] if content else []
    said = []
    for part in parts:
        kind = part.get("type") if isinstance(part, Mapping) else part
        said.append(str(part.get("text", "")) if kind == "text" else f"[{kind}]")
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, Mapping) else None
        named = function if isinstance(function, Mapping) else {}
        said.append(f"{named.get('name')}({named.get('arguments')})")
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
    return Rendered(tuple(_message(message) for message in prompt))


def _message(given: Message) -> Message:
    """A copy that nobody else can change. What it holds beside role and content is left as it is."""
    try:
        message: dict[str, Any] = json.loads(json.dumps(dict(given), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise PromptError(
            f"a message holds what is no plain data ({error})", fix="Use texts, numbers, lists and dicts."
        ) from None
    if not message.get("role") or ("content" not in message and not message.get("tool_calls")):
        raise PromptError(
            f"a message needs 'role' and 'content', this one has {', '.join(message) or 'nothing'}",
            fix='Write {"role": "user", "content": "…"}.',
        )
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list) or not all(isinstance(call, dict) for call in calls):
        raise PromptError(
            f"the tool_calls of a {message['role']!r} message are no list of calls",
            fix="Give reply.message as it is.",
        )
    if not _is_content(message.get("content")):
        raise PromptError(
            f"the content of a {message['role']!r} message is neither a text nor a list of parts",
            fix='Write "…", or [{"type": "text", "text": "…"}, …].',
        )
    return message


def _is_content(content: Any) -> bool:
    """A text, a list of parts (texts, images, …), or nothing beside calls of tools."""
    if content is None or isinstance(content, str):
        return True
    return isinstance(content, list) and all(
        isinstance(part, dict) and (part.get("type") != "text" or isinstance(part.get("text"), str)) for part in content
    )
