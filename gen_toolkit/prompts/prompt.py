"""gt.Prompt: a text with variables, the output it declares, and a hash that says which text it is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from gen_toolkit import display, text
from gen_toolkit.errors import MissingVariable, PromptError, UnknownVariable, nearest
from gen_toolkit.messages.output import Output
from gen_toolkit.messages.request import Message, PromptReference, Rendered, as_rendered, content_text, digest
from gen_toolkit.prompts.template import render, variables

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Prompt:
    """A prompt. Immutable: a changed text is another prompt, with another hash.

    Give `system` and `user` (Jinja templates), or `messages` for few-shot turns. `output` is what the
    answer must be (pydantic model, Literal, Enum, JSON Schema) and `defaults` fills variables that a
    rendering does not give. All three are part of the version.

    >>> greet = Prompt("greet", user="Hello {{ name }}!")
    >>> str(greet(name="Ada"))
    '[user]\\nHello Ada!'
    """

    def __init__(
        self,
        name: str,
        *,
        system: str | None = None,
        user: str | None = None,
        messages: Sequence[Message] | None = None,
        output: Any = None,
        defaults: Mapping[str, Any] | None = None,
        version: int | None = None,
    ) -> None:
        if not _NAME.fullmatch(name):
            raise PromptError(
                f"{name!r} cannot be a prompt's name",
                fix="Use letters, digits, '.', '_' and '-', at most 100, beginning with a letter or digit.",
            )
        self.name = name
        self.version = version
        self.messages = _messages(system, user, messages)
        self.output = Output.of(output)
        self.defaults = _plain(defaults or {})
        self.variables = frozenset().union(*(variables(t) for m in self.messages for t in _texts(m)))
        for unused in self.defaults.keys() - self.variables:
            raise UnknownVariable(
                f"prompt {name!r} has a default for {unused!r}, which its text does not use",
                fix=nearest(unused, self.variables) or "Remove it.",
                variable=unused,
            )

    @cached_property
    def hash(self) -> str:
        """SHA-256 of messages, declared output and defaults: the text's identity."""
        return digest(self.content())

    @cached_property
    def reference(self) -> PromptReference:
        return PromptReference(self.name, self.hash, self.version)

    def content(self) -> dict[str, Any]:
        """What a version consists of, as plain data."""
        return {
            "messages": [dict(message) for message in self.messages],
            "output": self.output.schema if self.output else None,
            "defaults": self.defaults,
        }

    @classmethod
    def from_content(cls, name: str, content: Mapping[str, Any], version: int | None = None) -> Prompt:
        return cls(
            name,
            messages=content["messages"],
            output=content.get("output"),
            defaults=content.get("defaults"),
            version=version,
        )

    def __call__(self, **values: Any) -> Rendered:
        """The messages with every variable filled in.

        Raises MissingVariable where one is not given and has no default, UnknownVariable for a keyword
        the text does not use.
        """
        for name in values.keys() - self.variables:
            raise UnknownVariable(
                f"prompt {self.name!r} has no variable {name!r}; it has {_list(self.variables)}",
                fix=nearest(name, self.variables) or "Leave it out.",
                variable=name,
            )
        given = {**self.defaults, **values}
        for name in sorted(self.variables - given.keys()):
            raise MissingVariable(
                f"prompt {self.name!r} needs a value for {name!r}",
                fix=f"Call it with {name}=…, or give a default.",
                variable=name,
            )
        return Rendered(tuple(_rendered(m, given) for m in self.messages), self.reference, self.output)

    def save(self, comment: str = "", *, alias: str | None = None) -> Prompt:
        """Save as a version in the MLflow prompt registry, and move `alias` to it.

        Returns this prompt with its version. A text that is there already makes no new version.
        """
        from gen_toolkit.prompts.registry import save_prompt

        return save_prompt(self, comment, alias)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Prompt) and (self.name, self.hash) == (other.name, other.hash)

    def __hash__(self) -> int:
        return hash((self.name, self.hash))

    def __repr__(self) -> str:
        return f"Prompt({str(self.reference)!r}, variables={_list(self.variables)})"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        saved = f"version {self.version}" if self.version else "not saved"
        body = "".join(f"<i>{text.html(m['role'])}</i>{display.html_text(content_text(m))}" for m in self.messages)
        facts = {
            "variables": ", ".join(
                f"{v} = {self.defaults[v]!r}" if v in self.defaults else v for v in sorted(self.variables)
            ),
            "output": json.dumps(self.output.schema) if self.output else "text",
            "hash": self.hash[:16],
        }
        plain = "\n".join([f"{self.name} ({saved})", *(f"  {k}: {v}" for k, v in facts.items())])
        return display.bundle(
            plain, display.html_card(self.name, saved, body + display.html_table(["", ""], facts.items()))
        )


def _messages(system: str | None, user: str | None, messages: Sequence[Message] | None) -> tuple[Message, ...]:
    if messages is not None and (system is not None or user is not None):
        raise PromptError("a prompt has either messages or system and user, not both", fix="Move all into messages.")
    if messages is None:
        pairs = (("system", system), ("user", user))
        messages = [{"role": role, "content": text} for role, text in pairs if text is not None]
    if not messages:
        raise PromptError("a prompt needs a text", fix='Give user="…", or messages=[…].')
    return as_rendered(list(messages)).messages


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """A copy made of JSON only, so that hash and registry see the same."""
    try:
        return dict(json.loads(json.dumps(dict(data))))
    except (TypeError, ValueError) as error:
        raise PromptError(
            f"{dict(data)!r} is not plain data: {error}", fix="Use texts, numbers, lists, dicts."
        ) from None


def _is_text(part: Any) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "text"


def _texts(message: Message) -> list[str]:
    """The templates in a message: its content, or the texts among its parts."""
    content = message.get("content")
    if isinstance(content, str):
        return [content]
    return [part["text"] for part in content or () if _is_text(part)]


def _rendered(message: Message, values: Mapping[str, Any]) -> Message:
    """Texts are rendered; images, calls of tools and what else there is stay as they are."""
    content = message.get("content")
    if not content:
        return message
    if isinstance(content, str):
        return {**message, "content": render(content, values)}
    parts = [{**part, "text": render(part["text"], values)} if _is_text(part) else part for part in content]
    return {**message, "content": parts}


def _list(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "none"
