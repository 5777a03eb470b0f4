"""What a schema says of one row: types by column, or a pydantic model. Values are read by pydantic's rules."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from gen_toolkit import text
from gen_toolkit.errors import DatasetError

if TYPE_CHECKING:
    from pydantic import BaseModel, TypeAdapter

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
            found = self._read(adapter, row[column], texts.get(column))
            if isinstance(found, list):
                problems += [_problem({**error, "loc": (column, *error["loc"])}) for error in found[:1]]
            else:
                values[column] = found[0]
        return values, problems

    @staticmethod
    def _read(adapter: TypeAdapter[Any], value: Any, written: str | None) -> tuple[Any] | list[Any]:
        """The value in a tuple, or pydantic's errors: of what it looks like, then of the text as written."""
        from pydantic import ValidationError

        errors: list[Any] = []
        for given in (value, *([] if written is None or written == value else [written])):
            try:
                return (_plain(adapter.dump_python(adapter.validate_python(given), mode="json")),)
            except ValidationError as error:
                errors = errors or [*error.errors(include_url=False, include_context=False)]
            except ValueError as error:
                errors = errors or [{"loc": (), "msg": str(error), "input": given}]
        return errors


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
        from pydantic import ValidationError

        has_default = {f.alias or n for n, f in self.model.model_fields.items() if not f.is_required()}
        # an empty field of a CSV file says nothing, so a default may speak
        given = {c: v for c, v in row.items() if not (texts and v is None and c in has_default)}
        try:
            return self._read(given), []
        except ValidationError as error:
            errors = error.errors(include_url=False, include_context=False)
            written = {e["loc"][0] for e in errors if e["loc"] and texts.get(str(e["loc"][0])) is not None}
        try:
            return self._read({**given, **{str(column): texts[str(column)] for column in written}}), []
        except ValidationError as error:
            return {}, [_problem(e) for e in error.errors(include_url=False, include_context=False)]

    def _read(self, given: Mapping[str, Any]) -> dict[str, Any]:
        values = self.model.model_validate(given).model_dump(mode="json", by_alias=True)
        return {column: _plain(value) for column, value in values.items()}


def _plain(value: Any) -> Any:
    json.dumps(value, allow_nan=False)  # pydantic reads "nan" and "inf" as numbers; JSON has none
    return value


def _problem(error: Mapping[str, Any]) -> Problem:
    column, *inner = error["loc"] or (None,)
    at = f" at {'.'.join(map(str, inner))}" if inner else ""
    if error.get("type") == "missing":
        return Problem(None if column is None else str(column), f"is missing{at}")
    held = "has no value" if error["input"] is None else f"holds {text.one_line(repr(error['input']), 60)}"
    said = text.one_line(str(error["msg"]), 160)
    return Problem(None if column is None else str(column), f"{held}{at}: {said[:1].lower()}{said[1:]}")
