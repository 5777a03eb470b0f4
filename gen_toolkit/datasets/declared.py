"""What a schema says of one row: types by column, or a pydantic model. Values are read by pydantic's rules."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from gen_toolkit import text
from gen_toolkit.errors import DatasetError

if TYPE_CHECKING:
    from pydantic import BaseModel, TypeAdapter, ValidationError

_TYPES = 'Give a pydantic model, or types by column: {"text": str, "label": Literal["a", "b"], "year": int | None}.'


@dataclass(frozen=True)
class Problem:
    """What does not fit in a row. `column` is None where it is the row as a whole."""

    column: str | None
    said: str


class Declared(Protocol):
    """Columns with types."""

    @property
    def required(self) -> Sequence[str]:
        """The columns that must be there."""

    def read(self, row: Mapping[str, Any], texts: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
        """The declared columns as plain data, and what does not fit. `texts` holds a CSV file's fields."""


def declared(schema: Any) -> Declared:
    """Raises DatasetError where the schema is none."""
    from pydantic import BaseModel, TypeAdapter
    from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError
    from pydantic_core import SchemaError

    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return _Model(schema)
    if not isinstance(schema, Mapping) or not all(isinstance(column, str) for column in schema):
        raise DatasetError(f"{text.one_line(repr(schema))} is no schema", fix=_TYPES)
    adapters: dict[str, TypeAdapter[Any]] = {}
    for column, kind in schema.items():
        try:
            if isinstance(kind, str):
                raise TypeError  # pydantic would look the name up in this module
            adapters[column] = TypeAdapter(kind)
        except (PydanticUserError, PydanticUndefinedAnnotation, SchemaError, TypeError) as error:
            raise DatasetError(
                f"the schema of column {column!r} is no type: {text.one_line(repr(kind))} ({type(error).__name__})",
                fix=_TYPES,
                column=column,
            ) from None
    return _Columns(adapters)


@dataclass(frozen=True)
class _Columns:
    adapters: Mapping[str, TypeAdapter[Any]]

    @property
    def required(self) -> Sequence[str]:
        return list(self.adapters)

    def read(self, row: Mapping[str, Any], texts: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
        values: dict[str, Any] = {}
        problems: list[Problem] = []
        for column, adapter in self.adapters.items():
            if column not in row:
                problems.append(Problem(column, "is missing"))
                continue
            value, wrong = self._value(adapter, column, row[column])
            if wrong and texts.get(column) is not None:
                value, still_wrong = self._value(adapter, column, texts[column])
                wrong = wrong if still_wrong else []
            values[column] = value
            problems += wrong[:1]
        return values, problems

    @staticmethod
    def _value(adapter: TypeAdapter[Any], column: str, given: Any) -> tuple[Any, list[Problem]]:
        from pydantic import ValidationError

        try:
            value = adapter.dump_python(adapter.validate_python(given), mode="json")
        except ValidationError as error:
            return None, [_problem({**found, "loc": (column, *found["loc"])}) for found in _errors(error)]
        return value, _no_json(column, value)


@dataclass(frozen=True)
class _Model:
    model: type[BaseModel]

    @property
    def required(self) -> Sequence[str]:
        return [
            field.alias or name
            for name, field in self.model.model_fields.items()
            if field.is_required() and (field.validation_alias is None or field.alias == field.validation_alias)
        ]

    def read(self, row: Mapping[str, Any], texts: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
        has_default = {f.alias or n for n, f in self.model.model_fields.items() if not f.is_required()}
        # an empty field of a CSV file says nothing, so a default may speak
        given = {c: v for c, v in row.items() if not (texts and v is None and c in has_default)}
        values, problems = self._values(given)
        written = {p.column: texts[p.column] for p in problems if p.column and texts.get(p.column) is not None}
        return self._values({**given, **written}) if written else (values, problems)

    def _values(self, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
        from pydantic import ValidationError

        try:
            values = self.model.model_validate(given).model_dump(mode="json", by_alias=True)
        except ValidationError as error:
            return {}, [_problem(found) for found in _errors(error)]
        return values, [problem for column, value in values.items() for problem in _no_json(column, value)]


def _no_json(column: str, value: Any) -> list[Problem]:
    """pydantic reads "nan" and "inf" as numbers, and JSON has none such."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return [Problem(column, f"holds {text.one_line(repr(value), 60)}, which JSON cannot")]
    return []


def _errors(error: ValidationError) -> Sequence[Mapping[str, Any]]:
    return error.errors(include_url=False, include_context=False)


def _problem(error: Mapping[str, Any]) -> Problem:
    column, *inner = error["loc"] or (None,)
    at = f" at {'.'.join(map(str, inner))}" if inner else ""
    if error.get("type") == "missing":
        return Problem(None if column is None else str(column), f"is missing{at}")
    held = "has no value" if error["input"] is None else f"holds {text.one_line(repr(error['input']), 60)}"
    said = text.one_line(str(error["msg"]), 160)
    return Problem(None if column is None else str(column), f"{held}{at}: {said[:1].lower()}{said[1:]}")
