"""The declared output of a prompt: a JSON Schema that servers enforce where they can, and we always check."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from gen_toolkit import text as plain
from gen_toolkit.errors import OutputMismatch, PromptError
from gen_toolkit.messages.faults import fault_of, schema_fault
from gen_toolkit.messages.repair import read_json

_DECLARE = "Give a pydantic model, a Literal, an Enum or a JSON Schema as a dict."
_JSON_BEGINS = ("{", '"', "'", "“", "‘", "```", "\ufeff")


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
            if fault := schema_fault(declared):
                raise PromptError(f"this JSON Schema cannot be an output ({fault})", fix=_DECLARE)
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
                fix=_DECLARE,
            ) from None

    def read(self, text: str, *, alias: str = "", cut: bool = False) -> tuple[Any, tuple[str, ...]]:
        """The value of an answer, and the repairs it took. Raises OutputMismatch where it does not fit.

        Repaired is what has one reading only; see `messages.repair`. `cut` says that the model reached its
        limit: then an answer that breaks off is not completed.
        """
        try:
            if self.labels:
                return self._label(text)
            value, repairs = read_json(text, cut=cut)
            return self._validated(value if self.is_object else _unwrapped(value)), repairs
        except (ValueError, RecursionError) as error:
            reason = plain.one_line(str(error), 300)
            raise OutputMismatch(
                f"the reply of {alias or 'the model'} does not fit the declared output: "
                f"{plain.one_line(reason, 120)}; it was {plain.one_line(text, 80)!r}",
                fix="Allow more output (max_tokens)."
                if cut
                else "Say in the prompt what form is wanted, allow more output, or use a more able model.",
                alias=alias,
                text=text,
                expected=self.schema,
                reason=reason,
            ) from None

    def parse(self, text: str, *, alias: str = "") -> Any:
        """The value alone."""
        return self.read(text, alias=alias)[0]

    def _label(self, text: str) -> tuple[Any, tuple[str, ...]]:
        said: Any = text.strip()
        repairs: tuple[str, ...] = ()
        if said not in self.labels and said.startswith(_JSON_BEGINS):  # a server that enforces a schema answers in JSON
            said, repairs = read_json(said)
            said = _unwrapped(said)
        found = [label for label in self.labels if label == said]
        if not found and isinstance(said, str):
            bare = said.strip().rstrip(".")
            found = [label for label in self.labels if label.rstrip(".").casefold() == bare.casefold()]
            if len(found) == 1:
                repairs += ("case",) * (bare != found[0].rstrip("."))
                repairs += ("final full stop",) * (said.strip().endswith(".") != found[0].endswith("."))
        if len(found) != 1:
            raise ValueError(f"not one of {', '.join(self.labels)}")
        return (self.kind(found[0]) if isinstance(self.kind, enum.EnumMeta) else found[0]), repairs

    @property
    def is_object(self) -> bool:
        """Whether the schema has an object at its root; servers want one, so anything else is wrapped."""
        return self.schema.get("type") == "object"

    def _validated(self, value: Any) -> Any:
        if self.kind is not None:
            from pydantic import TypeAdapter, ValidationError

            try:
                return TypeAdapter(self.kind).validate_json(json.dumps(value), strict=False)
            except ValidationError as error:
                raise ValueError(fault_of(error)) from None
        import jsonschema

        try:
            jsonschema.validate(value, self.schema)
        except jsonschema.ValidationError as error:
            raise ValueError(f"{error.json_path}: {error.message}") from None
        return value

    def to_json(self) -> dict[str, Any]:
        return self.schema


def _unwrapped(value: Any) -> Any:
    """What stands in the object that `wire.schema_format` put around it."""
    return value["value"] if isinstance(value, dict) and set(value) == {"value"} else value


def _labels(values: Any) -> tuple[str, ...]:
    return tuple(values) if values and all(isinstance(value, str) for value in values) else ()
