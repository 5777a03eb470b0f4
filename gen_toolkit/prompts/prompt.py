"""gt.Prompt: a text with variables, the output it declares, and a hash that says which text it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from gen_toolkit import display, text
from gen_toolkit.errors import MissingVariable, PromptError, UnknownVariable, nearest
from gen_toolkit.messages.output import Output
from gen_toolkit.messages.request import Message, PromptReference, Rendered, as_rendered, content_text, digest
from gen_toolkit.prompts.declared import check_declared, check_name, check_options, check_value
from gen_toolkit.prompts.fragments import expanded, fragments_of
from gen_toolkit.prompts.template import render, variables


class Prompt:
    """A prompt. Immutable: a changed text is another prompt, with another hash.

    Give `system` and `user` (Jinja templates), or `messages` for few-shot turns. `output` is what the
    answer must be (pydantic model, Literal, Enum, JSON Schema), `defaults` fills variables that a
    rendering does not give, `types` says what values they take, `options` (temperature, …) go with every
    request. Values of `untrusted` variables are fenced: marked as data that the model is not to obey. All
    that is part of the version, with the texts of the fragments that the templates include; `description`
    and `owner` are not.

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
        types: Mapping[str, Any] | None = None,
        untrusted: Iterable[str] = (),
        options: Mapping[str, Any] | None = None,
        description: str = "",
        owner: str = "",
        fragments: Mapping[str, str] | None = None,
        version: int | None = None,
    ) -> None:
        check_name(name)
        self.name, self.version, self.description, self.owner = name, version, description, owner
        self.messages = _messages(system, user, messages)
        self.output = Output.of(output)
        self.defaults = _plain(defaults or {})
        self.options = check_options(name, _plain(options or {}))
        self.untrusted = frozenset([untrusted] if isinstance(untrusted, str) else untrusted)
        self.fragments = fragments_of((t for m in self.messages for t in _texts(m)), fragments)
        self.resolved = tuple(_mapped(m, lambda text: expanded(text, self.fragments)) for m in self.messages)
        texts = [text for message in self.resolved for text in _texts(message)]
        self.variables = frozenset().union(*(variables(text, self.untrusted) for text in texts))
        self.types = check_declared(self, types)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of everything a version consists of: the text's identity."""
        return digest(self.content())

    @cached_property
    def reference(self) -> PromptReference:
        return PromptReference(self.name, self.hash, self.version)

    def content(self) -> dict[str, Any]:
        """What a version consists of, as plain data."""
        also = {
            "types": {name: str(kind) for name, kind in self.types.items()},
            "untrusted": sorted(self.untrusted),
            "options": self.options,
            "fragments": self.fragments,
        }
        return {
            "messages": [dict(message) for message in self.messages],
            "output": self.output.schema if self.output else None,
            "defaults": self.defaults,
            **{key: value for key, value in also.items() if value},  # what there is not leaves the hash as it was
        }

    @classmethod
    def from_content(
        cls,
        name: str,
        content: Mapping[str, Any],
        version: int | None = None,
        *,
        description: str = "",
        owner: str = "",
    ) -> Prompt:
        """The prompt of a version, whatever fragments the workspace has now."""
        rest = {key: content.get(key) for key in ("messages", "output", "defaults", "types", "options")}
        return cls(
            name,
            **rest,
            untrusted=content.get("untrusted", ()),
            fragments=content.get("fragments", {}),
            description=description,
            owner=owner,
            version=version,
        )

    @classmethod
    def from_file(cls, path: str | Path) -> Prompt:
        """The prompt that a `*.prompt.md` file of the workspace holds. Raises PromptError naming file and line.

        Inside a job it is what the release froze; so the path must be a literal, as references are.
        """
        from gen_toolkit.prompts.file import load_file

        return load_file(path)

    def to_file(self, path: str | Path) -> Path:
        """Write it as a `*.prompt.md` file, and fragments that are not there yet beside it.

        Raises PromptError where the format cannot hold it (calls of tools, images), or where a fragment of
        that name has another text.
        """
        from gen_toolkit.prompts.write import save_file

        return save_file(self, path)

    def __call__(self, **values: Any) -> Rendered:
        """The messages with every variable filled in.

        Raises MissingVariable where one is not given and has no default, UnknownVariable for a keyword
        the text does not use, PromptError for a value that is not of the declared type.
        """
        for name in values.keys() - self.variables:
            raise UnknownVariable(
                f"prompt {self.name!r} has no variable {name!r}; it has {_list(self.variables)}",
                fix=nearest(name, self.variables) or "Leave it out.",
                variable=name,
            )
        given = {**self.defaults, **values}
        for name in self.types.keys() & values.keys():
            check_value(self, name, values[name])
        for name in sorted(self.variables - given.keys()):
            raise MissingVariable(
                f"prompt {self.name!r} needs a value for {name!r}",
                fix=f"Call it with {name}=…, or give a default.",
                variable=name,
            )
        rendered = tuple(_mapped(m, lambda text: render(text, given, self.untrusted)) for m in self.resolved)
        return Rendered(rendered, self.reference, self.output, self.options)

    def save(self, comment: str = "", *, alias: str | None = None) -> Prompt:
        """Save as a version in the MLflow prompt registry, and move `alias` to it.

        Returns this prompt with its version. A text that is there already makes no new version. The alias
        `live` is refused: it moves with an evaluation, by `gen prompts promote`.
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
            "variables": ", ".join(self._variable(name) for name in sorted(self.variables)),
            "output": json.dumps(self.output.schema) if self.output else "text",
            "options": json.dumps(self.options) if self.options else "",
            "fragments": ", ".join(sorted(self.fragments)),
            "description": self.description,
            "owner": self.owner,
            "hash": self.hash[:16],
        }
        facts = {name: fact for name, fact in facts.items() if fact}
        plain = "\n".join([f"{self.name} ({saved})", *(f"  {k}: {v}" for k, v in facts.items())])
        return display.bundle(
            plain, display.html_card(self.name, saved, body + display.html_table(["", ""], facts.items()))
        )

    def _variable(self, name: str) -> str:
        kind = f": {self.types[name]}" if name in self.types else ""
        default = f" = {self.defaults[name]!r}" if name in self.defaults else ""
        return f"{name}{kind}{default}{' (untrusted)' if name in self.untrusted else ''}"


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


def _mapped(message: Message, change: Callable[[str], str]) -> Message:
    """The message with each of its templates changed; images and calls of tools stay as they are."""
    content = message.get("content")
    if not content:
        return message
    if isinstance(content, str):
        return {**message, "content": change(content)}
    parts = [{**part, "text": change(part["text"])} if _is_text(part) else part for part in content]
    return {**message, "content": parts}


def _list(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "none"
