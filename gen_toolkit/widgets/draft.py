"""A prompt while it is edited: its messages and options as texts, the rest as its origin declares it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from gen_toolkit.errors import FragmentError, PromptError
from gen_toolkit.messages.request import Message, content_text
from gen_toolkit.prompts.prompt import Prompt
from gen_toolkit.prompts.template import variables

ROLES = ("system", "user", "assistant")


@dataclass(frozen=True)
class Turn:
    """A message. `kept` is one that is more than a role and a text (images, calls of tools): it stays as it is."""

    role: str
    text: str
    kept: Message | None = None

    @classmethod
    def of(cls, message: Message) -> Turn:
        plain = set(message) == {"role", "content"} and isinstance(message["content"], str)
        return cls(message["role"], content_text(message), None if plain else message)

    @property
    def message(self) -> Message:
        return {"role": self.role, "content": self.text} if self.kept is None else self.kept


@dataclass(frozen=True)
class Draft:
    """Immutable: a changed text is another draft, so a try can hold the one that it was made with."""

    origin: Prompt
    """What it began as: output, defaults, types, untrusted names and fragments are taken from it."""
    turns: tuple[Turn, ...]
    options: str
    """As JSON; "" for none."""

    @classmethod
    def of(cls, prompt: Prompt) -> Draft:
        options = json.dumps(prompt.options, ensure_ascii=False) if prompt.options else ""
        return cls(prompt, tuple(Turn.of(message) for message in prompt.messages), options)

    def with_turn(self, number: int, *, role: str | None = None, text: str | None = None) -> Draft:
        old = self.turns[number]
        new = replace(old, role=old.role if role is None else role, text=old.text if text is None else text)
        return replace(self, turns=(*self.turns[:number], new, *self.turns[number + 1 :]))

    def with_another(self) -> Draft:
        """With an empty message at the end, from whoever is next to speak."""
        role = "assistant" if self.turns and self.turns[-1].role == "user" else "user"
        return replace(self, turns=(*self.turns, Turn(role, "")))

    def without(self, number: int) -> Draft:
        return replace(self, turns=(*self.turns[:number], *self.turns[number + 1 :]))

    def with_options(self, options: str) -> Draft:
        return replace(self, options=options)

    def prompt(self) -> Prompt:
        """The prompt that this text makes. Raises PromptError, in one line that says which message is wrong.

        What the origin declares of a variable that the text no longer uses is left out; a new variable of a
        prompt with types is declared `any`.
        """
        for number, turn in enumerate(self.turns, 1):
            _check(number, turn)
        try:
            return self._built(self.origin.fragments)
        except FragmentError as error:
            if error.fragment in self.origin.fragments:
                raise
            return self._built(None)  # one that the version does not hold: all are read from the files

    def _built(self, fragments: dict[str, str] | None) -> Prompt:
        origin, messages = self.origin, [turn.message for turn in self.turns]
        used = Prompt(origin.name, messages=messages, fragments=fragments).variables
        types = {name: str(origin.types.get(name, "any")) for name in sorted(used)} if origin.types else None
        built = Prompt(
            origin.name,
            messages=messages,
            output=origin.output,
            defaults={name: value for name, value in origin.defaults.items() if name in used},
            types=types,
            untrusted=_known(origin.untrusted, used),
            options=_options(self.options),
            description=origin.description,
            owner=origin.owner,
            fragments=fragments,
        )
        return origin if built == origin else built


def _known(names: Iterable[str], used: frozenset[str]) -> list[str]:
    return [name for name in names if name in used]


def _check(number: int, turn: Turn) -> None:
    try:
        if turn.kept is None:
            variables(turn.text)
    except PromptError as error:
        raise PromptError(f"message {number} ({turn.role}): {error.message}", fix=error.fix) from None


def _options(text: str) -> dict[str, object]:
    try:
        options = json.loads(text or "{}")
    except (ValueError, RecursionError):
        options = None
    if not isinstance(options, dict):
        raise PromptError("the options are no JSON object", fix='Write {"temperature": 0}, or nothing.')
    return options
