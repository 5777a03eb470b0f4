"""The values of a prompt's variables as texts in fields: filled in from defaults and rows, or typed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gen_toolkit.errors import PromptError
from gen_toolkit.prompts.kinds import Kind


@dataclass(frozen=True)
class Fields:
    """What stands in the fields. A field that was never filled in has no value; an empty one has an empty text."""

    texts: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    """What was filled in, so that an untouched field gives back the very same value."""

    def filled(self, values: Mapping[str, Any]) -> Fields:
        """With these values; fields of other names stay as they are."""
        texts = {name: as_text(value) for name, value in values.items()}
        return Fields({**self.texts, **texts}, {**self.given, **values})

    def typed(self, name: str, text: str) -> Fields:
        return replace(self, texts={**self.texts, name: text})

    def values(self, names: Iterable[str], kinds: Mapping[str, Kind]) -> dict[str, Any]:
        """The value of each of these variables that has one. Raises PromptError for a text that cannot be one.

        A text is JSON where the field was filled with something else than a text, or where the declared type
        takes no text; anywhere else it is what it says.
        """
        return {name: self._value(name, kinds.get(name)) for name in sorted(names) if name in self.texts}

    def _value(self, name: str, kind: Kind | None) -> Any:
        text = self.texts[name]
        if name in self.given and as_text(self.given[name]) == text:
            return self.given[name]
        if not self.is_json(name, kind):
            return text
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            example = as_text(self.given[name]) if name in self.given else '["a", "b"] or 5'
            raise PromptError(f"the value of {name!r} is no JSON", fix=f"Write it like {example[:60]}") from None

    def is_json(self, name: str, kind: Kind | None) -> bool:
        """Whether what is typed for this variable is read as JSON."""
        if name in self.given and not isinstance(self.given[name], str):
            return True
        return kind is not None and not _takes(kind, self.texts.get(name, ""))


def _takes(kind: Kind, text: str) -> bool:
    """Whether a text is meant as it is: it fits, or it is one of several words that was mistyped."""
    one_of = kind.name == "Literal" and all(isinstance(word, str) for word in kind.literals)
    return kind.fits(text) or one_of


def as_text(value: Any) -> str:
    """A text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
