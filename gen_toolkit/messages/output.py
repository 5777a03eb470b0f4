"""The declared output of a prompt: a JSON Schema that servers enforce where they can, and we always check."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from gen_toolkit import text as plain
from gen_toolkit.errors import OutputMismatch, PromptError


@dataclass(frozen=True)
class Output:
    """What an answer must be. Built by `Output.of` from a pydantic model, Literal, Enum or JSON Schema.

    `labels` are the possible answers when the output is a choice of texts; then the model answers with
    the bare label. `kind` is the Python type that makes a value of the JSON, if there is one.
    """

    schema: dict[str, Any]
    labels: tuple[str, ...] = ()
    kind: Any = None

    @classmethod
    def of(cls, declared: Any) -> Output | None:
        if declared is None or isinstance(declared, Output):
            return declared
        if isinstance(declared, dict):
            _check_schema(declared)
            return cls(declared, _labels(declared.get("enum", ())))
        if get_origin(declared) is Literal:
            return cls({"enum": list(get_args(declared))}, _labels(get_args(declared)), declared)
        if isinstance(declared, type) and issubclass(declared, enum.Enum):
            values = [member.value for member in declared]
            return cls({"enum": values}, _labels(values), declared)
        return cls._from_type(declared)

    @classmethod
    def _from_type(cls, declared: Any) -> Output:
        from pydantic import TypeAdapter
        from pydantic.errors import PydanticUserError

        try:
            return cls(TypeAdapter(declared).json_schema(), (), declared)
        except (PydanticUserError, TypeError) as error:
            raise PromptError(
                f"output={declared!r} cannot be an output ({error.__class__.__name__})",
                fix="Give a pydantic model, a Literal, an Enum or a JSON Schema as a dict.",
            ) from None

    def parse(self, text: str, *, alias: str = "") -> Any:
        """The value of an answer. Raises OutputMismatch where it does not fit, and never guesses."""
        try:
            return self._label(text) if self.labels else self._validated(self._decoded(text))
        except (ValueError, RecursionError) as error:
            raise OutputMismatch(
                f"the reply of {alias or 'the model'} does not fit the declared output: "
                f"{plain.one_line(str(error), 120)}; it was {plain.one_line(text, 80)!r}",
                fix="Say in the prompt what form is wanted, allow more output, or use a more able model.",
                alias=alias,
                text=text,
                expected=self.schema,
            ) from None

    def _label(self, text: str) -> Any:
        said: Any = text.strip()
        if said not in self.labels and said.startswith(("{", '"')):  # a server that enforces a schema answers in JSON
            said = _unwrapped(json.loads(said))
        found = [label for label in self.labels if label == said]
        if not found and isinstance(said, str):
            bare = said.strip().rstrip(".").casefold()
            found = [label for label in self.labels if label.rstrip(".").casefold() == bare]
        if len(found) != 1:
            raise ValueError(f"not one of {', '.join(self.labels)}")
        return self.kind(found[0]) if isinstance(self.kind, enum.EnumMeta) else found[0]

    def _decoded(self, text: str) -> Any:
        value = json.loads(text)
        return value if self.is_object else _unwrapped(value)

    @property
    def is_object(self) -> bool:
        """Whether the schema has an object at its root; servers want one, so anything else is wrapped."""
        return self.schema.get("type") == "object"

    def _validated(self, value: Any) -> Any:
        if self.kind is not None:
            from pydantic import TypeAdapter

            return TypeAdapter(self.kind).validate_json(json.dumps(value), strict=False)
        import jsonschema

        try:
            jsonschema.validate(value, self.schema)
        except jsonschema.ValidationError as error:
            raise ValueError(f"{error.json_path}: {error.message}") from None
        return value

    def to_json(self) -> dict[str, Any]:
        return self.schema


def _check_schema(schema: dict[str, Any]) -> None:
    """Refuse what is no JSON Schema before a call is paid for."""
    import jsonschema

    try:
        jsonschema.validators.validator_for(schema).check_schema(schema)
    except jsonschema.SchemaError as error:
        raise PromptError(
            f"this JSON Schema cannot be an output ({error.json_path}: {plain.one_line(error.message)})",
            fix="Give a pydantic model, a Literal, an Enum or a JSON Schema as a dict.",
        ) from None


def _unwrapped(value: Any) -> Any:
    """What stands in the object that `wire.schema_format` put around it."""
    return value["value"] if isinstance(value, dict) and set(value) == {"value"} else value


def _labels(values: Any) -> tuple[str, ...]:
    return tuple(values) if values and all(isinstance(value, str) for value in values) else ()
